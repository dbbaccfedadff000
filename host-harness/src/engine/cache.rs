//! Compiled components, kept between runs.
//!
//! Loading one runs it as native code, so that only a folder that nobody else can write to is used: owned by this user, mode
//! 0700. A file's name is a hash of the component and of everything about the engine that matters to compiled code; its
//! content begins with a digest of the rest. What does not match is compiled again. Without a safe folder there is no cache, and a
//! log line says why.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use ring::digest::{Context, Digest, SHA256, digest};
use wasmtime::component::Component;

use crate::private_folder;

const MAGIC: &[u8; 8] = b"datainc1";
const DIGEST_LEN: usize = 32;

pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The cache in its usual place: `$DATAIN_CACHE/components`, `$XDG_CACHE_HOME/datain/components` or `~/.cache/datain/components`.
    pub(super) fn open() -> Option<Self> {
        let variable = |name: &str| {
            std::env::var_os(name)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
        };
        let base = variable("DATAIN_CACHE")
            .or_else(|| variable("XDG_CACHE_HOME").map(|folder| folder.join("datain")))
            .or_else(|| variable("HOME").map(|folder| folder.join(".cache/datain")))?;
        match Self::at(&base.join("components")) {
            Ok(cache) => Some(cache),
            Err(reason) => {
                tracing::warn!(reason, "compiled components are not cached");
                None
            }
        }
    }

    /// The cache in `folder`, which is made if it is not there; an error says why it is not safe.
    fn at(folder: &Path) -> Result<Self, String> {
        private_folder::make(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// The compiled component, from the cache or made now.
    pub(super) fn component(
        &self,
        engine: &wasmtime::Engine,
        bytes: &[u8],
    ) -> wasmtime::Result<Component> {
        let path = self.folder.join(file_name(engine, bytes));
        if let Some(component) = read(engine, &path) {
            return Ok(component);
        }
        let compiled = engine.precompile_component(bytes)?;
        if let Err(e) = self.write(&path, &compiled) {
            tracing::warn!(path = %path.display(), error = %e, "failed to cache a compiled component");
        }
        // SAFETY: these bytes were made by this engine a moment ago.
        unsafe { Component::deserialize(engine, &compiled) }
    }

    /// Whole or not at all, also when two processes write the same file.
    fn write(&self, path: &Path, compiled: &[u8]) -> std::io::Result<()> {
        let temporary = self.folder.join(format!(
            "new-{}-{:p}",
            std::process::id(),
            compiled.as_ptr()
        ));
        let written = (|| {
            let mut file = fs::File::create_new(&temporary)?;
            file.write_all(MAGIC)?;
            file.write_all(digest(&SHA256, compiled).as_ref())?;
            file.write_all(compiled)?;
            fs::rename(&temporary, path)
        })();
        if written.is_err() {
            // The error that counts is the first one.
            let _ = fs::remove_file(&temporary);
        }
        written
    }
}

fn read(engine: &wasmtime::Engine, path: &Path) -> Option<Component> {
    let content = fs::read(path).ok()?;
    let compiled = content
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.split_at_checked(DIGEST_LEN))
        .filter(|(expected, compiled)| digest(&SHA256, compiled).as_ref() == *expected)
        .map(|(_, compiled)| compiled);
    let Some(compiled) = compiled else {
        tracing::warn!(path = %path.display(), "a cached component is damaged and is compiled again");
        return None;
    };
    // SAFETY: the folder is writable by this user only, the digest shows that the file is whole, and its name that it was made from
    // this component by an engine whose compiled code is compatible.
    match unsafe { Component::deserialize(engine, compiled) } {
        Ok(component) => Some(component),
        Err(e) => {
            tracing::warn!(path = %path.display(), error = %e, "a cached component cannot be used and is compiled again");
            None
        }
    }
}

fn file_name(engine: &wasmtime::Engine, bytes: &[u8]) -> String {
    let mut hasher = Sha256Hasher(Context::new(&SHA256));
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.update(digest(&SHA256, bytes).as_ref());
    format!("{}.cwasm", hex(&hasher.0.finish()))
}

fn hex(digest: &Digest) -> String {
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The standard library's hasher is neither stable over versions nor made to keep apart what must be.
struct Sha256Hasher(Context);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finish();
        let mut first = [0; 8];
        first.copy_from_slice(&digest.as_ref()[..8]);
        u64::from_be_bytes(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine() -> wasmtime::Engine {
        wasmtime::Engine::default()
    }

    #[test]
    fn a_damaged_file_is_built_again() {
        let base = tempfile::tempdir().unwrap();
        let cache = Cache::at(&base.path().join("c")).unwrap();
        let engine = engine();
        let bytes = wat::parse_str("(component)").unwrap();
        cache.component(&engine, &bytes).unwrap();
        let path = cache.folder.join(file_name(&engine, &bytes));
        let whole = fs::read(&path).unwrap();
        assert!(read(&engine, &path).is_some());
        for damaged in [
            whole[..whole.len() / 2].to_vec(),
            b"short".to_vec(),
            Vec::new(),
            {
                let mut flipped = whole.clone();
                let middle = flipped.len() / 2;
                flipped[middle] ^= 1;
                flipped
            },
        ] {
            fs::write(&path, damaged).unwrap();
            assert!(read(&engine, &path).is_none());
            cache.component(&engine, &bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
        assert_eq!(
            fs::read_dir(&cache.folder).unwrap().count(),
            1,
            "no temporary file is left"
        );
    }
}
