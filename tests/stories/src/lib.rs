//! Whole-product cases.
