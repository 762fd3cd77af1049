//! How long a response is fresh, how old it already is, and what is allowed beyond (RFC 9111 §4.2, RFC 5861).

use std::time::{Duration, SystemTime};

use http::header::{AGE, DATE, EXPIRES, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::cache_control::{Fields, LONGEST, ResponseDirectives, delta_seconds};
use crate::date;
use crate::storing::{Received, Rules};
use crate::targeted::{Effective, Field};

/// What is known of a response's reuse from the moment that it arrived; everything else is its age.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is something that the response said or did not")]
pub struct Freshness {
    /// How old it may get and still be fresh (§4.2.1, §4.2.2).
    pub lifetime: Duration,
    /// How old it was when it arrived: `corrected_initial_age` of §4.2.3.
    pub age: Duration,
    /// Where the lifetime is from.
    pub source: LifetimeSource,
    /// `no-cache` about the whole message: never reused before it was validated (§5.2.2.4).
    pub always_validate: bool,
    /// Fields that are not stored: those of a qualified `no-cache` or `private` (§5.2.2.4, §5.2.2.7).
    pub withheld: Vec<HeaderName>,
    /// `must-revalidate`, `proxy-revalidate` or `s-maxage`: never reused stale (§4.2.4).
    pub must_revalidate: bool,
    /// Not to be validated while it is fresh (RFC 8246 §2).
    pub immutable: bool,
    /// Whether it may answer requests with credentials and be stored from one (§3.5).
    pub shareable_with_credentials: bool,
    /// How long after its lifetime it may be used while it is being validated (RFC 5861 §3).
    pub stale_while_revalidate: Duration,
    /// How long after its lifetime it may be used in place of an error (RFC 5861 §4).
    pub stale_if_error: Duration,
    /// How long after its lifetime it may be used while the origin cannot be reached (§4.2.4).
    pub stale_if_unreachable: Duration,
}

/// Where a lifetime is from, the strongest first (§4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifetimeSource {
    /// `s-maxage`.
    SMaxage,
    /// `max-age`.
    MaxAge,
    /// `Expires`.
    Expires,
    /// Kasoku's configuration, because the response says nothing.
    Configured,
    /// A guess from `Last-Modified` (§4.2.2).
    Heuristic,
    /// Nowhere: there is none.
    None,
}

impl LifetimeSource {
    /// Whether the response itself said it.
    pub fn is_explicit(self) -> bool {
        matches!(self, Self::SMaxage | Self::MaxAge | Self::Expires)
    }

    /// What it is from, as it is written there.
    pub fn token(self) -> &'static str {
        self.words().0
    }

    /// The clause or the setting that it follows from.
    pub fn clause(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::SMaxage => ("s-maxage", "RFC 9111 §5.2.2.10"),
            Self::MaxAge => ("max-age", "RFC 9111 §5.2.2.1"),
            Self::Expires => ("Expires", "RFC 9111 §5.3"),
            Self::Configured => ("configured", "`cache.fresh`"),
            Self::Heuristic => ("heuristic", "RFC 9111 §4.2.2"),
            Self::None => ("none", "RFC 9111 §4.2.1"),
        }
    }
}

/// Works out the freshness of a response whose directives are `effective`.
pub fn of(received: &Received<'_>, effective: &Effective, rules: &Rules) -> Freshness {
    let directives = &effective.directives;
    let always_validate = directives.validates_always();
    let must_revalidate =
        directives.must_revalidate || directives.proxy_revalidate || directives.s_maxage.is_some();
    let (lifetime, source) = lifetime(received, effective, rules);
    // §4.2.4: no stale response where one of these prohibits it.
    let allowed = |said: Option<Duration>, configured: Option<Duration>| match said.or(configured) {
        Some(limit) if !(must_revalidate || always_validate) => limit,
        _ => Duration::ZERO,
    };
    // A response that was never fresh is not made usable by the configuration behind the origin's back.
    let while_revalidate = rules.stale_while_revalidate.filter(|_| lifetime > Duration::ZERO);
    Freshness {
        lifetime,
        age: initial_age(received),
        source,
        always_validate,
        withheld: withheld(directives),
        must_revalidate,
        immutable: directives.immutable,
        shareable_with_credentials: is_shareable_with_credentials(directives),
        stale_while_revalidate: allowed(directives.stale_while_revalidate, while_revalidate),
        stale_if_error: allowed(directives.stale_if_error, rules.stale_if_error),
        stale_if_unreachable: allowed(
            directives.stale_if_error,
            rules.stale_if_unreachable.max(rules.stale_if_error),
        ),
    }
}

/// §3.5: what allows a shared cache to store the answer to a request with `Authorization`.
pub fn is_shareable_with_credentials(directives: &ResponseDirectives) -> bool {
    directives.public || directives.must_revalidate || directives.s_maxage.is_some()
}

/// Statuses that may be stored without an explicit lifetime (RFC 9110 §15.1).
pub fn is_heuristically_cacheable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 206 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

/// The age of a response after it has been here for `resident`: `current_age` of §4.2.3.
pub fn age_now(freshness: &Freshness, resident: Duration) -> Duration {
    freshness.age.saturating_add(resident)
}

/// How many seconds it stays fresh, negative if it is stale: `ttl` of RFC 9211 §2.5.
pub fn ttl_s(freshness: &Freshness, age: Duration) -> i64 {
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    seconds(freshness.lifetime).saturating_sub(seconds(age))
}

/// §4.2.1, in its order; the configuration stands where a cache may guess.
fn lifetime(received: &Received<'_>, effective: &Effective, rules: &Rules) -> (Duration, LifetimeSource) {
    let directives = &effective.directives;
    if let Some(lifetime) = directives.s_maxage {
        return (lifetime, LifetimeSource::SMaxage);
    }
    if let Some(lifetime) = directives.max_age {
        return (lifetime, LifetimeSource::MaxAge);
    }
    // RFC 9213 §2.2: a targeted field leaves `Expires` without effect.
    if let (Field::General, Some(lifetime)) = (&effective.field, until_expires(received)) {
        return (lifetime, LifetimeSource::Expires);
    }
    let status = received.status;
    let guess = is_heuristically_cacheable(status) || directives.public;
    if let Some(fresh) = rules.fresh.filter(|_| guess && status.as_u16() < 400) {
        return (fresh, LifetimeSource::Configured);
    }
    match guessed(received, rules).filter(|_| guess) {
        Some(lifetime) => (lifetime, LifetimeSource::Heuristic),
        None => (Duration::ZERO, LifetimeSource::None),
    }
}

/// `Expires` minus `Date` (§4.2.1). What is no date lies in the past (§5.3), and of several the earliest counts.
fn until_expires(received: &Received<'_>) -> Option<Duration> {
    let until = |value: &HeaderValue| {
        let expires = date::read(value, received.at)?;
        Some(date::between(generated(received), expires))
    };
    let lines = received.headers.get_all(EXPIRES).iter();
    lines.map(|value| until(value).unwrap_or_default().min(LONGEST)).min()
}

/// §4.2.2: a fraction of the time for which it has not been modified.
fn guessed(received: &Received<'_>, rules: &Rules) -> Option<Duration> {
    let modified = date::read(received.headers.get(LAST_MODIFIED)?, received.at)?;
    let unchanged = date::between(modified, generated(received));
    let fraction =
        if rules.heuristic_fraction.is_finite() { rules.heuristic_fraction.clamp(0.0, 1.0) } else { 0.0 };
    Some(unchanged.min(LONGEST).mul_f64(fraction).min(rules.heuristic_max))
}

/// §4.2.3: by its `Date` or by its `Age` and the delay, whichever is more.
fn initial_age(received: &Received<'_>) -> Duration {
    let apparent = date::between(generated(received), received.at);
    let corrected = age_value(received.headers).saturating_add(received.delay);
    apparent.max(corrected).min(LONGEST)
}

/// §5.1: of a list the first member counts, and what is not a number is ignored.
fn age_value(headers: &HeaderMap) -> Duration {
    let first = headers.get(AGE).and_then(|value| value.as_bytes().split(|byte| *byte == b',').next());
    first.and_then(|text| delta_seconds(text.trim_ascii())).unwrap_or_default()
}

/// When it was generated; where that is not said, when it arrived (RFC 9110 §6.6.1).
fn generated(received: &Received<'_>) -> SystemTime {
    let date = received.headers.get(DATE);
    date.and_then(|value| date::read(value, received.at)).unwrap_or(received.at)
}

fn withheld(directives: &ResponseDirectives) -> Vec<HeaderName> {
    let mut names: Vec<HeaderName> = Vec::new();
    for fields in [&directives.no_cache, &directives.private].into_iter().flatten() {
        if let Fields::Listed(listed) = fields {
            names.extend(listed.iter().cloned());
        }
    }
    names.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn freshness(lifetime_s: u64, age_s: u64) -> Freshness {
        Freshness {
            lifetime: Duration::from_secs(lifetime_s),
            age: Duration::from_secs(age_s),
            source: LifetimeSource::MaxAge,
            always_validate: false,
            withheld: Vec::new(),
            must_revalidate: false,
            immutable: false,
            shareable_with_credentials: false,
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            stale_if_unreachable: Duration::ZERO,
        }
    }

    #[test]
    fn section_4_2_3_the_age_goes_on_while_it_is_here() {
        let freshness = freshness(100, 30);
        let age = age_now(&freshness, Duration::from_millis(5_900));
        assert_eq!(age, Duration::from_millis(35_900));
        assert_eq!(age_now(&freshness, Duration::MAX), Duration::MAX);
    }

    #[test]
    fn rfc_9211_the_ttl_is_negative_for_what_is_stale() {
        for (lifetime_s, age_s, expected) in
            [(100, 30, 70), (100, 100, 0), (100, 130, -30), (0, u64::MAX, -i64::MAX), (u64::MAX, 0, i64::MAX)]
        {
            let freshness = freshness(lifetime_s, 0);
            assert_eq!(ttl_s(&freshness, Duration::from_secs(age_s)), expected, "{lifetime_s} {age_s}");
        }
    }
}
