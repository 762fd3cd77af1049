//! What an origin sees of a request whose answer may be shared, and the keys made of that.
//!
//! **Key = view.** Two requests with one key are forwarded alike, but for application fields that `Vary` does not
//! name, and for what belongs to the hop. The parts of a key are the route's index, the method's class, the path, the
//! query, the authority, and the keyed fields with their lines, sorted.

use std::borrow::Cow;

use http::header::{ACCEPT_ENCODING, AUTHORIZATION, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use kasoku_coherence::{Key, KeyBuilder, Tag, TagBuilder};
use kasoku_http_caching::coding::{Coding, negotiate};
use kasoku_http_caching::{query_method, vary};
use kasoku_pipeline::{Request, RequestBody};

use super::fields::{self, FieldRules, Treatment};

/// What stands for the caller's own `User-Agent`, which an answer to all must not depend on.
const AGENT: HeaderValue = HeaderValue::from_static("kasoku");

/// The part of a key that holds the authority, in lower case; see [`PATH_PART`](crate::cache::PATH_PART).
pub const AUTHORITY_PART: usize = 4;

/// What is added to a confined request on its way: what it accepts, who asks by which way, and its name.
const FIELDS_TO_COME: usize = 8;

const PARTS_OF_THE_TARGET: usize = AUTHORITY_PART + 1;

/// The views of one route.
#[derive(Debug)]
pub(super) struct Views {
    route: [u8; 8],
    rules: FieldRules,
}

impl Views {
    pub(super) fn new(route: usize, rules: &FieldRules) -> Self {
        Self { route: (route as u64).to_le_bytes(), rules: rules.clone() }
    }

    /// What everything is stored under that a request could be answered with, variants apart.
    pub(super) fn primary(&self, request: &Request, query: Option<&str>) -> Key {
        let key = self.target(request, query);
        let mut keyed: Vec<(&HeaderName, &HeaderValue)> = request
            .headers
            .iter()
            .filter(|(name, value)| self.rules.treatment(name, value) == Treatment::Keyed)
            .collect();
        keyed.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
        let with_fields = |key: KeyBuilder, (name, value): (&HeaderName, &HeaderValue)| {
            key.part(name.as_str().as_bytes()).part(value.as_bytes())
        };
        keyed.into_iter().fold(key, with_fields).build()
    }

    fn target(&self, request: &Request, query: Option<&str>) -> KeyBuilder {
        let path = request.uri.path();
        let method: &[u8] = if is_query(&request.method) { b"QUERY" } else { b"GET" };
        let key = KeyBuilder::new().part(&self.route).part(method).part(path.as_bytes());
        let key = key.optional(query.map(str::as_bytes)).part(authority(request).as_bytes());
        match request.body.bytes().filter(|_| is_query(&request.method)) {
            Some(content) => key.part(&query_method::digest(&request.headers, content)),
            None => key,
        }
    }

    /// The key of a variant: the primary key, and what the request says in the fields that `Vary` names.
    pub(super) fn variant(primary: &Key, selecting: &[u8]) -> Key {
        let parts = primary.parts().fold(KeyBuilder::new(), KeyBuilder::optional);
        parts.part(b"vary").part(selecting).build()
    }

    /// What a request says in these fields, as the origin sees them.
    pub(super) fn selecting(&self, names: &[HeaderName], headers: &HeaderMap) -> Vec<u8> {
        let mut shown = HeaderMap::new();
        for name in names {
            for line in headers.get_all(name) {
                if let Some(value) = self.shown(name, line, headers) {
                    shown.append(name, value);
                }
            }
        }
        vary::selecting(names, &shown)
    }

    fn shown(&self, name: &HeaderName, value: &HeaderValue, headers: &HeaderMap) -> Option<HeaderValue> {
        match self.rules.treatment(name, value) {
            Treatment::Keyed | Treatment::Shown | Treatment::Condition | Treatment::Hop => {
                Some(value.clone())
            }
            Treatment::Coding => codings(headers),
            Treatment::Credentials => Some(value.clone()),
            Treatment::Hidden | Treatment::Directive => None,
        }
    }

    /// Takes from a request what its origin is not to see. Conditions, ranges and directives are taken out too, to be
    /// put in as far as they are wanted.
    pub(super) fn confine(&self, mut request: Request) -> Request {
        let mut headers = HeaderMap::with_capacity(request.headers.len() + FIELDS_TO_COME);
        for (name, value) in &request.headers {
            if matches!(
                self.rules.treatment(name, value),
                Treatment::Keyed | Treatment::Shown | Treatment::Hop | Treatment::Credentials
            ) || is_query(&request.method) && fields::describes_content(name.as_str())
            {
                headers.append(name, value.clone());
            }
        }
        if let Some(codings) = codings(&request.headers) {
            headers.insert(ACCEPT_ENCODING, codings);
        }
        // Where the field is part of the key, a request without it is one without it.
        let is_keyed = self.rules.treatment(&USER_AGENT, &AGENT) == Treatment::Keyed;
        if !headers.contains_key(USER_AGENT) && !is_keyed {
            headers.insert(USER_AGENT, AGENT);
        }
        let authority = authority(&request);
        if headers.get(HOST).is_some_and(|host| host.as_bytes() != authority.as_bytes())
            && let Ok(host) = HeaderValue::from_str(&authority)
        {
            // As it stands in the key.
            headers.insert(HOST, host);
        }
        request.headers = headers;
        if request.method == Method::GET || request.method == Method::HEAD {
            request.body = RequestBody::empty();
        }
        request.seen = None;
        request
    }

    /// The key under which forwards are shared: all that the origin will see of a request that was confined, but for
    /// the names that traces have for it.
    pub(super) fn forward(&self, primary: &Key, request: &Request) -> Key {
        let parts = primary.parts().fold(KeyBuilder::new(), KeyBuilder::optional);
        let mut lines: Vec<(&HeaderName, &HeaderValue)> = request
            .headers
            .iter()
            .filter(|(name, value)| self.rules.treatment(name, value) != Treatment::Hop)
            .collect();
        lines.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
        let parts = parts.part(b"forward").part(request.method.as_str().as_bytes());
        let with_line = |key: KeyBuilder, (name, value): (&HeaderName, &HeaderValue)| {
            key.part(name.as_str().as_bytes()).part(value.as_bytes())
        };
        lines.into_iter().fold(parts, with_line).build()
    }

    /// Fields that the origin sees and that are in no key, conditions among them: what an answer must not repeat.
    pub(super) fn unkeyed<'a>(
        &'a self,
        headers: &'a HeaderMap,
    ) -> impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)> {
        let is_unkeyed = |name: &HeaderName, value: &HeaderValue| match self.rules.treatment(name, value) {
            Treatment::Shown => !fields::is_negotiating(name.as_str()),
            Treatment::Hop => fields::is_said_on_the_way(name.as_str()),
            treatment => treatment == Treatment::Condition,
        };
        headers.iter().filter(move |(name, value)| is_unkeyed(name, value))
    }
}

/// The tag of a forward's target, from the forward's key.
pub(super) fn tag_of_key(key: &Key) -> Option<Tag> {
    let parts: Vec<_> = key.parts().take(PARTS_OF_THE_TARGET).collect();
    let [Some(_), Some(_), Some(path), query, Some(authority)] = parts[..] else { return None };
    Some(tag_of_parts(authority, path, query))
}

/// The tag on which every answer for a target depends.
pub(super) fn target_tag(authority: &str, path: &str, query: Option<&str>) -> Tag {
    tag_of_parts(in_lower_case(authority).as_bytes(), path.as_bytes(), query.map(str::as_bytes))
}

fn tag_of_parts(authority: &[u8], path: &[u8], query: Option<&[u8]>) -> Tag {
    let tag = TagBuilder::new("target").part(authority).part(path);
    match query {
        Some(query) => tag.part(query).build(),
        None => tag.build(),
    }
}

/// The authority that a request is for, in lower case (RFC 9110 §4.2.3).
pub(super) fn authority(request: &Request) -> Cow<'_, str> {
    let host = || request.headers.get(HOST).and_then(|host| host.to_str().ok());
    let named = request.uri.authority().map(http::uri::Authority::as_str).or_else(host);
    in_lower_case(named.unwrap_or_default())
}

/// Most authorities are in lower case as they come.
fn in_lower_case(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether a request says who asks.
pub(super) fn has_credentials(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION)
}

/// `Accept-Encoding` as the origin sees it: the codings that are known here and welcome to the caller, always in one
/// order.
fn codings(headers: &HeaderMap) -> Option<HeaderValue> {
    let wish = negotiate(headers);
    let is_welcome = |coding: &&Coding| wish.codings().any(|welcome| welcome == **coding);
    let names: Vec<_> = Coding::ALL.iter().filter(is_welcome).map(|coding| coding.token()).collect();
    (!names.is_empty()).then(|| HeaderValue::try_from(names.join(", ")).expect("tokens and commas"))
}

/// Whether a method is `QUERY` (RFC 10008), whose content is part of the key.
pub(super) fn is_query(method: &Method) -> bool {
    method.as_str() == "QUERY"
}
