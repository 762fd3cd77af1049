//! Configuration text to plan or findings.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| kasoku_fuzz_targets::configuration::run(input));
