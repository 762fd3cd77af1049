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

pub mod coding;
pub mod conditions;
pub mod directives;
pub mod entity_tag;
pub mod if_range;
