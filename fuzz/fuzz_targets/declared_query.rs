//! The SQL of declared queries, and requests to them.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| kasoku_fuzz_targets::declared_query::run(input));
