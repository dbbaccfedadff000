//! A pipeline in one thread: `wasi:cli/run` over a source and a sink, for a stand-alone component.
//!
//! It does what the host's `pipeline/` does, as far as one thread can: both plugins take turns, each waits briefly where there is nothing to do, and what became durable is acknowledged.
//! The two are instances of one component and cannot be made anew: after passing trouble their readers and writers are dropped and opened again from the checkpoint, and after a trap the
//! whole component ends. Whoever started it starts it again; the checkpoint is in the target.
//!
//! WASI 0.2 knows no signals: an end from outside is a kill, which loses nothing and repeats nothing.

mod bindings;
mod generation;
mod pause;
mod preflight;
mod reported;
mod supervisor;

use datain_standalone_config::command::{self, Command};
use datain_standalone_config::error::Result;
use datain_standalone_wasi::{output, panics};

struct Runner;

impl bindings::exports::wasi::cli::run::Guest for Runner {
    fn run() -> std::result::Result<(), ()> {
        panics::install("runner");
        run().map_err(|error| output::complain(&error.to_text()))
    }
}

fn run() -> Result<()> {
    match command::read()? {
        Command::Help => output::print(command::USAGE),
        Command::Run(options) => {
            let config = datain_standalone_config::load(&options.config)?;
            let summary = supervisor::run(&config, &options)?;
            output::print(&summary);
        }
    }
    Ok(())
}

bindings::export!(Runner with_types_in bindings);
