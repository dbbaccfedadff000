//! See `datain_fuzz::json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datain_fuzz::json::run(data));
