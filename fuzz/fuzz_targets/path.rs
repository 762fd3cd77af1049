//! Paths: routed, decoded, looked for in a folder; ranges of what is there.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| kasoku_fuzz_targets::path::run(input));
