//! Writes the seeds anew: `cargo run --manifest-path fuzz/Cargo.toml --example seeds`.
//!
//! They come from what the repository holds already: binary logs of MySQL 9.7 and 5.6, recorded conversations, scenarios, documentation. A target's
//! seeds are its own form of them, small, each different in kind; `fuzz/seeds/TARGET/` is emptied first.

mod client;
mod log;
mod text;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The seeds of one target.
pub struct Seeds {
    folder: PathBuf,
    largest: usize,
    seen: BTreeSet<Vec<u8>>,
}

impl Seeds {
    /// A target's folder, emptied. Seeds of more than `largest` bytes are left out.
    pub fn of(target: &str, largest: usize) -> Self {
        let folder = root().join("fuzz/seeds").join(target);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder can be made");
        Seeds {
            folder,
            largest,
            seen: BTreeSet::new(),
        }
    }

    /// Writes a seed, unless it is too large or there is one like it.
    pub fn add(&mut self, bytes: Vec<u8>) {
        if bytes.len() <= self.largest && !self.seen.contains(&bytes) {
            let name = format!("{:03}", self.seen.len());
            fs::write(self.folder.join(name), &bytes).expect("a seed can be written");
            self.seen.insert(bytes);
        }
    }
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of the repository.
pub fn file(path: &str) -> Vec<u8> {
    fs::read(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Bytes with their length of two bytes before them.
pub fn chunk(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a short chunk");
    [&length.to_le_bytes(), bytes].concat()
}

fn main() {
    log::events();
    log::tables_and_rows();
    log::payload();
    client::packets();
    client::login();
    client::statements();
    text::decimal();
    text::gtid_set();
    text::config();
    text::sql();
    text::checkpoint();
    text::grants();
}
