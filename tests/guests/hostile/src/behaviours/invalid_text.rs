//! Text that is none: bytes that are not UTF-8, and a place outside of the memory.

use crate::bindings::datain::replication::types::Error;

#[allow(
    clashing_extern_declarations,
    reason = "the same import with other types of pointers"
)]
#[link(wasm_import_module = "datain:replication/log@0.1.0")]
unsafe extern "C" {
    #[link_name = "log"]
    fn raw_log(level: i32, message: usize, message_len: usize, fields: usize, fields_len: usize);
}

const NOT_UTF8: [u8; 4] = [b'a', 0xff, 0xfe, b'b'];

/// Given to the host as an argument.
pub(super) fn argument() -> Result<(), Error> {
    // SAFETY: the bytes lie in this memory, and the host only reads them.
    unsafe { raw_log(4, NOT_UTF8.as_ptr() as usize, NOT_UTF8.len(), 8, 0) };
    Ok(())
}

/// Given to the host in an answer.
pub(super) fn answer() -> Result<(), Error> {
    let mut error = crate::error("hostile.text", "");
    // SAFETY: it is wrong, and that is what it is for: nobody in this component looks at it.
    error.message = unsafe { String::from_utf8_unchecked(NOT_UTF8.to_vec()) };
    Err(error)
}

/// Said to lie where there is no memory.
pub(super) fn beyond_memory() -> Result<(), Error> {
    // SAFETY: the host must refuse the place before it reads anything.
    unsafe { raw_log(4, 0xffff_0000, 0x1_0000, 0xffff_0000, 0x0fff_ffff) };
    Ok(())
}
