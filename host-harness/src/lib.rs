//! datain's host: runs a source and a sink plugin, which are WebAssembly components, and carries changes from one to the other.
//!
//! A pipeline in a program of one's own:
//!
//! ```no_run
//! use datain_host::{Config, Outcome, Pipeline, Stop};
//!
//! fn main() -> Result<(), datain_host::Error> {
//!     let config = Config::load("orders.toml")?;
//!     let pipeline = Pipeline::new(config)?.until_caught_up(true);
//!     let status = pipeline.status();
//!     let stop = Stop::new(); // stop.request() from another thread ends the run in order
//!     match pipeline.run(&stop)? {
//!         Outcome::CaughtUp => println!("{} rows are in the target", status.get().totals.rows_applied),
//!         Outcome::Stopped => println!("stopped at {:?}", status.get().durable_position),
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Where things are: [`config`] is the configuration file; [`engine`] compiles, finds and caches components; [`plugin`] is an instance
//! with its bounds and imports; [`transport`] is sockets and TLS; [`pipeline`] is the queue between the plugins and the supervision
//! of both; [`cli`] is the `datain` command. The host never looks into a checkpoint or a row of a
//! pipeline: both are the plugins' own. Only [`pipeline::tail`], which prints a source's changes, reads rows.

// The host is native: the clocks that clippy.toml forbids in plugins are the right ones here.
#![allow(clippy::disallowed_methods)]

pub mod bindings;
pub mod cli;
pub mod config;
pub mod control;
pub mod engine;
pub mod error;
#[cfg(debug_assertions)]
mod failpoint;
mod output_file;
pub mod pipeline;
pub mod plugin;
mod private_folder;
pub mod transport;

pub use config::Config;
pub use error::{Error, Result};
pub use pipeline::{Outcome, Pipeline, Status, StatusHandle, Stop};
