//! Callers that were identified a moment ago, so that a signature is verified once and not with each request.
//!
//! What is remembered is the digest of a credential and not the credential itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kasoku_pipeline::Caller;
use parking_lot::RwLock;
use ring::digest::{SHA256, digest};

/// A credential's digest.
pub(super) type Digest = [u8; 32];

const SHARDS: usize = 16;

/// Remembers a bounded number of callers.
pub(super) struct Remembered {
    shards: [RwLock<HashMap<Digest, Known, foldhash::fast::RandomState>>; SHARDS],
    in_shard_max: usize,
    /// For how long at the most.
    longest: Duration,
}

struct Known {
    caller: Arc<Caller>,
    until: Instant,
    /// What it was identified by; callers of earlier keys are asked again.
    keys: Digest,
}

pub(super) fn digest_of(credential: &[u8]) -> Digest {
    digest(&SHA256, credential).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

impl Remembered {
    pub(super) fn new(callers_max: usize, longest: Duration) -> Self {
        let shards = std::array::from_fn(|_| RwLock::default());
        Self { shards, in_shard_max: callers_max.div_ceil(SHARDS), longest }
    }

    pub(super) fn get(&self, credential: &Digest, keys: &Digest, now: Instant) -> Option<Arc<Caller>> {
        let shard = self.shard(credential).read();
        let known = shard.get(credential)?;
        (now < known.until && known.keys == *keys).then(|| Arc::clone(&known.caller))
    }

    pub(super) fn put(
        &self,
        credential: Digest,
        caller: &Arc<Caller>,
        keys: Digest,
        (now, left): (Instant, Duration),
    ) {
        let mut shard = self.shard(&credential).write();
        if shard.len() >= self.in_shard_max {
            shard.retain(|_, known| now < known.until);
        }
        if shard.len() >= self.in_shard_max {
            let victim = shard.keys().next().copied();
            victim.and_then(|victim| shard.remove(&victim));
        }
        let until = now + left.min(self.longest);
        shard.insert(credential, Known { caller: Arc::clone(caller), until, keys });
    }

    fn shard(&self, credential: &Digest) -> &RwLock<HashMap<Digest, Known, foldhash::fast::RandomState>> {
        &self.shards[usize::from(credential[0]) % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use kasoku_pipeline::CallerKind;

    use super::*;

    #[test]
    fn a_caller_is_known_until_its_time_or_its_keys_have_gone() {
        let (now, minute) = (Instant::now(), Duration::from_mins(1));
        let memory = Remembered::new(SHARDS, 5 * minute);
        let caller = Arc::new(Caller::new(CallerKind::Token, "7"));
        memory.put([1; 32], &caller, [0; 32], (now, minute));
        assert_eq!(memory.get(&[1; 32], &[0; 32], now), Some(Arc::clone(&caller)));
        assert_eq!(memory.get(&[1; 32], &[0; 32], now + minute), None, "it has expired");
        assert_eq!(memory.get(&[1; 32], &[9; 32], now), None, "the keys are others");
        assert_eq!(memory.get(&[2; 32], &[0; 32], now), None);
        memory.put([1; 32], &caller, [0; 32], (now, 60 * minute));
        assert_eq!(memory.get(&[1; 32], &[0; 32], now + 5 * minute), None, "it is looked at again");
        let mut crowded = [1; 32];
        for last in 0..100 {
            crowded[31] = last;
            memory.put(crowded, &caller, [0; 32], (now, minute));
        }
        assert_eq!(memory.shard(&[1; 32]).read().len(), 1);
    }
}
