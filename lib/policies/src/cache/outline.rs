//! The names of fields that many stored responses have in common, laid out once as a map that hits only fill in.
//!
//! To put a field into a map costs a hash of its name, and now and then a larger map; a copy of a map costs neither.
//! Answers of one route mostly have the same names, so there are few outlines, and they live as long as the process.

use std::sync::Arc;

use http::header::AGE;
use http::{HeaderMap, HeaderName, HeaderValue};
use kasoku_pipeline::{CacheFacts, RequestId};
use parking_lot::Mutex;

use super::age;
use super::stored::OF_THE_TRANSFER;
use crate::observe::marks;

/// Outlines that are kept; answers with yet other names do without.
const OUTLINES_MAX: usize = 64;

/// The fields of an answer with a stored response's fields, at this age, and what they say already. Where `observe` has
/// named the request, its fields are laid out at once with the others, which costs less than to put them in later.
pub(super) fn lay_out(
    outline: Option<&Outline>,
    fields: &HeaderMap,
    age_s: u64,
    facts: &CacheFacts,
    observed_as: Option<&RequestId>,
) -> (HeaderMap, Option<CacheFacts>) {
    let age = age::value(age_s);
    if let (Some(outline), Some(id)) = (outline, observed_as) {
        let [status, word, id] = marks(facts, None, id);
        return (outline.fill(fields, [age, status, word, id]), Some(*facts));
    }
    let mut headers = fields.clone();
    headers.insert(AGE, age);
    (headers, None)
}

/// Fields in the order of a stored response, then those of the transfer; all of them empty.
pub(super) struct Outline(HeaderMap);

impl Outline {
    /// The outline for responses with these fields, if there are not too many outlines already.
    pub(super) fn of(fields: &HeaderMap) -> Option<Arc<Self>> {
        static KNOWN: Mutex<Vec<Arc<Outline>>> = Mutex::new(Vec::new());
        let names = || fields.iter().map(|(name, _)| name).chain(&OF_THE_TRANSFER);
        let mut known = KNOWN.lock();
        if let Some(same) = known.iter().find(|outline| outline.names().eq(names())) {
            return Some(Arc::clone(same));
        }
        (known.len() < OUTLINES_MAX).then(|| {
            let mut map = HeaderMap::with_capacity(fields.len() + OF_THE_TRANSFER.len());
            for name in names() {
                map.append(name, HeaderValue::from_static(""));
            }
            let outline = Arc::new(Self(map));
            known.push(Arc::clone(&outline));
            outline
        })
    }

    /// The fields of a response that this outline is for, and those of the transfer in their order.
    fn fill(&self, fields: &HeaderMap, of_the_transfer: [HeaderValue; OF_THE_TRANSFER.len()]) -> HeaderMap {
        let mut filled = self.0.clone();
        let mut places = filled.values_mut();
        // Not chained: to ask of each value which half it is from costs as much as to copy it.
        fields.values().zip(&mut places).for_each(|(value, place)| place.clone_from(value));
        places.zip(of_the_transfer).for_each(|(place, value)| *place = value);
        filled
    }

    fn names(&self) -> impl Iterator<Item = &HeaderName> {
        self.0.iter().map(|(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filled_in_it_has_every_line_in_its_order_and_those_of_the_transfer() {
        let mut fields = HeaderMap::new();
        for (name, value) in [("etag", "a"), ("link", "b"), ("x-own", "c"), ("link", "d")] {
            fields.append(name, HeaderValue::from_static(value));
        }
        let outline = Outline::of(&fields).unwrap();
        let filled = outline.fill(&fields, ["7", "hit", "HIT", "id"].map(HeaderValue::from_static));
        for (name, expected) in [
            ("etag", &["a"][..]),
            ("link", &["b", "d"]),
            ("x-own", &["c"]),
            ("age", &["7"]),
            ("cache-status", &["hit"]),
            ("x-cache", &["HIT"]),
            ("x-request-id", &["id"]),
        ] {
            assert_eq!(filled.get_all(name).iter().collect::<Vec<_>>(), expected, "{name}");
        }
        assert_eq!(filled.len(), 8);
        fields.insert("etag", HeaderValue::from_static("other"));
        assert!(Arc::ptr_eq(&outline, &Outline::of(&fields).unwrap()), "names alone tell outlines apart");
        fields.remove("link");
        assert!(!Arc::ptr_eq(&outline, &Outline::of(&fields).unwrap()));
    }
}
