//! `cargo xtask wasm`: both plugins as WebAssembly components, in `target/plugins/`, and the examples, in `target/plugins/examples/`.
//!
//! The guests need the standard library for `wasm32-unknown-unknown`, which comes by one of two routes (see [`route`]); they
//! are then built by plain cargo in a target folder of their own, and so that no path of this machine enters them.

mod debian_std;
mod guests;
mod route;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result};
use clap::Args;
use datain_throwaway_servers::cache;
use sha2::{Digest as _, Sha256};

use crate::tree;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Use only what is there already
    #[arg(long)]
    pub(crate) offline: bool,
    /// Also build the components that tests run, into target/test-guests/
    #[arg(long)]
    pub(crate) test_guests: bool,
}

#[derive(Args)]
pub(crate) struct PluginArguments {
    /// The crate's folder
    folder: PathBuf,
    /// Use only what is there already
    #[arg(long)]
    offline: bool,
}

/// The plugins and the examples: the package's library, and the component's name.
const PLUGINS: [(&str, &str, &str); 4] = [
    ("datain-source-plugin", "datain_source_plugin", "source"),
    ("datain-sink-plugin", "datain_sink_plugin", "sink"),
    (
        "json-lines-sink",
        "json_lines_sink",
        "examples/json_lines_sink",
    ),
    ("mask-column", "mask_column", "examples/mask_column"),
];

/// What tests run beside them: never part of what is delivered.
const TEST_GUESTS: [(&str, &str, &str); 1] =
    [("datain-hostile-guest", "datain_hostile_guest", "hostile")];

/// Builds the plugins and returns the finished components: source, sink, then the examples.
pub(crate) fn run(arguments: &Arguments) -> Result<Vec<PathBuf>> {
    let begin = Instant::now();
    let route = route::find(arguments.offline)?;
    eprintln!("wasm32-unknown-unknown: {}", route.describe());
    let mut packages: Vec<_> = PLUGINS.iter().map(|(package, ..)| *package).collect();
    if arguments.test_guests {
        packages.extend(TEST_GUESTS.iter().map(|(package, ..)| *package));
    }
    let folder = guests::build(&tree::root(), &route, &packages, &[], arguments.offline)?;
    let plugins = tree::root().join("target/plugins");
    let examples = plugins.join("examples");
    fs::create_dir_all(&examples)
        .with_context(|| format!("failed to create {}", examples.display()))?;
    let mut components = Vec::new();
    for (_, library, name) in PLUGINS {
        let component = plugins.join(format!("{name}.wasm"));
        let bytes = place(&folder.join(format!("{library}.wasm")), &component)?;
        let digest = Sha256::digest(&bytes)
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        println!(
            "target/plugins/{name}.wasm  {:>9} bytes  sha256 {digest}…",
            bytes.len()
        );
        components.push(component);
    }
    if arguments.test_guests {
        let guests = tree::root().join("target/test-guests");
        fs::create_dir_all(&guests)
            .with_context(|| format!("failed to create {}", guests.display()))?;
        for (_, library, name) in TEST_GUESTS {
            let built = folder.join(format!("{library}.wasm"));
            place(&built, &guests.join(format!("{name}.wasm")))?;
        }
    }
    eprintln!(
        "plugins are up to date ({:.1} s)",
        begin.elapsed().as_secs_f64()
    );
    Ok(components)
}

/// What a stand-alone component needs beside the plugins: the adapter and the runner.
pub(crate) fn standalone_parts(offline: bool) -> Result<[PathBuf; 2]> {
    let route = route::find(offline)?;
    let packages = ["datain-standalone-adapter", "datain-standalone-runner"];
    // The linker knows a newer WASI 0.2, for a Preview 1 that is not used here, and would ask every runtime for that.
    let flags = ["-Clink-arg=--wasi-adapter=none"];
    let workspace = tree::root().join("standalone");
    let folder = guests::build(&workspace, &route, &packages, &flags, offline)?;
    let part = |package: &str| folder.join(format!("{}.wasm", package.replace('-', "_")));
    Ok(packages.map(part))
}

/// Builds a plugin that is no part of this workspace.
pub(crate) fn plugin(arguments: &PluginArguments) -> Result<()> {
    let folder = fs::canonicalize(&arguments.folder)
        .with_context(|| format!("failed to find {}", arguments.folder.display()))?;
    let route = route::find(arguments.offline)?;
    eprintln!("wasm32-unknown-unknown: {}", route.describe());
    for component in guests::build_other(&folder, &route, arguments.offline)? {
        println!("{}", component.display());
    }
    Ok(())
}

/// The sink that keeps nothing, in `target/bench/`.
pub(crate) fn null_sink() -> Result<PathBuf> {
    bench_guest("datain-null-sink", "datain_null_sink")
}

/// What the plugins compute, as a plain module, in `target/bench/`.
pub(crate) fn guest_speed() -> Result<PathBuf> {
    bench_guest("datain-guest-speed", "datain_guest_speed")
}

fn bench_guest(package: &str, library: &str) -> Result<PathBuf> {
    let route = route::find(false)?;
    let folder = guests::build(&tree::root(), &route, &[package], &[], false)?;
    let place_of = tree::root().join("target/bench");
    fs::create_dir_all(&place_of)
        .with_context(|| format!("failed to create {}", place_of.display()))?;
    let guest = place_of.join(format!("{library}.wasm"));
    place(&folder.join(format!("{library}.wasm")), &guest)?;
    Ok(guest)
}

/// Copies a component to its final name, unless it is there already: what depends on it need not be made anew.
fn place(built: &Path, component: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(built).with_context(|| format!("failed to read {}", built.display()))?;
    if fs::read(component).ok().as_ref() != Some(&bytes) {
        // A host that has the old one open must not see half of the new one.
        let partial = component.with_extension("wasm.partial");
        fs::write(&partial, &bytes)
            .with_context(|| format!("failed to write {}", partial.display()))?;
        fs::rename(&partial, component)
            .with_context(|| format!("failed to write {}", component.display()))?;
    }
    Ok(bytes)
}

/// Where the fallback's compiler is kept.
fn debian_folder() -> Result<PathBuf> {
    Ok(cache::root()?.join("wasm-std").join("debian"))
}
