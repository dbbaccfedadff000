//! `cargo xtask bench`: how fast datain is, held against MySQL's own programs on the same machine, in the same run.
//!
//! | module | what it knows |
//! |---|---|
//! | [`apply`] | `bench apply`: backlogs worked off by the native replica and by datain, and the latency of both |
//! | [`copy`] | `bench copy`: the first copy, by mysqldump, by mydumper and by datain |
//! | [`source`], [`reading`] | `bench source`: reading and decoding a binary log |
//! | [`workloads`], [`mixed`] | what is written on the source |
//! | [`lab`] | the servers, and bringing a target back to the same start |
//! | [`native`], [`subject`] | the two that are measured |
//! | [`latency`], [`percentiles`] | from the commit on the source to a row that is seen on the target |
//! | [`usage`], [`table`], [`report`] | processor time and memory, what is printed, what is written |

mod apply;
mod copy;
mod lab;
mod latency;
mod mixed;
mod native;
mod percentiles;
mod reading;
mod report;
mod source;
mod subject;
mod table;
mod usage;
mod workloads;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::demo::interrupt::Interrupt;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Work off backlogs, by MySQL's own replica and by datain, and measure the latency of both
    Apply(apply::Arguments),
    /// Copy tables to an empty target, by MySQL's own programs and by datain
    Copy(copy::Arguments),
    /// Read and decode a binary log, by mysqlbinlog and by datain
    Source(source::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let interrupt = Interrupt::watch()?;
    let result = match &arguments.what {
        What::Apply(arguments) => apply::run(arguments, &interrupt),
        What::Copy(arguments) => copy::run(arguments, &interrupt),
        What::Source(arguments) => source::run(arguments, &interrupt),
    };
    // What ended by Ctrl-C has no error of its own worth showing: all else follows from it.
    if interrupt.is_raised() {
        eprintln!("interrupted; nothing is left running");
        return Ok(ExitCode::from(130));
    }
    result
}
