//! Verifies signed tokens.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use kasoku_pipeline::Caller;

use super::algorithm::Algorithm;
use super::claims::ClaimRules;
use super::keys::{KeySet, KeySource};
use super::reason::Reason;
use super::remembered::{Digest, Remembered, digest_of};
use super::token::Token;

/// Which tokens are accepted.
pub struct TokenRules {
    /// What they must claim.
    pub claims: ClaimRules,
    /// The algorithms that they may be signed by; empty accepts those of the keys.
    pub algorithms: Vec<Algorithm>,
    /// Where the keys come from.
    pub keys: Arc<dyn KeySource>,
    /// Callers that are remembered, so that their tokens are not verified again.
    pub remembered_max: usize,
}

/// A caller who has shown a good token is known for this long without its being verified again.
const REMEMBERED_FOR: Duration = Duration::from_mins(5);

/// See the module.
pub(super) struct Tokens {
    rules: TokenRules,
    remembered: Remembered,
}

/// Why there is no caller.
pub(super) enum Unverified {
    Refused(Reason),
    /// There are no keys yet to verify anything with.
    NoKeys,
}

impl Tokens {
    pub(super) fn new(rules: TokenRules) -> Self {
        let remembered = Remembered::new(rules.remembered_max, REMEMBERED_FOR);
        Self { rules, remembered }
    }

    /// The caller of a token that was verified lately.
    pub(super) fn known(&self, text: &str, now: Instant) -> Option<Arc<Caller>> {
        let keys = self.rules.keys.current()?;
        self.remembered.get(&digest_of(text.as_bytes()), keys.digest(), now)
    }

    /// The caller of a token. Waits only where its key is not known yet.
    pub(super) async fn caller(
        &self,
        text: &str,
        (now, wall): (Instant, SystemTime),
    ) -> Result<Arc<Caller>, Unverified> {
        let token = Token::read(text)?;
        if !self.rules.algorithms.is_empty() && !self.rules.algorithms.contains(&token.algorithm) {
            return Err(Reason::Algorithm.into());
        }
        let keys = self.keys_for(&token).await?;
        let is_signed = keys
            .for_token(token.key_id.as_deref(), token.algorithm)
            .any(|key| key.verifies(token.algorithm, token.message, &token.signature));
        if !is_signed {
            return Err(Reason::Signature.into());
        }
        let (caller, left) = self.rules.claims.caller(&token.claims()?, wall)?;
        let (caller, credential): (_, Digest) = (Arc::new(caller), digest_of(text.as_bytes()));
        self.remembered.put(credential, &caller, *keys.digest(), (now, left));
        Ok(caller)
    }

    /// The keys, with the one that the token names among them.
    async fn keys_for(&self, token: &Token<'_>) -> Result<Arc<KeySet>, Unverified> {
        let named = |keys: &KeySet| keys.for_token(token.key_id.as_deref(), token.algorithm).next().is_some();
        if let Some(keys) = self.rules.keys.current().filter(|keys| named(keys)) {
            return Ok(keys);
        }
        self.rules.keys.ask_again().await;
        let keys = self.rules.keys.current().ok_or(Unverified::NoKeys)?;
        if named(&keys) { Ok(keys) } else { Err(Reason::UnknownKey.into()) }
    }
}

impl From<Reason> for Unverified {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}
