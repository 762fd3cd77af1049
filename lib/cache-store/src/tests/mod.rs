//! Cases that look inside, or that need the fixed seeds which [`crate::sync`] has under test.

mod fence;
mod purges;
mod weights;
