//! Targeted cache control (RFC 9213): fields that speak to one kind of cache, and win over `Cache-Control`.
//!
//! A targeted field is a structured Dictionary (RFC 9651 §3.2), read strictly: what does not parse is not there at
//! all (RFC 9213 §2.1), and the next field in the list of targets is asked. The one that applies says everything:
//! neither `Cache-Control` nor `Expires` adds to it (§2.2).
//!
//! ```
//! use std::time::Duration;
//!
//! use http::{HeaderMap, HeaderValue};
//! use kasoku_http_caching::targeted::{CDN, Field, TARGETS, effective};
//!
//! let mut headers = HeaderMap::new();
//! headers.insert("cache-control", HeaderValue::from_static("no-store"));
//! headers.insert("cdn-cache-control", HeaderValue::from_static("max-age=600"));
//! let effective = effective(&headers, &*TARGETS);
//! assert_eq!(effective.field, Field::Targeted(CDN.clone()));
//! assert_eq!(effective.directives.max_age, Some(Duration::from_mins(10)));
//! assert!(!effective.directives.no_store);
//! ```

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName};
use sfv::{BareItem, Dictionary, Item, ListEntry, Parser};

use crate::cache_control::{Argument, ResponseDirectives};

/// The field that speaks to Kasoku alone. It ends here and is not passed on to clients.
pub static OWN: HeaderName = HeaderName::from_static("kasoku-cache-control");

/// The field that speaks to every cache that acts for an origin (RFC 9213 §3). It is passed on.
pub static CDN: HeaderName = HeaderName::from_static("cdn-cache-control");

/// Kasoku's list of targets (RFC 9213 §2.2), the first wins.
pub static TARGETS: LazyLock<[HeaderName; 2]> = LazyLock::new(|| [OWN.clone(), CDN.clone()]);

/// The directives that hold for a response, and where they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// What they are.
    pub directives: ResponseDirectives,
    /// Which field they are from.
    pub field: Field,
}

/// The field that says what holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A targeted one, so `Expires` is ignored (RFC 9213 §2.2).
    Targeted(HeaderName),
    /// `Cache-Control`, and `Expires` where that says nothing.
    General,
}

/// Reads the first of `targets` that applies, and `Cache-Control` if none does.
pub fn effective(headers: &HeaderMap, targets: &[HeaderName]) -> Effective {
    let read = |name: &HeaderName| {
        let directives = directives(headers, name)?;
        Some(Effective { directives, field: Field::Targeted(name.clone()) })
    };
    // Few answers have one of these; passing over the names that are there costs less than to hash those.
    let targeted =
        if headers.keys().any(|name| targets.contains(name)) { targets.iter().find_map(read) } else { None };
    targeted
        .unwrap_or_else(|| Effective { directives: ResponseDirectives::of(headers), field: Field::General })
}

/// What a targeted field says; `None` if it is absent, empty or does not parse.
fn directives(headers: &HeaderMap, name: &HeaderName) -> Option<ResponseDirectives> {
    let mut members = Dictionary::new();
    for line in headers.get_all(name) {
        members = Parser::new(line.as_bytes()).parse_dictionary_with_visitor(members).ok()?;
    }
    if members.is_empty() {
        return None;
    }
    let mut directives = ResponseDirectives::default();
    for (name, entry) in &members {
        // Parameters are ignored (RFC 9213 §2.1). A lifetime of another type than Integer is one that cannot be
        // read, and makes the response stale as in any field (RFC 9111 §4.2.1).
        let listed;
        let argument = match entry {
            ListEntry::Item(item) => match &item.bare_item {
                BareItem::Boolean(true) => Argument::Absent,
                BareItem::Boolean(false) => continue,
                BareItem::Integer(integer) => Argument::Integer(i64::from(*integer)),
                BareItem::String(text) => Argument::Names(text.as_str().as_bytes()),
                BareItem::Token(text) => Argument::Names(text.as_str().as_bytes()),
                _ => Argument::Unreadable,
            },
            ListEntry::InnerList(list) => match names(&list.items) {
                Some(names) => {
                    listed = names;
                    Argument::Names(listed.as_bytes())
                }
                None => Argument::Unreadable,
            },
        };
        directives.apply(name.as_str().as_bytes(), argument);
    }
    Some(directives)
}

/// Field names that were sent as an inner list.
fn names(items: &[Item]) -> Option<String> {
    let name = |item: &Item| match &item.bare_item {
        BareItem::String(text) => Some(text.as_str().to_owned()),
        BareItem::Token(text) => Some(text.as_str().to_owned()),
        _ => None,
    };
    Some(items.iter().map(name).collect::<Option<Vec<_>>>()?.join(","))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;
    use crate::cache_control::{Fields, LONGEST};

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    fn read(fields: &[(&'static str, &str)]) -> Effective {
        effective(&headers(fields), &*TARGETS)
    }

    fn cdn(value: &str) -> ResponseDirectives {
        let effective = read(&[("cdn-cache-control", value), ("cache-control", "no-store")]);
        assert_eq!(effective.field, Field::Targeted(CDN.clone()), "{value}");
        effective.directives
    }

    #[test]
    fn section_2_2_the_first_target_that_applies_says_everything() {
        let own = || Field::Targeted(OWN.clone());
        let general = || Field::General;
        for (fields, field, max_age) in [
            (&[("cache-control", "max-age=1")][..], general(), Some(1)),
            (
                &[("cache-control", "max-age=1"), ("cdn-cache-control", "max-age=2")],
                Field::Targeted(CDN.clone()),
                Some(2),
            ),
            (&[("cdn-cache-control", "max-age=2"), ("kasoku-cache-control", "max-age=3")], own(), Some(3)),
            (&[("cdn-cache-control", "max-age=2"), ("kasoku-cache-control", "foo")], own(), None),
            (
                &[("cdn-cache-control", "max-age=2"), ("kasoku-cache-control", "")],
                Field::Targeted(CDN.clone()),
                Some(2),
            ),
            (&[("cache-control", "max-age=1"), ("cdn-cache-control", " ")], general(), Some(1)),
            (&[], general(), None),
        ] {
            let read = read(fields);
            assert_eq!(read.field, field, "{fields:?}");
            assert_eq!(read.directives.max_age, max_age.map(Duration::from_secs), "{fields:?}");
        }
        assert!(!cdn("max-age=10000").no_store);
        let reverse = read(&[("cdn-cache-control", "no-store"), ("cache-control", "max-age=10000")]);
        assert!(reverse.directives.no_store);
    }

    #[test]
    fn section_2_1_what_does_not_parse_is_not_there() {
        for value in [
            "max-age=10000, &&&&&",
            "max-age =100",
            "max-age= 100",
            "MaX-aGe=3600",
            "max-age=3600,",
            "max-age=",
            "max-age=1e3",
            "max-age=9999999999999999",
            "max-age=10000; no-store, 5",
            "no-cache=\"x",
            "max-age=3600 no-store",
            "é",
        ] {
            let read = read(&[("cdn-cache-control", value), ("cache-control", "no-store")]);
            assert_eq!(read.field, Field::General, "{value}");
            assert!(read.directives.no_store, "{value}");
        }
    }

    #[test]
    fn section_2_1_types_matter_and_parameters_do_not() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (value, expected) in [
            ("max-age=3600", seconds(3600)),
            ("foobar, max-age=3600", seconds(3600)),
            ("max-age=3600;x=5;y", seconds(3600)),
            ("max-age=0", seconds(0)),
            ("max-age=-5", seconds(0)),
            ("max-age=2147483648", Some(LONGEST)),
            ("max-age=99999999999", Some(LONGEST)),
            ("max-age=\"10000\"", seconds(0)),
            ("max-age=10000.0", seconds(0)),
            ("max-age=x10", seconds(0)),
            ("max-age=(10 20)", seconds(0)),
            ("max-age=@10000", seconds(0)),
            ("max-age", seconds(0)),
            ("max-age=?0", None),
            ("max-age=1, max-age=2", seconds(2)),
        ] {
            assert_eq!(cdn(value).max_age, expected, "{value}");
        }
        assert!(cdn("no-store=5").no_store && cdn("no-store;x").no_store);
        assert!(!cdn("no-store=?0").no_store);
        assert!(cdn("public").public && !cdn("public=1").public);
    }

    #[test]
    fn section_2_1_field_names_come_as_a_string_a_token_or_a_list() {
        for (value, expected) in [
            ("private", Fields::Whole),
            ("private=\"set-cookie\"", Fields::Listed(vec![http::header::SET_COOKIE])),
            ("private=set-cookie", Fields::Listed(vec![http::header::SET_COOKIE])),
            (
                "private=(\"set-cookie\" age)",
                Fields::Listed(vec![http::header::SET_COOKIE, http::header::AGE]),
            ),
            ("private=(\"set-cookie\" 5)", Fields::Whole),
            ("private=()", Fields::Whole),
            ("private=1", Fields::Whole),
        ] {
            assert_eq!(cdn(value).private, Some(expected), "{value}");
        }
    }

    #[test]
    fn lines_are_one_dictionary_whose_last_member_of_a_name_counts() {
        let read = |values: [&'static str; 2]| read(&values.map(|value| ("cdn-cache-control", value)));
        assert_eq!(read(["max-age=1, public", "max-age=2"]).directives.max_age, Some(Duration::from_secs(2)));
        assert_eq!(read(["max-age=1", "&"]).field, Field::General);
    }

    proptest! {
        #[test]
        fn any_value_is_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let _ = effective(&HeaderMap::from_iter([(CDN.clone(), value)]), &*TARGETS);
            }
        }

        #[test]
        fn both_fields_say_the_same_where_both_can(
            seconds in 0..=99_999_999_999_u64,
            flags in proptest::collection::vec(
                proptest::sample::select(vec!["no-store", "public", "private", "no-cache", "immutable", "x"]),
                0..4,
            ),
        ) {
            let line = [vec![format!("max-age={seconds}")], flags.iter().map(ToString::to_string).collect()].concat().join(", ");
            let targeted = read(&[("cdn-cache-control", &line)]);
            prop_assert_eq!(targeted.directives, read(&[("cache-control", &line)]).directives);
        }
    }
}
