//! Targeted cache control (RFC 9213): fields that speak to one kind of cache, and win over `Cache-Control`.
//!
//! A targeted field is a structured Dictionary (RFC 9651 §3.2), read strictly: what does not parse is not there at
//! all (RFC 9213 §2.1), and the next field in the list of targets is asked. The one that applies says everything:
//! neither `Cache-Control` nor `Expires` adds to it (§2.2).

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
    targets
        .iter()
        .find_map(read)
        .unwrap_or_else(|| Effective { directives: ResponseDirectives::of(headers), field: Field::General })
}

/// Takes Kasoku's own field out of an answer to a client.
pub fn strip_own(headers: &mut HeaderMap) {
    headers.remove(&OWN);
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
