//! Conditions on reads (RFC 9110 §13).

use std::time::SystemTime;

use http::header::{
    ETAG, Entry, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderValue};
use kasoku_pipeline::Coding;

use crate::entity_tag::{self, Comparison, EntityTag};

/// What the conditions come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They hold, or there are none.
    Proceed,
    /// The caller has it already: 304, with the tag that it matched by.
    NotModified(Option<HeaderValue>),
    /// 412.
    Failed,
}

/// The conditions of a request; each line of a field is kept apart.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    matches: Vec<HeaderValue>,
    none_match: Vec<HeaderValue>,
    modified_since: Option<HeaderValue>,
    unmodified_since: Option<HeaderValue>,
}

impl Conditions {
    /// Takes them out of a request; `None` if it has none, which is the usual case.
    pub(super) fn take(headers: &mut HeaderMap) -> Option<Box<Self>> {
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

    /// Evaluates them against an answer's fields, in the order of RFC 9110 §13.2.2.
    pub(super) fn evaluate(&self, headers: &HeaderMap) -> Verdict {
        let etag = headers.get(ETAG);
        let modified = headers.get(LAST_MODIFIED).and_then(date);
        if !self.matches.is_empty() {
            // §13.1.1: strong comparison.
            if find(&self.matches, etag, Comparison::Strong) == Match::None {
                return Verdict::Failed;
            }
        } else if let (Some(modified), Some(since)) =
            (modified, self.unmodified_since.as_ref().and_then(date))
        {
            // §13.1.4: ignored where there is no date on either side.
            if modified > since {
                return Verdict::Failed;
            }
        }
        if !self.none_match.is_empty() {
            // §13.1.2: weak comparison. §13.1.3: If-Modified-Since is ignored then.
            return match find(&self.none_match, etag, Comparison::Weak) {
                Match::Anything => Verdict::NotModified(None),
                Match::Tag(matched) => Verdict::NotModified(Some(matched)),
                Match::None => Verdict::Proceed,
            };
        }
        match (modified, self.modified_since.as_ref().and_then(date)) {
            (Some(modified), Some(since)) if modified <= since => Verdict::NotModified(None),
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

/// Looks for a tag of a list that names what is there now. Besides the answer's own tag, a strong one also
/// has those of its coded forms: a caller that validates one of them has the content already, and is told
/// which of its tags is good.
fn find(lines: &[HeaderValue], etag: Option<&HeaderValue>, comparison: Comparison) -> Match {
    if lines.iter().any(|line| line.as_bytes().trim_ascii() == b"*") {
        return Match::Anything;
    }
    let current = etag.and_then(|etag| Some((etag, EntityTag::read(etag.as_bytes())?)));
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
