//! Runs a component as any WASI 0.2 runtime would: wasmtime's own linker for WASI, and nothing of datain's. With it the tests show that a stand-alone component
//! (docs/standalone.md) needs no code of ours around it.
//!
//! `stock_wasi compile COMPONENT OUTPUT` makes machine code of it once; `stock_wasi run COMPILED FOLDER ADDRESS… -- ARGUMENTS…` lets it run. It sees the folder as `.`, to read only, and
//! may connect by TCP to these addresses and to no others; wasmtime's other defaults hold: no environment, no name look-ups, no UDP.

use std::net::SocketAddr;
use std::process::ExitCode;

use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Result, Store, error::Context as _};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let engine = Engine::new(&Config::new())?;
    match arguments.as_slice() {
        [command, component, output] if command == "compile" => {
            let compiled = Component::from_file(&engine, component)?.serialize()?;
            std::fs::write(output, compiled)
                .with_context(|| format!("failed to write {output}"))?;
            Ok(ExitCode::SUCCESS)
        }
        [command, compiled, folder, rest @ ..] if command == "run" => {
            let mut parts = rest.splitn(2, |argument| argument == "--");
            let (addresses, rest) = (parts.next(), parts.next());
            run(
                &engine,
                compiled,
                folder,
                addresses.unwrap_or_default(),
                rest.unwrap_or_default(),
            )
        }
        _ => {
            eprintln!(
                "usage: stock_wasi compile COMPONENT OUTPUT | run COMPILED FOLDER ADDRESS… -- ARGUMENTS…"
            );
            Ok(ExitCode::from(2))
        }
    }
}

fn run(
    engine: &Engine,
    compiled: &str,
    folder: &str,
    addresses: &[String],
    arguments: &[String],
) -> Result<ExitCode> {
    // SAFETY: the caller has made the file itself, with `compile`; it runs as native code.
    let component = unsafe { Component::deserialize_file(engine, compiled)? };
    let allowed = addresses
        .iter()
        .map(|address| address.parse())
        .collect::<std::result::Result<Vec<SocketAddr>, _>>()
        .context("an address is an IP address and a port")?;
    let wasi = WasiCtx::builder()
        .inherit_stdout()
        .inherit_stderr()
        .arg("datain-standalone")
        .args(arguments)
        .preopened_dir(folder, ".", FsPerms::ReadOnly)?
        .allow_tcp(true)
        .socket_addr_check(move |address, what| {
            let may = match what {
                SocketAddrUse::TcpConnect => allowed.contains(&address),
                // The system chooses the own end of a connection.
                SocketAddrUse::TcpBind => address.ip().is_unspecified() && address.port() == 0,
                _ => false,
            };
            Box::pin(async move { may })
        })
        .build();
    let mut linker = Linker::<State>::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    let state = State {
        wasi,
        table: ResourceTable::new(),
    };
    let mut store = Store::new(engine, state);
    let command = Command::instantiate(&mut store, &component, &linker)?;
    Ok(match command.wasi_cli_run().call_run(&mut store)? {
        Ok(()) => ExitCode::SUCCESS,
        Err(()) => ExitCode::FAILURE,
    })
}
