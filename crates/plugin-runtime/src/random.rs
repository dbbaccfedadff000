//! Randomness from the host: for authentication, and for hash maps keyed by row data, which an attacker may choose.

use std::hash::{BuildHasher, DefaultHasher, Hasher};

use datain_contract::system;

/// Fills `buffer` with cryptographically random bytes.
pub fn fill(buffer: &mut [u8]) {
    for chunk in buffer.chunks_mut(65_536) {
        let len = u32::try_from(chunk.len()).unwrap_or(65_536);
        chunk.copy_from_slice(&system::random_bytes(len));
    }
}

/// A hasher seeded from the host. `std`'s own seeds are the same in every run of a component.
#[derive(Clone, Copy, Debug)]
pub struct SeededHasher(u64);

impl SeededHasher {
    /// A fresh seed.
    #[must_use]
    pub fn new() -> Self {
        let mut seed = [0; 8];
        fill(&mut seed);
        SeededHasher(u64::from_le_bytes(seed))
    }
}

impl Default for SeededHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl BuildHasher for SeededHasher {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.0);
        hasher
    }
}

/// The backend that getrandom asks for with `getrandom_backend="custom"`.
///
/// # Safety
/// `dest` points to `len` writable bytes, by getrandom's contract.
#[cfg(target_arch = "wasm32")]
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(
    dest: *mut u8,
    len: usize,
) -> Result<(), getrandom::Error> {
    // SAFETY: as above; the bytes are initialised before a reference to them is made.
    let buffer = unsafe {
        core::ptr::write_bytes(dest, 0, len);
        core::slice::from_raw_parts_mut(dest, len)
    };
    fill(buffer);
    Ok(())
}
