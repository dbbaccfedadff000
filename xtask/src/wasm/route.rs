//! Where the standard library for `wasm32-unknown-unknown` comes from.
//!
//! rustup's own, if it is installed or can be: then the guests are built by the toolchain that builds everything else. On a
//! machine where rustup reaches no server, Debian's compiler serves (see [`super::debian_std`]); once it is in the
//! cache, rustup is not asked again. `DATAIN_WASM_STD=rustup|debian` forces one of them.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Result, bail};
use datain_throwaway_servers::cache;

use super::{debian_folder, debian_std};
use crate::{bar, children, tree};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
const VARIABLE: &str = "DATAIN_WASM_STD";
/// How long rustup may go without a byte more on disk.
const RUSTUP_SILENCE: Duration = Duration::from_secs(15);

/// A compiler that has the target.
pub(crate) struct Route {
    /// None: the `rustc` that cargo finds by itself.
    pub(crate) rustc: Option<PathBuf>,
    /// The compiler's own folder, which must not show in what it builds.
    pub(crate) sysroot: PathBuf,
    /// Changes when guests that were built before are of no use.
    pub(crate) identity: String,
}

impl Route {
    pub(crate) fn describe(&self) -> String {
        match self.rustc {
            None => format!("rustup's, in {}", self.sysroot.display()),
            Some(_) => format!("built from Debian's sources, in {}", self.sysroot.display()),
        }
    }
}

/// Finds a route, setting it up where that is needed and `offline` allows it.
pub(crate) fn find(offline: bool) -> Result<Route> {
    let sysroot = PathBuf::from(children::output(
        Command::new("rustc")
            .args(["--print", "sysroot"])
            .current_dir(tree::root()),
    )?);
    let forced = env::var(VARIABLE).unwrap_or_default();
    let (rustup, debian) = match forced.as_str() {
        "" => (true, true),
        "rustup" => (true, false),
        "debian" => (false, true),
        other => bail!("{VARIABLE} is {other:?}; it may be rustup or debian"),
    };
    if rustup && has_target(&sysroot) {
        return own_toolchain(sysroot);
    }
    let ready = cache::complete(&debian_folder()?).is_some();
    if debian && ready {
        return debian_std::open(&sysroot);
    }
    if offline {
        bail!(
            "the standard library for {TARGET} is not there; run `cargo xtask wasm` once with a network"
        );
    }
    if rustup {
        eprintln!("asking rustup for {TARGET} …");
        let mut command = Command::new("rustup");
        command
            .args(["target", "add", TARGET])
            .current_dir(tree::root());
        let downloads = downloads_folder();
        let added =
            children::succeeds_while_growing(&mut command, RUSTUP_SILENCE, || bytes_in(&downloads));
        if added && has_target(&sysroot) {
            return own_toolchain(sysroot);
        }
        if !debian {
            bail!("`rustup target add {TARGET}` failed, and {VARIABLE}=rustup allows nothing else");
        }
        eprintln!(
            "rustup cannot download it here: taking Debian's compiler instead (137 MB, once, about two minutes)"
        );
    }
    debian_std::prepare(&sysroot, &*bar::progress())?;
    debian_std::open(&sysroot)
}

fn own_toolchain(sysroot: PathBuf) -> Result<Route> {
    let version = children::output(Command::new("rustc").arg("-vV").current_dir(tree::root()))?;
    Ok(Route {
        rustc: None,
        identity: format!("rustup\n{version}"),
        sysroot,
    })
}

fn has_target(sysroot: &Path) -> bool {
    let libraries = fs::read_dir(sysroot.join("lib/rustlib").join(TARGET).join("lib"));
    libraries.is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

fn downloads_folder() -> PathBuf {
    let home = env::var_os("RUSTUP_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".rustup")));
    home.unwrap_or_default().join("downloads")
}

fn bytes_in(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .filter_map(|entry| entry.metadata().ok())
        .map(|metadata| metadata.len())
        .sum()
}
