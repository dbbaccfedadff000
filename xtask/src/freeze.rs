//! `cargo xtask freeze`: the contract as it is released.
//!
//! `wit/released/VERSION/` holds the contract's files as they were when VERSION was released, with their digests in `SHA256SUMS`. A test holds the files against the digests, and the
//! contract at hand against the folder of the version at hand: after a release the contract changes under a new version number only. The examples' components go to
//! `tests/fixtures/VERSION/`, where they are kept as what was built against it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use sha2::{Digest as _, Sha256};

use crate::{tree, wasm};

const SUMS: &str = "SHA256SUMS";

#[derive(Args)]
pub(crate) struct Arguments {
    /// Write the folder anew although it is there and another: only before the version is published
    #[arg(long)]
    replace: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let folder = released().join(version());
    let files = contract(&tree::root().join("wit"))?;
    if folder.exists() {
        if contract(&folder)? == files && check(&folder)?.is_none() {
            println!("wit/released/{} is what wit/ is", version());
            return Ok(ExitCode::SUCCESS);
        }
        if !arguments.replace {
            bail!(
                "wit/released/{} is there, and wit/ is another: raise the version, or use --replace if it was never published",
                version()
            );
        }
        fs::remove_dir_all(&folder)
            .with_context(|| format!("failed to remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
    for (name, text) in &files {
        fs::write(folder.join(name), text).with_context(|| format!("failed to write {name}"))?;
    }
    fs::write(folder.join(SUMS), sums(&files)).context("failed to write the digests")?;
    println!("wit/released/{}: {} files", version(), files.len());
    keep_components()?;
    Ok(ExitCode::SUCCESS)
}

/// Components that were built against this contract, for the test that later hosts load them.
fn keep_components() -> Result<()> {
    let built = wasm::run(&wasm::Arguments {
        offline: false,
        test_guests: false,
    })?;
    let fixtures = tree::root().join("tests/fixtures").join(version());
    for component in built.iter().filter(|path| {
        path.parent()
            .is_some_and(|folder| folder.ends_with("examples"))
    }) {
        let name = component.file_name().unwrap_or_default();
        fs::copy(component, fixtures.join(name))
            .with_context(|| format!("failed to copy {}", component.display()))?;
        println!("tests/fixtures/{}/{}", version(), name.to_string_lossy());
    }
    Ok(())
}

fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

fn released() -> PathBuf {
    tree::root().join("wit/released")
}

/// The contract's files in a folder, by name.
fn contract(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("failed to read {}", folder.display()))?;
    let mut files = BTreeMap::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".wit") || name == "ROWS.md" {
            let text =
                fs::read(&path).with_context(|| format!("failed to read {}", path.display()))?;
            files.insert(name.into_owned(), text);
        }
    }
    Ok(files)
}

/// Digests as `sha256sum` writes and checks them.
fn sums(files: &BTreeMap<String, Vec<u8>>) -> String {
    let line = |(name, text): (&String, &Vec<u8>)| {
        let digest: String = Sha256::digest(text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{digest}  {name}\n")
    };
    files.iter().map(line).collect()
}

/// Why the files of a released version are not those that were released, if they are not.
fn check(folder: &Path) -> Result<Option<String>> {
    let expected = fs::read_to_string(folder.join(SUMS))
        .with_context(|| format!("failed to read the digests in {}", folder.display()))?;
    let found = sums(&contract(folder)?);
    Ok((found != expected).then(|| format!("{} was changed", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_released_does_not_change() {
        let mut versions = Vec::new();
        for entry in fs::read_dir(released()).expect("released versions") {
            let folder = entry.expect("an entry").path();
            let changed = check(&folder).expect("a released version");
            assert_eq!(changed, None, "released files must never change");
            versions.push(folder.file_name().expect("a name").to_owned());
        }
        assert!(!versions.is_empty());
        if !versions.iter().any(|found| found == version()) {
            // This version is not released yet, and its contract may still change.
            return;
        }
        let now = contract(&tree::root().join("wit")).expect("the contract");
        let then = contract(&released().join(version())).expect("the released contract");
        let other: Vec<_> = now
            .keys()
            .chain(then.keys())
            .filter(|name| now.get(*name) != then.get(*name))
            .collect();
        assert!(
            other.is_empty(),
            "{other:?} is not what version {} was released with: raise the version, or `cargo xtask freeze --replace` if it was never published",
            version()
        );
    }

    #[test]
    fn a_change_shows() {
        let folder = std::env::temp_dir().join(format!("datain-freeze-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("a.wit"), "package a:b;\n").expect("a file");
        let files = contract(&folder).expect("files");
        fs::write(folder.join(SUMS), sums(&files)).expect("digests");
        assert_eq!(check(&folder).expect("digests"), None);
        fs::write(folder.join("a.wit"), "package a:c;\n").expect("a file");
        assert!(check(&folder).expect("digests").is_some());
        fs::write(folder.join("a.wit"), "package a:b;\n").expect("a file");
        fs::write(folder.join("b.wit"), "package a:b;\n").expect("a file");
        assert!(check(&folder).expect("digests").is_some(), "one more file");
        fs::remove_dir_all(&folder).expect("the folder goes");
    }
}
