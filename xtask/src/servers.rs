//! `cargo xtask servers`: real servers to try things on.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use datain_throwaway_servers::{Detached, Flavor, ROOT_PASSWORD, Server, cache, fetch, fetched};

use crate::bar;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Fetch distributions into the cache folder (all of them, unless named)
    Fetch {
        /// mysql-9.7, mysql-5.6, mariadb-10.11, mariadb-11.8
        flavors: Vec<Flavor>,
    },
    /// Start servers that stay until `down` (mysql-9.7, unless named; a name given twice starts two)
    Up {
        /// mysql-9.7, mysql-5.6, mariadb-10.11, mariadb-11.8
        flavors: Vec<Flavor>,
        /// A line for the server's option file; may be repeated
        #[arg(long = "option", value_name = "NAME=VALUE")]
        options: Vec<String>,
        /// Faster commits that do not survive a power cut
        #[arg(long)]
        relaxed: bool,
    },
    /// Stop servers that `up` started, named by flavour or port, and remove their data
    Down {
        /// A flavour or a port
        #[arg(required_unless_present = "all")]
        names: Vec<String>,
        /// Everything that `up` has started, also from other clones
        #[arg(long, conflicts_with = "names")]
        all: bool,
    },
    /// Show what is fetched and what is running
    List,
}

pub(crate) fn run(arguments: Arguments) -> Result<()> {
    match arguments.action {
        Action::Fetch { flavors } if flavors.is_empty() => fetch_all(&Flavor::ALL),
        Action::Fetch { flavors } => fetch_all(&flavors),
        Action::Up {
            flavors,
            options,
            relaxed,
        } => {
            let flavors = if flavors.is_empty() {
                vec![Flavor::Mysql97]
            } else {
                flavors
            };
            flavors
                .into_iter()
                .try_for_each(|flavor| up(flavor, &options, relaxed))
        }
        Action::Down { names, all: _ } => down(&names),
        Action::List => list(),
    }
}

/// Fetches what it can; says at the end what it could not.
fn fetch_all(flavors: &[Flavor]) -> Result<()> {
    let mut failed = Vec::new();
    for &flavor in flavors {
        match fetch(flavor, &*bar::progress()) {
            Ok(distribution) => println!("{flavor:<14} {}", distribution.identity()),
            Err(error) => {
                eprintln!("{flavor}: {error}");
                failed.push(flavor.name());
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("failed to fetch {}", failed.join(", "))
}

fn up(flavor: Flavor, options: &[String], relaxed: bool) -> Result<()> {
    let progress = bar::progress();
    let begin = Instant::now();
    let mut builder = options
        .iter()
        .fold(Server::builder(flavor), |builder, line| {
            builder.option(line)
        });
    if relaxed {
        builder = builder.relaxed();
    }
    let server = Server::leave_running(builder, &*progress)?;
    if let Err(error) = remember(&server) {
        server.end(Duration::from_secs(10))?;
        return Err(error);
    }
    println!(
        "{flavor} is up after {:.1} s (process {})",
        begin.elapsed().as_secs_f64(),
        server.pid
    );
    println!(
        "  port    127.0.0.1:{}, user root, password {ROOT_PASSWORD}",
        server.port
    );
    println!("  socket  {}", server.socket().display());
    println!("  client  {}", server.client_script().display());
    println!("  folder  {}", server.folder.display());
    println!("  end it  cargo xtask servers down {}", server.port);
    Ok(())
}

fn down(names: &[String]) -> Result<()> {
    let known = known()?;
    for name in names {
        if !known.iter().any(|(_, server)| is_meant(name, server)) {
            bail!(
                "no server {name:?} was started; `cargo xtask servers list` shows those that were"
            );
        }
    }
    for (file, server) in known {
        if names.is_empty() || names.iter().any(|name| is_meant(name, &server)) {
            let ran = server.is_running();
            server.end(Duration::from_secs(60))?;
            fs::remove_file(&file)
                .with_context(|| format!("failed to remove {}", file.display()))?;
            let what = if ran {
                "stopped"
            } else {
                "was not running; removed"
            };
            println!("{} on port {} {what}", server.flavor, server.port);
        }
    }
    Ok(())
}

fn is_meant(name: &str, server: &Detached) -> bool {
    name == server.flavor.name() || name == server.port.to_string()
}

fn list() -> Result<()> {
    println!("fetched (in {}):", cache::root()?.display());
    for flavor in Flavor::ALL {
        match fetched(flavor)? {
            Some(distribution) => println!("  {flavor:<14} {}", distribution.identity()),
            None => println!("  {flavor:<14} not fetched"),
        }
    }
    let known = known()?;
    println!("started: {}", if known.is_empty() { "none" } else { "" });
    for (_, server) in known {
        let state = if server.is_running() {
            "running"
        } else {
            "not running"
        };
        println!(
            "  {:<14} 127.0.0.1:{:<6} {state:<12} {}",
            server.flavor,
            server.port,
            server.folder.display()
        );
    }
    Ok(())
}

/// Writes a server down, so that `down` and `list` know it.
pub(crate) fn remember(server: &Detached) -> Result<()> {
    let file = state_folder()?.join(format!("{}-{}", server.flavor, server.port));
    Ok(server.save(&file)?)
}

fn state_folder() -> Result<PathBuf> {
    Ok(cache::root()?.join("up"))
}

/// The servers that `up` wrote down.
fn known() -> Result<Vec<(PathBuf, Detached)>> {
    let Ok(entries) = fs::read_dir(state_folder()?) else {
        return Ok(Vec::new());
    };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let load = |file: PathBuf| Ok(Detached::load(Path::new(&file)).map(|server| (file, server))?);
    files.into_iter().map(load).collect()
}
