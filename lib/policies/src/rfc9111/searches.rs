//! Which parameters of queries make no difference, as origins have said (`No-Vary-Search`).
//!
//! What an answer says holds for its path: from then on, queries there are taken in their canonical form, for keys and
//! for tags alike.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use foldhash::quality::RandomState;
use http::HeaderMap;
use kasoku_coherence::Tag;
use kasoku_http_caching::no_vary_search::Variance;
use kasoku_pipeline::Request;
use parking_lot::RwLock;

use super::view::{authority, target_tag};

/// Paths that are remembered; those that come later are taken as if they had said nothing.
const PATHS_MAX: usize = 4_096;

/// See the module.
#[derive(Default)]
pub(super) struct Searches {
    any: AtomicBool,
    said: RwLock<HashMap<Tag, Variance, RandomState>>,
}

impl Searches {
    /// The query of a request, as far as it makes a difference.
    pub(super) fn query<'a>(&self, request: &'a Request) -> Option<Cow<'a, str>> {
        let query = request.uri.query();
        if !self.any.load(Ordering::Acquire) {
            return query.map(Cow::Borrowed);
        }
        self.canonical(&authority(request), request.uri.path(), query)
    }

    /// The query of a target, as far as it makes a difference.
    pub(super) fn canonical<'a>(
        &self,
        authority: &str,
        path: &str,
        query: Option<&'a str>,
    ) -> Option<Cow<'a, str>> {
        if !self.any.load(Ordering::Acquire) {
            return query.map(Cow::Borrowed);
        }
        match self.said.read().get(&target_tag(authority, path, None)) {
            Some(variance) => variance.canonical(query),
            None => query.map(Cow::Borrowed),
        }
    }

    /// Learns what an answer to a request says. Whether that is something new.
    pub(super) fn learn(&self, request: &Request, headers: &HeaderMap) -> bool {
        let variance = Variance::of(headers);
        if variance.is_default() && !self.any.load(Ordering::Acquire) {
            return false;
        }
        let path = target_tag(&authority(request), request.uri.path(), None);
        if self.said.read().get(&path).map_or(variance.is_default(), |known| *known == variance) {
            return false;
        }
        let mut said = self.said.write();
        if variance.is_default() {
            said.remove(&path);
        } else if said.len() < PATHS_MAX || said.contains_key(&path) {
            said.insert(path, variance);
            self.any.store(true, Ordering::Release);
        } else {
            return false;
        }
        true
    }
}
