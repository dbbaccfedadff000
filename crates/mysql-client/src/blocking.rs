//! A blocking stream over std sockets and a driver for futures that never wait: for native tests and tools.
//!
//! There is no TLS here; the host has it.

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::{Stream, StreamError};

/// A TCP or Unix socket whose reads and writes block.
#[derive(Debug)]
pub struct BlockingStream {
    socket: Socket,
    chunk: Vec<u8>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl BlockingStream {
    /// Connects by TCP.
    pub fn tcp(address: impl ToSocketAddrs) -> io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        Ok(Self::new(Socket::Tcp(socket)))
    }

    /// Connects to a Unix socket, which counts as secure.
    pub fn unix(path: impl AsRef<Path>) -> io::Result<Self> {
        UnixStream::connect(path).map(|socket| Self::new(Socket::Unix(socket)))
    }

    /// From now on a read that has to wait lets others go on every millisecond, for futures that wait for several streams.
    pub fn give_way(&self) -> io::Result<()> {
        let patience = Some(Duration::from_millis(1));
        match &self.socket {
            Socket::Tcp(socket) => socket.set_read_timeout(patience),
            Socket::Unix(socket) => socket.set_read_timeout(patience),
        }
    }

    fn new(socket: Socket) -> Self {
        Self {
            socket,
            chunk: vec![0; 256 << 10],
        }
    }
}

impl Stream for BlockingStream {
    async fn read(&mut self, buf: &mut Vec<u8>) -> Result<usize, StreamError> {
        loop {
            let read = match &mut self.socket {
                Socket::Tcp(socket) => socket.read(&mut self.chunk),
                Socket::Unix(socket) => socket.read(&mut self.chunk),
            };
            match read {
                Ok(n) => {
                    buf.extend_from_slice(&self.chunk[..n]);
                    return Ok(n);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                // How a timeout is called depends on the system.
                Err(e)
                    if matches!(
                        e.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) =>
                {
                    let mut has_waited = false;
                    poll_fn(|_| {
                        if std::mem::replace(&mut has_waited, true) {
                            Poll::Ready(())
                        } else {
                            Poll::Pending
                        }
                    })
                    .await;
                }
                Err(e) => return Err(StreamError::new("net.read", e.to_string())),
            }
        }
    }

    async fn write_all(&mut self, data: &[u8]) -> Result<(), StreamError> {
        match &mut self.socket {
            Socket::Tcp(socket) => socket.write_all(data),
            Socket::Unix(socket) => socket.write_all(data),
        }
        .map_err(|e| StreamError::new("net.write", e.to_string()))
    }

    async fn start_tls(&mut self) -> Result<(), StreamError> {
        Err(
            StreamError::new("tls.unavailable", "the blocking driver has no TLS")
                .with_hint("connect with TlsPolicy::Disabled"),
        )
    }

    fn secure(&self) -> bool {
        matches!(self.socket, Socket::Unix(_))
    }

    fn random(&mut self, buf: &mut [u8]) {
        File::open("/dev/urandom")
            .and_then(|mut urandom| urandom.read_exact(buf))
            .expect("/dev/urandom can be read on every system that this driver is for");
    }
}

/// Runs a future to its end on this thread, polling again at once whenever it is not ready.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::yield_now();
    }
}
