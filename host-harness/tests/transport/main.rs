//! Sockets and TLS against local listeners.

// Native: the clocks that clippy.toml forbids in plugins are the right ones here.
#![allow(clippy::disallowed_methods)]
#![allow(
    clippy::unwrap_used,
    reason = "a test says by failing what it expected"
)]

mod files;
mod plain;
mod tls;

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datain_host::Config;
use datain_host::config::ServerConfig;
use datain_host::transport::{Connections, Endpoint, Failure, Interest, ReadOutcome, Waker, Woken};

const READ: Interest = Interest {
    readable: true,
    writable: false,
};
const WRITE: Interest = Interest {
    readable: false,
    writable: true,
};
const SECOND: Duration = Duration::from_secs(10);

/// One connection to a server that the test plays.
struct Client {
    connections: Connections,
    handle: u32,
}

fn server_config(keys: &str, folder: &Path) -> ServerConfig {
    let text = format!(
        "name = \"t\"\n[source]\nuser = \"u\"\n{keys}\n[target]\nhost = \"h\"\nuser = \"u\"\n"
    );
    Config::parse(&text, &folder.join("t.toml")).unwrap().source
}

fn connections(keys: &str) -> Connections {
    connections_in(keys, Path::new("/"))
}

fn connections_in(keys: &str, folder: &Path) -> Connections {
    let endpoint = Endpoint::load("source", &server_config(keys, folder)).unwrap();
    Connections::new(Arc::new(endpoint), Arc::new(Waker::new().unwrap()), 2)
}

fn tcp_keys(listener: &TcpListener, host: &str) -> String {
    format!(
        "host = \"{host}\"\nport = {}\n",
        listener.local_addr().unwrap().port()
    )
}

impl Client {
    fn connect(mut connections: Connections) -> Result<Self, Failure> {
        let handle = connections.connect("source")?;
        let mut client = Self {
            connections,
            handle,
        };
        client.wait(WRITE);
        client.write(b"")?;
        Ok(client)
    }

    /// Waits until the connection is ready or has failed.
    fn wait(&mut self, interest: Interest) {
        assert_eq!(
            self.connections
                .wait(&[(self.handle, interest)], SECOND, true),
            Woken::Ready(vec![0])
        );
    }

    fn write(&mut self, data: &[u8]) -> Result<usize, Failure> {
        self.connections.get(self.handle).unwrap().write(data)
    }

    fn write_all(&mut self, mut data: &[u8]) -> Result<(), Failure> {
        while !data.is_empty() {
            let n = self.write(data)?;
            data = &data[n..];
            if n == 0 {
                self.wait(WRITE);
            }
        }
        Ok(())
    }

    fn read(&mut self, max: usize) -> Result<ReadOutcome, Failure> {
        self.connections.get(self.handle).unwrap().read(max)
    }

    /// Reads to the end of the stream.
    fn read_to_end(&mut self, max: usize) -> Result<Vec<u8>, Failure> {
        let mut all = Vec::new();
        loop {
            match self.read(max)? {
                ReadOutcome::Data(data) => {
                    assert!(!data.is_empty() && data.len() <= max);
                    all.extend(data);
                }
                ReadOutcome::WouldBlock => self.wait(READ),
                ReadOutcome::Closed => return Ok(all),
            }
        }
    }

    fn start_tls(&mut self) -> Result<(), Failure> {
        self.connections.get(self.handle).unwrap().start_tls()?;
        self.wait(WRITE);
        self.write(b"").map(|_| ())
    }

    fn secure(&mut self) -> bool {
        self.connections.get(self.handle).unwrap().secure()
    }
}

fn within<T>(limit: Duration, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = work();
    assert!(begun.elapsed() < limit, "took {:?}", begun.elapsed());
    result
}
