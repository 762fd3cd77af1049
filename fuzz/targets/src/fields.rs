//! Header fields that decide on caching and coding.
//!
//! The lines are the values of the fields of one request, in the order of `FIELDS`; the last is the entity tag of
//! what is there. Holds for every input: a tag equals itself, a coding that is chosen is one that was wished for,
//! and no write is answered by 304.

use std::time::SystemTime;

use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};
use http::{HeaderMap, HeaderValue};
use kasoku_http_caching::conditions::{Access, Conditions, Validators, Verdict};
use kasoku_http_caching::directives::Directive;
use kasoku_http_caching::entity_tag::{Comparison, EntityTag};
use kasoku_http_caching::{coding, entity_tag, if_range};

use crate::parts::lines;

const COUNT: usize = 9;

const FIELDS: [HeaderName; COUNT] = [
    ACCEPT_ENCODING,
    IF_MATCH,
    IF_NONE_MATCH,
    IF_MODIFIED_SINCE,
    IF_UNMODIFIED_SINCE,
    IF_RANGE,
    RANGE,
    CACHE_CONTROL,
    LAST_MODIFIED,
];

/// Takes any bytes.
pub fn run(input: &[u8]) {
    let values: [&[u8]; COUNT + 1] = lines(input);
    let mut headers = HeaderMap::new();
    for (name, value) in FIELDS.iter().zip(values).filter(|(_, value)| !value.is_empty()) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    let etag = HeaderValue::from_bytes(values[COUNT]).unwrap_or_else(|_| entity_tag::of_body(input));
    let modified = headers.get(LAST_MODIFIED).is_some();
    let current = Validators {
        etag: Some(&etag),
        modified: modified.then(|| Validators::of(&headers).modified).flatten(),
    };

    let wish = coding::negotiate(&headers);
    assert_eq!(wish.best(), wish.codings().next());
    let _ = Directive::of(&headers).asks_the_source();
    let _ = if_range::evaluate(&headers, &current, SystemTime::UNIX_EPOCH);
    for value in values {
        for tag in entity_tag::list(value) {
            assert!(tag.equals(tag, Comparison::Weak));
        }
        // Nothing else gets out of a message and into a field.
        let Ok(field) = HeaderValue::from_bytes(value) else { continue };
        if let Some(tag) = EntityTag::read(field.as_bytes()) {
            assert!(tag.equals(tag, Comparison::Weak));
            let coded = entity_tag::of_coded(&field, coding::Coding::Gzip);
            assert!(EntityTag::read(coded.as_bytes()).is_some(), "{tag:?}");
        }
    }
    if let Some(conditions) = Conditions::take(&mut headers) {
        for current in [Some(&current), None] {
            let _ = conditions.evaluate(Access::Read, current);
            let verdict = conditions.evaluate(Access::Write, current);
            assert!(!matches!(verdict, Verdict::NotModified(_)), "{conditions:?}");
        }
    }
}
