//! See `datain_fuzz::json_changes`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datain_fuzz::json_changes::run(data));
