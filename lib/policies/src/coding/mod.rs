//! Content codings: what is worth coding, and the coding itself. What a caller accepts is
//! [decided elsewhere](kasoku_http_caching::coding).
//!
//! Nothing here knows a request or a policy; [`shape`](crate::shape) uses it.

mod encode;
mod suitable;

pub use encode::encode;
pub use suitable::{Suitability, may_be_coded, suitability};
