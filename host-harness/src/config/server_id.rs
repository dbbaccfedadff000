//! The id under which datain registers with a source.

use sha2::{Digest as _, Sha256};

/// The default id for a pipeline: stable over restarts and hosts, in 3,489,660,928 to 3,758,096,382, far above the small numbers
/// that people give to servers. It is `0xD000_0000` plus the first 28 bits of the name's SHA-256; two pipelines with the
/// same source and equal ids (1 in 268 million) need `server_id` in one of their configurations.
pub fn derive(name: &str) -> u32 {
    // In Rust alone, since a stand-alone component is built of this module too.
    let digest = Sha256::digest(name.as_bytes());
    let mut first = [0; 4];
    first.copy_from_slice(&digest[..4]);
    0xD000_0000 | ((u32::from_be_bytes(first) >> 4).min(0x0FFF_FFFE))
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_are_stable_and_high() {
        assert_eq!(super::derive("orders"), super::derive("orders"));
        assert_ne!(super::derive("orders"), super::derive("orders2"));
        // A replica that comes back under another id would be a new one to the source.
        assert_eq!(super::derive("orders"), 3_519_113_389);
        for n in 0..1000 {
            let id = super::derive(&format!("pipeline-{n}"));
            assert!((3_489_660_928..=3_758_096_382).contains(&id), "{id}");
        }
    }
}
