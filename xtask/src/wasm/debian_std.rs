//! The fallback: Debian's own Rust compiler and sources, unpacked into the cache folder and installed nowhere.
//!
//! Debian ships no standard library for `wasm32-unknown-unknown` for this compiler, so it is built once from the sources that
//! Debian does ship. The linker is the one inside rustup's toolchain.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use datain_throwaway_servers::{
    Progress, cache,
    debian::{Apt, Suite},
};

use super::{
    debian_folder, guests,
    route::{Route, TARGET},
};
use crate::{children, tree};

/// The linker's programs, which rustup's toolchain has and Debian's compiler looks for beside itself.
const LINKERS: [&str; 3] = ["rust-lld", "wasm-component-ld", "gcc-ld"];

/// A compiler in a folder that can be moved: it needs the libraries beside it, and finds its sysroot from its own path.
const WRAPPER: &str = r#"#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
libraries=$(echo "$here"/../lib/*-linux-gnu)
LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" exec "$here/rustc.real" "$@"
"#;

/// Downloads, unpacks and builds what [`open`] uses.
pub(crate) fn prepare(toolchain: &Path, progress: &dyn Progress) -> Result<()> {
    let waiting = || eprintln!("another process is preparing the compiler: waiting for it");
    cache::fill(&debian_folder()?, waiting, |folder| {
        let apt = Apt::open("rustc-web", Suite::Machine, progress)?;
        let library = apt.depends("libstd-rust-web-dev")?;
        let mut packages = vec![
            "rustc-web".to_owned(),
            "libstd-rust-web-dev".to_owned(),
            "rust-web-src".to_owned(),
        ];
        for name in library
            .into_iter()
            .filter(|name| name.starts_with("libstd-rust-web-"))
        {
            packages.extend(
                apt.depends(&name)?
                    .into_iter()
                    .filter(|name| name.starts_with("libllvm")),
            );
            packages.push(name);
        }
        let packages = apt.download_only(&packages, progress)?;
        apt.unpack(&packages, folder, progress)?;

        let rustc = folder.join("usr/bin/rustc");
        fs::rename(&rustc, rustc.with_extension("real"))
            .context("failed to rename Debian's rustc")?;
        fs::write(&rustc, WRAPPER).context("failed to write the compiler's wrapper")?;
        fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755))
            .context("failed to make the wrapper executable")?;
        link_linkers(folder, toolchain)?;
        let version = children::output(Command::new(&rustc).arg("-vV"))?;
        progress.begin("building the standard library (once)", None);
        build_std(folder, &rustc)?;
        progress.finish("built the standard library");
        // Half a gigabyte that only that build needed.
        for leftover in ["usr/src", "usr/share", "std-build", "usr/bin/rustdoc"] {
            remove(&folder.join(leftover))?;
        }
        apt.discard()?;
        Ok(version)
    })
}

/// The prepared compiler. Its links to the linkers are made anew each time, since the toolchain may have moved.
pub(crate) fn open(toolchain: &Path) -> Result<Route> {
    let folder = debian_folder()?;
    link_linkers(&folder, toolchain)?;
    let identity =
        cache::complete(&folder).context("the compiler in the cache folder is not complete")?;
    let sysroot = folder.join("usr");
    Ok(Route {
        rustc: Some(sysroot.join("bin/rustc")),
        identity: format!("debian\n{identity}"),
        sysroot,
    })
}

fn build_std(folder: &Path, rustc: &Path) -> Result<()> {
    let work = folder.join("std-build");
    fs::create_dir_all(work.join("src")).context("failed to create the folder std-build")?;
    let manifest = "[package]\nname = \"std-build\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
                    [profile.release]\npanic = \"abort\"\n\n[workspace]\n";
    fs::write(work.join("Cargo.toml"), manifest).context("failed to write std-build/Cargo.toml")?;
    fs::write(work.join("src/lib.rs"), "#![no_std]\n")
        .context("failed to write std-build/src/lib.rs")?;
    let mut command = tree::cargo();
    // Bitcode, since the guests are built with link-time optimisation.
    let flags = format!(
        "-Cembed-bitcode=yes {}",
        guests::remap(&[(folder, "/debian-rust")]).join(" ")
    );
    guests::without_flags(&mut command)
        .current_dir(&work)
        .env("RUSTFLAGS", flags);
    command
        .env("RUSTC", rustc)
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove("RUSTC_WRAPPER");
    command.args([
        "build",
        "--release",
        "--target",
        TARGET,
        "-Zbuild-std=std,panic_abort",
        "--target-dir",
    ]);
    children::run(command.arg(work.join("target")))?;

    let built = work.join("target").join(TARGET).join("release/deps");
    let library = folder.join("usr/lib/rustlib").join(TARGET).join("lib");
    fs::create_dir_all(&library).context("failed to create the target's library folder")?;
    let mut count = 0;
    for entry in fs::read_dir(&built)
        .context("failed to read what was built")?
        .flatten()
    {
        let path = entry.path();
        let wanted = path
            .extension()
            .is_some_and(|extension| extension == "rlib" || extension == "rmeta");
        if wanted
            && !entry
                .file_name()
                .to_string_lossy()
                .starts_with("libstd_build-")
        {
            fs::copy(&path, library.join(entry.file_name()))
                .context("failed to copy the library")?;
            count += 1;
        }
    }
    if count == 0 {
        bail!("cargo built no library in {}", built.display());
    }
    Ok(())
}

/// Links the linkers of rustup's toolchain to where Debian's compiler looks for them.
fn link_linkers(folder: &Path, toolchain: &Path) -> Result<()> {
    let host = host_folder(&toolchain.join("lib/rustlib"))?;
    let from = toolchain.join("lib/rustlib").join(&host).join("bin");
    let to = folder.join("usr/lib/rustlib").join(&host).join("bin");
    fs::create_dir_all(&to).with_context(|| format!("failed to create {}", to.display()))?;
    for name in LINKERS {
        let (program, link) = (from.join(name), to.join(name));
        if !program.exists() {
            bail!(
                "{} is missing: the plugins need a toolchain of rustup's, 1.95 or newer",
                program.display()
            );
        }
        if fs::read_link(&link).ok().as_ref() != Some(&program) {
            remove(&link)?;
            symlink(&program, &link)
                .with_context(|| format!("failed to link {}", link.display()))?;
        }
    }
    Ok(())
}

/// The folder of the machine's own target: the one that has programs.
fn host_folder(rustlib: &Path) -> Result<PathBuf> {
    let entries =
        fs::read_dir(rustlib).with_context(|| format!("failed to read {}", rustlib.display()))?;
    let host = entries
        .flatten()
        .find(|entry| entry.path().join("bin").is_dir());
    host.map(|entry| entry.file_name().into())
        .with_context(|| format!("no linker in {}", rustlib.display()))
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() && !path.is_symlink() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
