//! Entity tags and dates of files, and the conditions on ranges.
//!
//! A small file is known by a hash of what is sent. A large one is known by its times, size and inode, which tell
//! two states apart only once it has been left alone for a moment; until then its tag is weak, and different from
//! the strong one that it gets later, so that nobody keeps a state that was overwritten within a clock tick.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{
    HeaderName, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE,
};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

use crate::folder::Stamps;

/// A date is a strong validator only if a second change within the same second can be ruled out; a minute is what
/// RFC 9110 §8.8.2.2 gives clocks to agree.
const DATE_IS_STRONG_AFTER: Duration = Duration::from_secs(60);

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

    /// Whether a `Range` field counts: no other condition decides the request, and `If-Range`, if there is one,
    /// names this very state (RFC 9110 §13.2.2). Otherwise the whole is answered, and the condition judged there.
    pub(crate) fn range_counts(&self, headers: &HeaderMap, now: SystemTime) -> bool {
        !self.whole_is_conditional(headers) && self.if_range(headers, now)
    }

    fn whole_is_conditional(&self, headers: &HeaderMap) -> bool {
        let etag = self.etag.as_bytes();
        let since = |name: HeaderName| date(headers.get(name)?);
        let same = listed(headers, IF_MATCH, |tag| tag == b"*" || (tag == etag && !is_weak(tag)));
        let stopped = match same {
            Some(same) => !same,
            None => since(IF_UNMODIFIED_SINCE).is_some_and(|date| self.modified_at > date),
        };
        let known = listed(headers, IF_NONE_MATCH, |tag| tag == b"*" || opaque(tag) == opaque(etag));
        let unchanged = match known {
            Some(known) => known,
            None => since(IF_MODIFIED_SINCE).is_some_and(|date| self.modified_at <= date),
        };
        stopped || unchanged
    }

    /// RFC 9110 §13.1.5: compared strongly, and a date must be exactly the one that was sent.
    fn if_range(&self, headers: &HeaderMap, now: SystemTime) -> bool {
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

fn date(value: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(value.to_str().ok()?).ok()
}

/// Whether any tag of a field fits; `None` without the field.
fn listed(headers: &HeaderMap, name: HeaderName, fits: impl Fn(&[u8]) -> bool) -> Option<bool> {
    headers.contains_key(&name).then(|| {
        let mut tags = headers.get_all(name).into_iter().flat_map(|line| entity_tags(line.as_bytes()));
        tags.any(fits)
    })
}

fn is_weak(tag: &[u8]) -> bool {
    tag.starts_with(b"W/")
}

fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// The tags of a list, or `*`. A comma may stand within the quotes.
fn entity_tags(mut list: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        list = list.trim_ascii_start();
        while let [b',', rest @ ..] = list {
            list = rest.trim_ascii_start();
        }
        let opening = list.iter().position(|byte| *byte == b'"' || *byte == b',');
        let end = match opening {
            Some(at) if list[at] == b'"' => list[at + 1..]
                .iter()
                .position(|byte| *byte == b'"')
                .map_or(list.len(), |close| at + close + 2),
            Some(comma) => comma,
            None => list.len(),
        };
        let (tag, rest) = list.split_at(end);
        list = rest;
        (!tag.is_empty()).then(|| tag.trim_ascii_end())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: u64 = 1_700_000_000;
    const AGE_S: u64 = 3_600;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn check(etag: &'static str, age_s: u64, fields: &[(HeaderName, &str)], expected: bool) {
        let validators = Validators::new(HeaderValue::from_static(etag), at(NOW_S - age_s), at(NOW_S));
        let date = |seconds: u64| httpdate::fmt_http_date(at(seconds));
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let value = value
                .replace("MODIFIED", &date(NOW_S - age_s))
                .replace("EARLIER", &date(NOW_S - age_s - 1))
                .replace("LATER", &date(NOW_S - age_s + 1));
            headers.append(name, value.parse().unwrap());
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
            check(etag, AGE_S, &[(IF_RANGE, field)], expected);
        }
        check(r#""a""#, 59, &[(IF_RANGE, "MODIFIED")], false);
        check(r#""a""#, 60, &[(IF_RANGE, "MODIFIED")], true);
        check(r#""a""#, AGE_S, &[(IF_RANGE, r#""a""#), (IF_RANGE, r#""a""#)], false);
        check(r#""a""#, AGE_S, &[], true);
    }

    #[test]
    fn a_condition_that_decides_the_request_goes_before_the_range() {
        for (name, field, expected) in [
            (IF_NONE_MATCH, r#""a""#, false),
            (IF_NONE_MATCH, r#"W/"a""#, false),
            (IF_NONE_MATCH, r#""b", "a""#, false),
            (IF_NONE_MATCH, r#""b","a,b" , W/"c""#, true),
            (IF_NONE_MATCH, "*", false),
            (IF_NONE_MATCH, r#""b""#, true),
            (IF_NONE_MATCH, "", true),
            (IF_MODIFIED_SINCE, "MODIFIED", false),
            (IF_MODIFIED_SINCE, "LATER", false),
            (IF_MODIFIED_SINCE, "EARLIER", true),
            (IF_MODIFIED_SINCE, "nonsense", true),
            (IF_MATCH, r#""a""#, true),
            (IF_MATCH, r#""b", "a""#, true),
            (IF_MATCH, "*", true),
            (IF_MATCH, r#"W/"a""#, false),
            (IF_MATCH, r#""b""#, false),
            (IF_UNMODIFIED_SINCE, "MODIFIED", true),
            (IF_UNMODIFIED_SINCE, "LATER", true),
            (IF_UNMODIFIED_SINCE, "EARLIER", false),
            (IF_UNMODIFIED_SINCE, "nonsense", true),
        ] {
            check(r#""a""#, AGE_S, &[(name, field)], expected);
        }
        check(r#"W/"a""#, AGE_S, &[(IF_MATCH, r#"W/"a""#)], false);
        check(r#""a""#, AGE_S, &[(IF_NONE_MATCH, r#""b""#), (IF_MODIFIED_SINCE, "LATER")], true);
        check(r#""a""#, AGE_S, &[(IF_MATCH, r#""a""#), (IF_UNMODIFIED_SINCE, "EARLIER")], true);
        check(r#""a""#, AGE_S, &[(IF_MATCH, r#""a""#), (IF_RANGE, r#""b""#)], false);
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

    #[test]
    fn lists_of_tags_are_read_to_their_end() {
        for (list, expected) in [
            (r#""a", W/"b,c" ,"d""#, vec![r#""a""#, r#"W/"b,c""#, r#""d""#]),
            ("*", vec!["*"]),
            (",, \"a\"", vec!["\"a\""]),
            ("\"open", vec!["\"open"]),
            ("bare, \"a\"", vec!["bare", "\"a\""]),
            ("", vec![]),
        ] {
            let tags: Vec<_> = entity_tags(list.as_bytes()).collect();
            assert_eq!(tags, expected.iter().map(|tag| tag.as_bytes()).collect::<Vec<_>>(), "{list}");
        }
    }
}
