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
        let mut counted: Vec<(Cow<'_, [u8]>, Cow<'_, [u8]>)> =
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
fn parameters(query: &str) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
    query.as_bytes().split(|byte| *byte == b'&').filter(|sequence| !sequence.is_empty()).map(|sequence| {
        let end = sequence.iter().position(|byte| *byte == b'=');
        let (name, value) = end.map_or((sequence, &b""[..]), |end| (&sequence[..end], &sequence[end + 1..]));
        (decode(name), decode(value))
    })
}

fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'+') {
        return percent_decode(text).into();
    }
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Cow::Owned(percent_decode(&spaced).collect())
}
