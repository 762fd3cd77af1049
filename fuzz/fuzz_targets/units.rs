//! Sizes and durations.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| kasoku_fuzz_targets::units::run(input));
