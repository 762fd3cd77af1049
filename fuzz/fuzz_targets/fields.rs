//! Header fields that decide on caching and coding.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| kasoku_fuzz_targets::fields::run(input));
