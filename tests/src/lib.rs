//! What the end-to-end tests share: the proof that two servers hold the same data, and the host as a child process.
//!
//! The proof rests on nothing of datain's own: each server is asked through its distribution's client program.

// The ban is on std's clocks, which trap inside a plugin. This is native code.
#![allow(clippy::disallowed_methods)]

pub mod bulk_load;
pub mod compare;
pub mod few_values;
pub mod fidelity;
pub mod foreign_keys;
pub mod host;
pub mod load;
pub mod moving_keys;
pub mod native;
pub mod pipeline_run;
pub mod proxy;
pub mod random_schema;
pub mod rough;
pub mod scenarios;
pub mod seed;
pub mod servers;
pub mod standalone;
mod temp_dir;
pub mod usage;
