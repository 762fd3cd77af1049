//! `No-Vary-Search` (draft-ietf-httpbis-no-vary-search): which differences between queries make no difference to
//! the answer.
//!
//! The draft defines when two targets are equal; a cache needs one form for all that are, to find what is stored by.
//! Names and values are compared by their bytes after percent-decoding, where the draft compares texts in which
//! every malformed sequence has become U+FFFD: a server may tell such sequences apart, and a cache that did not
//! would hand one's answer to the other.

use std::borrow::Cow;

use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use sfv::{BareItem, Dictionary, FieldType, InnerList, ListEntry, Parser};

/// Names of parameters in one field; with more, the field is ignored.
const NAMES_MAX: usize = 256;

/// What is written as it is in a canonical query: what the URL standard leaves alone in
/// `application/x-www-form-urlencoded`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

/// Which differences between queries count ("URL search variance", §4). By default, all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Variance {
    parameters: Parameters,
    order: Order,
}

/// Which parameters count. Names are percent-decoded, sorted and without repetition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Parameters {
    AllBut(Vec<Vec<u8>>),
    Only(Vec<Vec<u8>>),
}

/// Whether the order of different names counts. That of equal names always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum Order {
    #[default]
    Counts,
    DoesNotCount,
}

impl Default for Parameters {
    fn default() -> Self {
        Self::AllBut(Vec::new())
    }
}

/// A name or a value of a query, percent-decoded.
type Decoded<'a> = Cow<'a, [u8]>;

impl Variance {
    /// Reads a response's fields (§5). Whatever is not as the draft has it means that every difference counts.
    pub fn of(headers: &HeaderMap) -> Self {
        let lines: Vec<&[u8]> =
            headers.get_all("no-vary-search").into_iter().map(http::HeaderValue::as_bytes).collect();
        if lines.is_empty() {
            return Self::default();
        }
        // RFC 9651 §4.2: lines are joined with a comma before they are parsed.
        let field = Dictionary::parse(Parser::new(&lines.join(&b", "[..])));
        field.ok().and_then(|field| Self::parse(&field)).unwrap_or_default()
    }

    /// Whether every difference counts: a query is then its own canonical form.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The one form of all queries that are equal to this one (§6). Of two targets that differ in their queries
    /// alone, these are equal if and only if the targets are.
    pub fn canonical<'a>(&self, query: Option<&'a str>) -> Option<Cow<'a, str>> {
        if self.is_default() {
            return query.map(Cow::Borrowed);
        }
        let mut counted: Vec<(Decoded<'_>, Decoded<'_>)> =
            parameters(query.unwrap_or_default()).filter(|(name, _value)| self.counts(name)).collect();
        if self.order == Order::DoesNotCount {
            // Stable: the order of equal names is kept.
            counted.sort_by(|one, other| one.0.cmp(&other.0));
        }
        let mut form = String::new();
        for (name, value) in &counted {
            if !form.is_empty() {
                form.push('&');
            }
            form.extend(percent_encode(name, ENCODED));
            form.push('=');
            form.extend(percent_encode(value, ENCODED));
        }
        (!form.is_empty()).then_some(Cow::Owned(form))
    }

    fn parse(field: &Dictionary) -> Option<Self> {
        let order = match field.get("key-order").map(boolean) {
            None | Some(Some(false)) => Order::Counts,
            Some(Some(true)) => Order::DoesNotCount,
            Some(None) => return None,
        };
        let parameters = match (field.get("params"), field.get("except")) {
            (None, None) => Parameters::default(),
            (Some(ListEntry::InnerList(names)), None) => Parameters::AllBut(decoded(names)?),
            (Some(params), except) => match (boolean(params)?, except) {
                (true, None) => Parameters::Only(Vec::new()),
                (true, Some(ListEntry::InnerList(names))) => Parameters::Only(decoded(names)?),
                (false, None) => Parameters::default(),
                _ => return None,
            },
            (None, Some(_)) => return None,
        };
        Some(Self { parameters, order })
    }

    fn counts(&self, name: &[u8]) -> bool {
        let listed = |names: &[Vec<u8>]| names.binary_search_by(|known| known.as_slice().cmp(name)).is_ok();
        match &self.parameters {
            Parameters::AllBut(names) => !listed(names),
            Parameters::Only(names) => listed(names),
        }
    }
}

fn boolean(entry: &ListEntry) -> Option<bool> {
    match entry {
        ListEntry::Item(item) => match item.bare_item {
            BareItem::Boolean(value) => Some(value),
            _ => None,
        },
        ListEntry::InnerList(_) => None,
    }
}

/// The names in a list of strings ("parse a key").
fn decoded(list: &InnerList) -> Option<Vec<Vec<u8>>> {
    if list.items.len() > NAMES_MAX {
        return None;
    }
    let name = |item: &sfv::Item| match &item.bare_item {
        BareItem::String(name) => Some(decode(name.as_str().as_bytes()).into_owned()),
        _ => None,
    };
    let mut names: Vec<Vec<u8>> = list.items.iter().map(name).collect::<Option<_>>()?;
    names.sort_unstable();
    names.dedup();
    Some(names)
}

/// The names and values of a query, as the URL standard parses `application/x-www-form-urlencoded`.
fn parameters(query: &str) -> impl Iterator<Item = (Decoded<'_>, Decoded<'_>)> {
    query.as_bytes().split(|byte| *byte == b'&').filter(|sequence| !sequence.is_empty()).map(|sequence| {
        let end = sequence.iter().position(|byte| *byte == b'=');
        let (name, value) = end.map_or((sequence, &b""[..]), |end| (&sequence[..end], &sequence[end + 1..]));
        (decode(name), decode(value))
    })
}

fn decode(text: &[u8]) -> Decoded<'_> {
    if !text.contains(&b'+') {
        return percent_decode(text).into();
    }
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Cow::Owned(percent_decode(&spaced).collect())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn variance(lines: &[&str]) -> Variance {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("no-vary-search", HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        Variance::of(&headers)
    }

    fn names(names: &[&str]) -> Vec<Vec<u8>> {
        names.iter().map(|name| name.as_bytes().to_vec()).collect()
    }

    #[test]
    fn fields_are_read_as_the_draft_has_it() {
        use Order::{Counts, DoesNotCount};
        use Parameters::{AllBut, Only};
        for (lines, parameters, order) in [
            (&["params"][..], Only(names(&[])), Counts),
            (&["params=?1"], Only(names(&[])), Counts),
            (&[r#"params=("b" "a" "b")"#], AllBut(names(&["a", "b"])), Counts),
            (&[r#"params, except=("x")"#], Only(names(&["x"])), Counts),
            (&["params, except=()"], Only(names(&[])), Counts),
            (&[r#"params, key-order, except=("x");p"#], Only(names(&["x"])), DoesNotCount),
            (&["key-order", r#"params=("a")"#], AllBut(names(&["a"])), DoesNotCount),
            (&["key-order, unknown=1"], AllBut(names(&[])), DoesNotCount),
            (&["key-order=?1, params=?0"], AllBut(names(&[])), DoesNotCount),
            (&[r#"params=("%C3%A9+%E6%B0%97")"#], AllBut(names(&["é 気"])), Counts),
        ] {
            assert_eq!(variance(lines), Variance { parameters, order }, "{lines:?}");
        }
    }

    #[test]
    fn whatever_is_not_as_the_draft_has_it_means_that_all_differences_count() {
        let too_many = format!("params=({})", vec!["\"a\""; NAMES_MAX + 1].join(" "));
        for line in [
            "",
            "unknown-key",
            "params=?0",
            "params=()",
            "key-order=?0",
            r#"key-order="not a boolean""#,
            "key-order=(\"a\")",
            r#"params="not a boolean or inner list""#,
            "params=(not-a-string)",
            r#"params=("a"), except=("x")"#,
            "params=(), except=()",
            r#"params=?0, except=("x")"#,
            "params, except=(not-a-string)",
            r#"params, except="not an inner list""#,
            "params, except=?1",
            r#"except=("x")"#,
            "except=()",
            "key-order, params=1",
            "key-order,",
            "key-order params",
            &too_many,
        ] {
            assert!(variance(&[line]).is_default(), "{line:?}");
        }
        assert!(variance(&[]).is_default());
    }

    #[test]
    fn queries_that_are_equal_have_one_form() {
        let check = |line: &str, alike: &[Option<&str>]| {
            let variance = variance(&[line]);
            for query in alike {
                let (form, first) = (variance.canonical(*query), variance.canonical(alike[0]));
                assert_eq!(form, first, "{line:?}: {query:?} and {:?}", alike[0]);
            }
        };
        check("key-order", &[Some("a=1&b=2"), Some("b=2&a=1"), Some("%62=%32&&a=1&")]);
        check("key-order", &[None, Some(""), Some("&&")]);
        check("key-order", &[Some("a=x"), Some("%61=%78"), Some("a=x&&&&")]);
        check("key-order", &[Some("a"), Some("a=")]);
        check("key-order", &[Some("a=%20"), Some("a=+")]);
        check("params", &[None, Some("a=1"), Some("b")]);
        check(r#"params=("a")"#, &[None, Some("a=1"), Some("a=2&a"), Some("%61")]);
        check(r#"params=("a")"#, &[Some("b=1&c=2"), Some("b=1&a=3&c=2")]);
        check(
            r#"params=("%C3%A9+%E6%B0%97")"#,
            &[None, Some("%C3%A9%20%E6%B0%97=3"), Some("%c3%a9+%E6%B0%97")],
        );
        check(r#"params, except=("id")"#, &[Some("id=1"), Some("utm=x&id=1"), Some("id=1&utm=y")]);
        check(r#"params, except=("a" "b"), key-order"#, &[Some("a=1&b=2"), Some("b=2&x&a=1")]);
    }

    #[test]
    fn queries_that_differ_have_different_forms() {
        let check = |line: &str, all_different: &[Option<&str>]| {
            let variance = variance(&[line]);
            for (place, query) in all_different.iter().enumerate() {
                for other in &all_different[place + 1..] {
                    assert_ne!(
                        variance.canonical(*query),
                        variance.canonical(*other),
                        "{line:?}: {query:?} {other:?}"
                    );
                }
            }
        };
        // By default, not even what means the same is equal.
        check(
            "",
            &[None, Some(""), Some("a"), Some("a="), Some("a=x"), Some("a=%78"), Some("a&b"), Some("b&a")],
        );
        check(
            "key-order",
            &[None, Some("a"), Some("a=1"), Some("a=1&a=2"), Some("a=2&a=1"), Some("a=1%26a=2")],
        );
        check("key-order", &[Some("="), Some("=&="), Some("%3D"), Some("=%3D"), Some("+"), Some("%2B")]);
        // A server may tell malformed sequences apart.
        check("key-order", &[Some("a=%f6"), Some("a=%f7"), Some("a=%ef%bf%bd"), Some("a=%"), Some("a=%2")]);
        check(r#"params=("a")"#, &[Some("b=1&c=2"), Some("c=2&b=1"), Some("A=1"), Some("b=1")]);
        check(r#"params, except=("id")"#, &[None, Some("id"), Some("id=1"), Some("ID=1&id=2")]);
    }

    #[test]
    fn a_canonical_form_is_a_query_in_the_usual_way_of_writing() {
        let form = variance(&["key-order"]).canonical(Some("b=é/?&a=1+2&c_*-.")).unwrap().into_owned();
        assert_eq!(form, "a=1%202&b=%C3%A9%2F%3F&c_*-.=");
    }

    /// The draft's own comparison (§6), on pairs of bytes.
    fn equal(one: &str, other: &str, variance: &Variance) -> bool {
        let read = |query: &str| {
            let mut pairs: Vec<_> = parameters(query)
                .filter(|(name, _)| variance.counts(name))
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            if variance.order == Order::DoesNotCount {
                pairs.sort_by(|one, other| one.0.cmp(&other.0));
            }
            pairs
        };
        read(one) == read(other)
    }

    proptest! {
        #[test]
        fn forms_are_equal_exactly_if_the_queries_are(
            one in "((a|b|%61|c)?(=(1|%31|2|\\+|%26)?)?&?){0,4}",
            other in "((a|b|%61|c)?(=(1|%31|2|\\+|%26)?)?&?){0,4}",
            line in prop::sample::select(vec![
                "key-order", "params", r#"params=("a")"#, r#"params, except=("a" "b")"#,
                r#"params=("c"), key-order"#, r#"params, except=("b"), key-order"#,
            ]),
        ) {
            let variance = variance(&[line]);
            let form = variance.canonical(Some(&one));
            prop_assert_eq!(form == variance.canonical(Some(&other)), equal(&one, &other, &variance));
            // A form is its own form.
            prop_assert_eq!(variance.canonical(form.as_deref()), form.clone());
        }

        #[test]
        fn any_text_is_read_without_panic(line in "[a-z(), ;=?\"%+]{0,30}", query in ".{0,20}") {
            let variance = variance(&[&line]);
            variance.canonical(Some(&query));
        }
    }
}
