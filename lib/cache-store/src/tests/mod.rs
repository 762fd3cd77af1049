//! Cases that look inside, or that need the fixed seeds which [`crate::sync`] has under test.

mod fence;
mod order;
mod purges;
mod weights;
