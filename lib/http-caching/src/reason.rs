//! Why a cache did what it did: one closed list, from which `Cache-Status`, metrics, logs and explanations speak.

use crate::reuse::Validate;
use crate::storing::Refusal;

/// See the module. Each has a token for machines, a clause or setting that decides, and a sentence for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A stored answer was not reused as it is.
    Validated(Validate),
    /// The answer was not stored.
    NotStored(Refusal),
    /// The stored answer is for callers without credentials.
    NotForCredentials,
    /// A condition that only the origin can evaluate (`If-Match`, `If-Unmodified-Since`).
    ForTheOrigin,
    /// Only a part is stored, and not the one that was asked for.
    Partial,
    /// Something that the stored answer depended on has changed, or was purged.
    Changed,
    /// The caller knows of a change that the stored answer may not show.
    Behind,
    /// Nothing has been heard for too long from those who change what the stored answer depends on.
    Unheard,
    /// The body is larger than what is stored.
    TooLarge,
    /// Bodies in flight take all the memory that they may.
    NoRoom,
    /// A purge or a change came while the answer was on its way.
    Fenced,
    /// The answer repeats what the request said in a field outside of the key.
    Repeats,
    /// There are too many variants already.
    TooManyVariants,
    /// The answer names more groups or tags, or longer ones, than are kept.
    TooManyTags,
    /// The connection is to change its protocol.
    Upgrade,
    /// Caching is switched off for the route.
    SwitchedOff,
    /// The origin failed, and the stored answer may stand in.
    OriginFailed,
    /// The origin failed a moment ago, and is left alone for a while.
    OriginFailing,
    /// The origin takes long, and the stored answer may stand in meanwhile.
    OriginSlow,
    /// The caller accepts a stale answer.
    MaxStale,
    /// A newer answer is being fetched in the background.
    Revalidating,
    /// It came from the second tier.
    SecondTier,
}

/// The tokens of all reasons: a closed list to count by.
pub const TOKENS: [&str; 44] = [
    "expired",
    "no-cache-response",
    "no-cache-request",
    "no-store-request",
    "max-age-request",
    "min-fresh-request",
    "must-revalidate",
    "purged",
    "out-of-touch",
    "method",
    "request-no-store",
    "not-final",
    "not-modified",
    "must-understand",
    "provoked",
    "no-store",
    "private",
    "credentials",
    "vary-any",
    "sets-cookie",
    "status",
    "no-freshness-no-validator",
    "content-range-invalid",
    "not-for-credentials",
    "for-the-origin",
    "partial",
    "changed",
    "behind",
    "unheard",
    "too-large",
    "no-room",
    "fenced",
    "repeats",
    "too-many-variants",
    "too-many-tags",
    "upgrade",
    "switched-off",
    "origin-failed",
    "origin-failing",
    "origin-slow",
    "max-stale",
    "revalidating",
    "second-tier",
    "other",
];

impl Reason {
    /// A word for `Cache-Status` details, metrics and logs.
    pub fn token(self) -> &'static str {
        self.words().0
    }

    /// The clause or the setting that it follows from.
    pub fn clause(self) -> &'static str {
        self.words().1
    }

    /// A sentence for people.
    pub fn explain(self) -> &'static str {
        self.words().2
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Validated(why) => validate(why),
            Self::NotStored(refusal) => (refusal.token(), refusal.clause(), refusal.explain()),
            Self::NotForCredentials => (
                "not-for-credentials",
                "RFC 9111 §3.5",
                "The request has credentials, and the stored answer says none of public, must-revalidate and s-maxage.",
            ),
            Self::ForTheOrigin => (
                "for-the-origin",
                "RFC 9111 §4.3.2",
                "The request has a condition that only the origin can evaluate.",
            ),
            Self::Partial => ("partial", "RFC 9111 §3.3", "Only another part of the answer is stored."),
            Self::Changed => {
                ("changed", "the fence", "Something that the stored answer depended on has changed.")
            }
            Self::Behind => (
                "behind",
                "`Kasoku-Position`",
                "The caller knows of a change that the stored answer may not show.",
            ),
            Self::Unheard => (
                "unheard",
                "the bound",
                "Nothing was heard for too long from those who change what the stored answer depends on.",
            ),
            Self::TooLarge => ("too-large", "`cache.body`", "The body is larger than what is stored."),
            Self::NoRoom => (
                "no-room",
                "`cache.in_flight`",
                "Bodies on their way to slow callers take all the memory that they may.",
            ),
            Self::Fenced => {
                ("fenced", "the fence", "A purge or a change came while the answer was on its way.")
            }
            Self::Repeats => (
                "repeats",
                "key = view",
                "The answer repeats what the request said in a field that is not part of the key.",
            ),
            Self::TooManyVariants => {
                ("too-many-variants", "`cache.variants`", "As many variants as may be are stored already.")
            }
            Self::TooManyTags => {
                ("too-many-tags", "RFC 9875 §2.1", "The answer names more groups or tags than are kept.")
            }
            Self::Upgrade => ("upgrade", "RFC 9110 §7.8", "The connection is to change its protocol."),
            Self::SwitchedOff => ("switched-off", "`cache`", "Caching is switched off for the route."),
            Self::OriginFailed => {
                ("origin-failed", "RFC 5861 §4", "The origin failed, and a stale answer may stand in for it.")
            }
            Self::OriginFailing => (
                "origin-failing",
                "`cache.retry`",
                "The origin failed a moment ago, and is not asked again before a while has passed.",
            ),
            Self::OriginSlow => (
                "origin-slow",
                "`cache.soft_timeout`",
                "The origin takes long, and a stale answer may stand in meanwhile.",
            ),
            Self::MaxStale => ("max-stale", "RFC 9111 §5.2.1.2", "The caller accepts a stale answer."),
            Self::Revalidating => {
                ("revalidating", "RFC 5861 §3", "A newer answer is being fetched in the background.")
            }
            Self::SecondTier => ("second-tier", "`cache.redis`", "The answer was stored by another node."),
        }
    }
}

fn validate(why: Validate) -> (&'static str, &'static str, &'static str) {
    match why {
        Validate::Expired => ("expired", "RFC 9111 §4.2", "The stored answer is stale."),
        Validate::NoCacheResponse => {
            ("no-cache-response", "RFC 9111 §5.2.2.4", "The stored answer is to be validated each time.")
        }
        Validate::NoCacheRequest => {
            ("no-cache-request", "RFC 9111 §5.2.1.4", "The caller wants an answer from the origin.")
        }
        Validate::NoStoreRequest => {
            ("no-store-request", "RFC 9111 §5.2.1.5", "The caller wants nothing to be stored.")
        }
        Validate::MaxAgeRequest => {
            ("max-age-request", "RFC 9111 §5.2.1.1", "The stored answer is older than the caller accepts.")
        }
        Validate::MinFreshRequest => (
            "min-fresh-request",
            "RFC 9111 §5.2.1.3",
            "The stored answer is not fresh for as long as the caller wants.",
        ),
        Validate::MustRevalidate => {
            ("must-revalidate", "RFC 9111 §5.2.2.2", "The stored answer is stale, and must not be used so.")
        }
        Validate::Purged => ("purged", "a soft purge", "The stored answer was marked stale by a purge."),
        Validate::OutOfTouch => (
            "out-of-touch",
            "`cache.redis.strict`",
            "What other nodes purge has not been heard of for longer than is allowed.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::storing::Provocation;

    /// Every reason; a match without a wildcard in [`Reason::words`] asks for its words, and this list for its token.
    fn all() -> Vec<Reason> {
        let validated = [
            Validate::Expired,
            Validate::NoCacheResponse,
            Validate::NoCacheRequest,
            Validate::NoStoreRequest,
            Validate::MaxAgeRequest,
            Validate::MinFreshRequest,
            Validate::MustRevalidate,
            Validate::Purged,
            Validate::OutOfTouch,
        ];
        let refused = [
            Refusal::Method,
            Refusal::RequestNoStore,
            Refusal::NotFinal,
            Refusal::NotModified,
            Refusal::NotUnderstood,
            Refusal::Provoked(Provocation::Size),
            Refusal::NoStore,
            Refusal::Private,
            Refusal::Credentials,
            Refusal::VaryAny,
            Refusal::SetsCookie,
            Refusal::Status,
            Refusal::NoFreshnessNoValidator,
            Refusal::ContentRangeInvalid,
        ];
        let others = [
            Reason::NotForCredentials,
            Reason::ForTheOrigin,
            Reason::Partial,
            Reason::Changed,
            Reason::Behind,
            Reason::Unheard,
            Reason::TooLarge,
            Reason::NoRoom,
            Reason::Fenced,
            Reason::Repeats,
            Reason::TooManyVariants,
            Reason::TooManyTags,
            Reason::Upgrade,
            Reason::SwitchedOff,
            Reason::OriginFailed,
            Reason::OriginFailing,
            Reason::OriginSlow,
            Reason::MaxStale,
            Reason::Revalidating,
            Reason::SecondTier,
        ];
        let validated = validated.into_iter().map(Reason::Validated);
        validated.chain(refused.into_iter().map(Reason::NotStored)).chain(others).collect()
    }

    #[test]
    fn every_reason_has_a_token_of_its_own_in_the_closed_list() {
        let tokens: Vec<&str> = all().into_iter().map(Reason::token).collect();
        assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), tokens.len());
        assert_eq!([&tokens[..], &["other"]].concat(), TOKENS);
        for reason in all() {
            assert!(!reason.clause().is_empty() && reason.explain().ends_with('.'), "{reason:?}");
        }
    }
}
