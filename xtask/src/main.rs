//! Developer commands: `cargo xtask …`.
//!
//! Each command is a module. None of them depends on wasmtime or on a network client: what has to be fetched is fetched by
//! the machine's own cargo, rustup, apt and npm.

// The ban is on std's clocks, which trap inside a plugin. This is native code.
#![allow(clippy::disallowed_methods)]

mod bar;
mod bench;
mod children;
mod compose;
mod demo;
mod docs;
mod freeze;
mod fuzz;
mod servers;
mod test;
mod tree;
mod wasm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// datain's developer commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure datain against MySQL's own replica, mysqlbinlog, and programs that copy
    Bench(bench::Arguments),
    /// Show replication between two real servers, live, and prove that nothing was lost
    Demo(demo::Arguments),
    /// Build the plugins and the program `datain`
    Build,
    /// Make one component of both plugins that runs under a WASI runtime by itself
    Compose(compose::Arguments),
    /// Build both plugins into target/plugins/
    Wasm(wasm::Arguments),
    /// Write docs/checks.md and docs/errors.md from crates/catalogue, docs/fidelity.md from the tests
    Docs(docs::Arguments),
    /// Keep the contract of this version in wit/released/, which never changes afterwards
    Freeze(freeze::Arguments),
    /// Build somebody's plugin, a crate anywhere, with the compiler that `wasm` uses
    Plugin(wasm::PluginArguments),
    /// Run the fuzz targets of fuzz/
    Fuzz(fuzz::Arguments),
    /// Real MySQL and MariaDB servers, installed nowhere
    Servers(servers::Arguments),
    /// Build everything and run all tests
    Test(test::Arguments),
}

/// What demo and tests build before they begin, and nothing else.
fn build() -> anyhow::Result<ExitCode> {
    wasm::run(&wasm::Arguments {
        offline: false,
        test_guests: false,
    })?;
    children::run(&mut tree::build_host())?;
    println!(
        "the program is datain in {}",
        tree::root().join("target/debug").display()
    );
    Ok(ExitCode::SUCCESS)
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Compose(arguments) => compose::run(&arguments).map(|_| ExitCode::SUCCESS),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Build => build(),
        Command::Wasm(arguments) => wasm::run(&arguments).map(|_| ExitCode::SUCCESS),
        Command::Docs(arguments) => docs::run(&arguments),
        Command::Freeze(arguments) => freeze::run(&arguments),
        Command::Plugin(arguments) => wasm::plugin(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Servers(arguments) => servers::run(arguments).map(|()| ExitCode::SUCCESS),
        Command::Test(arguments) => test::run(&arguments),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
