//! See `datain_fuzz::table_map`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datain_fuzz::table_map::run(data));
