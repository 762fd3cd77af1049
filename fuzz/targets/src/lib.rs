//! Each parser with arbitrary bytes, as a function.
//!
//! `fuzz/` puts libFuzzer around these functions; `tests/smoke.rs` calls them with the seeds and with changed seeds,
//! on any toolchain. A function returns if all is well and panics otherwise: it lets nothing pass but answers and
//! refusals, and where a rule holds for every input, it checks the rule. This crate must know nothing but public
//! interfaces: what it cannot reach, no caller can either.

pub mod configuration;
pub mod cursor;
pub mod data;
pub mod declared_query;
pub mod fields;
pub mod path;
pub mod query;
pub mod units;

mod parts;
mod rows;
mod shop;

pub use rows::{delimited, json};

/// A target's function.
pub type Run = fn(&[u8]);

/// All targets. Seeds of each are in `fuzz/seeds/`, in a folder of its name.
pub const TARGETS: &[(&str, Run)] = &[
    ("configuration", configuration::run),
    ("cursor", cursor::run),
    ("data", data::run),
    ("declared_query", declared_query::run),
    ("delimited", delimited::run),
    ("fields", fields::run),
    ("json", json::run),
    ("path", path::run),
    ("query", query::run),
    ("units", units::run),
];
