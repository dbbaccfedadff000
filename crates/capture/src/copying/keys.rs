//! Keys of rows that were changed, as many as may be remembered.

use std::collections::HashSet;

/// More keys than these, or more bytes of them, are not remembered.
const MOST: usize = 50_000;
const MOST_BYTES: usize = 16 << 20;

/// A set of keys that knows its size.
#[derive(Debug, Default)]
pub(super) struct Keys {
    keys: HashSet<Vec<u8>>,
    bytes: usize,
}

impl Keys {
    pub(super) fn insert(&mut self, key: Vec<u8>) {
        let bytes = key.len();
        if self.keys.insert(key) {
            self.bytes += bytes;
        }
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, key: &[u8]) -> bool {
        let was_there = self.keys.remove(key);
        if was_there {
            self.bytes -= key.len();
        }
        was_there
    }

    pub(super) fn hold(&self, key: &[u8]) -> bool {
        self.keys.contains(key)
    }

    /// There are too many to remember any more.
    pub(super) fn are_many(&self) -> bool {
        self.keys.len() > MOST || self.bytes > MOST_BYTES
    }
}
