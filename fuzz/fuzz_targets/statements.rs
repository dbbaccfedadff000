//! See `datain_fuzz::statements`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datain_fuzz::statements::run(data));
