//! Which values are being made anew in the background: each once at a time, and not too many.

use std::collections::HashSet;
use std::sync::Arc;

use kasoku_coherence::Key;
use parking_lot::Mutex;

/// Values that are made anew at the same time.
const REFRESHES_MAX: usize = 64;

/// See the module.
#[derive(Default)]
pub(crate) struct Refreshes(Mutex<HashSet<Key>>);

/// The right to make a value anew, given back when dropped.
pub(crate) struct Claim {
    refreshes: Arc<Refreshes>,
    key: Key,
}

impl Refreshes {
    /// Claims a key; `None` while another claim of it is held, or too many of others.
    pub(crate) fn claim(self: &Arc<Self>, key: &Key) -> Option<Claim> {
        let mut claimed = self.0.lock();
        let is_new = claimed.len() < REFRESHES_MAX && claimed.insert(key.clone());
        is_new.then(|| Claim { refreshes: Arc::clone(self), key: key.clone() })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.refreshes.0.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use kasoku_coherence::KeyBuilder;

    use super::*;

    #[test]
    fn a_key_is_claimed_once_and_not_too_many_at_a_time() {
        let refreshes = Arc::new(Refreshes::default());
        let key = |number: usize| KeyBuilder::new().part(&number.to_le_bytes()).build();
        let mut claims: Vec<_> = (0..REFRESHES_MAX).map(|number| refreshes.claim(&key(number))).collect();
        assert!(claims.iter().all(Option::is_some));
        assert!(refreshes.claim(&key(REFRESHES_MAX)).is_none(), "there are too many");
        claims.truncate(1);
        assert!(refreshes.claim(&key(0)).is_none(), "it is claimed");
        assert!(refreshes.claim(&key(1)).is_some(), "it was given back");
    }
}
