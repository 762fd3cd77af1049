//! Names for requests: the caller's own if it is harmless, else a number that is not used twice.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};
use kasoku_pipeline::RequestId;

use super::X_REQUEST_ID;

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The name of a request with these header fields.
pub(super) fn of(headers: &HeaderMap) -> RequestId {
    // One pass over what is there costs less than to hash the names of what mostly is not.
    let (mut request_id, mut traceparent) = (None, None);
    for (name, value) in headers {
        if *name == X_REQUEST_ID {
            request_id.get_or_insert(value);
        } else if *name == TRACEPARENT {
            traceparent.get_or_insert(value);
        }
    }
    text(request_id)
        .and_then(RequestId::brought)
        .or_else(|| text(traceparent).and_then(trace_id).map(RequestId::made))
        .unwrap_or_else(fresh)
}

fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value?.to_str().ok()
}

/// The trace-id of a W3C `traceparent`: `version "-" trace-id "-" parent-id "-" flags` (Trace Context
/// §3.2.2). Later versions may append parts, version `ff` is invalid, and so are ids of nothing but zeros.
fn trace_id(text: &str) -> Option<u128> {
    let mut parts = text.split('-');
    let (version, trace) = (hexadecimal(parts.next()?, 2)?, hexadecimal(parts.next()?, 32)?);
    let (parent, _flags) = (hexadecimal(parts.next()?, 16)?, hexadecimal(parts.next()?, 2)?);
    let ended = version != 0 || parts.next().is_none();
    (version != 0xff && trace != 0 && parent != 0 && ended).then_some(trace)
}

fn hexadecimal(text: &str, digits: usize) -> Option<u128> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == digits && text.bytes().all(lower)).then(|| u128::from_str_radix(text, 16).ok())?
}

/// A number made of this process's random mark and a count. The count is scrambled by a bijection, so that
/// names stay unique but do not show how many requests there were.
fn fresh() -> RequestId {
    static MARK: LazyLock<(u64, u64)> =
        LazyLock::new(|| (RandomState::new().hash_one(0), RandomState::new().hash_one(1)));
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (process, seed) = *MARK;
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    RequestId::made(u128::from(process) << 64 | u128::from(scramble(count ^ seed)))
}

/// The finaliser of SplitMix64, which maps each number to another one and no two to the same.
fn scramble(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn check(fields: &[(&'static str, &str)], expected: Option<&str>) {
        let headers: HeaderMap =
            fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let name = of(&headers);
        match expected {
            Some(expected) => assert_eq!(name.as_str(), expected, "{fields:?}"),
            None => assert!(fields.iter().all(|(_, value)| !value.contains(name.as_str())), "{fields:?}"),
        }
    }

    #[test]
    fn a_harmless_name_is_taken_over_and_any_other_is_replaced() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = |version: &str, rest: &str| format!("{version}-{trace}-00f067aa0ba902b7-01{rest}");
        check(&[("x-request-id", "abc-1")], Some("abc-1"));
        check(&[("x-request-id", "abc-1"), ("traceparent", &parent("00", ""))], Some("abc-1"));
        check(&[("x-request-id", "with space"), ("traceparent", &parent("00", ""))], Some(trace));
        check(&[("traceparent", &parent("00", ""))], Some(trace));
        check(&[("traceparent", &parent("01", "-more"))], Some(trace));
        check(&[("traceparent", &parent("00", "-more"))], None);
        check(&[("traceparent", &parent("ff", ""))], None);
        check(&[("traceparent", &parent("00", "").to_uppercase())], None);
        check(&[("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01")], None);
        check(&[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01")], None);
        check(&[("traceparent", "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")], None);
        check(&[("traceparent", "00")], None);
        check(&[("x-request-id", "")], None);
    }

    #[test]
    fn made_names_differ() {
        let names: HashSet<_> = (0..10_000).map(|_| fresh().as_str().to_owned()).collect();
        assert_eq!(names.len(), 10_000);
    }
}
