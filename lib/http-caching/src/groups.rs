//! Names that answers are grouped by, so that they can be removed together: `Cache-Groups` (RFC 9875), and the older
//! `Surrogate-Key` and `Cache-Tag`.
//!
//! A name that is lost is an answer that stays when it should go. Whatever cannot be kept whole is therefore an
//! error, upon which the answer is not to be stored, rather than a shorter list.

use http::{HeaderMap, HeaderName, Method};
use sfv::{BareItem, FieldType, List, ListEntry, Parser};

use crate::invalidation::is_safe;

/// Names of one answer. RFC 9875 §2 asks for 32 at least.
pub const NAMES_MAX: usize = 256;

/// Bytes of one name. RFC 9875 §2 asks for 32 at least.
pub const NAME_BYTES_MAX: usize = 256;

static CACHE_GROUPS: HeaderName = HeaderName::from_static("cache-groups");
static INVALIDATION: HeaderName = HeaderName::from_static("cache-group-invalidation");
static SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");
static CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");

/// Why the names of an answer cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unkeepable {
    /// There are more than [`NAMES_MAX`].
    #[error("it belongs to more than {NAMES_MAX} groups")]
    TooMany,
    /// One has more than [`NAME_BYTES_MAX`].
    #[error("the name of a group has more than {NAME_BYTES_MAX} bytes")]
    TooLong,
    /// One is no text.
    #[error("the name of a group is no valid UTF-8")]
    NotText,
}

/// The groups that an answer belongs to, by its `Cache-Groups` (RFC 9875 §2). They are names within the origin of
/// the request. A field that is not a list of strings is ignored whole, as structured fields are (RFC 9651 §4.2).
pub fn groups(headers: &HeaderMap) -> Result<Vec<String>, Unkeepable> {
    strings(headers, &CACHE_GROUPS)
}

/// The groups whose stored answers an answer puts in doubt, by its `Cache-Group-Invalidation` (RFC 9875 §3): none if
/// the method of the request is safe. What invalidates does not cascade: groups of what was removed are not removed.
pub fn invalidated(method: &Method, headers: &HeaderMap) -> Result<Vec<String>, Unkeepable> {
    if is_safe(method) {
        return Ok(Vec::new());
    }
    strings(headers, &INVALIDATION)
}

/// The names in `Surrogate-Key`, between which there are spaces.
pub fn surrogate_keys(headers: &HeaderMap) -> Result<Vec<String>, Unkeepable> {
    words(headers, &SURROGATE_KEY, |character| character == ' ' || character == '\t')
}

/// The names in `Cache-Tag`, between which there are commas.
pub fn cache_tags(headers: &HeaderMap) -> Result<Vec<String>, Unkeepable> {
    words(headers, &CACHE_TAG, |character| character == ',')
}

fn strings(headers: &HeaderMap, field: &HeaderName) -> Result<Vec<String>, Unkeepable> {
    let mut names = Names::default();
    for member in list(headers, field) {
        match member {
            ListEntry::Item(item) => match item.bare_item {
                BareItem::String(name) => names.add(name.as_str())?,
                _ => return Ok(Vec::new()),
            },
            ListEntry::InnerList(_) => return Ok(Vec::new()),
        }
    }
    Ok(names.0)
}

/// The members of a list; none if it is malformed.
fn list(headers: &HeaderMap, field: &HeaderName) -> List {
    let lines: Vec<&[u8]> = headers.get_all(field).into_iter().map(http::HeaderValue::as_bytes).collect();
    if lines.is_empty() {
        return List::new();
    }
    // RFC 9651 §4.2: lines are joined with a comma before they are parsed.
    List::parse(Parser::new(&lines.join(&b", "[..]))).unwrap_or_default()
}

fn words(
    headers: &HeaderMap,
    field: &HeaderName,
    separates: impl Fn(char) -> bool + Copy,
) -> Result<Vec<String>, Unkeepable> {
    let mut names = Names::default();
    for line in headers.get_all(field) {
        let line = std::str::from_utf8(line.as_bytes()).map_err(|_| Unkeepable::NotText)?;
        for name in line.split(separates).map(|name| name.trim_matches([' ', '\t'])) {
            if !name.is_empty() {
                names.add(name)?;
            }
        }
    }
    Ok(names.0)
}

#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn add(&mut self, name: &str) -> Result<(), Unkeepable> {
        if name.len() > NAME_BYTES_MAX {
            return Err(Unkeepable::TooLong);
        }
        if self.0.iter().any(|known| known == name) {
            return Ok(());
        }
        if self.0.len() == NAMES_MAX {
            return Err(Unkeepable::TooMany);
        }
        self.0.push(name.to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    type Reader = fn(&HeaderMap) -> Result<Vec<String>, Unkeepable>;

    fn headers(field: &'static str, lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(field, HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    #[track_caller]
    fn check(read: Reader, field: &'static str, lines: &[&str], expected: &[&str]) {
        let bytes: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
        let expected = expected.iter().map(ToString::to_string).collect();
        assert_eq!(read(&headers(field, &bytes)), Ok(expected), "{field}: {lines:?}");
    }

    #[test]
    fn rfc_9875_section_2_groups_are_a_list_of_strings() {
        let check = |lines: &[&str], expected: &[&str]| check(groups, "cache-groups", lines, expected);
        check(&[], &[]);
        check(&[""], &[]);
        check(&[r#""scripts""#], &["scripts"]);
        check(&[r#""a", "b";p=1  ,"a""#, r#""c d", "e,\"f\\""#], &["a", "b", "c d", r#"e,"f\"#]);
        check(&[r#""A", "a""#], &["A", "a"]);
        // RFC 9651 §4.2: what does not parse, or is of another type, is ignored whole.
        check(&["scripts"], &[]);
        check(&[r#""a", b"#], &[]);
        check(&[r#""a", 1"#], &[]);
        check(&[r#""a", ("b")"#], &[]);
        check(&[r#""a","#], &[]);
        check(&[r#""a" "b""#], &[]);
        check(&["\"é\""], &[]);
    }

    #[test]
    fn rfc_9875_section_3_only_answers_to_unsafe_methods_invalidate() {
        let headers = headers("cache-group-invalidation", &[br#""a", "b""#]);
        for method in ["GET", "HEAD", "OPTIONS", "TRACE", "QUERY"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(invalidated(&method, &headers), Ok(Vec::new()), "{method}");
        }
        for method in ["POST", "PUT", "DELETE", "PATCH", "FROB"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(invalidated(&method, &headers), Ok(vec!["a".to_owned(), "b".to_owned()]), "{method}");
        }
        assert_eq!(invalidated(&Method::POST, &HeaderMap::new()), Ok(Vec::new()));
    }

    #[test]
    fn older_fields_are_split_at_spaces_or_at_commas() {
        check(surrogate_keys, "surrogate-key", &["a b\tc,d", " a  e "], &["a", "b", "c,d", "e"]);
        check(surrogate_keys, "surrogate-key", &["", " "], &[]);
        check(cache_tags, "cache-tag", &["a,b c ,\td", ",,a,é"], &["a", "b c", "d", "é"]);
    }

    #[test]
    fn names_that_cannot_all_be_kept_are_refused_and_not_dropped() {
        let quoted = |count: usize, bytes: usize| -> String {
            (0..count).map(|n| format!("\"{n:0>bytes$}\"")).collect::<Vec<_>>().join(", ")
        };
        let read = |text: &str| groups(&headers("cache-groups", &[text.as_bytes()])).map(|names| names.len());
        assert_eq!(read(&quoted(32, 32)), Ok(32), "what RFC 9875 §2 asks for");
        assert_eq!(read(&quoted(NAMES_MAX, NAME_BYTES_MAX)), Ok(NAMES_MAX));
        assert_eq!(read(&quoted(NAMES_MAX + 1, 4)), Err(Unkeepable::TooMany));
        assert_eq!(read(&quoted(1, NAME_BYTES_MAX + 1)), Err(Unkeepable::TooLong));

        let many = (0..=NAMES_MAX).map(|n| n.to_string()).collect::<Vec<_>>();
        let spaced = headers("surrogate-key", &[many.join(" ").as_bytes()]);
        assert_eq!(surrogate_keys(&spaced), Err(Unkeepable::TooMany));
        let listed = headers("cache-tag", &[many.join(",").as_bytes()]);
        assert_eq!(cache_tags(&listed), Err(Unkeepable::TooMany));
        assert_eq!(cache_tags(&headers("cache-tag", &[b"a,\xff"])), Err(Unkeepable::NotText));
    }

    proptest! {
        #[test]
        fn groups_are_read_as_they_were_written(names in prop::collection::hash_set("[ -~]{0,8}", 0..8)) {
            let names: Vec<String> = names.into_iter().collect();
            let quote = |name: &String| format!("\"{}\"", name.replace('\\', r"\\").replace('"', "\\\""));
            let text = names.iter().map(quote).collect::<Vec<_>>().join(" ,\t");
            prop_assert_eq!(groups(&headers("cache-groups", &[text.as_bytes()])), Ok(names));
        }

        #[test]
        fn any_field_is_read_without_panic(line in "[\"a(), ;=?:@%\\\\\t\u{e9}]{0,20}") {
            let _ = groups(&headers("cache-groups", &[line.as_bytes()]));
            let _ = surrogate_keys(&headers("surrogate-key", &[line.as_bytes()]));
            let _ = cache_tags(&headers("cache-tag", &[line.as_bytes()]));
        }
    }
}
