//! Entity tags and dates of files, and the condition on ranges. Conditions on whole answers are judged elsewhere.
//!
//! A small file is known by a hash of what is sent. A large one is known by its times, size and inode, which tell
//! two states apart only once it has been left alone for a moment; until then its tag is weak, and different from
//! the strong one that it gets later, so that nobody keeps a state that was overwritten within a clock tick.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{HeaderValue, IF_RANGE};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

use crate::folder::Stamps;

/// A date is a strong validator only if a second change within the same second can be ruled out; a minute is what
/// RFC 9110 §8.8.2.2 gives clocks to agree.
const DATE_IS_STRONG_AFTER: Duration = Duration::from_mins(1);

/// What a state of a file is recognised by.
#[derive(Debug, Clone)]
pub(crate) struct Validators {
    /// `ETag`, quotes and weakness included.
    pub(crate) etag: HeaderValue,
    /// `Last-Modified`; no later than now (RFC 9110 §8.8.2.1).
    pub(crate) modified: HeaderValue,
    modified_at: SystemTime,
}

impl Validators {
    pub(crate) fn new(etag: HeaderValue, modified_at: SystemTime, now: SystemTime) -> Self {
        // Times before 1970 have no HTTP form.
        let modified_at = whole_seconds(modified_at.min(now));
        let modified = HeaderValue::from_str(&httpdate::fmt_http_date(modified_at));
        Self { etag, modified: modified.expect("a date is visible ASCII"), modified_at }
    }

    /// Whether a `Range` field counts: there is no `If-Range`, or it names this very state. Tags are compared
    /// strongly, and a date must be exactly the one that was sent (RFC 9110 §13.1.5).
    pub(crate) fn range_counts(&self, headers: &HeaderMap, now: SystemTime) -> bool {
        let mut fields = headers.get_all(IF_RANGE).into_iter();
        match (fields.next(), fields.next()) {
            (None, _) => true,
            (Some(field), None) if field.as_bytes().contains(&b'"') => {
                field.as_bytes() == self.etag.as_bytes() && !is_weak(field.as_bytes())
            }
            (Some(field), None) => {
                let old = now.duration_since(self.modified_at).is_ok_and(|age| age >= DATE_IS_STRONG_AFTER);
                old && field.as_bytes() == self.modified.as_bytes()
            }
            (Some(_), Some(_)) => false,
        }
    }
}

/// A strong tag from all of a file's bytes.
pub(crate) fn of_bytes(bytes: &[u8]) -> HeaderValue {
    tag(&format!("\"{:032x}\"", xxh3_128(bytes)))
}

/// A tag from what is known of a file without reading it.
pub(crate) fn of_stamps(stamps: &Stamps, settled: bool) -> HeaderValue {
    let mut hasher = Xxh3Default::new();
    std::hash::Hash::hash(stamps, &mut hasher);
    let (length, state) = (stamps.length, hasher.digest128());
    tag(&if settled {
        format!("\"{length:x}-{state:032x}\"")
    } else {
        format!("W/\"{length:x}-{state:032x}-r\"")
    })
}

fn tag(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("hexadecimal digits in quotes are visible ASCII")
}

fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

fn is_weak(tag: &[u8]) -> bool {
    tag.starts_with(b"W/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: u64 = 1_700_000_000;
    const AGE_S: u64 = 3_600;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn check(etag: &'static str, age_s: u64, fields: &[&str], expected: bool) {
        let validators = Validators::new(HeaderValue::from_static(etag), at(NOW_S - age_s), at(NOW_S));
        let date = |seconds: u64| httpdate::fmt_http_date(at(seconds));
        let mut headers = HeaderMap::new();
        for value in fields {
            let value = value
                .replace("MODIFIED", &date(NOW_S - age_s))
                .replace("EARLIER", &date(NOW_S - age_s - 1))
                .replace("LATER", &date(NOW_S - age_s + 1));
            headers.append(IF_RANGE, value.parse().unwrap());
        }
        assert_eq!(validators.range_counts(&headers, at(NOW_S)), expected, "{etag} {fields:?}");
    }

    #[test]
    fn if_range_compares_strongly() {
        for (etag, field, expected) in [
            (r#""a""#, r#""a""#, true),
            (r#""a""#, r#""b""#, false),
            (r#""a""#, r#"W/"a""#, false),
            (r#"W/"a""#, r#"W/"a""#, false),
            (r#"W/"a""#, r#""a""#, false),
            (r#""a""#, r#""a", "b""#, false),
            (r#""a""#, "*", false),
            (r#""a""#, "MODIFIED", true),
            (r#""a""#, "LATER", false),
            (r#""a""#, "EARLIER", false),
            (r#""a""#, "nonsense", false),
            (r#""a""#, "", false),
        ] {
            check(etag, AGE_S, &[field], expected);
        }
        check(r#""a""#, 59, &["MODIFIED"], false);
        check(r#""a""#, 60, &["MODIFIED"], true);
        check(r#""a""#, AGE_S, &[r#""a""#, r#""a""#], false);
        check(r#""a""#, AGE_S, &[], true);
    }

    #[test]
    fn a_date_in_the_future_or_before_1970_is_brought_into_range() {
        let etag = HeaderValue::from_static(r#""a""#);
        assert_eq!(
            Validators::new(etag.clone(), at(NOW_S + 1), at(NOW_S)).modified,
            "Tue, 14 Nov 2023 22:13:20 GMT"
        );
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(Validators::new(etag, before, at(NOW_S)).modified, "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
