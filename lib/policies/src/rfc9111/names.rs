//! What stored answers depend on, and taking away what does; the fields by which origins say it.

use std::time::SystemTime;

use http::header::{AGE, DATE};
use http::{HeaderMap, HeaderName, HeaderValue};
use kasoku_cache_store::Purge;
use kasoku_coherence::{Key, Tag, TagBuilder};
use kasoku_http_caching::freshness::Freshness;
use kasoku_http_caching::groups;
use kasoku_pipeline::Request;

use super::fields::is_trace;
use super::second_tier::Gone;
use super::shelf::Shelf;
use super::view::{self, target_tag};

/// Fields by which origins speak to caches, and which callers do not see.
pub(super) static FOR_CACHES: [HeaderName; 3] = [
    HeaderName::from_static("kasoku-cache-control"),
    HeaderName::from_static("surrogate-key"),
    HeaderName::from_static("cache-tag"),
];

impl Shelf {
    /// The tag on which every answer for a target depends.
    pub(super) fn target_tag(&self, authority: &str, path: &str, query: Option<&str>) -> Tag {
        target_tag(authority, path, self.searches.canonical(authority, path, query).as_deref())
    }

    /// What an answer depends on: its target, and what the origin calls it.
    pub(super) fn tags(&self, request: &Request, headers: &HeaderMap) -> Vec<Tag> {
        let authority = view::authority(request);
        let mut tags = vec![self.target_tag(&authority, request.uri.path(), request.uri.query())];
        let of_group = |group: String| group_tag(&authority, &group);
        tags.extend(groups::groups(headers).unwrap_or_default().into_iter().map(of_group));
        tags.extend(names(headers).iter().map(|name| Tag::named(name)));
        tags
    }

    /// Takes away what depends on these tags, on all nodes. When it has returned, this node gives none of it any
    /// more, and others do so for no longer than it takes to reach them.
    pub(super) async fn purge(&self, gone: Gone) {
        self.purge_here(&gone);
        if let Some(second_tier) = &self.second_tier {
            second_tier.purge(gone.clone()).await;
            // In between, an entry may have come back from the second tier.
            self.purge_here(&gone);
        }
    }

    fn purge_here(&self, gone: &Gone) {
        match gone {
            Gone::Tags(tags) => {
                for tag in tags {
                    self.store.purge_tag(*tag, Purge::Hard);
                }
            }
            Gone::Everything => drop(self.store.purge_all(Purge::Hard)),
        }
    }

    /// Takes away one answer.
    pub(super) fn remove(&self, key: &Key) {
        self.store.purge_key(key, Purge::Hard);
    }
}

/// The tag of a cache group, which is a matter of one authority (RFC 9875 §2).
pub fn group_tag(authority: &str, group: &str) -> Tag {
    TagBuilder::new("cache-group").part(authority.as_bytes()).part(group.as_bytes()).build()
}

/// What origins call answers by, in fields that callers do not see.
fn names(headers: &HeaderMap) -> Vec<String> {
    let mut names = groups::surrogate_keys(headers).unwrap_or_default();
    names.extend(groups::cache_tags(headers).unwrap_or_default());
    names
}

/// Takes from an answer's fields what is not to be kept (§3.1, §5.2.2.4, §5.2.2.7).
pub(super) fn fields_to_keep(headers: &mut HeaderMap, freshness: &Freshness) {
    for name in &freshness.withheld {
        headers.remove(name);
    }
    // What the request was called that fetched it is of no use to others.
    let traces: Vec<HeaderName> = headers.keys().filter(|name| is_trace(name.as_str())).cloned().collect();
    for name in traces {
        headers.remove(name);
    }
    headers.remove(AGE);
}

/// Adds a `Date` where there is none, as a recipient with a clock does (RFC 9110 §6.6.1).
pub(super) fn date(headers: &mut HeaderMap, at: SystemTime) {
    if !headers.contains_key(DATE) {
        let date = httpdate::fmt_http_date(at);
        headers.insert(DATE, HeaderValue::try_from(date).expect("a date is visible ASCII"));
    }
}
