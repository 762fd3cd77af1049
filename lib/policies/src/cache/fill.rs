//! The half of the cache that stores.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{CACHE_CONTROL, ETAG, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use kasoku_cache_store::{Fill as StoreFill, Inserted};
use kasoku_coherence::{Key, Snapshot};
use kasoku_http_caching::entity_tag;
use kasoku_observe::Observation;
use kasoku_pipeline::{Next, Outcome, Policy, Request, Response};

use super::{CacheRules, ResponseStore, StoredResponse};
use crate::Surroundings;

/// Stores answers to requests that have a key.
pub struct Fill {
    rules: CacheRules,
    surroundings: Surroundings,
    store: Arc<ResponseStore>,
    for_callers: HeaderValue,
    /// What `Vary` says of stored answers whose source does not say it itself.
    vary: Option<HeaderValue>,
}

/// Whether an answer may be stored, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storable {
    /// For so long it is fresh.
    For(Duration),
    /// Neither a 200 nor a 404 whose source says how long it holds.
    Status,
    /// The source could not say what it saw.
    NoSnapshot,
    /// It comes in parts.
    Streamed,
    /// Its body is larger than the rules allow.
    TooLarge,
    /// `Set-Cookie` is meant for one caller.
    SetsCookie,
    /// The source forbids it: `no-store` or `private` (RFC 9111 §3), or `Vary: *` (§4.1).
    Forbidden,
}

impl Fill {
    /// For the requests of one route, into the store that its `Cache` looks up.
    pub fn new(rules: CacheRules, store: &Arc<ResponseStore>, surroundings: &Surroundings) -> Self {
        let for_callers = match rules.client.as_secs() {
            0 => HeaderValue::from_static("no-cache"),
            seconds => HeaderValue::try_from(format!("max-age={seconds}")).expect("a name and digits"),
        };
        Self { rules, surroundings: surroundings.clone(), store: Arc::clone(store), for_callers, vary: None }
    }

    /// Says in what is stored that the source chooses by these fields (RFC 9110 §12.5.5). `shape` says it in every
    /// answer; here it is said once for all hits.
    #[must_use]
    pub fn varying(self, names: &[HeaderName]) -> Self {
        let names: Vec<&str> = names.iter().map(HeaderName::as_str).collect();
        let said = || HeaderValue::try_from(names.join(", ")).expect("field names are a valid value");
        Self { vary: (!names.is_empty()).then(said), ..self }
    }

    /// Tells caches on the way that the answer is for its caller alone: who asked was asked for.
    #[must_use]
    pub fn for_identified(self, is_for_identified: bool) -> Self {
        if !is_for_identified {
            return self;
        }
        let said = [&b"private, "[..], self.for_callers.as_bytes()].concat();
        Self { for_callers: HeaderValue::try_from(said).expect("two valid values, and a comma"), ..self }
    }

    /// Judges an answer.
    pub fn storable(&self, response: &Response) -> Storable {
        let fresh = match response.status {
            StatusCode::OK => self.rules.fresh,
            StatusCode::NOT_FOUND => match response.lifetime {
                Some(lifetime) => lifetime.min(self.rules.fresh),
                None => return Storable::Status,
            },
            _ => return Storable::Status,
        };
        if response.snapshot.is_none() {
            return Storable::NoSnapshot;
        }
        let Some(bytes) = response.body.bytes() else { return Storable::Streamed };
        if bytes.len() as u64 > self.rules.body_bytes_max {
            return Storable::TooLarge;
        }
        if response.headers.contains_key(SET_COOKIE) {
            return Storable::SetsCookie;
        }
        if is_forbidden(&response.headers) { Storable::Forbidden } else { Storable::For(fresh) }
    }
}

impl Policy for Fill {
    async fn around<N: Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
        let Some(key) = request.key.clone() else {
            return next.run(request).await;
        };
        // Ages count from before the answer was made (RFC 9111 §4.2.3: the response's delay is part of its
        // age).
        let began = self.surroundings.clock.now();
        let response = next.run(request).await?;
        Ok(self.fill(key, began, response))
    }
}

impl Fill {
    fn fill(&self, key: Key, began: Instant, mut response: Response) -> Response {
        let storable = self.storable(&response);
        if !response.headers.contains_key(CACHE_CONTROL) {
            response.headers.insert(CACHE_CONTROL, self.for_callers.clone());
        }
        response.cache.as_of = response.snapshot.map(|snapshot| snapshot.0);
        match (storable, response.snapshot) {
            (Storable::For(fresh), Some(snapshot)) => self.store(key, began, fresh, snapshot, response),
            _ => response,
        }
    }

    fn store(
        &self,
        key: Key,
        began: Instant,
        fresh: Duration,
        snapshot: Snapshot,
        mut response: Response,
    ) -> Response {
        let Some(body) = response.body.bytes().cloned() else { return response };
        if response.status == StatusCode::OK && !response.headers.contains_key(ETAG) {
            response.headers.insert(ETAG, entity_tag::of_body(&body));
        }
        if let Some(vary) = self.vary.as_ref().filter(|_| response.status == StatusCode::OK) {
            response.headers.entry(VARY).or_insert_with(|| vary.clone());
        }
        let stored = {
            let in_flight = &self.surroundings.in_flight;
            StoredResponse::keep(&response, &body, fresh, &self.store, &key, in_flight)
        };
        response.forms = Some(Arc::clone(&stored) as _);
        let of_use = fresh + self.rules.stale_while_revalidate.max(self.rules.stale_if_error);
        let fill = StoreFill {
            value: stored,
            tags: response.tags.to_vec(),
            snapshot,
            inserted: began,
            expires: began.checked_add(of_use),
        };
        match self.store.insert(key, fill) {
            Inserted::Stored => {
                response.cache.stored = true;
                response.cache.ttl_s = Some(fresh.as_secs() as i64);
            }
            Inserted::Fenced => {
                self.surroundings.observe(&Observation::Fenced { route: &self.surroundings.route });
            }
            Inserted::TooLarge | Inserted::Older => {}
        }
        response
    }
}

fn is_forbidden(headers: &HeaderMap) -> bool {
    let words = |name| {
        let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).map(str::trim)
    };
    let secret = |word: &str| {
        let name = word.split('=').next().unwrap_or_default().trim();
        name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("private")
    };
    words(CACHE_CONTROL).any(secret) || words(VARY).any(|word| word == "*")
}
