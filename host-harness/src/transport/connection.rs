//! One connection through all its phases.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Instant;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustls::ClientConnection;

use super::endpoint::Endpoint;
use super::file::LogFile;
use super::lookup::{self, Lookup};
use super::socket::Socket;
use super::tls_stream::{Filled, fill, flush_tls, handshake, read_tls, write_failure};
use super::{Failure, Interest, Waker, tls_failure};
use crate::config::Address;

/// The most that one read hands out, whatever was asked for.
const READ_MAX: usize = 256 * 1024;
/// Ciphertext that TLS holds back until the socket takes it.
const TLS_WRITE_BUFFER: usize = 256 * 1024;

/// What a read found.
#[derive(Debug, PartialEq, Eq)]
pub enum ReadOutcome {
    /// At least one byte.
    Data(Vec<u8>),
    /// Nothing there now.
    WouldBlock,
    /// The peer closed its side in order.
    Closed,
}

#[derive(Debug)]
enum Phase {
    LookingUp(Lookup),
    /// `rest`: addresses still to be tried, in reverse order.
    Connecting {
        socket: Socket,
        rest: Vec<SocketAddr>,
    },
    Plain(Socket),
    Handshake(Socket, Box<ClientConnection>),
    Tls(Socket, Box<ClientConnection>),
    /// Not a connection at all: it is only read.
    File(LogFile),
    Failed(Failure),
}

/// One stream to an endpoint. Dropping it closes it.
#[derive(Debug)]
pub struct Connection {
    endpoint: Arc<Endpoint>,
    phase: Phase,
    /// When the phase under way has taken too long.
    deadline: Option<Instant>,
    /// Always empty: only its capacity is used, so that a read needs no zeroed memory.
    scratch: Vec<u8>,
    #[cfg(debug_assertions)]
    failpoint: crate::failpoint::Watch,
}

impl Connection {
    /// Begins to connect, or opens the file of this number. A failure is kept and reported by the next wait, read or write.
    pub(super) fn begin(
        endpoint: Arc<Endpoint>,
        file: usize,
        waker: &Arc<Waker>,
        lookups: &Arc<()>,
    ) -> Self {
        let deadline = Some(Instant::now() + endpoint.connect_timeout);
        let server = endpoint.display();
        let phase = match &endpoint.address {
            Address::Unix(path) => Socket::connect_unix(path)
                .map(Phase::Plain)
                .map_err(|errno| Failure::from_errno(errno, "connect to", &server)),
            Address::Files(paths) => match paths.get(file) {
                Some(path) => LogFile::open(path).map(Phase::File),
                None => Err(gone()),
            },
            Address::Output(path) => Err(Failure::new(
                "net.failed",
                format!("{} is a file, and no stream leads there", path.display()),
            )),
            Address::Tcp { host, port } => match lookup::literal(host, *port) {
                Some(address) => next_address(vec![address], None, &server),
                None => Lookup::begin(host, *port, Arc::clone(waker), Arc::clone(lookups))
                    .map(Phase::LookingUp),
            },
        };
        let phase = phase.unwrap_or_else(Phase::Failed);
        Self {
            #[cfg(debug_assertions)]
            failpoint: crate::failpoint::Watch::new(&endpoint.name),
            endpoint,
            phase,
            deadline,
            scratch: Vec::new(),
        }
    }

    /// Where it leads.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether a password may be sent as it is: on TLS after its handshake, and on a unix socket.
    pub fn secure(&self) -> bool {
        match &self.phase {
            Phase::Tls(..) => true,
            Phase::Plain(_) => matches!(self.endpoint.address, Address::Unix(_)),
            _ => false,
        }
    }

    /// Begins the TLS handshake on a plain connection.
    ///
    /// # Errors
    /// `tls.failed` where the configuration forbids TLS or the connection is not plain; the connection's own failure.
    pub fn start_tls(&mut self) -> Result<(), Failure> {
        self.drive()?;
        let Some(config) = &self.endpoint.tls_config else {
            return Err(Failure::new(
                "tls.failed",
                format!(
                    "the configuration disables TLS for {}",
                    self.endpoint.display()
                ),
            ));
        };
        let mut tls = ClientConnection::new(Arc::clone(config), self.endpoint.server_name.clone())
            .map_err(|e| tls_failure::failure(&e, &self.endpoint.display()))?;
        tls.set_buffer_limit(Some(TLS_WRITE_BUFFER));
        match std::mem::replace(&mut self.phase, Phase::Failed(gone())) {
            Phase::Plain(socket) => {
                self.phase = Phase::Handshake(socket, Box::new(tls));
                self.deadline = Some(Instant::now() + self.endpoint.connect_timeout);
                self.drive()
            }
            other => {
                self.phase = other;
                Err(Failure::new(
                    "tls.failed",
                    "start-tls was called on a connection that is not a plain, standing one",
                ))
            }
        }
    }

    /// Up to `max` bytes of plaintext.
    ///
    /// # Errors
    /// The connection's failure.
    pub fn read(&mut self, max: usize) -> Result<ReadOutcome, Failure> {
        self.drive()?;
        let max = max.clamp(1, READ_MAX);
        let outcome = match &mut self.phase {
            Phase::Plain(socket) => {
                self.scratch.reserve_exact(READ_MAX);
                match socket.read(&mut self.scratch.spare_capacity_mut()[..max]) {
                    Ok([]) => Ok(ReadOutcome::Closed),
                    Ok(data) => Ok(ReadOutcome::Data(data.to_vec())),
                    Err(Errno::AGAIN) => Ok(ReadOutcome::WouldBlock),
                    Err(e) => Err(Failure::from_errno(
                        e,
                        "read from",
                        &self.endpoint.display(),
                    )),
                }
            }
            Phase::Tls(socket, tls) => read_tls(socket, tls, max, &self.endpoint),
            Phase::File(file) => {
                self.scratch.reserve_exact(READ_MAX);
                file.read(&mut self.scratch.spare_capacity_mut()[..max])
            }
            Phase::Failed(failure) => Err(failure.clone()),
            Phase::LookingUp(_) | Phase::Connecting { .. } | Phase::Handshake(..) => {
                Ok(ReadOutcome::WouldBlock)
            }
        };
        #[cfg(debug_assertions)]
        if let Ok(ReadOutcome::Data(_)) = outcome {
            self.failpoint.answered();
        }
        outcome.map_err(|f| self.fail(f))
    }

    /// Takes a prefix of `data` and says how many bytes.
    ///
    /// # Errors
    /// The connection's failure.
    pub fn write(&mut self, data: &[u8]) -> Result<usize, Failure> {
        self.drive()?;
        #[cfg(debug_assertions)]
        let data = self.failpoint.before_write(data);
        let server = || self.endpoint.display();
        let outcome = match &mut self.phase {
            Phase::Plain(socket) => match socket.send(data) {
                Ok(n) => Ok(n),
                Err(Errno::AGAIN) => Ok(0),
                Err(e) => Err(Failure::from_errno(e, "write to", &server())),
            },
            Phase::Tls(socket, tls) => io::Write::write(&mut tls.writer(), data)
                .and_then(|n| flush_tls(socket, tls).map(|()| n))
                .map_err(|e| write_failure(socket, tls, &e, &server())),
            Phase::File(file) => Err(file.not_writable()),
            Phase::Failed(failure) => Err(failure.clone()),
            Phase::LookingUp(_) | Phase::Connecting { .. } | Phase::Handshake(..) => Ok(0),
        };
        #[cfg(debug_assertions)]
        if let Ok(taken) = outcome {
            self.failpoint.written(&data[..taken]);
            self.tell_sent();
        }
        outcome.map_err(|f| self.fail(f))
    }

    /// Does what can be done without waiting: the next address, the handshake's next step, ciphertext that was held back.
    pub(super) fn drive(&mut self) -> Result<(), Failure> {
        let server = self.endpoint.display();
        loop {
            let phase = std::mem::replace(&mut self.phase, Phase::Failed(gone()));
            let (phase, settled) = match step(phase, &server) {
                Ok(next) => next,
                Err(failure) => return Err(self.fail(failure)),
            };
            self.phase = phase;
            if settled {
                break;
            }
        }
        #[cfg(debug_assertions)]
        self.tell_sent();
        match (&self.phase, self.deadline) {
            (Phase::Failed(failure), _) => Err(failure.clone()),
            (
                Phase::LookingUp(_) | Phase::Connecting { .. } | Phase::Handshake(..),
                Some(deadline),
            ) => {
                if Instant::now() < deadline {
                    return Ok(());
                }
                let doing = match &self.phase {
                    Phase::LookingUp(_) => "the name look-up for",
                    Phase::Connecting { .. } => "the connect to",
                    _ => "the TLS handshake with",
                };
                let seconds = self.endpoint.connect_timeout.as_secs();
                Err(self.fail(
                    Failure::new("net.timeout", format!("{doing} {server} took longer than {seconds} s"))
                        .hint("check the address, the port and firewalls in between; connect_timeout_seconds sets the limit"),
                ))
            }
            _ => {
                self.deadline = None;
                Ok(())
            }
        }
    }

    /// Whether a wait for `interest` would end at once, without asking the system. Call [`Self::drive`] first.
    pub(super) fn ready(&mut self, interest: Interest) -> bool {
        match &mut self.phase {
            Phase::Failed(_) => true,
            Phase::Tls(_, tls) if interest.readable => {
                // An error is one for the next read to tell.
                tls.process_new_packets().map_or(true, |state| {
                    state.plaintext_bytes_to_read() > 0 || state.peer_has_closed()
                })
            }
            _ => false,
        }
    }

    /// What to poll for; none while only the waker can bring news.
    pub(super) fn poll_for(&self, interest: Interest) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let wanted = |read: bool, write: bool| {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, read);
            flags.set(PollFlags::OUT, write);
            flags
        };
        match &self.phase {
            Phase::LookingUp(_) | Phase::Failed(_) => None,
            Phase::Connecting { socket, .. } => Some((socket.as_fd(), wanted(false, true))),
            Phase::Plain(socket) => {
                Some((socket.as_fd(), wanted(interest.readable, interest.writable)))
            }
            Phase::File(file) => Some((file.as_fd(), wanted(interest.readable, interest.writable))),
            Phase::Handshake(socket, tls) => {
                Some((socket.as_fd(), wanted(tls.wants_read(), tls.wants_write())))
            }
            Phase::Tls(socket, tls) => {
                // Ciphertext that is held back leaves whether the plugin asks for writable or not.
                Some((
                    socket.as_fd(),
                    wanted(interest.readable, interest.writable || tls.wants_write()),
                ))
            }
        }
    }

    /// After a poll that returned `events`, and after [`Self::drive`]: whether the plugin's interest is met.
    pub(super) fn met(&mut self, interest: Interest, events: PollFlags) -> bool {
        let broken = events.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL);
        match &mut self.phase {
            Phase::Failed(_) => true,
            Phase::LookingUp(_) | Phase::Connecting { .. } | Phase::Handshake(..) => false,
            Phase::Plain(_) | Phase::File(_) => {
                broken
                    || interest.readable && events.contains(PollFlags::IN)
                    || interest.writable && events.contains(PollFlags::OUT)
            }
            Phase::Tls(socket, tls) => {
                if interest.writable && events.contains(PollFlags::OUT) && !tls.wants_write() {
                    return true;
                }
                if interest.readable && (broken || events.contains(PollFlags::IN)) {
                    // Bytes on the wire may be less than a record, or no application data at all.
                    return !matches!(
                        fill(socket, tls, 1),
                        Ok(Filled {
                            plaintext: 0,
                            ended: false
                        })
                    );
                }
                broken
            }
        }
    }

    /// Whether the phase under way counts as writable as soon as it is over, so that its end must be looked for.
    pub(super) fn just_stood_up(&self, interest: Interest) -> bool {
        interest.writable && matches!(self.phase, Phase::Plain(_) | Phase::Tls(..))
    }

    /// Whether it is on its way to a standing connection.
    pub(super) fn is_under_way(&self) -> bool {
        matches!(
            self.phase,
            Phase::LookingUp(_) | Phase::Connecting { .. } | Phase::Handshake(..)
        )
    }

    /// When the phase under way has taken too long.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Ciphertext may be held back of what was taken.
    #[cfg(debug_assertions)]
    fn tell_sent(&self) {
        if !matches!(&self.phase, Phase::Tls(_, tls) if tls.wants_write()) {
            self.failpoint.sent();
        }
    }

    fn fail(&mut self, failure: Failure) -> Failure {
        self.phase = Phase::Failed(failure.clone());
        self.deadline = None;
        failure
    }
}

/// One step; `true` when nothing more can be done without waiting.
fn step(phase: Phase, server: &str) -> Result<(Phase, bool), Failure> {
    match phase {
        Phase::LookingUp(lookup) => match lookup.answer() {
            None => Ok((Phase::LookingUp(lookup), true)),
            Some(Err(failure)) => Err(failure),
            Some(Ok(mut addresses)) => {
                addresses.reverse();
                next_address(addresses, None, server).map(|phase| (phase, false))
            }
        },
        Phase::Connecting { socket, rest } => match socket.connected() {
            Err(errno) => next_address(rest, Some(errno), server).map(|phase| (phase, false)),
            Ok(()) if is_writable(&socket) => match socket.connected() {
                Ok(()) => Ok((Phase::Plain(socket), true)),
                Err(errno) => next_address(rest, Some(errno), server).map(|phase| (phase, false)),
            },
            Ok(()) => Ok((Phase::Connecting { socket, rest }, true)),
        },
        Phase::Handshake(socket, mut tls) => {
            handshake(&socket, &mut tls, server)?;
            let done = !tls.is_handshaking() && !tls.wants_write();
            Ok((
                if done {
                    Phase::Tls(socket, tls)
                } else {
                    Phase::Handshake(socket, tls)
                },
                true,
            ))
        }
        Phase::Tls(socket, mut tls) => {
            flush_tls(&socket, &mut tls)
                .map_err(|e| write_failure(&socket, &mut tls, &e, server))?;
            Ok((Phase::Tls(socket, tls), true))
        }
        settled @ (Phase::Plain(_) | Phase::File(_) | Phase::Failed(_)) => Ok((settled, true)),
    }
}

/// Begins with the next address; when none is left, `last` is why.
fn next_address(
    mut rest: Vec<SocketAddr>,
    mut last: Option<Errno>,
    server: &str,
) -> Result<Phase, Failure> {
    while let Some(address) = rest.pop() {
        match Socket::connect_tcp(address) {
            Ok(socket) => return Ok(Phase::Connecting { socket, rest }),
            Err(errno) => last = Some(errno),
        }
    }
    Err(Failure::from_errno(
        last.unwrap_or(Errno::HOSTUNREACH),
        "connect to",
        server,
    ))
}

fn is_writable(socket: &Socket) -> bool {
    let mut fds = [rustix::event::PollFd::new(socket, PollFlags::OUT)];
    let now = rustix::event::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    rustix::event::poll(&mut fds, Some(&now)).is_ok_and(|n| n > 0)
}

fn gone() -> Failure {
    Failure::new("net.closed", "the connection is closed")
}
