//! What can go wrong, each with what to do about it.

use std::{io, path::PathBuf};

/// A result with this crate's [`enum@Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// An error of fetching, starting or asking a throwaway server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file operation failed.
    #[error("failed to {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a fragment: "create the folder".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A program could not be started.
    #[error("failed to run `{program}`: {source}\nhint: {hint}")]
    Spawn {
        /// The program.
        program: String,
        /// The system's answer.
        source: io::Error,
        /// What to do.
        hint: String,
    },
    /// A program ended with an error.
    #[error("`{program}` failed ({status}):\n{output}\nhint: {hint}")]
    Command {
        /// The program and its main arguments.
        program: String,
        /// How it ended.
        status: String,
        /// The last lines that it printed.
        output: String,
        /// What to do.
        hint: String,
    },
    /// What was to be fetched or used is not as expected.
    #[error("{what}\nhint: {hint}")]
    Unusable {
        /// What is wrong.
        what: String,
        /// What to do.
        hint: String,
    },
    /// A server did not come up.
    #[error("{flavor} did not start: {reason}\nend of its error log:\n{log}")]
    NotStarted {
        /// Which server.
        flavor: String,
        /// What was seen.
        reason: String,
        /// The end of the server's error log.
        log: String,
    },
    /// A statement failed.
    #[error("SQL failed: {message}")]
    Sql {
        /// The client's message, with the server's error number and SQLSTATE.
        message: String,
    },
}

impl Error {
    /// Wraps an I/O error with the path that it is about.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn unusable(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Unusable {
            what: what.into(),
            hint: hint.into(),
        }
    }
}
