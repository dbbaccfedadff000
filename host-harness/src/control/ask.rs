//! The command line's end of the control socket.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::{Answer, Order, Request, peer, places};
use crate::config::{Config, Throttle, ThrottleChange};
use crate::error::{Error, Kind, Result};
use crate::private_folder;

/// How long a host may take for its status.
const STATUS_TIME: Duration = Duration::from_secs(10);
/// How long it may take for a start.
const START_TIME: Duration = Duration::from_secs(120);
/// When whoever waits for a stop is told what it waits for.
const STOP_TELLS: Duration = Duration::from_secs(10);

/// A host that runs this pipeline.
#[derive(Debug)]
pub struct Running {
    socket: UnixStream,
}

/// What a host has answered.
#[derive(Debug)]
pub struct Answered {
    /// Its process.
    pub pid: u32,
    /// Its state, as in [`crate::pipeline::Status`].
    pub status: serde_json::Value,
    /// After an order about the limits of a first copy: all of them.
    pub throttle: Option<Throttle>,
}

/// The host that runs this pipeline on this machine, as this user; none when there is none.
///
/// # Errors
/// `control.failed` when there is one that cannot be spoken to, or when somebody else could have made the socket.
pub fn connect(config: &Config) -> Result<Option<Running>> {
    let mut unusable = None;
    for path in places::sockets(config) {
        match connect_to(&path, config.control_socket.is_none()) {
            Ok(Some(running)) => return Ok(Some(running)),
            Ok(None) => {}
            // It may be in another place, where nothing is wrong.
            Err(reason) => {
                unusable.get_or_insert(reason);
            }
        }
    }
    unusable.map_or(Ok(None), |reason| Err(failed(reason)))
}

fn connect_to(path: &Path, is_default: bool) -> std::result::Result<Option<Running>, String> {
    if !path.exists() {
        return Ok(None);
    }
    // The host makes the default folder for its user alone: in another one, another user may be listening.
    if is_default && let Some(folder) = path.parent() {
        private_folder::check(folder)?;
    }
    match UnixStream::connect(path) {
        Ok(socket) => {
            peer::check(&socket)?;
            Ok(Some(Running { socket }))
        }
        // Refused: the socket of a host that was killed.
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            Ok(None)
        }
        Err(e) => Err(e.to_string()),
    }
}

impl Running {
    /// Asks for the status.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn status(self) -> Result<Answered> {
        self.exchange(Order::Status, STATUS_TIME, None)
    }

    /// Orders a start, and waits until it is carried out.
    ///
    /// # Errors
    /// The host's own reason why it was not; `control.failed` when the host has gone.
    pub fn start(self) -> Result<Answered> {
        self.exchange(Order::Start, START_TIME, None)
    }

    /// Orders other limits for a first copy.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn throttle(self, change: ThrottleChange) -> Result<Answered> {
        self.exchange(Order::Throttle(change), STATUS_TIME, None)
    }

    /// Orders a stop, and waits until it is carried out, which takes as long as a statement that is under way on the target; `waiting` is called when that
    /// takes long.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn stop(self, waiting: &dyn Fn()) -> Result<Answered> {
        self.exchange(Order::Stop, STOP_TELLS, Some(waiting))
    }

    /// Waits for the answer for `time`; with `waiting` for longer.
    fn exchange(
        mut self,
        order: Order,
        time: Duration,
        waiting: Option<&dyn Fn()>,
    ) -> Result<Answered> {
        let io = |e: std::io::Error| failed(e.to_string());
        self.socket.set_read_timeout(Some(time)).map_err(io)?;
        self.socket
            .set_write_timeout(Some(STATUS_TIME))
            .map_err(io)?;
        let mut line =
            serde_json::to_string(&Request { order }).map_err(|e| failed(e.to_string()))?;
        line.push('\n');
        self.socket.write_all(line.as_bytes()).map_err(io)?;
        let mut answer = BufReader::new(&self.socket);
        let mut line = String::new();
        let timed_out =
            |e: &std::io::Error| matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        match (answer.read_line(&mut line), waiting) {
            (Err(e), Some(waiting)) if timed_out(&e) => {
                waiting();
                // A host that dies closes the socket.
                self.socket.set_read_timeout(None).map_err(io)?;
                answer.read_line(&mut line).map_err(io)?;
            }
            (read, _) => {
                read.map_err(io)?;
            }
        }
        let answer: Answer = serde_json::from_str(&line).map_err(|e| failed(e.to_string()))?;
        match answer.error {
            Some(report) => Err(Error::from(report)),
            None => Ok(Answered {
                pid: answer.pid,
                status: answer.status,
                throttle: answer.throttle,
            }),
        }
    }
}

fn failed(reason: String) -> Error {
    Error::new(
        Kind::Retry,
        "control.failed",
        "the host that runs this pipeline cannot be spoken to",
    )
    .detail(reason)
    .hint("it may be ending just now: try again")
}
