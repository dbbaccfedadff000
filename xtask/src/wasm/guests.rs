//! Building the guests so that the same sources give the same bytes on every machine.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use super::route::{Route, TARGET};
use crate::{children, tree};

/// Builds `packages` of the workspace at `root`, with further flags for the compiler; returns the folder with their `.wasm` files. cargo skips what is up to date.
pub(crate) fn build(
    root: &Path,
    route: &Route,
    packages: &[&str],
    flags: &[&str],
    offline: bool,
) -> Result<PathBuf> {
    let target = root.join("target/guests");
    forget_other_route(&target, &route.identity)?;
    let mut command = tree::cargo();
    without_flags(&mut command)
        .current_dir(root)
        .env_remove("RUSTC_WRAPPER");
    if let Some(rustc) = &route.rustc {
        command.env("RUSTC", rustc);
    }
    // Added to the flags in .cargo/config.toml; the environment's RUSTFLAGS would replace them.
    let remap = remap(&[(&tree::root(), "/datain"), (&route.sysroot, "/rust")]);
    let flags = remap
        .iter()
        .map(String::as_str)
        .chain(flags.iter().copied());
    let quoted: Vec<_> = flags.map(|flag| format!("'{flag}'")).collect();
    command
        .arg("--config")
        .arg(format!("target.{TARGET}.rustflags=[{}]", quoted.join(",")));
    command
        .args([
            "build",
            "--quiet",
            "--locked",
            "--profile",
            "plugin",
            "--target",
            TARGET,
            "--target-dir",
        ])
        .arg(&target);
    if offline {
        command.arg("--offline");
    }
    for package in packages {
        command.args(["--package", package]);
    }
    children::run(&mut command)?;
    Ok(target.join(TARGET).join("plugin"))
}

/// Builds a crate that stands for itself, in its own target folder; returns its components.
pub(crate) fn build_other(folder: &Path, route: &Route, offline: bool) -> Result<Vec<PathBuf>> {
    let mut command = tree::cargo();
    without_flags(&mut command)
        .current_dir(folder)
        .env_remove("RUSTC_WRAPPER");
    if let Some(rustc) = &route.rustc {
        command.env("RUSTC", rustc);
    }
    command.args(["build", "--release", "--target", TARGET, "--config"]);
    command.arg(format!("target.{TARGET}.linker=\"wasm-component-ld\""));
    let target = folder.join("target");
    command.arg("--target-dir").arg(&target);
    if offline {
        command.arg("--offline");
    }
    children::run(&mut command)?;
    let built = target.join(TARGET).join("release");
    let entries =
        fs::read_dir(&built).with_context(|| format!("failed to read {}", built.display()))?;
    let mut components: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "wasm"))
        .collect();
    components.sort();
    Ok(components)
}

/// Flags that replace the machine's own folders by names.
pub(crate) fn remap(folders: &[(&Path, &str)]) -> Vec<String> {
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home =
        cargo_home.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    let mut flags: Vec<_> = cargo_home
        .iter()
        .map(|home| (home.as_path(), "/cargo"))
        .collect();
    // The last flag that fits wins: the most particular ones come last.
    flags.extend(folders);
    flags
        .iter()
        .map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display()))
        .collect()
}

/// Takes away what would change the guests from outside.
pub(crate) fn without_flags(command: &mut Command) -> &mut Command {
    for name in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_TARGET_DIR",
        "RUSTC",
    ] {
        command.env_remove(name);
    }
    command.env_remove("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS")
}

/// cargo does not see that the standard library behind the same compiler has changed.
fn forget_other_route(target: &Path, identity: &str) -> Result<()> {
    let marker = target.join("built-with");
    if fs::read_to_string(&marker).is_ok_and(|text| text == identity) {
        return Ok(());
    }
    if target.exists() {
        fs::remove_dir_all(target)
            .with_context(|| format!("failed to remove {}", target.display()))?;
    }
    fs::create_dir_all(target).with_context(|| format!("failed to create {}", target.display()))?;
    fs::write(&marker, identity).with_context(|| format!("failed to write {}", marker.display()))
}
