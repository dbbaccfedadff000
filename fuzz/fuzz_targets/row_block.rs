//! See `datain_fuzz::row_block`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datain_fuzz::row_block::run(data));
