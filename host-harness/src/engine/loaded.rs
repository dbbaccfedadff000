//! Components that are compiled already in this process: pipelines that run the same one share its code, as long as one of them lives.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use ring::digest::{SHA256, digest};
use wasmtime::component::Component;

use super::Role;
use super::cache::Cache;
use crate::error::{Error, Result};

/// A component's file may have so many bytes: what the compiler takes grows with it, and nothing else bounds that. datain's own have about a megabyte.
const FILE_MAX: u64 = 64 << 20;

/// A compiled component that several pipelines may run.
pub type SharedComponent = Arc<Component>;

/// The components that some pipeline runs, by their bytes' digest.
#[derive(Default)]
pub(super) struct Loaded(Mutex<HashMap<[u8; 32], Arc<Slot>>>);

/// One component. It is locked while it is compiled, so that whoever wants the same one waits, and nobody else does.
type Slot = Mutex<Weak<Component>>;

impl Loaded {
    /// The component made of `bytes`: one that is in use, else one from the cache folder if `cached`, else compiled now.
    pub(super) fn component(
        &self,
        engine: &wasmtime::Engine,
        bytes: &[u8],
        cached: bool,
    ) -> wasmtime::Result<SharedComponent> {
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, bytes).as_ref());
        let slot = self.slot(key);
        let mut known = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(component) = known.upgrade() {
            return Ok(component);
        }
        let cache = if cached { Cache::open() } else { None };
        let component = Arc::new(match cache {
            Some(cache) => cache.component(engine, bytes)?,
            None => Component::new(engine, bytes)?,
        });
        *known = Arc::downgrade(&component);
        Ok(component)
    }

    fn slot(&self, key: [u8; 32]) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What nobody uses, and nobody is about to compile, is forgotten.
        slots.retain(|_, slot| {
            let unused = |slot: &Slot| slot.lock().is_ok_and(|known| known.strong_count() == 0);
            Arc::strong_count(slot) > 1 || !unused(slot)
        });
        Arc::clone(slots.entry(key).or_default())
    }
}

/// The bytes of a component's file.
pub(super) fn read(role: Role, path: &Path) -> Result<Vec<u8>> {
    let unreadable = |reason: String| {
        Error::config(
            "plugin.unreadable",
            format!("failed to read the {role} component {}", path.display()),
        )
        .detail(reason)
    };
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut bytes))
        .map_err(|e| unreadable(e.to_string()))?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(
            unreadable(format!("it is larger than {} MiB", FILE_MAX >> 20))
                .hint("build it with optimisation and without debug information"),
        );
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_compiled_once_while_it_is_in_use() {
        let engine = wasmtime::Engine::default();
        let loaded = Loaded::default();
        let one = wat::parse_str("(component)").unwrap();
        let other = wat::parse_str("(component (core module))").unwrap();
        let first = loaded.component(&engine, &one, false).unwrap();
        let again = loaded.component(&engine, &one, false).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        drop((first, again));
        let _other = loaded.component(&engine, &other, false).unwrap();
        let slots = loaded.0.lock().unwrap();
        assert_eq!(slots.len(), 1, "what nobody uses is forgotten");
    }
}
