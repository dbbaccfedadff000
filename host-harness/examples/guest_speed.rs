//! `cargo run -p datain-host --example guest_speed -- MODULE LOG`: what `native_speed` of `bench/guest-speed` prints, of the same code as a WebAssembly module, under the engine's settings of
//! the host.

#![expect(
    clippy::disallowed_methods,
    reason = "it runs natively, never in a plugin"
)]

use std::time::Instant;

use wasmtime::{Config, Engine, Instance, Module, Store};

fn main() -> wasmtime::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(module), Some(log)) = (arguments.next(), arguments.next()) else {
        return Err(wasmtime::Error::msg("MODULE LOG are expected"));
    };
    let log = std::fs::read(log)?;
    let mut config = Config::new();
    // As the host has it: guests are interrupted at ticks of an epoch.
    config.epoch_interruption(true);
    let engine = Engine::new(&config)?;
    let module = Module::from_file(&engine, module)?;
    let mut store = Store::new(&engine, ());
    store.set_epoch_deadline(u64::MAX / 2);
    let instance = Instance::new(&mut store, &module, &[])?;
    let room = instance.get_typed_func::<u32, u32>(&mut store, "room")?;
    let run = instance.get_typed_func::<u32, i64>(&mut store, "run")?;
    let sql_bytes = instance.get_typed_func::<(), i64>(&mut store, "sql_bytes")?;
    let memory = instance
        .get_memory(&mut store, "memory")
        .ok_or_else(|| wasmtime::Error::msg("the module has no memory"))?;
    let at = room.call(&mut store, u32::try_from(log.len())?)?;
    memory.write(&mut store, at as usize, &log)?;
    let mut rows = 0;
    let mut fastest = |writes: u32| -> wasmtime::Result<f64> {
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let begin = Instant::now();
            rows = run.call(&mut store, writes)?;
            best = best.min(begin.elapsed().as_secs_f64());
        }
        Ok(best)
    };
    let decode = fastest(0)?;
    let both = fastest(1)?;
    let sql_bytes = sql_bytes.call(&mut store, ())?;
    println!(
        r#"{{"rows":{rows},"sql_bytes":{sql_bytes},"decode_seconds":{decode},"with_sql_seconds":{both}}}"#
    );
    Ok(())
}
