//! The names of fields that many stored responses have in common, laid out once as a map that hits only fill in.
//!
//! To put a field into a map costs a hash of its name, and now and then a larger map; a copy of a map costs neither.
//! Answers of one route mostly have the same names, so there are few outlines, and they live as long as the process.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use parking_lot::Mutex;

use super::stored::OF_THE_TRANSFER;

/// Outlines that are kept; answers with yet other names do without.
const OUTLINES_MAX: usize = 64;

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

    /// The fields of a response that this outline is for, its age, and empty places for the rest of the transfer's.
    pub(super) fn fill(&self, fields: &HeaderMap, age: HeaderValue) -> HeaderMap {
        let mut filled = self.0.clone();
        let values = fields.values().cloned().chain([age]);
        filled.values_mut().zip(values).for_each(|(place, value)| *place = value);
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
    fn filled_in_it_has_every_line_in_its_order_and_room_for_the_transfer() {
        let mut fields = HeaderMap::new();
        for (name, value) in [("etag", "a"), ("link", "b"), ("x-own", "c"), ("link", "d")] {
            fields.append(name, HeaderValue::from_static(value));
        }
        let outline = Outline::of(&fields).unwrap();
        let filled = outline.fill(&fields, HeaderValue::from_static("7"));
        for (name, expected) in [
            ("etag", &["a"][..]),
            ("link", &["b", "d"]),
            ("x-own", &["c"]),
            ("age", &["7"]),
            ("cache-status", &[""]),
            ("x-cache", &[""]),
            ("x-request-id", &[""]),
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
