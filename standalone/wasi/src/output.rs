//! The program's two outputs.

use crate::bindings::wasi::cli::{stderr, stdout};
use crate::bindings::wasi::io::streams::OutputStream;

/// What WASI takes at once in a write that waits.
const PIECE: usize = 4096;

/// Writes a line for programs. That nobody reads it is no reason to end.
pub fn print(line: &str) {
    write(&stdout::get_stdout(), line);
}

/// Writes a line for people.
pub fn complain(line: &str) {
    write(&stderr::get_stderr(), line);
}

fn write(stream: &OutputStream, line: &str) {
    let line = format!("{line}\n");
    for piece in line.as_bytes().chunks(PIECE) {
        if stream.blocking_write_and_flush(piece).is_err() {
            return;
        }
    }
}
