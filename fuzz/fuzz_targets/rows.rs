//! See `datain_fuzz::rows`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datain_fuzz::rows::run(data));
