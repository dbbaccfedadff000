//! See `datain_fuzz::payload`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datain_fuzz::payload::run(data));
