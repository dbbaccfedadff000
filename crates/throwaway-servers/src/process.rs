//! Running the programs that fetch, and recognising a process again.

use std::{
    env, fs,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{Error, Result};

/// Runs a program to its end and returns its standard output. `tick` is called about every 200 ms meanwhile.
pub(crate) fn run(command: &mut Command, hint: &str, tick: impl FnMut()) -> Result<String> {
    run_with_input(command, Stdio::null(), hint, tick)
}

/// The same with standard input.
pub(crate) fn run_with_input(
    command: &mut Command,
    stdin: Stdio,
    hint: &str,
    mut tick: impl FnMut(),
) -> Result<String> {
    let program = describe(command);
    let mut child = command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| Error::Spawn {
            program: program.clone(),
            source,
            hint: hint.to_owned(),
        })?;
    let read = |pipe: Option<Box<dyn std::io::Read + Send>>| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut pipe) = pipe {
                // A broken pipe only shortens the text.
                let _ = pipe.read_to_end(&mut bytes);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let stdout = read(child.stdout.take().map(|pipe| Box::new(pipe) as _));
    let stderr = read(child.stderr.take().map(|pipe| Box::new(pipe) as _));
    let mut turns = 0_u32;
    let status = loop {
        match child.try_wait().map_err(Error::io("wait for", &program))? {
            Some(status) => break status,
            None => thread::sleep(Duration::from_millis(20)),
        }
        turns += 1;
        if turns.is_multiple_of(10) {
            tick();
        }
    };
    let stdout = stdout.join().unwrap_or_default();
    let stderr = stderr.join().unwrap_or_default();
    if status.success() {
        return Ok(stdout);
    }
    let output = tail(&format!("{stdout}{stderr}"), 12);
    Err(Error::Command {
        program,
        status: status.to_string(),
        output,
        hint: hint.to_owned(),
    })
}

/// Whether a program of this name is on PATH.
pub(crate) fn on_path(name: &str) -> bool {
    let executable = |folder: PathBuf| {
        fs::metadata(folder.join(name))
            .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(executable))
}

fn describe(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args().take(8) {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

/// The last lines of a text.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// Whether the process `pid` runs and has `argument` among its arguments: a process id alone may have been given to
/// somebody else meanwhile.
#[must_use]
pub fn is_running_with(pid: u32, argument: &str) -> bool {
    // A zombie's command line is empty.
    let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) else {
        return false;
    };
    line.split(|byte| *byte == 0)
        .any(|part| part == argument.as_bytes())
}
