//! Makes one component of source, sink, runner and two adapters: `datain-standalone-compose SOURCE SINK ADAPTER RUNNER OUTPUT`. `cargo xtask compose` runs it.
//!
//! ```text
//!                        ┌───────────── datain-standalone.wasm ─────────────┐
//!                        │  role: source ─▶ adapter ─▶ source ─┐            │
//!  wasi:sockets, clocks, │                                     ├─▶ runner ──┼─▶ wasi:cli/run
//!  filesystem, cli … ───▶│  role: target ─▶ adapter ─▶ sink ───┘            │
//!                        └──────────────────────────────────────────────────┘
//! ```
//!
//! Each plugin gets the instance of the adapter that serves its endpoint, and nothing else: a plugin that imports anything but the contract's interfaces is refused here, since the
//! composition would pass it WASI's as they come from outside. What the whole imports is looked at too: WASI's interfaces and nothing of ours.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, NodeId, PackageId};

/// What a plugin may import: the adapter gives it.
const CONTRACT: [&str; 5] = [
    "datain:replication/types@0.1.0",
    "datain:replication/transport@0.1.0",
    "datain:replication/system@0.1.0",
    "datain:replication/log@0.1.0",
    "datain:replication/credentials@0.1.0",
];
const SOURCE: &str = "datain:replication/source@0.1.0";
const SINK: &str = "datain:replication/sink@0.1.0";
const ROLE: &str = "datain:standalone/role@0.1.0";
const TURNS: &str = "datain:standalone/turns@0.1.0";
const RUN: &str = "wasi:cli/run@0.2.0";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [source, sink, adapter, runner, output] = arguments.as_slice() else {
        bail!("usage: datain-standalone-compose SOURCE SINK ADAPTER RUNNER OUTPUT");
    };
    let read = |path: &String| fs::read(path).with_context(|| format!("failed to read {path}"));
    let composed = compose(
        &read(source)?,
        &read(sink)?,
        &read(adapter)?,
        &read(runner)?,
    )?;
    for import in &composed.imports {
        println!("{import}");
    }
    fs::write(Path::new(output), &composed.bytes)
        .with_context(|| format!("failed to write {output}"))
}

struct Composed {
    bytes: Vec<u8>,
    /// What it asks a runtime for.
    imports: Vec<String>,
}

fn compose(source: &[u8], sink: &[u8], adapter: &[u8], runner: &[u8]) -> Result<Composed> {
    let mut graph = CompositionGraph::new();
    let source = plugin(&mut graph, "datain:source", source)?;
    let sink = plugin(&mut graph, "datain:sink", sink)?;
    let adapter = register(&mut graph, "datain:adapter", adapter.to_vec())?;
    let runner = register(&mut graph, "datain:runner", runner.to_vec())?;

    let source = equipped(&mut graph, source, adapter, true)?;
    let sink = equipped(&mut graph, sink, adapter, false)?;
    let runner = graph.instantiate(runner);
    connect(&mut graph, source.plugin, runner, SOURCE)?;
    connect(&mut graph, sink.plugin, runner, SINK)?;
    let turns = graph.alias_instance_export(source.adapter, TURNS)?;
    graph.set_instantiation_argument(runner, "source-turns", turns)?;
    let turns = graph.alias_instance_export(sink.adapter, TURNS)?;
    graph.set_instantiation_argument(runner, "sink-turns", turns)?;
    // Names of types only: either adapter's will do.
    connect(&mut graph, source.adapter, runner, CONTRACT[0])?;
    let run = graph
        .alias_instance_export(runner, RUN)
        .context("the runner does not export wasi:cli/run")?;
    graph.export(run, RUN)?;

    let bytes = graph.encode(EncodeOptions::default())?;
    let mut graph = CompositionGraph::new();
    let whole = register(&mut graph, "datain:standalone", bytes.clone())?;
    let imports = imports(&graph, whole);
    if let Some(other) = imports.iter().find(|name| !name.starts_with("wasi:")) {
        bail!("the whole would import {other}, which no WASI runtime has");
    }
    Ok(Composed { bytes, imports })
}

struct Equipped {
    plugin: NodeId,
    adapter: NodeId,
}

/// A plugin with an adapter of its own.
fn equipped(
    graph: &mut CompositionGraph,
    plugin: PackageId,
    adapter: PackageId,
    serves_source: bool,
) -> Result<Equipped> {
    let name = if serves_source {
        "datain:role-source"
    } else {
        "datain:role-target"
    };
    let role = register(graph, name, role(serves_source)?)?;
    let role = graph.instantiate(role);
    let adapter = graph.instantiate(adapter);
    connect(graph, role, adapter, ROLE)?;
    let wanted = imports(graph, plugin);
    let plugin = graph.instantiate(plugin);
    for import in wanted {
        connect(graph, adapter, plugin, &import)?;
    }
    Ok(Equipped { plugin, adapter })
}

/// A plugin, if it imports nothing that an adapter does not give.
fn plugin(graph: &mut CompositionGraph, name: &str, bytes: &[u8]) -> Result<PackageId> {
    let package = register(graph, name, bytes.to_vec())?;
    let foreign: Vec<String> = imports(graph, package)
        .into_iter()
        .filter(|import| !CONTRACT.contains(&import.as_str()))
        .collect();
    if !foreign.is_empty() {
        bail!(
            "{name} imports {}, which no plugin gets",
            foreign.join(", ")
        );
    }
    Ok(package)
}

fn register(graph: &mut CompositionGraph, name: &str, bytes: Vec<u8>) -> Result<PackageId> {
    let package = Package::from_bytes(name, None, bytes, graph.types_mut())
        .with_context(|| format!("{name} is no component"))?;
    Ok(graph.register_package(package)?)
}

fn imports(graph: &CompositionGraph, package: PackageId) -> Vec<String> {
    let world = &graph.types()[graph[package].ty()];
    world.imports.keys().cloned().collect()
}

/// What `from` exports under this name becomes what `to` imports under it.
fn connect(graph: &mut CompositionGraph, from: NodeId, to: NodeId, name: &str) -> Result<()> {
    let export = graph
        .alias_instance_export(from, name)
        .with_context(|| format!("nothing is exported as {name}"))?;
    graph
        .set_instantiation_argument(to, name, export)
        .with_context(|| format!("{name} cannot be passed on"))
}

/// A component that says which endpoint an adapter serves, and nothing else.
fn role(serves_source: bool) -> Result<Vec<u8>> {
    let answer = i32::from(serves_source);
    let text = format!(
        r#"(component
            (core module $code (func (export "serves-source") (result i32) i32.const {answer}))
            (core instance $made (instantiate $code))
            (func $serves-source (result bool) (canon lift (core func $made "serves-source")))
            (instance $role (export "serves-source" (func $serves-source)))
            (export "{ROLE}" (instance $role)))"#
    );
    Ok(wat::parse_str(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_that_wants_more_is_refused() {
        let greedy = wat::parse_str(
            r#"(component (import "wasi:cli/environment@0.2.0" (instance (export "get-arguments" (func (result (list string)))))))"#,
        )
        .expect("a component");
        let mut graph = CompositionGraph::new();
        let error = plugin(&mut graph, "datain:source", &greedy).expect_err("it is refused");
        assert_eq!(
            error.to_string(),
            "datain:source imports wasi:cli/environment@0.2.0, which no plugin gets"
        );
    }
}
