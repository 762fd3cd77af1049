//! Requests to a table, bodies and preferences included.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| kasoku_fuzz_targets::data::run(input));
