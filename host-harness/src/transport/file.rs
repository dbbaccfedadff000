//! A file, a pipe or standard input, read as a stream.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::{Failure, ReadOutcome};

/// What a path of this name means: standard input.
pub(crate) const STDIN: &str = "-";

/// See the module.
#[derive(Debug)]
pub(super) struct LogFile {
    fd: OwnedFd,
    path: PathBuf,
}

impl LogFile {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let opened = if path == Path::new(STDIN) {
            io::stdin().as_fd().try_clone_to_owned()
        } else {
            std::fs::File::open(path).map(OwnedFd::from)
        };
        let fd = opened.map_err(|e| unreadable("open", path, &e))?;
        Ok(Self {
            fd,
            path: path.to_owned(),
        })
    }

    /// What is there, in at most `buffer`. Only a pipe can have nothing there: a disk is waited for.
    pub(super) fn read(&self, buffer: &mut [MaybeUninit<u8>]) -> Result<ReadOutcome, Failure> {
        let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
        match poll(&mut fds, Some(&Timespec::default())) {
            Ok(0) | Err(Errno::INTR) => return Ok(ReadOutcome::WouldBlock),
            // An error is told by the read itself.
            Ok(_) | Err(_) => {}
        }
        match rustix::io::read(&self.fd, buffer) {
            Ok(([], _)) => Ok(ReadOutcome::Closed),
            Ok((data, _)) => Ok(ReadOutcome::Data(data.to_vec())),
            Err(Errno::INTR | Errno::AGAIN) => Ok(ReadOutcome::WouldBlock),
            Err(errno) => Err(unreadable("read", &self.path, &errno.into())),
        }
    }

    pub(super) fn not_writable(&self) -> Failure {
        Failure::new(
            "net.failed",
            format!("{} is a file, which is only read", self.path.display()),
        )
    }
}

impl AsFd for LogFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn unreadable(doing: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        "file.unreadable",
        format!("failed to {doing} {}: {error}", path.display()),
    )
}
