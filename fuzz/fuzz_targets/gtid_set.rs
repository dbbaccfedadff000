//! See `datain_fuzz::gtid_set`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datain_fuzz::gtid_set::run(data));
