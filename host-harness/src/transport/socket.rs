//! A non-blocking stream socket, TCP or unix.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, sockopt};

/// Half-open connections are found after about a minute: the first probe, then three more.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_PROBES: u32 = 3;
/// Bytes sent that nobody acknowledges end the connection after so long.
const UNACKNOWLEDGED_MS: u32 = 60_000;

#[derive(Debug)]
pub(super) struct Socket(OwnedFd);

impl Socket {
    /// Begins to connect; the socket becomes writable when that is decided, see [`Self::connected`].
    pub(super) fn connect_tcp(address: SocketAddr) -> Result<Self, Errno> {
        let family = if address.is_ipv4() {
            AddressFamily::INET
        } else {
            AddressFamily::INET6
        };
        let fd = rustix::net::socket_with(
            family,
            SocketType::STREAM,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            None,
        )?;
        sockopt::set_tcp_nodelay(&fd, true)?;
        sockopt::set_socket_keepalive(&fd, true)?;
        sockopt::set_tcp_keepidle(&fd, KEEPALIVE_IDLE)?;
        sockopt::set_tcp_keepintvl(&fd, KEEPALIVE_INTERVAL)?;
        sockopt::set_tcp_keepcnt(&fd, KEEPALIVE_PROBES)?;
        sockopt::set_tcp_user_timeout(&fd, UNACKNOWLEDGED_MS)?;
        match rustix::net::connect(&fd, &address) {
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(Self(fd)),
            Err(e) => Err(e),
        }
    }

    /// Connects to a unix socket; that is decided at once.
    pub(super) fn connect_unix(path: &Path) -> Result<Self, Errno> {
        let address = rustix::net::SocketAddrUnix::new(path)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        rustix::net::connect(&fd, &address)?;
        Ok(Self(fd))
    }

    /// After the socket has become writable: whether the connection stands.
    pub(super) fn connected(&self) -> Result<(), Errno> {
        sockopt::socket_error(&self.0).and_then(|outcome| outcome)
    }

    /// What is there, in the front part of `buffer`; empty at the end of the stream.
    pub(super) fn read<'b>(&self, buffer: &'b mut [MaybeUninit<u8>]) -> Result<&'b [u8], Errno> {
        match rustix::io::read(&self.0, buffer) {
            Ok((data, _)) => Ok(data),
            // Nothing was read: as good as nothing there yet.
            Err(Errno::INTR) => Err(Errno::AGAIN),
            Err(e) => Err(e),
        }
    }

    pub(super) fn send(&self, data: &[u8]) -> Result<usize, Errno> {
        retried(|| rustix::net::send(&self.0, data, SendFlags::NOSIGNAL))
    }
}

fn retried<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Read for &Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(retried(|| rustix::io::read(&self.0, &mut *buffer))?)
    }
}

impl Write for &Socket {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Ok(self.send(data)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
