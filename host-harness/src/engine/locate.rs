//! Where the plugins' components are looked for.
//!
//! In this order: `[plugins] source` and `sink` of the configuration; the folder that `DATAIN_PLUGINS` names; beside the running
//! program, in `plugins` beside it, and in `../plugins`. The files are `source.wasm` and `sink.wasm`.

use std::path::{Path, PathBuf};

use super::Role;
use crate::error::{Error, Result};

/// The environment variable that names a folder with `source.wasm` and `sink.wasm`.
pub const FOLDER_VARIABLE: &str = "DATAIN_PLUGINS";

/// The component's file for `role`; `configured` is what the configuration names.
///
/// # Errors
/// `plugin.not-found`, with every place that was looked at.
pub fn locate(role: Role, configured: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = configured {
        // A file that is named but missing must not be replaced by another one.
        return found(role, &[path.to_owned()]);
    }
    let file = format!("{role}.wasm");
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty()) {
        return found(role, &[PathBuf::from(folder).join(file)]);
    }
    let program = std::env::current_exe().and_then(std::fs::canonicalize).ok();
    let candidates: Vec<PathBuf> = program
        .as_deref()
        .and_then(Path::parent)
        .map(|folder| {
            let mut places = vec![folder.join(&file), folder.join("plugins").join(&file)];
            places.extend(
                folder
                    .parent()
                    .map(|above| above.join("plugins").join(&file)),
            );
            places
        })
        .unwrap_or_default();
    found(role, &candidates)
}

fn found(role: Role, candidates: &[PathBuf]) -> Result<PathBuf> {
    if let Some(path) = candidates.iter().find(|path| path.is_file()) {
        return Ok(path.clone());
    }
    let looked = candidates
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join("\n");
    Err(Error::config("plugin.not-found", format!("the {role} component is not there"))
        .detail(format!("looked at {looked}"))
        .hint(format!("name it in the configuration ([plugins] {role} = \"…\"), or its folder with {FOLDER_VARIABLE}; `cargo xtask wasm` builds it")))
}
