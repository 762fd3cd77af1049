//! One folder per policy; each is also usable as a tower layer.
//!
//! A policy knows the seam of `kasoku-pipeline` and no source. Their order is not written here but in one place
//! of the assembly.

pub mod admit;
pub mod cache;
pub mod deadline;
pub mod shape;
