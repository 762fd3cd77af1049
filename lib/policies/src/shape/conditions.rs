//! Conditions on reads (RFC 9110 §13).

use std::time::SystemTime;

use http::header::{
    ETAG, Entry, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderValue};
use kasoku_pipeline::Coding;

use crate::entity_tag::{self, EntityTag};

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
    if_match: Vec<HeaderValue>,
    if_none_match: Vec<HeaderValue>,
    if_modified_since: Option<HeaderValue>,
    if_unmodified_since: Option<HeaderValue>,
}

impl Conditions {
    /// Takes them out of a request; `None` if it has none, which is the usual case.
    pub(super) fn take(headers: &mut HeaderMap) -> Option<Box<Self>> {
        let any = [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE];
        any.iter().any(|name| headers.contains_key(name)).then(|| {
            Box::new(Self {
                if_match: lines(headers, IF_MATCH),
                if_none_match: lines(headers, IF_NONE_MATCH),
                if_modified_since: lines(headers, IF_MODIFIED_SINCE).pop(),
                if_unmodified_since: lines(headers, IF_UNMODIFIED_SINCE).pop(),
            })
        })
    }

    /// Evaluates them against an answer's fields, in the order of RFC 9110 §13.2.2.
    pub(super) fn evaluate(&self, headers: &HeaderMap) -> Verdict {
        let etag = headers.get(ETAG);
        let modified = headers.get(LAST_MODIFIED).and_then(date);
        if !self.if_match.is_empty() {
            // §13.1.1: strong comparison.
            if find(&self.if_match, etag, |one, other| one.strongly_equals(other)).is_none() {
                return Verdict::Failed;
            }
        } else if let (Some(modified), Some(since)) =
            (modified, self.if_unmodified_since.as_ref().and_then(date))
        {
            // §13.1.4: ignored where there is no date on either side.
            if modified > since {
                return Verdict::Failed;
            }
        }
        if !self.if_none_match.is_empty() {
            // §13.1.2: weak comparison. §13.1.3: If-Modified-Since is ignored then.
            return match find(&self.if_none_match, etag, |one, other| one.weakly_equals(other)) {
                Some(matched) => Verdict::NotModified(matched),
                None => Verdict::Proceed,
            };
        }
        match (modified, self.if_modified_since.as_ref().and_then(date)) {
            (Some(modified), Some(since)) if modified <= since => Verdict::NotModified(None),
            _ => Verdict::Proceed,
        }
    }
}

/// Looks for a tag of a list that names what is there now; `*` names anything. Besides the answer's own tag, a
/// strong one also has those of its coded forms: a caller that validates one of them has the content already,
/// and is told which of its tags is good.
fn find(
    lines: &[HeaderValue],
    etag: Option<&HeaderValue>,
    equal: fn(EntityTag<'_>, EntityTag<'_>) -> bool,
) -> Option<Option<HeaderValue>> {
    if lines.iter().any(|line| line.as_bytes().trim_ascii() == b"*") {
        return Some(None);
    }
    let etag = etag?;
    let current = EntityTag::read(etag.as_bytes())?;
    for tag in lines.iter().flat_map(|line| entity_tag::list(line.as_bytes())) {
        if equal(tag, current) {
            return Some(Some(etag.clone()));
        }
        let coding = coding_of(tag, current).filter(|_| !current.weak);
        let form = coding.map(|coding| entity_tag::of_coded(etag, coding));
        if let Some(form) =
            form.filter(|form| EntityTag::read(form.as_bytes()).is_some_and(|form| equal(tag, form)))
        {
            return Some(Some(form));
        }
    }
    None
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
