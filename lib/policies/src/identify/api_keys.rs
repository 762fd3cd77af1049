//! API keys: long random texts, of which only the SHA-256 is kept anywhere.
//!
//! What is compared is a digest that the caller cannot choose, and each comparison takes the same time wherever the
//! first difference is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kasoku_pipeline::{BoxFuture, Caller};
use kasoku_problem::Problem;
use subtle::ConstantTimeEq as _;

use super::remembered::{Digest, Remembered, digest_of};

/// Bytes of a key.
pub const KEY_BYTES: std::ops::RangeInclusive<usize> = 20..=512;

/// Which API keys are accepted.
pub struct ApiKeyRules {
    /// Keys of the configuration, by their digests.
    pub fixed: Vec<(Digest, Arc<Caller>)>,
    /// Where other keys are looked up.
    pub looked_up: Option<Arc<dyn ApiKeyTable>>,
    /// How long a key that was found is known, before it is looked up again.
    pub known_for: Duration,
    /// Keys that are known at once.
    pub remembered_max: usize,
}

/// Knows keys by their digests.
pub trait ApiKeyTable: Send + Sync + 'static {
    /// Whose key has this digest, which is given in lower-case hexadecimal digits.
    fn find<'a>(
        &'a self,
        digest: &'a str,
        deadline: Option<Instant>,
    ) -> BoxFuture<'a, Result<Option<Caller>, Problem>>;
}

/// See the module.
pub(super) struct ApiKeys {
    rules: ApiKeyRules,
    remembered: Remembered,
}

/// What keys of a table are remembered by, as they have no keys of their own.
const NO_KEYS: Digest = [0; 32];

impl ApiKeys {
    pub(super) fn new(rules: ApiKeyRules) -> Self {
        let remembered = Remembered::new(rules.remembered_max, rules.known_for);
        Self { rules, remembered }
    }

    /// Whose key it is, if that needs no looking up.
    pub(super) fn known(&self, key: &str, now: Instant) -> Option<Arc<Caller>> {
        if !KEY_BYTES.contains(&key.len()) {
            return None;
        }
        let digest = digest_of(key.as_bytes());
        // All are compared, whichever it is.
        let mut found = None;
        for (known, caller) in &self.rules.fixed {
            if bool::from(known.ct_eq(&digest)) {
                found = Some(caller);
            }
        }
        found.cloned().or_else(|| self.remembered.get(&digest, &NO_KEYS, now))
    }

    /// Looks a key up.
    pub(super) async fn look_up(
        &self,
        key: &str,
        now: Instant,
        deadline: Option<Instant>,
    ) -> Result<Option<Arc<Caller>>, Problem> {
        let Some(table) = self.rules.looked_up.as_ref().filter(|_| KEY_BYTES.contains(&key.len())) else {
            return Ok(None);
        };
        let digest = digest_of(key.as_bytes());
        let Some(caller) = table.find(&hexadecimal(&digest), deadline).await? else { return Ok(None) };
        let caller = Arc::new(caller);
        self.remembered.put(digest, &caller, NO_KEYS, (now, self.rules.known_for));
        Ok(Some(caller))
    }
}

/// Digits, two for each byte.
fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
