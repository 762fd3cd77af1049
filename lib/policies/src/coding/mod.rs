//! Content codings: what a caller accepts, what is worth coding, and the coding itself.
//!
//! Nothing here knows a request or a policy; [`shape`](crate::shape) uses it.

mod accept;
mod encode;
mod suitable;

pub use accept::{Wish, negotiate};
pub use encode::encode;
pub use suitable::{Suitability, suitability};
