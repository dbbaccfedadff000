//! See `datain_fuzz::config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datain_fuzz::config::run(data));
