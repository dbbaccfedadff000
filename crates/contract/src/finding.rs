//! Building findings: a check has decided, and the catalogue knows why it matters.

use crate::types::{Fact, Finding, Severity};

/// Constructors and modifiers of [`Finding`].
pub trait FindingExt: Sized {
    /// A finding about the requirement `code`, with its reason from the catalogue.
    fn about(code: &str, severity: Severity, message: impl Into<String>) -> Self;
    /// The requirement holds.
    fn passed(code: &str, message: impl Into<String>) -> Self {
        Self::about(code, Severity::Passed, message)
    }
    /// The requirement holds, or a finding of this severity.
    fn judge(code: &str, holds: bool, otherwise: Severity, message: impl Into<String>) -> Self {
        Self::about(
            code,
            if holds { Severity::Passed } else { otherwise },
            message,
        )
    }
    /// What was to be looked at cannot be seen from here.
    fn not_checked(code: &str, why: &str) -> Self {
        Self::about(code, Severity::Note, format!("not checked: {why}"))
    }
    /// What mends it. Left out where the requirement holds.
    #[must_use]
    fn remedy(self, remedy: impl Into<String>) -> Self;
    /// What it is about. Left out where the requirement holds.
    #[must_use]
    fn subjects(self, subjects: Vec<String>) -> Self;
}

impl FindingExt for Finding {
    fn about(code: &str, severity: Severity, message: impl Into<String>) -> Self {
        Finding {
            severity,
            code: code.to_owned(),
            message: message.into(),
            reason: datain_catalogue::check(code)
                .map_or_else(String::new, |check| check.reason.to_owned()),
            remedy: None,
            subjects: Vec::new(),
        }
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        if self.severity != Severity::Passed {
            self.remedy = Some(remedy.into());
        }
        self
    }

    fn subjects(mut self, subjects: Vec<String>) -> Self {
        if self.severity != Severity::Passed {
            self.subjects = subjects;
        }
        self
    }
}

/// Looking facts up by name.
pub trait FactsExt {
    /// The value of the first fact of this name.
    fn value(&self, name: &str) -> Option<&str>;
    /// The values of all facts of this name.
    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str>;
}

impl FactsExt for [Fact] {
    fn value(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|fact| fact.name == name)
            .map(|fact| fact.value.as_str())
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter()
            .filter(move |fact| fact.name == name)
            .map(|fact| fact.value.as_str())
    }
}
