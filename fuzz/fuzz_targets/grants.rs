//! See `datain_fuzz::grants`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datain_fuzz::grants::run(data));
