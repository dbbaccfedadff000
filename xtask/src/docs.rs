//! `cargo xtask docs`: the pages that are written from the catalogue, and from what the tests say of themselves.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::tree;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Only compare: fail if a page is not what it is written from
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut stale = false;
    for (name, text) in [
        ("docs/checks.md", datain_catalogue::docs::checks()),
        ("docs/errors.md", datain_catalogue::docs::errors()),
        (
            "docs/fidelity.md",
            datain_tests::fidelity::page(&tree::root())?,
        ),
    ] {
        let path: PathBuf = tree::root().join(name);
        if fs::read_to_string(&path).is_ok_and(|found| found == text) {
            continue;
        }
        if arguments.check {
            eprintln!("{name} is not what the catalogue and the tests say: run `cargo xtask docs`");
            stale = true;
        } else {
            fs::write(&path, text).with_context(|| format!("failed to write {name}"))?;
            println!("{name} was written");
        }
    }
    Ok(if stale {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
