//! The stand-alone component (docs/standalone.md) under a WASI runtime without code of ours: wasmtime's own linker, in a child process.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};

use crate::host::{Exit, Host};

const COMPONENT: &str = "target/plugins/datain-standalone.wasm";

/// A component that can be started.
#[derive(Debug)]
pub struct Standalone {
    runtime: PathBuf,
    compiled: PathBuf,
}

impl Standalone {
    /// Has the runtime make machine code of the component, once for all tests: it takes some seconds, and is kept in `target/` until either changes.
    ///
    /// # Errors
    /// When a part is missing, with how to build it.
    pub fn compile() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("the repository's root")?;
        let component = root.join(COMPONENT);
        if !component.is_file() {
            bail!("{COMPONENT} is missing; make it with `cargo xtask compose`");
        }
        let test = env::current_exe().context("the test program does not know where it is")?;
        let runtime = test
            .parent()
            .and_then(Path::parent)
            .map(|folder| folder.join("examples/stock_wasi"))
            .filter(|path| path.is_file())
            .context("the example stock_wasi is missing; build it with `cargo build -p datain-host --example stock_wasi`")?;
        let folder = root.join("target/test-guests");
        fs::create_dir_all(&folder).context("failed to make the folder of test guests")?;
        let name = format!(
            "standalone-{:x}-{:x}",
            age(&component)?.as_nanos(),
            age(&runtime)?.as_nanos()
        );
        let compiled = folder.join(format!("{name}.cwasm"));
        if compiled.is_file() {
            return Ok(Self { runtime, compiled });
        }
        // Two tests that do this at the same time are in nobody's way.
        let partial = folder.join(format!("{name}.{}", std::process::id()));
        let mut command = Command::new(&runtime);
        command.arg("compile").args([&component, &partial]);
        let exit = Host::of(command)?.wait(Duration::from_secs(120))?;
        if exit.code != 0 {
            bail!("the runtime does not take the component: {}", exit.stderr);
        }
        for old in fs::read_dir(&folder)?.flatten() {
            let is_old = old.path().extension().is_some_and(|end| end == "cwasm")
                && old.file_name().to_string_lossy().starts_with("standalone-");
            if is_old {
                // Another test may have taken it away.
                let _ = fs::remove_file(old.path());
            }
        }
        fs::rename(&partial, &compiled).context("failed to keep the compiled component")?;
        Ok(Self { runtime, compiled })
    }

    /// Starts `run -c CONFIG ARGUMENTS…` in it. It sees the configuration's folder, and may connect to these addresses.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn start(
        &self,
        config: &Path,
        addresses: &[SocketAddr],
        arguments: &[&str],
    ) -> Result<Host> {
        let folder = config.parent().context("the configuration's folder")?;
        let name = config.file_name().context("the configuration's name")?;
        let mut command = Command::new(&self.runtime);
        command.arg("run").arg(&self.compiled).arg(folder);
        command.args(addresses.iter().map(ToString::to_string));
        command.args(["--", "run", "-c"]).arg(name).args(arguments);
        Host::of(command)
    }

    /// The same until it has caught up; anything else is an error.
    ///
    /// # Errors
    /// As [`Self::start`], and when it does not end in time.
    pub fn catch_up(
        &self,
        config: &Path,
        addresses: &[SocketAddr],
        limit: Duration,
    ) -> Result<Exit> {
        self.start(config, addresses, &["--until-caught-up"])?
            .wait(limit)
    }
}

/// When a file was made, since 1970.
fn age(path: &Path) -> Result<Duration> {
    let modified = fs::metadata(path).and_then(|meta| meta.modified());
    let modified = modified.with_context(|| format!("failed to look at {}", path.display()))?;
    Ok(modified.duration_since(SystemTime::UNIX_EPOCH)?)
}
