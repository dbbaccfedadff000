//! See `datain_fuzz::login`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datain_fuzz::login::run(data));
