//! Building the contract's errors.

use crate::types::{Disposition, Error};

/// Constructors and modifiers of [`Error`]. The code and the message say what happened; position, GTID, table and the server's
/// numbers are attached once, where they are known.
pub trait ErrorExt: Sized {
    /// An error with this disposition, dotted code and one-sentence message.
    fn new(disposition: Disposition, code: &str, message: impl Into<String>) -> Self;
    /// Passing trouble.
    fn retry(code: &str, message: impl Into<String>) -> Self {
        Self::new(Disposition::Retry, code, message)
    }
    /// A person must change a setting, an account or the configuration.
    fn reconfigure(code: &str, message: impl Into<String>) -> Self {
        Self::new(Disposition::Reconfigure, code, message)
    }
    /// A new first copy is needed.
    fn resnapshot(code: &str, message: impl Into<String>) -> Self {
        Self::new(Disposition::Resnapshot, code, message)
    }
    /// Going on would lose or damage data.
    fn fatal(code: &str, message: impl Into<String>) -> Self {
        Self::new(Disposition::Fatal, code, message)
    }
    /// More about what was found.
    #[must_use]
    fn detail(self, detail: impl Into<String>) -> Self;
    /// What to do.
    #[must_use]
    fn hint(self, hint: impl Into<String>) -> Self;
    /// The table, unless one is named already.
    #[must_use]
    fn in_table(self, schema: &str, name: &str) -> Self;
    /// The place in the stream, unless one is named already.
    #[must_use]
    fn at(self, file: &str, offset: u64, gtid: Option<&str>) -> Self;
}

impl ErrorExt for Error {
    fn new(disposition: Disposition, code: &str, message: impl Into<String>) -> Self {
        Error {
            disposition,
            code: code.to_owned(),
            message: message.into(),
            detail: None,
            hint: None,
            server_errno: None,
            sqlstate: None,
            position: None,
            gtid: None,
            table: None,
        }
    }

    fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn in_table(mut self, schema: &str, name: &str) -> Self {
        if self.table.is_none() {
            self.table = Some(format!("{schema}.{name}"));
        }
        self
    }

    fn at(mut self, file: &str, offset: u64, gtid: Option<&str>) -> Self {
        if self.position.is_none() && !file.is_empty() {
            self.position = Some(format!("{file}:{offset}"));
        }
        if self.gtid.is_none() {
            self.gtid = gtid.map(str::to_owned);
        }
        self
    }
}
