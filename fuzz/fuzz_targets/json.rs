//! JSON and newline-delimited JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| kasoku_fuzz_targets::json::run(input));
