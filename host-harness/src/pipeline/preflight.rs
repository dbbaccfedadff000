//! The checks before replication: both plugins look at their servers, and the host carries what the source said to the sink.
//!
//! The host understands no finding. It knows titles, sides and names for `[check] allow` from the catalogue, sorts, and lowers what the configuration
//! allows. A server that cannot be looked at is a finding for `datain check`, and the error itself for `datain run`, so that it is retried as any other.

use std::sync::Arc;

use datain_catalogue::{CHECKS, Side};
use serde::Serialize;

use crate::bindings::types;
use crate::config::Config;
use crate::engine::Role;
use crate::error::{Error, Kind, Result};
use crate::plugin::{Plugin, SinkInstance, SourceInstance};
use crate::transport::Waker;

use super::supervisor;

/// How a finding is to be taken; the worst is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The requirement holds.
    Passed,
    /// Worth knowing, allowed, or not checked.
    Note,
    /// Replication works, with less safety.
    Warning,
    /// Replication does not work, or would damage data.
    Fatal,
}

/// What was found about one requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it is to be taken.
    pub severity: Severity,
    /// Stable and dotted.
    pub code: String,
    /// `source`, `target`, or `pair` for the two compared.
    pub side: &'static str,
    /// The requirement.
    pub title: String,
    /// What was found.
    pub message: String,
    /// Why it matters.
    pub reason: String,
    /// What mends it.
    pub remedy: Option<String>,
    /// Tables, accounts, schemas that it is about.
    pub subjects: Vec<String>,
    /// Whether `[check] allow` lowered it to a note.
    pub allowed: bool,
}

/// All findings, the worst first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// The findings, the worst first; within a severity in the catalogue's order.
    #[must_use]
    pub fn all(&self) -> &[Finding] {
        &self.0
    }

    /// How many have this severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.of(severity).count()
    }

    fn of(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(move |f| f.severity == severity)
    }

    fn new(mut found: Vec<Finding>, allow: &[String]) -> Self {
        for finding in &mut found {
            let name = datain_catalogue::check(&finding.code).and_then(|check| check.allow);
            if finding.severity > Severity::Note
                && name.is_some_and(|name| allow.iter().any(|allowed| allowed == name))
            {
                finding.severity = Severity::Note;
                finding.allowed = true;
            }
        }
        let place = |finding: &Finding| {
            let known = CHECKS.iter().position(|check| check.code == finding.code);
            // A server that cannot be looked at has a code that is no requirement's, and comes first.
            known.map_or(0, |at| at + 1)
        };
        found.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), place(finding)));
        Self(found)
    }
}

/// What could be learnt of the two servers.
struct Look {
    /// The target's checkpoint could not be read for this reason.
    target_unknown: Option<Error>,
    source: Result<Vec<types::Finding>>,
    target: Result<Vec<types::Finding>>,
}

/// Asks the target for its checkpoint, then the source, then the target with what the source said. With `first_error` nothing is asked after an error.
fn look(
    source: &Arc<Plugin>,
    sink: &Arc<Plugin>,
    waker: &Arc<Waker>,
    first_error: bool,
) -> Result<Look> {
    let inspected = SinkInstance::new(sink, Arc::clone(waker))?.inspect();
    let (checkpoint, target_unknown) = match inspected {
        // A host that is started while the pipeline is stopped has nothing to check: it rests, whatever the servers are like at this moment.
        Ok(inspection) if first_error && inspection.stopped_at_micros.is_some() => {
            return Err(supervisor::stopped(source.pipeline()));
        }
        Ok(inspection) => (inspection.checkpoint, None),
        Err(error) if first_error || not_a_finding(&error) => return Err(error),
        Err(error) => (None, Some(error)),
    };
    let survey = SourceInstance::new(source, Arc::clone(waker))?.check(checkpoint.as_ref());
    let (source, facts) = match survey {
        Ok(survey) => (Ok(survey.findings), survey.facts),
        Err(error) if first_error || not_a_finding(&error) => return Err(error),
        Err(error) => (Err(error), Vec::new()),
    };
    let target = match SinkInstance::new(sink, Arc::clone(waker))?.check(&facts) {
        Err(error) if first_error || not_a_finding(&error) => return Err(error),
        other => other,
    };
    Ok(Look {
        target_unknown,
        source,
        target,
    })
}

/// Errors of the configuration, of a plugin and of the host are no findings about a server.
fn not_a_finding(error: &Error) -> bool {
    matches!(error.kind(), Kind::Config | Kind::Interrupted)
        || error.code().starts_with("plugin.")
        || error.code().starts_with("host.")
}

/// `datain check`.
pub(super) fn check(source: &Arc<Plugin>, sink: &Arc<Plugin>, config: &Config) -> Result<Findings> {
    let look = look(source, sink, &Arc::new(Waker::new()?), false)?;
    let mut found = Vec::new();
    match look.source {
        Ok(findings) => found.extend(findings.into_iter().map(|f| finding(f, Role::Source))),
        Err(error) => found.push(unreachable(&error, Role::Source)),
    }
    if look.target_unknown.is_some() {
        for finding in &mut found {
            if datain_catalogue::check(&finding.code).is_some_and(|check| check.of_resume) {
                finding.severity = Severity::Note;
                "not checked: the target's checkpoint could not be read"
                    .clone_into(&mut finding.message);
                finding.remedy = None;
            }
        }
    }
    let same = |a: &Error, b: &Error| a.code() == b.code();
    match (look.target, look.target_unknown) {
        (Ok(findings), unknown) => {
            found.extend(findings.into_iter().map(|f| finding(f, Role::Sink)));
            found.extend(unknown.map(|error| unreachable(&error, Role::Sink)));
        }
        (Err(error), unknown) => {
            let other = unknown.filter(|unknown| !same(unknown, &error));
            found.push(unreachable(&error, Role::Sink));
            found.extend(other.map(|error| unreachable(&error, Role::Sink)));
        }
    }
    Ok(Findings::new(found, &config.check.allow))
}

/// What `datain run` does first: an error for the first fatal finding; warnings are logged.
pub(super) fn require(
    source: &Arc<Plugin>,
    sink: &Arc<Plugin>,
    config: &Config,
    waker: &Arc<Waker>,
) -> Result<()> {
    let look = look(source, sink, waker, true)?;
    let of = |findings: Result<Vec<types::Finding>>, role: Role| {
        findings.map(|list| list.into_iter().map(move |f| finding(f, role)))
    };
    let mut found: Vec<Finding> = of(look.source, Role::Source)?.collect();
    found.extend(of(look.target, Role::Sink)?);
    // Opening the stream says the same with more, and knows whether a new first copy is the cure. It also tells the other reader that its id is used twice.
    found.retain(|finding| {
        let at_opening = finding.code == "server.replica-id-in-use"
            || datain_catalogue::check(&finding.code).is_some_and(|check| check.of_resume);
        !at_opening
    });
    let findings = Findings::new(found, &config.check.allow);
    for warning in findings.of(Severity::Warning) {
        tracing::warn!(
            code = %warning.code,
            remedy = warning.remedy,
            "{}: {}", warning.side, warning.message
        );
    }
    let mut fatal = findings.of(Severity::Fatal);
    let Some(first) = fatal.next() else {
        return Ok(());
    };
    let rest: Vec<String> = fatal
        .map(|finding| format!("{} ({}): {}", finding.code, finding.side, finding.message))
        .collect();
    Err(refused(first, &rest, config))
}

fn refused(first: &Finding, rest: &[String], config: &Config) -> Error {
    let hint = first
        .remedy
        .clone()
        .unwrap_or_else(|| "`datain check` says more".to_owned());
    let mut error = Error::new(Kind::Reconfigure, &first.code, &first.message).hint(hint);
    let report = error.report_mut();
    let mut detail = vec![first.reason.clone()];
    if !rest.is_empty() {
        detail.push(format!("found as well:\n{}", rest.join("\n")));
    }
    detail.retain(|part| !part.is_empty());
    report.detail = (!detail.is_empty()).then(|| detail.join("\n"));
    report.server = match first.side {
        "source" => Some(format!("source {}", config.source.address)),
        "target" => Some(format!("target {}", config.target_address())),
        _ => None,
    };
    if let [table] = first.subjects.as_slice()
        && table.contains("`.`")
    {
        report.table = Some(plain(table));
    }
    error
}

/// A table as errors name it: `schema.table` without quotes.
fn plain(quoted: &str) -> String {
    let names: Vec<&str> = quoted.split("`.`").collect();
    names.join(".").trim_matches('`').replace("``", "`")
}

/// A plugin's finding with what the catalogue knows of it.
pub(super) fn finding(found: types::Finding, role: Role) -> Finding {
    let known = datain_catalogue::check(&found.code);
    Finding {
        severity: match found.severity {
            types::Severity::Passed => Severity::Passed,
            types::Severity::Note => Severity::Note,
            types::Severity::Warning => Severity::Warning,
            types::Severity::Fatal => Severity::Fatal,
        },
        side: known.map_or_else(|| side(role), |check| check.side).name(),
        // A plugin of others may have requirements of its own.
        title: known.map_or_else(|| found.code.clone(), |check| check.title.to_owned()),
        code: found.code,
        message: found.message,
        reason: found.reason,
        remedy: found.remedy,
        subjects: found.subjects,
        allowed: false,
    }
}

fn side(role: Role) -> Side {
    match role {
        Role::Source | Role::Transform => Side::Source,
        Role::Sink => Side::Target,
    }
}

/// The one finding about a server that cannot be looked at.
fn unreachable(error: &Error, role: Role) -> Finding {
    let report = error.report();
    let mut message = report.message.clone();
    for more in [&report.detail, &report.server].into_iter().flatten() {
        message.push_str(&format!("; {more}"));
    }
    Finding {
        severity: Severity::Fatal,
        code: report.code.clone(),
        side: side(role).name(),
        title: format!("the {} can be reached and looked at", role.endpoint()),
        message,
        reason: "nothing can be checked or replicated without it.".to_owned(),
        remedy: report.hint.clone(),
        subjects: Vec::new(),
        allowed: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(code: &str, severity: types::Severity) -> Finding {
        let found = types::Finding {
            severity,
            code: code.to_owned(),
            message: "m".to_owned(),
            reason: "r".to_owned(),
            remedy: None,
            subjects: Vec::new(),
        };
        finding(found, Role::Sink)
    }

    #[test]
    fn the_worst_comes_first_and_what_is_allowed_is_a_note() {
        let findings = Findings::new(
            vec![
                found("target.clock-skew", types::Severity::Passed),
                found("pair.version", types::Severity::Fatal),
                found("table.engine", types::Severity::Fatal),
                found("table.triggers", types::Severity::Fatal),
                found("pair.max-packet", types::Severity::Warning),
                found("x.of-another-plugin", types::Severity::Warning),
            ],
            &["version".to_owned()],
        );
        let order: Vec<(&str, Severity, bool)> = findings
            .all()
            .iter()
            .map(|f| (f.code.as_str(), f.severity, f.allowed))
            .collect();
        assert_eq!(
            order,
            [
                ("table.triggers", Severity::Fatal, false),
                ("table.engine", Severity::Fatal, false),
                ("x.of-another-plugin", Severity::Warning, false),
                ("pair.max-packet", Severity::Warning, false),
                ("pair.version", Severity::Note, true),
                ("target.clock-skew", Severity::Passed, false),
            ]
        );
        assert_eq!(findings.count(Severity::Fatal), 2);
        assert_eq!(findings.all()[2].side, "target");
        assert_eq!(findings.all()[4].side, "pair");
    }

    #[test]
    fn tables_are_named_as_in_errors() {
        assert_eq!(plain("`d`.`t`"), "d.t");
        assert_eq!(plain("`d``x`.`t.u`"), "d`x.t.u");
    }
}
