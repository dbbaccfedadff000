//! Log lines on standard error: `2026-11-26T14:05:09.123Z  INFO source: streaming (position: binlog.000001:4)`.

use crate::{clock, output};

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every step.
    Trace,
    /// For developers.
    Debug,
    /// For operators.
    Info,
    /// Something that a person should look at.
    Warn,
    /// Something failed.
    Error,
}

impl Level {
    /// By its name in lower case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "trace" => Self::Trace,
            "debug" => Self::Debug,
            "info" => Self::Info,
            "warn" => Self::Warn,
            "error" => Self::Error,
            _ => return None,
        })
    }

    fn padded(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => " INFO",
            Self::Warn => " WARN",
            Self::Error => "ERROR",
        }
    }
}

/// The bytes of a message, and of all fields together, that a line holds at most.
const LENGTH_MAX: usize = 4096;

/// Writes a line of the part of the program that is called `who`.
pub fn line(level: Level, who: &str, message: &str, fields: &[(String, String)]) {
    let now = clock::timestamp(clock::since_1970());
    let text = text(message, fields);
    output::complain(&format!("{now} {} {who}: {text}", level.padded()));
}

fn text(message: &str, fields: &[(String, String)]) -> String {
    let mut text = clean(message);
    if fields.is_empty() {
        return text;
    }
    let mut pairs = String::new();
    for (name, value) in fields {
        if pairs.len() > LENGTH_MAX {
            break;
        }
        let separator = if pairs.is_empty() { "" } else { ", " };
        pairs.extend([separator, name, ": ", value]);
    }
    text.extend([" (", &clean(&pairs), ")"]);
    text
}

/// One line of bounded length without control characters: what a plugin says must not be able to write on the operator's terminal.
fn clean(text: &str) -> String {
    let end = (0..=LENGTH_MAX.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let mut cleaned: String = text[..end]
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if end < text.len() {
        cleaned.push('…');
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_short_and_without_control_characters() {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(text("left out", &[]), "left out");
        let fields = [
            field("statement", "CREATE\nUSER"),
            field("transaction", "u:7"),
        ];
        assert_eq!(
            text("left\u{1b}[2J out", &fields),
            "left [2J out (statement: CREATE USER, transaction: u:7)"
        );
        assert_eq!(clean(&"ä".repeat(5000)).chars().count(), LENGTH_MAX / 2 + 1);
    }
}
