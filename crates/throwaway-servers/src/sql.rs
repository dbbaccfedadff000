//! Statements through the distribution's own client, one process per call.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use crate::{Distribution, Error, Result};

/// The client, told by an option file where the server is and who asks.
pub(crate) fn client(distribution: &Distribution, option_file: &Path) -> Result<Command> {
    let mut command = distribution.client_command()?;
    command.arg(format!("--defaults-file={}", option_file.display()));
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(command)
}

/// Runs `text` and returns what the client printed.
pub(crate) fn run(mut command: Command, text: &str) -> Result<String> {
    let mut child = command.spawn().map_err(not_started(&command))?;
    let stdin = child.stdin.take();
    let output = thread::scope(|scope| {
        // A client that stops at an error leaves the rest unread: that is no error of its own.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(text.as_bytes())));
        child.wait_with_output()
    });
    let output = output.map_err(not_started(&command))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let mut message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if message.is_empty() {
        message = format!("the client ended with {}", output.status);
    }
    Err(Error::Sql { message })
}

pub(crate) fn not_started(command: &Command) -> impl FnOnce(std::io::Error) -> Error + use<> {
    let program = command.get_program().to_string_lossy().into_owned();
    move |source| Error::Spawn {
        program,
        source,
        hint: "the server's command-line client must be beside it or on PATH".to_owned(),
    }
}
