//! A TCP proxy between the host and a server, which damages or cuts what passes.
//!
//! It knows just enough of the protocol to find the packets of a binary-log dump: after the client has sent COM_BINLOG_DUMP or
//! COM_BINLOG_DUMP_GTID, each packet from the server is an event behind one byte.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What may be done to each packet of a dump: a header of four bytes (length, sequence number), then the payload (0x00, event).
pub type Damage = dyn Fn(&mut Vec<u8>) -> Then + Send + Sync;

/// What happens after a packet was passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The connection stays.
    GoOn,
    /// It is closed behind the packet.
    Close,
}

/// A listening proxy; it stops when it is dropped.
pub struct Proxy {
    port: u16,
    switches: Switches,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

/// What the proxy's threads look at.
#[derive(Debug, Clone, Default)]
struct Switches {
    stopped: Arc<AtomicBool>,
    /// How many connections there were; each has the number that was next.
    connections: Arc<AtomicU64>,
    /// Connections with a smaller number are held.
    frozen_below: Arc<AtomicU64>,
    /// What a client sends last: see [`Proxy::cut_behind`].
    last_words: Arc<Mutex<Option<Vec<u8>>>>,
}

impl Switches {
    /// Whether these are the last words, which count once.
    fn are_last_words(&self, sent: &[u8]) -> bool {
        let mut last = self
            .last_words
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let found = last
            .as_ref()
            .is_some_and(|words| sent.windows(words.len()).any(|window| window == words));
        if found {
            *last = None;
        }
        found
    }

    /// Sleeps while nothing may pass.
    fn hold(&self, number: u64) {
        while number < self.frozen_below.load(Ordering::SeqCst)
            && !self.stopped.load(Ordering::SeqCst)
        {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

const COM_BINLOG_DUMP: u8 = 0x12;
const COM_BINLOG_DUMP_GTID: u8 = 0x1e;

impl Proxy {
    /// Listens on a free loopback port and passes everything on to `server_port`.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(
        server_port: u16,
        damage: impl Fn(&mut Vec<u8>) + Send + Sync + 'static,
    ) -> io::Result<Proxy> {
        Self::start_closing(server_port, move |packet| {
            damage(packet);
            Then::GoOn
        })
    }

    /// As [`Proxy::start`]; what is done to a packet also says whether the connection stays.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start_closing(
        server_port: u16,
        damage: impl Fn(&mut Vec<u8>) -> Then + Send + Sync + 'static,
    ) -> io::Result<Proxy> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let switches = Switches::default();
        let open = Arc::new(Mutex::new(Vec::new()));
        let damage: Arc<Damage> = Arc::new(damage);
        let (held, list) = (switches.clone(), Arc::clone(&open));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if held.stopped.load(Ordering::Relaxed) {
                    break;
                }
                if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server_port)) {
                    let _ = connect(client, server, &list, &damage, &held);
                }
            }
        });
        Ok(Proxy {
            port,
            switches,
            open,
        })
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on nothing passes, in either direction, on connections old and new; but all stay open, as when a firewall drops what it
    /// no longer knows.
    pub fn freeze(&self) {
        self.switches.frozen_below.store(u64::MAX, Ordering::SeqCst);
    }

    /// The same for the connections that are open now; new ones are let through.
    pub fn freeze_open(&self) {
        let next = self.switches.connections.load(Ordering::SeqCst);
        self.switches.frozen_below.store(next, Ordering::SeqCst);
    }

    /// Everything passes again, also what was held back.
    pub fn thaw(&self) {
        self.switches.frozen_below.store(0, Ordering::SeqCst);
    }

    /// When a client next sends `words`, they still reach the server, but its answer does not come back: the connection is cut.
    ///
    /// # Panics
    /// When `words` are empty.
    pub fn cut_behind(&self, words: &[u8]) {
        assert!(!words.is_empty(), "everything holds nothing");
        let mut last = self
            .switches
            .last_words
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *last = Some(words.to_vec());
    }

    /// Cuts all connections that are open now; new ones are let through.
    pub fn cut(&self) {
        let mut open = self
            .open
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for stream in open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.switches.stopped.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the listener, so that its thread ends.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn connect(
    client: TcpStream,
    server: TcpStream,
    open: &Mutex<Vec<TcpStream>>,
    damage: &Arc<Damage>,
    switches: &Switches,
) -> io::Result<()> {
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
        let copy = stream.try_clone()?;
        open.lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(copy);
    }
    let number = switches.connections.fetch_add(1, Ordering::SeqCst);
    let dumping = Arc::new(AtomicBool::new(false));
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let asked = Arc::clone(&dumping);
    let held = switches.clone();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(n) = from_client.read(&mut buffer) {
            // A command begins a packet with sequence number 0.
            if n > 4
                && buffer[3] == 0
                && matches!(buffer[4], COM_BINLOG_DUMP | COM_BINLOG_DUMP_GTID)
            {
                asked.store(true, Ordering::SeqCst);
            }
            held.hold(number);
            let last = n > 0 && held.are_last_words(&buffer[..n]);
            if last {
                let _ = from_client.shutdown(Shutdown::Both);
            }
            if n == 0 || to_server.write_all(&buffer[..n]).is_err() || last {
                break;
            }
        }
        // Nor does the end of one side pass.
        held.hold(number);
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let (mut from_server, mut to_client, damage) = (server, client, Arc::clone(damage));
    let held = switches.clone();
    thread::spawn(move || {
        let mut header = [0; 4];
        // Without TLS everything from the server is packets.
        while from_server.read_exact(&mut header).is_ok() {
            let length = u32::from_le_bytes([header[0], header[1], header[2], 0]) as usize;
            let mut packet = header.to_vec();
            packet.resize(4 + length, 0);
            if from_server.read_exact(&mut packet[4..]).is_err() {
                break;
            }
            let then = if dumping.load(Ordering::SeqCst) {
                damage(&mut packet)
            } else {
                Then::GoOn
            };
            held.hold(number);
            if to_client.write_all(&packet).is_err() || then == Then::Close {
                break;
            }
        }
        held.hold(number);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    Ok(())
}

/// The type code of the event in a packet of a dump.
#[must_use]
pub fn event_type(packet: &[u8]) -> Option<u8> {
    // Header of the packet, the byte 0x00, timestamp.
    (packet.get(4) == Some(&0))
        .then(|| packet.get(9).copied())
        .flatten()
}

/// Type code of row inserts.
pub const WRITE_ROWS: u8 = 30;
