//! Errors as people meet them: one sentence, with everything around it that helps, and what can be done about it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an error means for the one who runs the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The command line or the configuration is wrong; nothing was started.
    Config,
    /// Passing trouble: a new start from the checkpoint may go well.
    Retry,
    /// A person must change a setting, an account or a privilege first.
    Reconfigure,
    /// The source no longer has what the checkpoint needs.
    Resnapshot,
    /// Going on would lose or damage data.
    Fatal,
    /// The instance ended because the host asked it to.
    Interrupted,
}

/// Everything known about an error. Holds no row values and no secrets. As JSON it has all of these keys, `null` where nothing is known; docs/errors.md describes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What can be done about it.
    pub kind: Kind,
    /// Stable, dotted, lower case: `net.refused`.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// More about what was found.
    #[serde(default)]
    pub detail: Option<String>,
    /// Where in the stream: file and offset.
    #[serde(default)]
    pub position: Option<String>,
    /// The transaction, where it has a GTID.
    #[serde(default)]
    pub gtid: Option<String>,
    /// The table, as `schema.table`.
    #[serde(default)]
    pub table: Option<String>,
    /// Which server it concerns, and what that server said: `source 10.0.0.1:3306, errno 1045, SQLSTATE 28000`.
    #[serde(default)]
    pub server: Option<String>,
    /// The server's error number, when a server reported the error.
    #[serde(default)]
    pub errno: Option<u16>,
    /// The server's SQLSTATE, likewise.
    #[serde(default)]
    pub sqlstate: Option<String>,
    /// What to do.
    #[serde(default)]
    pub hint: Option<String>,
}

/// An error of the host or of a plugin. Boxed, since errors are rare and results are many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Report>);

/// The host's results.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A new error of one sentence.
    pub fn new(kind: Kind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self(Box::new(Report {
            kind,
            code: code.into(),
            message: message.into(),
            detail: None,
            position: None,
            gtid: None,
            table: None,
            server: None,
            errno: None,
            sqlstate: None,
            hint: None,
        }))
    }

    /// An error in the configuration or on the command line.
    pub fn config(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Kind::Config, code, message)
    }

    /// Adds what was found.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the place in a file or stream.
    #[must_use]
    pub fn at(mut self, position: impl Into<String>) -> Self {
        self.0.position = Some(position.into());
        self
    }

    /// Adds the server it concerns.
    #[must_use]
    pub fn server(mut self, server: impl Into<String>) -> Self {
        self.0.server = Some(server.into());
        self
    }

    /// Everything known about it.
    pub fn report(&self) -> &Report {
        &self.0
    }

    /// Everything known about it, to add to.
    pub fn report_mut(&mut self) -> &mut Report {
        &mut self.0
    }

    /// What can be done about it.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The dotted code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The exit status of a command that ends with this error: 2 for usage and configuration, 130 for an interruption, else 3.
    pub fn exit_code(&self) -> u8 {
        match self.0.kind {
            Kind::Config => 2,
            Kind::Interrupted => 130,
            Kind::Retry | Kind::Reconfigure | Kind::Resnapshot | Kind::Fatal => 3,
        }
    }

    /// The error in full, one fact a line, as the command prints it.
    pub fn to_text(&self) -> String {
        use std::fmt::Write as _;
        let report = &*self.0;
        let mut text = format!("error[{}]: {}", report.code, report.message);
        let lines = [
            ("detail", &report.detail),
            ("position", &report.position),
            ("gtid", &report.gtid),
            ("table", &report.table),
            ("server", &report.server),
            ("hint", &report.hint),
        ];
        for (name, value) in lines {
            if let Some(value) = value {
                // Writing to a String cannot fail.
                let _ = write!(text, "\n  {name}: {}", value.replace('\n', "\n    "));
            }
        }
        text
    }
}

impl From<Report> for Error {
    fn from(report: Report) -> Self {
        Self(Box::new(report))
    }
}

impl fmt::Display for Error {
    /// The sentence and its code, for a log line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.0.message, self.0.code)?;
        if let Some(detail) = &self.0.detail {
            write!(f, ": {detail}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_gives_one_fact_a_line() {
        let error = Error::new(
            Kind::Reconfigure,
            "auth.denied",
            "the source refused the account `repl`",
        )
        .server("source 127.0.0.1:3306, errno 1045")
        .hint("check the password\nand the host part");
        assert_eq!(
            error.to_text(),
            "error[auth.denied]: the source refused the account `repl`\n  server: source 127.0.0.1:3306, errno 1045\n  \
             hint: check the password\n    and the host part"
        );
        assert_eq!(error.exit_code(), 3);
        assert_eq!(Error::config("config.syntax", "x").exit_code(), 2);
    }

    /// Both ways: a key that is not on the page, and one on the page that is not there.
    #[test]
    fn the_keys_are_those_of_the_page() {
        const PAGE: &str = include_str!("../../docs/errors.md");
        let error = Error::new(Kind::Fatal, "a.b", "x");
        let Ok(serde_json::Value::Object(object)) = serde_json::to_value(error.report()) else {
            panic!("a report is an object");
        };
        let mut keys: Vec<String> = object.keys().cloned().collect();
        let mut described: Vec<String> = PAGE
            .lines()
            .filter_map(|line| line.strip_prefix("| `error."))
            .filter_map(|rest| rest.split_once('`'))
            .map(|(key, _)| key.to_owned())
            .collect();
        keys.sort();
        described.sort();
        assert_eq!(keys, described);
        assert_eq!(object["errno"], serde_json::Value::Null);
        // What an older version has left in a target lacks keys.
        let old = r#"{"kind": "fatal", "code": "a.b", "message": "x"}"#;
        assert_eq!(
            &serde_json::from_str::<Report>(old).unwrap(),
            error.report()
        );
    }
}
