//! Name look-up, which the system only offers as a blocking call, on a helper thread.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Failure, Waker};

/// A look-up under way. When dropped, its thread ends by itself and its answer is forgotten.
#[derive(Debug)]
pub(super) struct Lookup {
    answer: Arc<Mutex<Option<std::io::Result<Vec<SocketAddr>>>>>,
    host: String,
}

/// An address that needs no look-up.
pub(super) fn literal(host: &str, port: u16) -> Option<SocketAddr> {
    let ip: IpAddr = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()?;
    Some(SocketAddr::new(ip, port))
}

impl Lookup {
    /// `counted` is held until the system has answered, also when nobody wants the answer any more.
    pub(super) fn begin(
        host: &str,
        port: u16,
        waker: Arc<Waker>,
        counted: Arc<()>,
    ) -> Result<Self, Failure> {
        let answer = Arc::new(Mutex::new(None));
        let lookup = Self {
            answer: Arc::clone(&answer),
            host: host.to_owned(),
        };
        let host = host.to_owned();
        std::thread::Builder::new()
            .name("datain-lookup".to_owned())
            .spawn(move || {
                let _counted = counted;
                let found = (host.as_str(), port)
                    .to_socket_addrs()
                    .map(Iterator::collect);
                *answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
                waker.nudge();
            })
            .map_err(|e| {
                Failure::new(
                    "net.failed",
                    format!("failed to start a thread for name look-up: {e}"),
                )
            })?;
        Ok(lookup)
    }

    /// The addresses, once they are known.
    pub(super) fn answer(&self) -> Option<Result<Vec<SocketAddr>, Failure>> {
        let found = self
            .answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        Some(match found {
            Ok(addresses) if !addresses.is_empty() => Ok(addresses),
            Ok(_) => Err(self.unknown("no address")),
            Err(e) => Err(self.unknown(&e.to_string())),
        })
    }

    fn unknown(&self, reason: &str) -> Failure {
        Failure::new(
            "net.name-unknown",
            format!("failed to look up the host name {:?}: {reason}", self.host),
        )
        .hint("check `host` in the configuration, and this machine's name server")
    }
}
