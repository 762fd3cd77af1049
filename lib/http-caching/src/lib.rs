//! Decisions of RFC 9110 and RFC 9111, each made in one place: entity tags, conditions, codings, directives.
//!
//! Everything here is a function of header fields and of what is given beside them: no I/O, and time is an argument.
//! Policies and sources ask the same functions, so that a tag that one of them sends is a tag that the other
//! recognises. This crate must not know requests, bodies, policies or sources.
//!
//! | module | what it decides | clause |
//! |---|---|---|
//! | [`entity_tag`] | the tag of a body and of its coded forms; whether two are equal | RFC 9110 §8.8.3 |
//! | [`conditions`] | whether a conditional request is carried out | RFC 9110 §13.1, §13.2 |
//! | [`if_range`] | whether a range is taken from the state that the caller knows | RFC 9110 §13.1.5 |
//! | [`coding`] | which coding a caller likes best | RFC 9110 §8.4.1, §12.5.3 |
//! | [`directives`] | what a request's `Cache-Control` asks of a cache | RFC 9111 §5.2.1 |
//! | [`cache_control`] | what `Cache-Control` says, in responses and requests | RFC 9111 §5.2, RFC 5861, RFC 8246 |
//! | [`targeted`] | which field's directives hold for Kasoku | RFC 9213 |
//! | [`storing`] | whether a response is stored | RFC 9111 §3 |
//! | [`freshness`] | how long it is fresh, how old it is, what is allowed beyond | RFC 9111 §4.2, RFC 5861 |
//! | [`reuse`] | whether a stored response answers, also when the origin fails | RFC 9111 §4 |
//! | [`validation`] | how to ask whether a stored response holds; what the answer does to it | RFC 9111 §4.3 |
//! | [`invalidation`] | what a write puts in doubt | RFC 9111 §4.4 |
//! | [`vary`] | when two requests agree in what an answer was chosen by | RFC 9110 §12.5.5, RFC 9111 §4.1 |
//! | [`range`] | which bytes are asked for, and which are sent | RFC 9110 §14.1, §14.2, §14.4 |
//! | [`byteranges`] | the body of an answer with several ranges | RFC 9110 §14.6 |
//! | [`partial`] | how parts are put together | RFC 9111 §3.3, §3.4 |
//! | [`hop_fields`] | the fields of a connection, which are not stored | RFC 9111 §3.1 |
//! | [`groups`] | the names that answers are removed together by | RFC 9875 |
//! | [`no_vary_search`] | which differences between queries count | draft-ietf-httpbis-no-vary-search |
//! | [`query_method`] | what an answer to `QUERY` is found by | RFC 10008 |
//!
//! ```
//! use http::HeaderMap;
//! use kasoku_http_caching::conditions::{Access, Conditions, Unmet, Validators, Verdict};
//! use kasoku_http_caching::entity_tag;
//!
//! let (seen, now) = (entity_tag::of_body(b"first"), entity_tag::of_body(b"second"));
//! let mut headers = HeaderMap::new();
//! headers.insert("if-match", seen.clone());
//! let conditions = Conditions::take(&mut headers).expect("there is one");
//!
//! let same = Validators { etag: Some(&seen), modified: None };
//! assert_eq!(conditions.evaluate(Access::Write, Some(&same)), Verdict::Proceed);
//! let changed = Validators { etag: Some(&now), modified: None };
//! assert_eq!(conditions.evaluate(Access::Write, Some(&changed)), Verdict::Failed(Unmet::Match));
//! assert_eq!(conditions.evaluate(Access::Write, None), Verdict::Failed(Unmet::Match));
//! ```

pub mod byteranges;
pub mod cache_control;
pub mod coding;
pub mod conditions;
pub mod directives;
pub mod entity_tag;
pub mod freshness;
pub mod groups;
pub mod hop_fields;
pub mod if_range;
pub mod invalidation;
pub mod no_vary_search;
pub mod partial;
pub mod pseudonym;
pub mod query_method;
pub mod range;
pub mod reason;
pub mod reuse;
pub mod storing;
pub mod targeted;
pub mod validation;
pub mod vary;

mod date;
