//! Query strings of lists, rows and changes.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| kasoku_fuzz_targets::query::run(input));
