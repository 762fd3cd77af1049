//! Keys, and what of a request its source may see.

use std::sync::Arc;

use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, HeaderName, Version};
use kasoku_coherence::{Key, KeyBuilder};
use kasoku_pipeline::{CallerPart, Promises, Request, RequestBody};

/// The part of a key that holds the route's index, in eight bytes, the least first: for purges of one route.
pub const ROUTE_PART: usize = 0;

/// The part of a key that holds the path, for purges by prefix. The parts are the route's index, the method's
/// class, the path, the query if there is one, for each field that the source varies by the number of its lines and
/// the lines, and each thing that it wants to know of the caller, if that is known.
pub const PATH_PART: usize = 2;

/// Makes the keys of one route.
pub(super) struct Keying {
    route: [u8; 8],
    vary: Vec<HeaderName>,
    by: Vec<CallerPart>,
}

impl Keying {
    pub(super) fn new(route: usize, promises: &Promises) -> Self {
        let (vary, by) = (promises.vary.clone(), promises.by.clone());
        Self { route: (route as u64).to_le_bytes(), vary, by }
    }

    /// The key of a request: everything that its answer may depend on, byte for byte as it was sent.
    pub(super) fn key(&self, request: &Request) -> KeyBuilder {
        let (path, query) = (request.uri.path(), request.uri.query());
        let key = KeyBuilder::new().part(&self.route).part(b"GET");
        let mut key = key.part(path.as_bytes()).optional(query.map(str::as_bytes));
        for name in &self.vary {
            // Comparing with the few names that are there costs less than a look-up, which hashes this one.
            let lines = || request.headers.iter().filter(|(known, _)| *known == name);
            key = key.part(&(lines().count() as u32).to_le_bytes());
            for (_, line) in lines() {
                key = key.part(line.as_bytes());
            }
        }
        for part in &self.by {
            let caller = request.caller.as_deref();
            key = key.optional(caller.and_then(|caller| caller.text(part)).map(str::as_bytes));
        }
        key
    }

    /// Takes from a request whatever is not in its key, so that no answer can depend on it. Without a key the
    /// request is neither collapsed nor its answer stored.
    pub(super) fn confine(&self, mut request: Request, key: Option<Key>) -> Request {
        let mut headers = HeaderMap::new();
        for name in &self.vary {
            for line in request.headers.get_all(name) {
                headers.append(name, line.clone());
            }
        }
        request.headers = headers;
        request.body = RequestBody::empty();
        request.peer = None;
        request.version = Version::HTTP_11;
        if request.uri.authority().is_some() || request.uri.scheme().is_some() {
            let target = request.uri.path_and_query().cloned();
            request.uri = Uri::from(target.unwrap_or_else(|| PathAndQuery::from_static("/")));
        }
        request.seen = None;
        let caller = request.caller.take().filter(|_| !self.by.is_empty());
        request.caller = caller.map(|caller| Arc::new(caller.only(&self.by)));
        request.key = key;
        request
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use kasoku_pipeline::{Caller, CallerKind};
    use proptest::prelude::*;

    use super::*;
    use crate::doubles::get_with;

    fn keying() -> Keying {
        let vary = vec![HeaderName::from_static("prefer"), HeaderName::from_static("accept")];
        Keying::new(7, &Promises { vary, ..Promises::none() })
    }

    #[test]
    fn the_path_is_where_purges_look_for_it() {
        let key = keying().key(&Request::get("/items?a=1")).build();
        assert_eq!(key.parts().nth(PATH_PART), Some(Some(&b"/items"[..])));
    }

    #[test]
    fn what_is_not_in_the_key_is_not_visible() {
        let mut request = get_with(
            "http://evil.example/items?a=1",
            &[
                ("prefer", "a"),
                ("prefer", "b"),
                ("authorization", "x"),
                ("cookie", "x"),
                ("x-forwarded-host", "x"),
            ],
        );
        request.peer = Some(([127, 0, 0, 1], 1).into());
        request.body = RequestBody::new(kasoku_pipeline::Body::from("fat"), 10);
        let (keying, plain) = (keying(), get_with("/items?a=1", &[("prefer", "a"), ("prefer", "b")]));
        assert_eq!(keying.key(&request).bytes(), keying.key(&plain).bytes());
        let confined = keying.confine(request, None);
        assert_eq!(confined.headers, plain.headers);
        assert_eq!(confined.uri, "/items?a=1");
        assert!(confined.peer.is_none() && confined.body.is_empty());
    }

    #[test]
    fn of_the_caller_the_key_has_what_the_source_wants_to_know_and_the_source_sees_no_more() {
        let caller = |id: &str, tenant: &str| {
            let caller = Caller::new(CallerKind::Token, id).with_roles(["editor"]);
            Some(Arc::new(caller.with_claim("tenant", tenant).with_claim("email", "x")))
        };
        let promises = Promises { by: vec![CallerPart::named("tenant")], ..Promises::none() };
        let (by_tenant, by_none) = (Keying::new(7, &promises), Keying::new(7, &Promises::none()));
        let key = |keying: &Keying, caller: Option<Arc<Caller>>| {
            let mut request = Request::get("/items");
            request.caller = caller;
            let key = keying.key(&request).build();
            (key, keying.confine(request, None).caller.clone())
        };
        let (a, shown) = key(&by_tenant, caller("1", "a"));
        assert_eq!(
            shown.as_deref(),
            Some(&Caller::new(CallerKind::Token, "1").with_claim("tenant", "a").only(&promises.by))
        );
        assert_eq!(a.bytes(), key(&by_tenant, caller("2", "a")).0.bytes(), "of one tenant");
        for other in [caller("1", "b"), caller("1", ""), None] {
            assert_ne!(a.bytes(), key(&by_tenant, other).0.bytes());
        }
        let (plain, shown) = key(&by_none, caller("1", "a"));
        assert_eq!((plain.bytes(), shown), (key(&by_none, None).0.bytes(), None));
    }

    proptest! {
        /// Two requests have one key exactly when they are equal in everything that is visible.
        #[test]
        fn keys_are_equal_only_for_what_is_equal(
            requests in proptest::collection::vec(
                (
                    "/[a-b]{0,2}",
                    proptest::option::of("[a-b&=]{0,2}"),
                    proptest::collection::vec(("prefer|accept", "[a-b, ]{0,2}"), 0..3),
                ),
                2..12,
            ),
        ) {
            let keying = keying();
            let mut seen = HashMap::new();
            for (path, query, fields) in requests {
                let target = query.as_ref().map_or(path.clone(), |query| format!("{path}?{query}"));
                let mut request = Request::get(&target);
                for (name, value) in &fields {
                    request.headers.append(name.parse::<HeaderName>().unwrap(), value.trim().parse().unwrap());
                }
                let lines = |name: &str| -> Vec<_> {
                    let lines = fields.iter().filter(|(known, _)| known == name);
                    lines.map(|(_, value)| value.trim().to_owned()).collect()
                };
                let visible = (path, query, lines("prefer"), lines("accept"));
                let key = keying.key(&request);
                let known = seen.entry(key.bytes().to_vec()).or_insert_with(|| visible.clone());
                prop_assert_eq!(&*known, &visible);
            }
            let mut distinct: Vec<_> = seen.values().cloned().collect();
            distinct.sort();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), seen.len());
        }
    }
}
