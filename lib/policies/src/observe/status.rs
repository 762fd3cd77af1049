//! How the cache took part, as header fields say it.

use std::cell::RefCell;

use bytes::Bytes;
use http::HeaderValue;
use kasoku_pipeline::{CacheFacts, Forward, Verdict};
use kasoku_problem::Kind;

/// Lines that each thread keeps.
const WRITTEN: usize = 64;

thread_local! {
    /// Many answers say the same, hits for as long as a second lasts, and to share a line costs less than to write it.
    static LINES: RefCell<[Option<(CacheFacts, HeaderValue)>; WRITTEN]> =
        const { RefCell::new([const { None }; WRITTEN]) };
}

/// `Cache-Status` (RFC 9211 §2). A failure that came before the cache was asked says which one it was instead
/// of claiming a forward.
pub fn cache_status(facts: &CacheFacts, problem: Option<Kind>) -> HeaderValue {
    if problem.is_some() {
        return written(facts, problem);
    }
    let place = facts.ttl_s.unwrap_or_default() as u64 ^ facts.as_of.unwrap_or_default().wrapping_mul(31);
    LINES.with_borrow_mut(|lines| match &mut lines[place as usize % WRITTEN] {
        Some((known, line)) if known == facts => line.clone(),
        other => other.insert((*facts, written(facts, None))).1.clone(),
    })
}

fn written(facts: &CacheFacts, problem: Option<Kind>) -> HeaderValue {
    let mut text = Line::new("kasoku");
    match (facts.verdict, problem) {
        (Verdict::Hit | Verdict::Stale, _) => text.push("; hit"),
        (_, Some(kind)) if *facts == CacheFacts::default() => {
            text.push("; detail=\"");
            text.push(kind.slug());
            text.push("\"");
        }
        (Verdict::Forwarded(reason), _) => {
            text.push("; fwd=");
            text.push(reason.token());
        }
    }
    if let Some(status) = facts.forward_status {
        text.push("; fwd-status=");
        text.push(itoa::Buffer::new().format(status));
    }
    if facts.stored {
        text.push("; stored");
    }
    if facts.collapsed {
        text.push("; collapsed");
    }
    if let Some(ttl_s) = facts.ttl_s {
        text.push("; ttl=");
        text.push(itoa::Buffer::new().format(ttl_s));
    }
    if let Some(key) = facts.key {
        text.push("; key=\"");
        text.push_hexadecimal(key);
        text.push("\"");
    }
    if let Some(as_of) = facts.as_of {
        text.push("; detail=\"as-of=");
        text.push(itoa::Buffer::new().format(as_of));
        if let Some(bound_ms) = facts.bound_ms {
            text.push(";bound=");
            text.push(itoa::Buffer::new().format(bound_ms));
            text.push("ms");
        }
        text.push("\"");
    } else if let Some(reason) = facts.reason {
        text.push("; detail=");
        text.push(reason.token());
    }
    text.value()
}

/// `X-Cache`: one word for people and dashboards.
pub fn x_cache(facts: &CacheFacts) -> &'static str {
    match facts.verdict {
        Verdict::Hit => "HIT",
        Verdict::Stale => "STALE",
        Verdict::Forwarded(Forward::Bypass | Forward::Method) => "BYPASS",
        Verdict::Forwarded(_) => "MISS",
    }
}

/// A short line that is put together without an allocation.
struct Line {
    bytes: [u8; Self::BYTES_MAX],
    length: usize,
}

impl Line {
    /// Name, two tokens, three flags, two numbers of 20 digits and a slug need less than this.
    const BYTES_MAX: usize = 192;

    fn new(text: &str) -> Self {
        let mut line = Self { bytes: [0; Self::BYTES_MAX], length: 0 };
        line.push(text);
        line
    }

    fn push(&mut self, text: &str) {
        self.bytes[self.length..self.length + text.len()].copy_from_slice(text.as_bytes());
        self.length += text.len();
    }

    fn push_hexadecimal(&mut self, number: u64) {
        let digits = number.to_be_bytes().map(|byte| [byte >> 4, byte & 15]);
        for digit in digits.as_flattened() {
            self.push(&"0123456789abcdef"[usize::from(*digit)..][..1]);
        }
    }

    fn value(&self) -> HeaderValue {
        let bytes = Bytes::copy_from_slice(&self.bytes[..self.length]);
        HeaderValue::from_maybe_shared(bytes).expect("tokens, digits and quotes are valid in a field")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(facts: CacheFacts, problem: Option<Kind>, expected: &str, word: &str) {
        assert_eq!(cache_status(&facts, problem), expected);
        assert_eq!(x_cache(&facts), word, "{expected}");
    }

    #[test]
    fn every_verdict_has_its_line_and_its_word() {
        let hit =
            CacheFacts { verdict: Verdict::Hit, ttl_s: Some(29), as_of: Some(123), ..CacheFacts::default() };
        check(hit, None, r#"kasoku; hit; ttl=29; detail="as-of=123""#, "HIT");
        let keyed = CacheFacts { key: Some(0xab), ..CacheFacts::forwarded(Forward::UriMiss) };
        check(keyed, None, r#"kasoku; fwd=uri-miss; key="00000000000000ab""#, "MISS");
        let stale = CacheFacts { verdict: Verdict::Stale, ttl_s: Some(-5), ..CacheFacts::default() };
        check(stale, None, "kasoku; hit; ttl=-5", "STALE");
        let miss = CacheFacts { stored: true, collapsed: true, ..CacheFacts::forwarded(Forward::UriMiss) };
        check(miss, None, "kasoku; fwd=uri-miss; stored; collapsed", "MISS");
        check(CacheFacts::forwarded(Forward::Stale), None, "kasoku; fwd=stale", "MISS");
        check(CacheFacts::forwarded(Forward::Request), None, "kasoku; fwd=request", "MISS");
        check(CacheFacts::forwarded(Forward::Method), None, "kasoku; fwd=method", "BYPASS");
        check(CacheFacts::default(), None, "kasoku; fwd=bypass", "BYPASS");
        check(CacheFacts::default(), Some(Kind::Overloaded), r#"kasoku; detail="overloaded""#, "BYPASS");
        let failed = CacheFacts::forwarded(Forward::UriMiss);
        check(failed, Some(Kind::Unavailable), "kasoku; fwd=uri-miss", "MISS");
    }

    #[test]
    fn lines_that_share_a_place_are_not_confused() {
        for _ in 0..2 {
            for (ttl_s, as_of) in (0..300).flat_map(|ttl_s| [(ttl_s, 1), (ttl_s, 3), (-ttl_s, 64)]) {
                let facts = CacheFacts {
                    verdict: Verdict::Hit,
                    ttl_s: Some(ttl_s),
                    as_of: Some(as_of),
                    ..CacheFacts::default()
                };
                for (stored, said) in [(false, ""), (true, "; stored")] {
                    let line = format!(r#"kasoku; hit{said}; ttl={ttl_s}; detail="as-of={as_of}""#);
                    assert_eq!(cache_status(&CacheFacts { stored, ..facts }, None), line);
                }
            }
        }
    }

    #[test]
    fn the_longest_line_fits() {
        for kind in Kind::ALL {
            let facts = CacheFacts {
                verdict: Verdict::Forwarded(Forward::VaryMiss),
                stored: true,
                collapsed: true,
                ttl_s: Some(i64::MIN),
                as_of: Some(u64::MAX),
                bound_ms: Some(u32::MAX),
                forward_status: Some(u16::MAX),
                key: Some(u64::MAX),
                reason: None,
            };
            cache_status(&facts, Some(*kind));
            cache_status(&CacheFacts::default(), Some(*kind));
        }
    }
}
