//! See `datain_fuzz::events`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datain_fuzz::events::run(data));
