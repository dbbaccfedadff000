//! See `datain_fuzz::decimal`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datain_fuzz::decimal::run(data));
