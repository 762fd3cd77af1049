//! Chores: ci, tidy, docs, services.
fn main() {}
