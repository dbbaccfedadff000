//! The contract's connection as the MySQL client's stream.

use std::cell::Cell;
use std::rc::Rc;

use datain_contract::INTERRUPTED;
use datain_contract::transport::{Connection, Interest, NetError, ReadOutcome};
use datain_mysql_client::{Stream, StreamError};

use crate::clock::Moment;
use crate::executor::until_ready;
use crate::random;

/// How much is asked for at once: large reads, since each one crosses the component boundary.
const READ_BYTES: u32 = 256 << 10;

/// A connection to an endpoint, for use inside an executor's task.
pub struct HostStream {
    connection: Rc<Connection>,
    heard: Heard,
}

/// When something last arrived on a stream, and since when somebody waits for more: for whoever watches over it from outside.
#[derive(Clone, Debug)]
pub struct Heard(Rc<Cell<(Moment, Option<Moment>)>>);

impl Heard {
    fn new() -> Self {
        Heard(Rc::new(Cell::new((Moment::now(), None))))
    }

    /// When the newest bytes were read; at first, when the stream was made.
    #[must_use]
    pub fn last(&self) -> Moment {
        self.0.get().0
    }

    /// Since when a read has been waiting in vain; none when the newest one got something.
    #[must_use]
    pub fn waiting_since(&self) -> Option<Moment> {
        self.0.get().1
    }

    fn arrived(&self) {
        self.0.set((Moment::now(), None));
    }

    fn waits(&self) {
        let (last, since) = self.0.get();
        if since.is_none() {
            self.0.set((last, Some(Moment::now())));
        }
    }
}

impl HostStream {
    /// Begins to connect to the endpoint of this name; the first read or write waits for it.
    ///
    /// # Errors
    /// The host's, e.g. `net.endpoint-unknown`.
    pub fn connect(endpoint: &str) -> Result<Self, StreamError> {
        let connection = Connection::connect(endpoint).map_err(stream_error)?;
        Ok(HostStream {
            connection: Rc::new(connection),
            heard: Heard::new(),
        })
    }

    /// When something last arrived.
    #[must_use]
    pub fn heard(&self) -> Heard {
        self.heard.clone()
    }

    /// From now on what arrives here is heard there too.
    pub fn hear_with(&mut self, heard: Heard) {
        self.heard = heard;
    }

    /// Waits until there is something to read, or the end. Where there always is, this is where the host is heard.
    pub async fn ready(&self) {
        until_ready(&self.connection, Interest::READABLE).await;
    }

    /// The host's side of the stream.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl Stream for HostStream {
    async fn read(&mut self, buf: &mut Vec<u8>) -> Result<usize, StreamError> {
        loop {
            match self.connection.read(READ_BYTES).map_err(stream_error)? {
                ReadOutcome::Data(data) => {
                    self.heard.arrived();
                    buf.extend_from_slice(&data);
                    return Ok(data.len());
                }
                ReadOutcome::Closed => return Ok(0),
                ReadOutcome::WouldBlock => {
                    self.heard.waits();
                    until_ready(&self.connection, Interest::READABLE).await;
                }
            }
        }
    }

    async fn write_all(&mut self, data: &[u8]) -> Result<(), StreamError> {
        let mut rest = data;
        while !rest.is_empty() {
            let piece = &rest[..rest.len().min(1 << 20)];
            let taken = self.connection.write(piece).map_err(stream_error)? as usize;
            if taken == 0 {
                until_ready(&self.connection, Interest::WRITABLE).await;
            }
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    async fn start_tls(&mut self) -> Result<(), StreamError> {
        self.connection.start_tls().map_err(stream_error)?;
        while !self.connection.secure() {
            until_ready(&self.connection, Interest::WRITABLE).await;
            self.connection.write(&[]).map_err(stream_error)?;
        }
        Ok(())
    }

    fn secure(&self) -> bool {
        self.connection.secure()
    }

    fn random(&mut self, buf: &mut [u8]) {
        random::fill(buf);
    }
}

/// The host's network error as the client's.
#[must_use]
pub fn stream_error(error: NetError) -> StreamError {
    match error {
        NetError::Interrupted => StreamError {
            code: INTERRUPTED.to_owned(),
            message: "the host asked the plugin to end".to_owned(),
            hint: None,
            interrupted: true,
        },
        NetError::Failed(failure) => StreamError {
            code: failure.code,
            message: failure.message,
            hint: failure.hint,
            interrupted: false,
        },
    }
}
