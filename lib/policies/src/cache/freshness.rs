//! How old a stored response may be. Pure: time is an argument.

use std::time::Duration;

use super::CacheRules;

/// What a stored response's age allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// It may be reused (RFC 9111 §4.2).
    Fresh,
    /// It may not, or only so.
    Stale {
        /// While a new one is fetched in the background (RFC 5861 §3).
        revalidate: bool,
        /// If the source fails (RFC 5861 §4).
        if_error: bool,
    },
}

impl Freshness {
    /// Judges an age against a lifetime. What was purged softly is stale whatever its age; for how long it
    /// may still be of use counts from the end of its lifetime as ever.
    pub(super) fn of(age: Duration, fresh: Duration, softened: bool, rules: &CacheRules) -> Self {
        if age < fresh && !softened {
            return Self::Fresh;
        }
        let past = age.saturating_sub(fresh);
        Self::Stale { revalidate: past < rules.stale_while_revalidate, if_error: past < rules.stale_if_error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_fresh_then_stale_then_of_use_in_an_outage_then_of_none() {
        let seconds = Duration::from_secs;
        let rules = CacheRules {
            fresh: seconds(10),
            stale_while_revalidate: seconds(5),
            stale_if_error: seconds(20),
            client: Duration::ZERO,
            body_bytes_max: 0,
        };
        let check = |age, softened, expected| {
            assert_eq!(
                Freshness::of(seconds(age), rules.fresh, softened, &rules),
                expected,
                "{age} {softened}"
            );
        };
        let stale = |revalidate, if_error| Freshness::Stale { revalidate, if_error };
        check(0, false, Freshness::Fresh);
        check(9, false, Freshness::Fresh);
        check(10, false, stale(true, true));
        check(14, false, stale(true, true));
        check(15, false, stale(false, true));
        check(29, false, stale(false, true));
        check(30, false, stale(false, false));
        check(0, true, stale(true, true));
        check(15, true, stale(false, true));
        let strict =
            CacheRules { stale_while_revalidate: Duration::ZERO, stale_if_error: Duration::ZERO, ..rules };
        assert_eq!(Freshness::of(seconds(10), rules.fresh, false, &strict), stale(false, false));
        assert_eq!(Freshness::of(seconds(0), rules.fresh, true, &strict), stale(false, false));
    }
}
