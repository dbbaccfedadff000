//! Starting a process so that it cannot outlive this one.
//!
//! The kernel's parent-death signal is sent when the *thread* dies that started the child. A test's thread ends with the
//! test, while its server may be shared by others, so one thread that never ends starts them all.

use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{self, Child, Command},
    sync::{OnceLock, mpsc},
    thread,
};

type Order = (Command, mpsc::Sender<io::Result<Child>>);

/// Starts a child that the kernel kills when this process dies, however it dies, in a process group of its own.
///
/// # Errors
/// Those of [`Command::spawn`].
pub fn bound(mut command: Command) -> io::Result<Child> {
    static STARTER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let parent = process::id();
    // Its own process group: Ctrl-C goes to the program that owns the server, which then takes it down in order.
    command.process_group(0);
    // SAFETY: between fork and exec only async-signal-safe system calls are made.
    unsafe {
        command.pre_exec(move || {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                return Err(io::Error::last_os_error());
            }
            // The parent may have died before the line above.
            if libc::getppid().cast_unsigned() != parent {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            Ok(())
        });
    }
    let starter = STARTER.get_or_init(|| {
        let (sender, orders) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, reply) in orders {
                // Whoever asked may have gone; then the child is reaped by nobody, but dies with the process.
                let _ = reply.send(command.spawn());
            }
        });
        sender
    });
    let (reply, answer) = mpsc::channel();
    let gone = |_| io::Error::other("the thread that starts servers has ended");
    starter
        .send((command, reply))
        .map_err(|_| io::Error::other("the thread that starts servers has ended"))?;
    answer.recv().map_err(gone)?
}

/// Starts a child that goes on when this process and its terminal are gone.
pub(crate) fn detached(mut command: Command) -> io::Result<Child> {
    // SAFETY: setsid is async-signal-safe.
    unsafe {
        command.pre_exec(|| {
            if libc::setsid() < 0 {
                Err(io::Error::last_os_error())
            } else {
                Ok(())
            }
        });
    }
    command.spawn()
}
