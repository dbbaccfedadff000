//! Cryptographically random bytes.

use crate::bindings::wasi::random::random;

/// So many of them.
#[must_use]
pub fn bytes(len: usize) -> Vec<u8> {
    random::get_random_bytes(len as u64)
}
