//! Conditions on whole representations (RFC 9110 §13.1.1 to §13.1.4): read once, evaluated in the one order.

use std::time::SystemTime;

use http::header::{
    ETAG, Entry, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderValue};

use crate::coding::Coding;
use crate::entity_tag::{self, Comparison, EntityTag};

/// What the conditions of a request come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// They hold, or there are none.
    Proceed,
    /// The caller of a read has it already: 304, with the tag that it matched by.
    NotModified(Option<HeaderValue>),
    /// 412, because of this one.
    Failed(Unmet),
}

/// A condition that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmet {
    /// `If-Match` names none of what is there, or there is nothing.
    Match,
    /// It was modified after `If-Unmodified-Since`.
    UnmodifiedSince,
    /// `If-None-Match` on a write names what is there.
    NoneMatch,
}

impl Unmet {
    /// The field that asked for it.
    pub fn field(self) -> &'static str {
        match self {
            Self::Match => "If-Match",
            Self::UnmodifiedSince => "If-Unmodified-Since",
            Self::NoneMatch => "If-None-Match",
        }
    }
}

/// What the request is about to do with the representation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// `GET` or `HEAD`.
    Read,
    /// Any other method.
    Write,
}

/// What the current representation is recognised by (RFC 9110 §8.8).
#[derive(Debug, Clone, Copy, Default)]
pub struct Validators<'a> {
    /// `ETag`.
    pub etag: Option<&'a HeaderValue>,
    /// `Last-Modified`.
    pub modified: Option<SystemTime>,
}

impl<'a> Validators<'a> {
    /// Those that an answer to a read carries.
    pub fn of(headers: &'a HeaderMap) -> Self {
        Self { etag: headers.get(ETAG), modified: headers.get(LAST_MODIFIED).and_then(date) }
    }
}

/// The conditions of a request; each line of a field is kept apart.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    matches: Vec<HeaderValue>,
    none_match: Vec<HeaderValue>,
    modified_since: Option<HeaderValue>,
    unmodified_since: Option<HeaderValue>,
}

impl Conditions {
    /// Takes them out of a request; `None` if it has none, which is the usual case.
    pub fn take(headers: &mut HeaderMap) -> Option<Box<Self>> {
        let any = [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE];
        any.iter().any(|name| headers.contains_key(name)).then(|| {
            Box::new(Self {
                matches: lines(headers, IF_MATCH),
                none_match: lines(headers, IF_NONE_MATCH),
                modified_since: lines(headers, IF_MODIFIED_SINCE).pop(),
                unmodified_since: lines(headers, IF_UNMODIFIED_SINCE).pop(),
            })
        })
    }

    /// Evaluates them against the current representation, or against there being none, in the order of RFC 9110
    /// §13.2.2. For a read it is the representation that would be answered.
    pub fn evaluate(&self, access: Access, current: Option<&Validators<'_>>) -> Verdict {
        let modified = current.and_then(|current| current.modified);
        if !self.matches.is_empty() {
            // §13.1.1: strong comparison.
            if find(&self.matches, current, Comparison::Strong) == Match::None {
                return Verdict::Failed(Unmet::Match);
            }
        } else if let (Some(modified), Some(since)) =
            (modified, self.unmodified_since.as_ref().and_then(date))
        {
            // §13.1.4: ignored where there is no date on either side.
            if modified > since {
                return Verdict::Failed(Unmet::UnmodifiedSince);
            }
        }
        if !self.none_match.is_empty() {
            // §13.1.2: weak comparison. §13.1.3: If-Modified-Since is ignored then.
            return match (find(&self.none_match, current, Comparison::Weak), access) {
                (Match::None, _) => Verdict::Proceed,
                (_, Access::Write) => Verdict::Failed(Unmet::NoneMatch),
                (Match::Anything, Access::Read) => Verdict::NotModified(None),
                (Match::Tag(matched), Access::Read) => Verdict::NotModified(Some(matched)),
            };
        }
        match (modified, self.modified_since.as_ref().and_then(date), access) {
            (Some(modified), Some(since), Access::Read) if modified <= since => Verdict::NotModified(None),
            _ => Verdict::Proceed,
        }
    }
}

/// What a list of tags has in common with what is there.
#[derive(Debug, PartialEq, Eq)]
enum Match {
    /// The list is `*`, which anything matches.
    Anything,
    /// This tag is in the list.
    Tag(HeaderValue),
    /// Nothing.
    None,
}

/// Looks for a tag of a list that names what is there now. Besides the representation's own tag, a strong one
/// also has those of its coded forms: a caller that knows one of them knows the content, and is told which of its
/// tags is good.
fn find(lines: &[HeaderValue], current: Option<&Validators<'_>>, comparison: Comparison) -> Match {
    let Some(current) = current else { return Match::None };
    if lines.iter().any(|line| line.as_bytes().trim_ascii() == b"*") {
        return Match::Anything;
    }
    let current = current.etag.and_then(|etag| Some((etag, EntityTag::read(etag.as_bytes())?)));
    let Some((etag, current)) = current else { return Match::None };
    for tag in lines.iter().flat_map(|line| entity_tag::list(line.as_bytes())) {
        if tag.equals(current, comparison) {
            return Match::Tag(etag.clone());
        }
        let Some(coding) = coding_of(tag, current).filter(|_| !current.weak) else { continue };
        let form = entity_tag::of_coded(etag, coding);
        if EntityTag::read(form.as_bytes()).is_some_and(|form| tag.equals(form, comparison)) {
            return Match::Tag(form);
        }
    }
    Match::None
}

/// The coding whose mark makes `current` into `tag`.
fn coding_of(tag: EntityTag<'_>, current: EntityTag<'_>) -> Option<Coding> {
    let mark = tag.opaque.strip_prefix(current.opaque)?.strip_prefix(b"-")?;
    Coding::ALL.into_iter().find(|coding| coding.token().as_bytes() == mark)
}

fn date(value: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(value.to_str().ok()?).ok()
}

fn lines(headers: &mut HeaderMap, name: HeaderName) -> Vec<HeaderValue> {
    match headers.entry(name) {
        Entry::Occupied(entry) => entry.remove_entry_mult().1.collect(),
        Entry::Vacant(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLIER: &str = "Sat, 01 Nov 2025 00:00:00 GMT";
    const MODIFIED: &str = "Sun, 02 Nov 2025 00:00:00 GMT";
    const LATER: &str = "Mon, 03 Nov 2025 00:00:00 GMT";

    const PROCEED: Verdict = Verdict::Proceed;
    const HAS_IT: Verdict = Verdict::NotModified(None);
    const CHANGED: Verdict = Verdict::Failed(Unmet::Match);
    const TOUCHED: Verdict = Verdict::Failed(Unmet::UnmodifiedSince);
    const THERE: Verdict = Verdict::Failed(Unmet::NoneMatch);

    fn matched(tag: &'static str) -> Verdict {
        Verdict::NotModified(Some(HeaderValue::from_static(tag)))
    }

    /// Evaluates `fields` against an answer with `current` fields, or against nothing.
    fn verdict(
        access: Access,
        current: Option<&[(HeaderName, &'static str)]>,
        fields: &[(&'static str, &str)],
    ) -> Verdict {
        let current: Option<HeaderMap> = current.map(|fields| {
            fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
        });
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        let conditions = Conditions::take(&mut headers).unwrap();
        assert!(headers.is_empty(), "{fields:?}");
        conditions.evaluate(access, current.as_ref().map(Validators::of).as_ref())
    }

    #[test]
    fn conditions_are_evaluated_in_the_order_of_section_13_2_2() {
        let (matches, differs) = (r#""x", "abc""#, r#""x", "y""#);
        let tag = || matched(r#""abc""#);
        for (fields, read, write) in [
            (&[("if-match", matches)][..], PROCEED, PROCEED),
            (&[("if-match", "*")], PROCEED, PROCEED),
            (&[("if-match", " * ")], PROCEED, PROCEED),
            (&[("if-match", differs)], CHANGED, CHANGED),
            (&[("if-match", "abc")], CHANGED, CHANGED),
            (&[("if-match", "")], CHANGED, CHANGED),
            (&[("if-match", r#"W/"abc""#)], CHANGED, CHANGED),
            (&[("if-match", r#""x""#), ("if-match", r#""abc""#)], PROCEED, PROCEED),
            (&[("if-match", r#""abc-br""#)], PROCEED, PROCEED),
            (&[("if-match", r#""abc-gzip""#)], PROCEED, PROCEED),
            (&[("if-match", r#""abc-deflate""#)], CHANGED, CHANGED),
            (&[("if-match", r#""abc-br-br""#)], CHANGED, CHANGED),
            (&[("if-match", r#""abcd-br""#)], CHANGED, CHANGED),
            (&[("if-unmodified-since", MODIFIED)], PROCEED, PROCEED),
            (&[("if-unmodified-since", LATER)], PROCEED, PROCEED),
            (&[("if-unmodified-since", EARLIER)], TOUCHED, TOUCHED),
            (&[("if-unmodified-since", "yesterday")], PROCEED, PROCEED),
            (&[("if-match", matches), ("if-unmodified-since", EARLIER)], PROCEED, PROCEED),
            (&[("if-none-match", matches)], tag(), THERE),
            (&[("if-none-match", r#"W/"abc""#)], tag(), THERE),
            (&[("if-none-match", r#""abc-zstd""#)], matched(r#""abc-zstd""#), THERE),
            (&[("if-none-match", "*")], HAS_IT, THERE),
            (&[("if-none-match", differs)], PROCEED, PROCEED),
            (&[("if-modified-since", MODIFIED)], HAS_IT, PROCEED),
            (&[("if-modified-since", LATER)], HAS_IT, PROCEED),
            (&[("if-modified-since", EARLIER)], PROCEED, PROCEED),
            (&[("if-modified-since", "tomorrow")], PROCEED, PROCEED),
            (&[("if-none-match", differs), ("if-modified-since", LATER)], PROCEED, PROCEED),
            (&[("if-none-match", matches), ("if-modified-since", EARLIER)], tag(), THERE),
            (&[("if-match", matches), ("if-none-match", matches)], tag(), THERE),
            (&[("if-match", differs), ("if-none-match", matches)], CHANGED, CHANGED),
            (&[("if-unmodified-since", EARLIER), ("if-none-match", matches)], TOUCHED, TOUCHED),
        ] {
            let current = [(ETAG, r#""abc""#), (LAST_MODIFIED, MODIFIED)];
            assert_eq!(verdict(Access::Read, Some(&current), fields), read, "{fields:?}");
            assert_eq!(verdict(Access::Write, Some(&current), fields), write, "{fields:?}");
        }
    }

    #[test]
    fn a_weak_tag_says_that_content_is_equivalent_and_no_more() {
        for (fields, expected) in [
            (("if-match", r#"W/"abc""#), CHANGED),
            (("if-match", r#""abc""#), CHANGED),
            (("if-none-match", r#""abc""#), matched(r#"W/"abc""#)),
            (("if-none-match", r#""abc-br""#), PROCEED),
            (("if-modified-since", LATER), PROCEED),
            (("if-unmodified-since", EARLIER), PROCEED),
        ] {
            assert_eq!(
                verdict(Access::Read, Some(&[(ETAG, r#"W/"abc""#)]), &[fields]),
                expected,
                "{fields:?}"
            );
        }
    }

    #[test]
    fn what_is_not_there_matches_nothing_and_what_has_no_tag_matches_a_star_alone() {
        for (field, absent, untagged) in [
            (("if-match", "*"), CHANGED, PROCEED),
            (("if-match", r#""abc""#), CHANGED, CHANGED),
            (("if-none-match", "*"), PROCEED, THERE),
            (("if-none-match", r#""abc""#), PROCEED, PROCEED),
            (("if-unmodified-since", EARLIER), PROCEED, PROCEED),
        ] {
            assert_eq!(verdict(Access::Write, None, &[field]), absent, "{field:?}");
            assert_eq!(verdict(Access::Write, Some(&[]), &[field]), untagged, "{field:?}");
        }
    }

    #[test]
    fn a_request_without_conditions_has_none() {
        let mut headers = HeaderMap::new();
        headers.insert("if-range", HeaderValue::from_static(r#""abc""#));
        assert!(Conditions::take(&mut headers).is_none());
        assert_eq!(headers.len(), 1);
    }
}
