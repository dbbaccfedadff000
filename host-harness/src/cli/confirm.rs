//! Asking before something is done that cannot be undone.

use std::io::{BufRead, Write};

use crate::error::{Error, Result};

/// Asks `question` on standard error and reads the answer from standard input; everything but yes is a no. With `yes` it does not ask.
///
/// # Errors
/// `usage.not-confirmed`: nothing is to be done.
pub(super) fn confirm(question: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    // Who cannot see the question can still answer it.
    let _ = write!(std::io::stderr(), "{question} [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" if read.is_ok() => Ok(()),
        _ => Err(Error::config(
            "usage.not-confirmed",
            "nothing was done, since it was not confirmed",
        )
        .hint("answer y, or give --yes")),
    }
}
