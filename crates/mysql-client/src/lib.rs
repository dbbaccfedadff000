//! A MySQL client that does no I/O: handshake, login, statements, result sets and the binary log dump, over any [`Stream`].
//!
//! The crate has no sockets, clocks, threads or randomness of its own, so it compiles for wasm32-unknown-unknown as for any
//! native target. Everything goes through a [`Session`]:
//!
//! ```
//! # use datain_mysql_client::{ConnectOptions, Result, Session, Stream};
//! async fn rows<S: Stream>(stream: S) -> Result<Vec<Vec<Option<String>>>> {
//!     let options = ConnectOptions::new("repl").with_password("secret");
//!     let mut session = Session::connect(stream, &options).await?;
//!     session.exec(b"SET NAMES binary").await?;
//!     session.query_rows(b"SHOW DATABASES").await
//! }
//! ```

mod auth;
#[cfg(feature = "blocking")]
pub mod blocking;
mod command;
mod connect;
mod error;
pub mod framing;
mod handshake;
mod options;
mod public_key;
mod query;
mod quote;
mod replication;
mod result;
mod server_error;
mod session;
mod stream;
mod version;
mod wire;

pub use error::{ClientError, Refusal, Result};
pub use options::{ConnectOptions, Password, TlsPolicy};
pub use quote::{append_string, escape_string, quote_identifier};
pub use replication::{
    DUMP_HEARTBEAT_V2, DUMP_NON_BLOCK, DUMP_THROUGH_GTID, DumpPacket, LARGE_EVENT, ReplicaIdentity,
};
pub use result::{
    CapabilityFlags, ColumnFlags, ColumnInfo, ColumnType, OkResult, Outcome, ResultSet,
    StatusFlags, TextRow,
};
pub use server_error::ServerError;
pub use session::Session;
pub use stream::{Stream, StreamError};
pub use version::{ServerFlavor, ServerVersion};
