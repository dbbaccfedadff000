//! A list whose entries all name the same megabyte: what is small in the plugin's memory would be gigabytes in the host's.

use crate::bindings::datain::replication::types::Error;

#[link(wasm_import_module = "datain:replication/log@0.1.0")]
unsafe extern "C" {
    #[link_name = "log"]
    fn raw_log(
        level: i32,
        message: *const u8,
        message_len: usize,
        fields: *const [Text; 2],
        fields_len: usize,
    );
}

/// A string as the canonical ABI has it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Text {
    at: *const u8,
    len: usize,
}

pub(super) fn run() -> Result<(), Error> {
    let megabyte = "x".repeat(1 << 20);
    let text = Text {
        at: megabyte.as_ptr(),
        len: megabyte.len(),
    };
    // Eight gigabytes, if each entry counts.
    let fields = vec![[text; 2]; 4096];
    // SAFETY: all of it lies in this memory, and the host only reads it.
    unsafe { raw_log(4, megabyte.as_ptr(), 4, fields.as_ptr(), fields.len()) };
    Ok(())
}
