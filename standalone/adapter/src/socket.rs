//! A TCP connection of WASI: look-up, connect, read, write. Nothing here waits.

use datain_standalone_wasi::bindings::wasi::io::poll::Pollable;
use datain_standalone_wasi::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use datain_standalone_wasi::bindings::wasi::sockets::instance_network::instance_network;
use datain_standalone_wasi::bindings::wasi::sockets::ip_name_lookup::{
    ResolveAddressStream, resolve_addresses,
};
use datain_standalone_wasi::bindings::wasi::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use datain_standalone_wasi::bindings::wasi::sockets::tcp::TcpSocket;
use datain_standalone_wasi::bindings::wasi::sockets::tcp_create_socket::create_tcp_socket;

/// What is written at once, at most.
const WRITE_MAX: usize = 256 << 10;

/// Addresses of a name, as they come.
pub(crate) struct Lookup {
    stream: ResolveAddressStream,
    found: Vec<IpAddress>,
}

impl Lookup {
    pub(crate) fn begin(host: &str) -> Result<Self, ErrorCode> {
        Ok(Self {
            stream: resolve_addresses(&instance_network(), host)?,
            found: Vec::new(),
        })
    }

    /// All addresses, none while more may come.
    pub(crate) fn answer(&mut self) -> Result<Option<Vec<IpAddress>>, ErrorCode> {
        loop {
            match self.stream.resolve_next_address() {
                Ok(Some(address)) => self.found.push(address),
                Ok(None) if self.found.is_empty() => return Err(ErrorCode::NameUnresolvable),
                Ok(None) => return Ok(Some(std::mem::take(&mut self.found))),
                Err(ErrorCode::WouldBlock) => return Ok(None),
                Err(code) => return Err(code),
            }
        }
    }

    pub(crate) fn pollable(&self) -> Pollable {
        self.stream.subscribe()
    }
}

/// A socket whose connect is under way.
pub(crate) struct Connecting(TcpSocket);

impl Connecting {
    pub(crate) fn begin(address: IpAddress, port: u16) -> Result<Self, ErrorCode> {
        let (family, address) = match address {
            IpAddress::Ipv4(address) => (
                IpAddressFamily::Ipv4,
                IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address }),
            ),
            IpAddress::Ipv6(address) => (
                IpAddressFamily::Ipv6,
                IpSocketAddress::Ipv6(Ipv6SocketAddress {
                    port,
                    flow_info: 0,
                    address,
                    scope_id: 0,
                }),
            ),
        };
        let socket = create_tcp_socket(family)?;
        socket.start_connect(&instance_network(), address)?;
        Ok(Self(socket))
    }

    /// The connection, or the socket back while it does not stand yet.
    pub(crate) fn finish(self) -> Result<Result<Socket, Self>, ErrorCode> {
        match self.0.finish_connect() {
            Ok((input, output)) => {
                // A peer that is gone for good is noticed without it too, only later: whether the runtime can do this does not matter.
                let _ = self.0.set_keep_alive_enabled(true);
                Ok(Ok(Socket {
                    input,
                    output,
                    _socket: self.0,
                }))
            }
            Err(ErrorCode::WouldBlock) => Ok(Err(self)),
            Err(code) => Err(code),
        }
    }

    pub(crate) fn pollable(&self) -> Pollable {
        self.0.subscribe()
    }
}

/// What a read found.
pub(crate) enum Got {
    /// At least one byte.
    Data(Vec<u8>),
    /// Nothing there now.
    WouldBlock,
    /// The peer has closed its side.
    Closed,
}

/// A connection that stands. The streams are dropped before the socket that they are of, in the order in which they stand here.
pub(crate) struct Socket {
    input: InputStream,
    output: OutputStream,
    _socket: TcpSocket,
}

impl Socket {
    pub(crate) fn read(&self, max: usize) -> Result<Got, String> {
        match self.input.read(max as u64) {
            Ok(data) if data.is_empty() => Ok(Got::WouldBlock),
            Ok(data) => Ok(Got::Data(data)),
            Err(StreamError::Closed) => Ok(Got::Closed),
            Err(StreamError::LastOperationFailed(error)) => Err(error.to_debug_string()),
        }
    }

    /// Takes a prefix of `data`; 0 means that it must be waited for.
    pub(crate) fn write(&self, data: &[u8]) -> Result<usize, String> {
        let wanted = data.len().min(WRITE_MAX);
        let permit = self.output.check_write().map_err(why)?;
        let taken = wanted.min(usize::try_from(permit).unwrap_or(wanted));
        if taken > 0 {
            self.output.write(&data[..taken]).map_err(why)?;
            // Only what is flushed is sure to leave by itself. It is not waited for: until it has left, nothing more is taken.
            self.output.flush().map_err(why)?;
        }
        Ok(taken)
    }

    pub(crate) fn readable(&self) -> Pollable {
        self.input.subscribe()
    }

    pub(crate) fn writable(&self) -> Pollable {
        self.output.subscribe()
    }
}

fn why(error: StreamError) -> String {
    match error {
        StreamError::Closed => "the connection is closed".to_owned(),
        StreamError::LastOperationFailed(error) => error.to_debug_string(),
    }
}

/// An address that is written as one.
pub(crate) fn literal(host: &str) -> Option<IpAddress> {
    match host.parse().ok()? {
        std::net::IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            Some(IpAddress::Ipv4((a, b, c, d)))
        }
        std::net::IpAddr::V6(address) => {
            let [a, b, c, d, e, f, g, h] = address.segments();
            Some(IpAddress::Ipv6((a, b, c, d, e, f, g, h)))
        }
    }
}
