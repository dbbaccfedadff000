//! One connection through all its phases.

use std::rc::Rc;
use std::sync::Arc;

use datain_standalone_wasi::bindings::wasi::io::poll::Pollable;
use datain_standalone_wasi::bindings::wasi::sockets::network::{ErrorCode, IpAddress};
use datain_standalone_wasi::clock::Moment;

use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::socket::{Connecting, Got, Lookup, Socket, literal};
use crate::tls_failure;
use crate::tls_stream::{Broken, TlsStream};

/// The most that one read hands out, whatever was asked for.
const READ_MAX: usize = 256 << 10;

/// What a plugin waits for on a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interest {
    /// A read would give data, the end, or an error.
    pub(crate) readable: bool,
    /// A write would take data: also when a connect or a TLS handshake has succeeded.
    pub(crate) writable: bool,
}

enum Phase {
    LookingUp(Lookup),
    /// `rest`: addresses still to be tried, in reverse order.
    Connecting(Connecting, Vec<IpAddress>),
    Plain(Socket),
    Handshake(Socket, Box<TlsStream>),
    Tls(Socket, Box<TlsStream>),
    Failed(Failure),
}

/// One stream to the endpoint. Dropping it closes it.
pub(crate) struct Connection {
    endpoint: Rc<Endpoint>,
    phase: Phase,
    /// When the phase under way has taken too long.
    deadline: Option<Moment>,
}

impl Connection {
    /// Begins to connect. A failure is kept and reported by the next wait, read or write.
    pub(crate) fn begin(endpoint: Rc<Endpoint>) -> Self {
        let begun = match literal(&endpoint.host) {
            Some(address) => next_address(vec![address], None, &endpoint),
            None => Lookup::begin(&endpoint.host)
                .map(Phase::LookingUp)
                .map_err(|code| unknown(code, &endpoint)),
        };
        Self {
            deadline: Some(Moment::now().after(endpoint.connect_timeout)),
            phase: begun.unwrap_or_else(Phase::Failed),
            endpoint,
        }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether a password may be sent as it is.
    pub(crate) fn secure(&self) -> bool {
        matches!(self.phase, Phase::Tls(..))
    }

    pub(crate) fn start_tls(&mut self) -> Result<(), Failure> {
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
        let session = TlsStream::new(Arc::clone(config), self.endpoint.server_name.clone())
            .map_err(|e| tls_failure::failure(&e, self.endpoint.display()))?;
        match std::mem::replace(&mut self.phase, Phase::Failed(gone())) {
            Phase::Plain(socket) => {
                self.phase = Phase::Handshake(socket, Box::new(session));
                self.deadline = Some(Moment::now().after(self.endpoint.connect_timeout));
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
    pub(crate) fn read(&mut self, max: usize) -> Result<Got, Failure> {
        self.drive()?;
        let max = max.clamp(1, READ_MAX);
        let outcome = match &mut self.phase {
            Phase::Plain(socket) => socket
                .read(max)
                .map_err(|why| lost(&why, "read from", &self.endpoint)),
            Phase::Tls(_, session) => Ok(match session.take(max) {
                Some(data) => Got::Data(data),
                None if session.has_news() => Got::Closed,
                None => Got::WouldBlock,
            }),
            Phase::Failed(failure) => Err(failure.clone()),
            Phase::LookingUp(_) | Phase::Connecting(..) | Phase::Handshake(..) => {
                Ok(Got::WouldBlock)
            }
        };
        outcome.map_err(|failure| self.fail(failure))
    }

    /// Takes a prefix of `data` and says how many bytes.
    pub(crate) fn write(&mut self, data: &[u8]) -> Result<usize, Failure> {
        self.drive()?;
        let outcome = match &mut self.phase {
            Phase::Plain(socket) => socket
                .write(data)
                .map_err(|why| lost(&why, "write to", &self.endpoint)),
            Phase::Tls(socket, session) => match session.encrypt(data) {
                Err(error) => Err(tls_failure::failure(&error, self.endpoint.display())),
                Ok(taken) => session
                    .send(socket)
                    .map(|()| taken)
                    .map_err(|broken| why(broken, "write to", &self.endpoint)),
            },
            Phase::Failed(failure) => Err(failure.clone()),
            Phase::LookingUp(_) | Phase::Connecting(..) | Phase::Handshake(..) => Ok(0),
        };
        outcome.map_err(|failure| self.fail(failure))
    }

    /// Does what can be done without waiting: the next address, the handshake's next step, ciphertext that was held back.
    pub(crate) fn drive(&mut self) -> Result<(), Failure> {
        loop {
            let phase = std::mem::replace(&mut self.phase, Phase::Failed(gone()));
            match step(phase, &self.endpoint) {
                Ok((phase, settled)) => {
                    self.phase = phase;
                    if settled {
                        break;
                    }
                }
                Err(failure) => return Err(self.fail(failure)),
            }
        }
        if let Phase::Failed(failure) = &self.phase {
            return Err(failure.clone());
        }
        if !self.is_under_way() {
            self.deadline = None;
            return Ok(());
        }
        if self.deadline.is_none_or(|deadline| !deadline.has_come()) {
            return Ok(());
        }
        let doing = match &self.phase {
            Phase::LookingUp(_) => "the name look-up for",
            Phase::Connecting(..) => "the connect to",
            _ => "the TLS handshake with",
        };
        let server = self.endpoint.display();
        let seconds = self.endpoint.connect_timeout.as_secs();
        Err(self.fail(
            Failure::new("net.timeout", format!("{doing} {server} took longer than {seconds} s"))
                .hint("check the address, the port and firewalls in between; connect_timeout_seconds sets the limit"),
        ))
    }

    /// Whether the plugin's interest is met. Call [`Self::drive`] first.
    pub(crate) fn ready(&self, interest: Interest) -> bool {
        match &self.phase {
            Phase::Failed(_) => true,
            Phase::LookingUp(_) | Phase::Connecting(..) | Phase::Handshake(..) => false,
            Phase::Plain(socket) => {
                interest.readable && socket.readable().ready()
                    || interest.writable && socket.writable().ready()
            }
            Phase::Tls(socket, session) => {
                interest.readable && session.has_news()
                    || interest.writable && session.has_room() && socket.writable().ready()
            }
        }
    }

    /// What to wait for until [`Self::drive`] can do more or the interest may be met.
    pub(crate) fn pollables(&self, interest: Interest, into: &mut Vec<Pollable>) {
        match &self.phase {
            Phase::Failed(_) => {}
            Phase::LookingUp(lookup) => into.push(lookup.pollable()),
            Phase::Connecting(connecting, _) => into.push(connecting.pollable()),
            Phase::Plain(socket) => {
                if interest.readable {
                    into.push(socket.readable());
                }
                if interest.writable {
                    into.push(socket.writable());
                }
            }
            Phase::Handshake(socket, session) => {
                into.push(socket.readable());
                if session.wants_to_write() {
                    into.push(socket.writable());
                }
            }
            Phase::Tls(socket, session) => {
                if interest.readable {
                    into.push(socket.readable());
                }
                // Ciphertext that is held back leaves whether the plugin asks for writable or not.
                if interest.writable || session.wants_to_write() {
                    into.push(socket.writable());
                }
            }
        }
    }

    /// When the phase under way has taken too long.
    pub(crate) fn deadline(&self) -> Option<Moment> {
        self.deadline
    }

    fn is_under_way(&self) -> bool {
        matches!(
            self.phase,
            Phase::LookingUp(_) | Phase::Connecting(..) | Phase::Handshake(..)
        )
    }

    fn fail(&mut self, failure: Failure) -> Failure {
        self.phase = Phase::Failed(failure.clone());
        self.deadline = None;
        failure
    }
}

/// One step; `true` when nothing more can be done without waiting.
fn step(phase: Phase, endpoint: &Endpoint) -> Result<(Phase, bool), Failure> {
    match phase {
        Phase::LookingUp(mut lookup) => match lookup.answer() {
            Ok(None) => Ok((Phase::LookingUp(lookup), true)),
            Ok(Some(mut addresses)) => {
                addresses.reverse();
                next_address(addresses, None, endpoint).map(|phase| (phase, false))
            }
            Err(code) => Err(unknown(code, endpoint)),
        },
        Phase::Connecting(connecting, rest) => match connecting.finish() {
            Ok(Ok(socket)) => Ok((Phase::Plain(socket), true)),
            Ok(Err(connecting)) => Ok((Phase::Connecting(connecting, rest), true)),
            Err(code) => next_address(rest, Some(code), endpoint).map(|phase| (phase, false)),
        },
        Phase::Handshake(socket, mut session) => {
            session
                .drive(&socket)
                .map_err(|broken| why(broken, "agree on TLS with", endpoint))?;
            if session.ended_early() {
                return Err(Failure::new(
                    "tls.failed",
                    format!(
                        "{} closed the connection during the TLS handshake",
                        endpoint.display()
                    ),
                )
                .hint("the server's error log says why"));
            }
            let done = session.stands() && !session.wants_to_write();
            let phase = if done {
                Phase::Tls(socket, session)
            } else {
                Phase::Handshake(socket, session)
            };
            Ok((phase, true))
        }
        Phase::Tls(socket, mut session) => {
            match session.drive(&socket) {
                // What came before the trouble is handed out first; the trouble is met again at the next read.
                Err(_) if session.has_news() => {}
                Err(broken) => return Err(why(broken, "read from", endpoint)),
                Ok(()) => {}
            }
            Ok((Phase::Tls(socket, session), true))
        }
        settled @ (Phase::Plain(_) | Phase::Failed(_)) => Ok((settled, true)),
    }
}

/// Begins with the next address; when none is left, `last` is why.
fn next_address(
    mut rest: Vec<IpAddress>,
    mut last: Option<ErrorCode>,
    endpoint: &Endpoint,
) -> Result<Phase, Failure> {
    while let Some(address) = rest.pop() {
        match Connecting::begin(address, endpoint.port) {
            Ok(connecting) => return Ok(Phase::Connecting(connecting, rest)),
            Err(code) => last = Some(code),
        }
    }
    Err(Failure::from_code(
        last.unwrap_or(ErrorCode::RemoteUnreachable),
        "connect to",
        endpoint.display(),
    ))
}

fn unknown(code: ErrorCode, endpoint: &Endpoint) -> Failure {
    Failure::from_code(code, "look up", endpoint.display())
}

/// WASI says of a broken stream only that it is broken, and a text for people.
fn lost(reason: &str, doing: &str, endpoint: &Endpoint) -> Failure {
    Failure::new(
        "net.reset",
        format!("failed to {doing} {}: {reason}", endpoint.display()),
    )
}

fn why(broken: Broken, doing: &str, endpoint: &Endpoint) -> Failure {
    match broken {
        Broken::Socket(reason) => lost(&reason, doing, endpoint),
        Broken::Tls(error) => tls_failure::failure(&error, endpoint.display()),
    }
}

fn gone() -> Failure {
    Failure::new("net.closed", "the connection is closed")
}
