//! Lines on standard output, for as long as somebody reads them.
//!
//! Rust's start-up code has SIGPIPE ignored, so a pipe whose reader has gone is an error of the write, EPIPE, and never a signal. A write waits at most a moment
//! at a time, so that a reader that is alive but does not read cannot keep the command from ending.

use std::io;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::pipeline::{Stop, tail::Output};

/// A pipe that is reported as writable takes so many bytes at once without blocking (PIPE_BUF).
const PART: usize = 4096;
/// How long one look at the output may take.
const TICK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};
/// How long the rest of the lines may take once the command is to end.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Standard output.
pub(super) struct LinesOut {
    out: io::Stdout,
    stop: Stop,
}

impl LinesOut {
    pub(super) fn new(stop: &Stop) -> Self {
        Self {
            out: io::stdout(),
            stop: stop.clone(),
        }
    }

    /// What the system says of the output now, after at most `timeout`.
    fn look(&self, wanted: PollFlags, timeout: &Timespec) -> io::Result<PollFlags> {
        let mut fds = [PollFd::new(&self.out, wanted)];
        match poll(&mut fds, Some(timeout)) {
            Ok(_) => Ok(fds[0].revents()),
            Err(Errno::INTR) => Ok(PollFlags::empty()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Output for LinesOut {
    fn write(&mut self, mut lines: &[u8]) -> io::Result<()> {
        let mut stopping = None;
        while !lines.is_empty() {
            if self.stop.is_requested()
                && stopping.get_or_insert_with(Instant::now).elapsed() > LAST_LINES
            {
                return Err(io::ErrorKind::TimedOut.into());
            }
            // An error is told by the write itself.
            if self.look(PollFlags::OUT, &TICK)?.is_empty() {
                continue;
            }
            match rustix::io::write(self.out.as_fd(), &lines[..lines.len().min(PART)]) {
                Ok(written) => lines = &lines[written..],
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn is_closed(&self) -> bool {
        // Nothing is asked for: errors are reported always. A pipe without a reader is one.
        self.look(PollFlags::empty(), &Timespec::default())
            .is_ok_and(|found| found.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL))
    }
}
