//! API keys: long random texts, of which only the SHA-256 is kept anywhere.
//!
//! What is compared is a digest that the caller cannot choose, and each comparison takes the same time wherever the
//! first difference is.

use std::sync::Arc;

use kasoku_pipeline::Caller;
use subtle::ConstantTimeEq as _;

use super::remembered::{Digest, digest_of};

/// Bytes of a key.
pub const KEY_BYTES: std::ops::RangeInclusive<usize> = 20..=512;

/// Which API keys are accepted.
pub struct ApiKeyRules {
    /// By their digests.
    pub fixed: Vec<(Digest, Arc<Caller>)>,
}

impl ApiKeyRules {
    /// Whose key it is.
    pub(super) fn known(&self, key: &str) -> Option<Arc<Caller>> {
        if !KEY_BYTES.contains(&key.len()) {
            return None;
        }
        let digest = digest_of(key.as_bytes());
        // All are compared, whichever it is.
        let mut found = None;
        for (known, caller) in &self.fixed {
            if bool::from(known.ct_eq(&digest)) {
                found = Some(caller);
            }
        }
        found.cloned()
    }
}
