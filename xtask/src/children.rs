//! Child processes that do not outlive xtask.

use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

/// Lets the kernel end the child when xtask is killed. Ctrl-C reaches both, since they share the terminal's process group.
pub(crate) fn bind(command: &mut Command) -> &mut Command {
    // SAFETY: prctl is async-signal-safe.
    unsafe {
        command.pre_exec(
            || match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            },
        )
    }
}

/// Runs a program to its end, its output going where xtask's goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = bind(command)
        .status()
        .with_context(|| format!("failed to run `{name}`"))?;
    if !status.success() {
        bail!("`{name}` failed ({status})");
    }
    Ok(())
}

/// Runs a program and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = bind(command)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("failed to run `{name}`"))?;
    if !output.status.success() {
        bail!(
            "`{name}` failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a program silently; false when it fails. It is ended, with all that it started, when `size` has not grown for
/// `silence`.
pub(crate) fn succeeds_while_growing(
    command: &mut Command,
    silence: Duration,
    size: impl Fn() -> u64,
) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    let Ok(mut child) = bind(command).spawn() else {
        return false;
    };
    let mut seen = size();
    let mut deadline = Instant::now() + silence;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(100)),
            _ => {
                end_group(&mut child);
                return false;
            }
        }
        let now = size();
        if now > seen {
            deadline = Instant::now() + silence;
        }
        seen = now;
    }
}

fn end_group(child: &mut Child) {
    if let Ok(group) = i32::try_from(child.id()) {
        // SAFETY: a plain system call; the child leads this group and has not been waited for.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
    // It fails only when the child is gone.
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_program_is_ended_with_what_it_started() {
        let begin = Instant::now();
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 60 & sleep 60"]);
        assert!(!succeeds_while_growing(
            &mut command,
            Duration::from_millis(300),
            || 0
        ));
        assert!(begin.elapsed() < Duration::from_secs(10));
        assert!(succeeds_while_growing(
            &mut Command::new("true"),
            Duration::from_secs(5),
            || 0
        ));
        assert!(!succeeds_while_growing(
            &mut Command::new("/no/such/program"),
            Duration::from_secs(5),
            || 0
        ));
    }
}
