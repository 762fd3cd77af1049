//! `Vary` (RFC 9110 §12.5.5): by which request fields the answer was chosen.

use http::header::{ACCEPT_ENCODING, Entry, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The fields by which a route's answers are chosen, as they are sent.
pub(super) struct Vary {
    plain: Option<HeaderValue>,
    coded: HeaderValue,
}

impl Vary {
    pub(super) fn new(names: &[HeaderName]) -> Self {
        let plain = joined(names.iter().map(HeaderName::as_str));
        let without = names.iter().filter(|name| **name != ACCEPT_ENCODING).map(HeaderName::as_str);
        let coded = joined(without.chain([ACCEPT_ENCODING.as_str()]));
        Self { plain, coded: coded.expect("one name at least") }
    }

    /// Adds the route's names to what the source has said; with `Accept-Encoding` if a coding could have been
    /// chosen, whatever this caller accepts.
    pub(super) fn extend(&self, headers: &mut HeaderMap, coding: bool) {
        let Some(own) = (if coding { Some(&self.coded) } else { self.plain.as_ref() }) else {
            return;
        };
        match headers.entry(VARY) {
            Entry::Vacant(place) => {
                place.insert(own.clone());
                return;
            }
            // What `fill` has said of an answer that is reused.
            Entry::Occupied(mut said) if said.iter().eq(&self.plain) => {
                if coding {
                    said.insert(own.clone());
                }
                return;
            }
            Entry::Occupied(_) => {}
        }
        let said: Vec<_> = headers.get_all(VARY).iter().flat_map(names).collect();
        if said.contains(&"*") {
            return;
        }
        let more = names(own).filter(|name| !said.iter().any(|known| known.eq_ignore_ascii_case(name)));
        let all = joined(said.iter().copied().chain(more));
        headers.insert(VARY, all.expect("one name at least was said"));
    }
}

fn names(value: &HeaderValue) -> impl Iterator<Item = &str> {
    value.to_str().unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty())
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> Option<HeaderValue> {
    let names: Vec<_> = names.collect();
    (!names.is_empty())
        .then(|| HeaderValue::try_from(names.join(", ")).expect("field names are valid values"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_routes_names_are_added_once_to_what_the_source_said() {
        let check = |promised: &[&'static str], said: &[&'static str], coding, expected: Option<&str>| {
            let promised: Vec<_> = promised.iter().map(|name| HeaderName::from_static(name)).collect();
            let mut headers = HeaderMap::new();
            for line in said {
                headers.append(VARY, HeaderValue::from_static(line));
            }
            Vary::new(&promised).extend(&mut headers, coding);
            let lines: Vec<_> = headers.get_all(VARY).iter().map(|line| line.to_str().unwrap()).collect();
            assert_eq!(lines, expected.into_iter().collect::<Vec<_>>(), "{promised:?} {said:?} {coding}");
        };
        check(&[], &[], false, None);
        check(&[], &[], true, Some("accept-encoding"));
        check(&["prefer"], &[], false, Some("prefer"));
        check(&["prefer"], &[], true, Some("prefer, accept-encoding"));
        check(&["accept-encoding"], &[], true, Some("accept-encoding"));
        check(&["prefer"], &["Origin, Prefer"], true, Some("Origin, Prefer, accept-encoding"));
        check(&[], &["Origin", "Cookie"], true, Some("Origin, Cookie, accept-encoding"));
        check(&[], &["*"], true, Some("*"));
        check(&[], &["Origin"], false, Some("Origin"));
    }
}
