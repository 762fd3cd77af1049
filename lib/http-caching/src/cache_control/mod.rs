//! `Cache-Control` (RFC 9111 §5.2), with the directives of RFC 5861 and RFC 8246, read once into what they mean.
//!
//! Senders make mistakes, and this reads them to the safe side. A directive that forbids counts whatever argument
//! it came with. A lifetime that is not a number is none at all (§4.2.1 calls such responses stale), and of two the
//! shorter one counts. What is allowed must be said to the letter. Unknown directives are ignored (§5.2.3).
//!
//! Nothing is decided here: see [`storing`](crate::storing) and [`reuse`](crate::reuse).

mod lexer;
#[cfg(test)]
mod tests;

use std::time::Duration;

use http::header::{CACHE_CONTROL, PRAGMA};
use http::{HeaderMap, HeaderName};

pub(crate) use lexer::{Argument, members};

/// The longest time that is told apart (§1.2.2): 2³¹ seconds, about 68 years.
pub const LONGEST: Duration = Duration::from_secs(1 << 31);

/// More field names than this in one directive, and it means the whole message.
const FIELDS_MAX: usize = 64;

/// What a directive with an optional list of field names is about (§5.2.2.4, §5.2.2.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fields {
    /// The message.
    Whole,
    /// These fields of it, and not the rest.
    Listed(Vec<HeaderName>),
}

/// How far a caller accepts a response beyond its lifetime (§5.2.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxStale {
    /// Without limit.
    Any,
    /// By so much.
    By(Duration),
}

/// What a response says of its storing and reuse (§5.2.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a directive that was sent or was not")]
pub struct ResponseDirectives {
    /// `max-age` (§5.2.2.1); zero if it cannot be read.
    pub max_age: Option<Duration>,
    /// `s-maxage` (§5.2.2.10); zero if it cannot be read.
    pub s_maxage: Option<Duration>,
    /// `no-store` (§5.2.2.5).
    pub no_store: bool,
    /// `must-revalidate` (§5.2.2.2).
    pub must_revalidate: bool,
    /// `proxy-revalidate` (§5.2.2.8).
    pub proxy_revalidate: bool,
    /// `must-understand` (§5.2.2.3).
    pub must_understand: bool,
    /// `public` (§5.2.2.9).
    pub public: bool,
    /// `immutable` (RFC 8246 §2).
    pub immutable: bool,
    /// `no-transform` (§5.2.2.6).
    pub no_transform: bool,
    /// `no-cache` (§5.2.2.4).
    pub no_cache: Option<Fields>,
    /// `private` (§5.2.2.7).
    pub private: Option<Fields>,
    /// `stale-while-revalidate` (RFC 5861 §3); zero if it cannot be read.
    pub stale_while_revalidate: Option<Duration>,
    /// `stale-if-error` (RFC 5861 §4); zero if it cannot be read.
    pub stale_if_error: Option<Duration>,
}

impl ResponseDirectives {
    /// Reads the `Cache-Control` lines of a response. `Pragma` means nothing there (§5.4).
    pub fn of(headers: &HeaderMap) -> Self {
        let mut directives = Self::default();
        for line in headers.get_all(CACHE_CONTROL) {
            for member in members(line.as_bytes()) {
                directives.apply(member.name, member.argument);
            }
        }
        directives
    }

    /// Whether `no-cache` is about the whole message.
    pub fn validates_always(&self) -> bool {
        self.no_cache == Some(Fields::Whole)
    }

    /// Whether `private` is about the whole message.
    pub fn is_private(&self) -> bool {
        self.private == Some(Fields::Whole)
    }

    /// Takes in one directive more.
    pub(crate) fn apply(&mut self, name: &[u8], argument: Argument<'_>) {
        let mut buffer = [0; NAME_MAX];
        match lower(name, &mut buffer) {
            b"max-age" => least(&mut self.max_age, lifetime(argument)),
            b"s-maxage" => least(&mut self.s_maxage, lifetime(argument)),
            b"stale-while-revalidate" => least(&mut self.stale_while_revalidate, lifetime(argument)),
            b"stale-if-error" => least(&mut self.stale_if_error, lifetime(argument)),
            b"no-store" => self.no_store = true,
            b"must-revalidate" => self.must_revalidate = true,
            b"proxy-revalidate" => self.proxy_revalidate = true,
            b"no-transform" => self.no_transform = true,
            b"no-cache" => widen(&mut self.no_cache, argument),
            b"private" => widen(&mut self.private, argument),
            // These two allow something, so they count only if they are written as they should be.
            b"public" => self.public |= argument == Argument::Absent,
            b"must-understand" => self.must_understand |= argument == Argument::Absent,
            // RFC 8246 §2: an argument has no meaning.
            b"immutable" => self.immutable = true,
            _ => {}
        }
    }
}

/// What a request asks of a cache (§5.2.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestDirectives {
    /// `max-age` (§5.2.1.1): no older than this; zero if it cannot be read.
    pub max_age: Option<Duration>,
    /// `min-fresh` (§5.2.1.3): fresh for so much longer.
    pub min_fresh: Option<Duration>,
    /// `max-stale` (§5.2.1.2); ignored if it cannot be read.
    pub max_stale: Option<MaxStale>,
    /// `stale-if-error` (RFC 5861 §4); ignored if it cannot be read.
    pub stale_if_error: Option<Duration>,
    /// `no-cache` (§5.2.1.4).
    pub no_cache: bool,
    /// `no-store` (§5.2.1.5).
    pub no_store: bool,
    /// `only-if-cached` (§5.2.1.7).
    pub only_if_cached: bool,
}

impl RequestDirectives {
    /// Reads a request's `Cache-Control`, or its `Pragma` if there is none (§5.4). Does not allocate.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut directives = Self::default();
        // Most requests have neither: passing over the names that are there costs less than to hash these.
        if !headers.keys().any(|name| matches!(*name, CACHE_CONTROL | PRAGMA)) {
            return directives;
        }
        for line in headers.get_all(CACHE_CONTROL) {
            for member in members(line.as_bytes()) {
                directives.apply(member.name, member.argument);
            }
        }
        if !headers.contains_key(CACHE_CONTROL) {
            directives.no_cache = headers.get_all(PRAGMA).iter().any(|line| {
                members(line.as_bytes()).any(|member| {
                    member.name.eq_ignore_ascii_case(b"no-cache") && member.argument == Argument::Absent
                })
            });
        }
        directives
    }

    fn apply(&mut self, name: &[u8], argument: Argument<'_>) {
        let absent = argument == Argument::Absent;
        let mut buffer = [0; NAME_MAX];
        match lower(name, &mut buffer) {
            b"max-age" => least(&mut self.max_age, lifetime(argument)),
            // The most that one can ask for is what a field that cannot be read asks for.
            b"min-fresh" => self.min_fresh = self.min_fresh.max(Some(seconds(argument).unwrap_or(LONGEST))),
            b"max-stale" => match seconds(argument) {
                Some(limit) => {
                    let limit = self.max_stale.map_or(limit, |other| other.limit().min(limit));
                    self.max_stale = Some(MaxStale::By(limit));
                }
                None if absent => self.max_stale = self.max_stale.or(Some(MaxStale::Any)),
                None => {}
            },
            b"stale-if-error" => {
                if let Some(limit) = seconds(argument) {
                    least(&mut self.stale_if_error, limit);
                }
            }
            b"no-cache" => self.no_cache |= absent,
            b"no-store" => self.no_store |= absent,
            b"only-if-cached" => self.only_if_cached |= absent,
            _ => {}
        }
    }
}

impl MaxStale {
    /// The longest time beyond the lifetime.
    pub fn limit(self) -> Duration {
        match self {
            Self::Any => Duration::MAX,
            Self::By(limit) => limit,
        }
    }
}

/// Reads delta-seconds (§1.2.2): digits alone, cut off at [`LONGEST`].
pub(crate) fn delta_seconds(text: &[u8]) -> Option<Duration> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    digits.then(|| {
        let add = |sum: u64, digit: &u8| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
        Duration::from_secs(text.iter().fold(0, add)).min(LONGEST)
    })
}

/// The longest name that is known: `stale-while-revalidate`.
const NAME_MAX: usize = 22;

/// A name as it is compared; nothing if it is longer than all that are known.
fn lower<'a>(name: &[u8], buffer: &'a mut [u8; NAME_MAX]) -> &'a [u8] {
    let Some(lower) = buffer.get_mut(..name.len()) else { return b"" };
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    lower
}

fn seconds(argument: Argument<'_>) -> Option<Duration> {
    match argument {
        Argument::Text(text) => delta_seconds(text),
        Argument::Integer(integer) => {
            u64::try_from(integer).ok().map(|seconds| Duration::from_secs(seconds).min(LONGEST))
        }
        Argument::Absent | Argument::Names(_) | Argument::Unreadable => None,
    }
}

/// §4.2.1: a response whose lifetime cannot be read is stale.
fn lifetime(argument: Argument<'_>) -> Duration {
    seconds(argument).unwrap_or(Duration::ZERO)
}

/// §4.2.1: of two values, the one that makes the response stale sooner.
fn least(slot: &mut Option<Duration>, value: Duration) {
    *slot = Some(slot.map_or(value, |other| other.min(value)));
}

/// Adds to what a directive is about. A list that cannot be read, or is empty, is about everything.
fn widen(slot: &mut Option<Fields>, argument: Argument<'_>) {
    let names = match argument {
        Argument::Text(text) | Argument::Names(text) => field_names(text),
        Argument::Absent | Argument::Integer(_) | Argument::Unreadable => None,
    };
    *slot = Some(match (slot.take(), names) {
        (Some(Fields::Whole), _) | (_, None) => Fields::Whole,
        (None, Some(names)) => Fields::Listed(names),
        (Some(Fields::Listed(mut all)), Some(names)) => {
            all.extend(names);
            if all.len() > FIELDS_MAX { Fields::Whole } else { Fields::Listed(all) }
        }
    });
}

fn field_names(text: &[u8]) -> Option<Vec<HeaderName>> {
    let names = text.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|name| !name.is_empty());
    let names: Vec<_> =
        names.take(FIELDS_MAX + 1).map(HeaderName::from_bytes).collect::<Result<_, _>>().ok()?;
    (1..=FIELDS_MAX).contains(&names.len()).then_some(names)
}
