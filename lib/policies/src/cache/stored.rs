//! A stored response: everything prepared, so that a hit copies as little as it can.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::header::AGE;
use http::{HeaderMap, HeaderName, StatusCode};
use kasoku_cache_store::Weigh;
use kasoku_coherence::{Key, Tag};
use kasoku_http_caching::coding::Coding;
use kasoku_http_caching::reason::Reason;
use kasoku_pipeline::{
    Body, CacheFacts, CodedForm, Forms, InFlight, KeptForm, RequestId, Response, ResponseFields, Verdict,
};

use super::fields::{SHARED_BYTES, fields_bytes, own_fields, value_bytes};
use super::outline::{self, Outline};
use super::{ResponseStore, Reuse};
use crate::rfc9111::HttpFacts;

/// Fields that tell of one transfer and not of the answer.
pub(super) static OF_THE_TRANSFER: [HeaderName; 4] = [
    AGE,
    HeaderName::from_static("cache-status"),
    HeaderName::from_static("x-cache"),
    HeaderName::from_static("x-request-id"),
];

/// An answer as the store keeps it, with its coded forms.
pub struct StoredResponse {
    status: StatusCode,
    headers: HeaderMap,
    outline: Option<Arc<Outline>>,
    body: Bytes,
    tags: Arc<[Tag]>,
    fresh: Duration,
    http: Option<Box<HttpFacts>>,
    coded: [OnceLock<Option<CodedForm>>; Coding::ALL.len()],
    is_worth_coding: OnceLock<bool>,
    refreshing: AtomicBool,
    itself: Weak<StoredResponse>,
    store: Weak<ResponseStore>,
    key: Key,
    in_flight: Arc<InFlight>,
    /// Whether another stored answer has the same body now.
    is_succeeded: AtomicBool,
}

impl StoredResponse {
    /// Keeps an answer. Body and fields are copied into memory of exactly their size, because what they came
    /// in may be a small part of something large.
    pub(super) fn keep(
        response: &Response,
        body: &[u8],
        fresh: Duration,
        store: &Arc<ResponseStore>,
        key: &Key,
        in_flight: &Arc<InFlight>,
    ) -> Arc<Self> {
        let headers = own_fields(&response.headers);
        Arc::new_cyclic(|itself| Self {
            status: response.status,
            outline: Outline::of(&headers),
            headers,
            body: Bytes::copy_from_slice(body),
            tags: Arc::clone(&response.tags),
            fresh,
            http: None,
            coded: Default::default(),
            is_worth_coding: OnceLock::new(),
            refreshing: AtomicBool::new(false),
            itself: itself.clone(),
            store: Arc::downgrade(store),
            key: key.clone(),
            in_flight: Arc::clone(in_flight),
            is_succeeded: AtomicBool::new(false),
        })
    }

    /// Keeps an answer from an origin, with what is known of its reuse.
    pub(crate) fn of_origin(
        (status, headers, body): (StatusCode, &HeaderMap, Bytes),
        tags: &[Tag],
        facts: HttpFacts,
        store: &Arc<ResponseStore>,
        key: &Key,
        in_flight: &Arc<InFlight>,
    ) -> Arc<Self> {
        let headers = own_fields(headers);
        Arc::new_cyclic(|itself| Self {
            status,
            outline: Outline::of(&headers),
            headers,
            body,
            tags: tags.into(),
            fresh: facts.freshness.lifetime,
            http: Some(Box::new(facts)),
            coded: Default::default(),
            is_worth_coding: OnceLock::new(),
            refreshing: AtomicBool::new(false),
            itself: itself.clone(),
            store: Arc::downgrade(store),
            key: key.clone(),
            in_flight: Arc::clone(in_flight),
            is_succeeded: AtomicBool::new(false),
        })
    }

    /// What is known of an answer from an origin.
    pub(crate) fn http(&self) -> Option<&HttpFacts> {
        self.http.as_deref()
    }

    /// What it is stored under.
    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    /// The fields, without those of a transfer.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What it depends on.
    pub fn tags(&self) -> &Arc<[Tag]> {
        &self.tags
    }

    /// How long it is fresh.
    pub fn fresh(&self) -> Duration {
        self.fresh
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The identity form of the body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Notes that an answer has taken its place that may have the same body.
    pub(crate) fn is_followed_by(&self, other: &Self) {
        let is_same = self.body.as_ptr() == other.body.as_ptr();
        self.is_succeeded.store(is_same, Ordering::Relaxed);
    }

    /// Answers with it.
    pub(super) fn reuse(
        self: &Arc<Self>,
        verdict: Verdict,
        reason: Option<Reason>,
        reuse: &Reuse<'_>,
    ) -> Response {
        let age_s = reuse.age.as_secs();
        let mut ttl_s = (self.fresh.as_secs() as i64).saturating_sub(age_s as i64);
        if reuse.softened {
            ttl_s = ttl_s.min(0);
        }
        let cache = CacheFacts {
            verdict,
            stored: false,
            collapsed: false,
            ttl_s: Some(ttl_s),
            as_of: Some(reuse.snapshot.0),
            bound_ms: reuse.bound.map(|bound| u32::try_from(bound.as_millis()).unwrap_or(u32::MAX)),
            reason,
            ..CacheFacts::default()
        };
        let (headers, marked) = self.fields_at(age_s, &cache, reuse.observed_as);
        Response::from(ResponseFields {
            status: self.status,
            headers,
            body: Body::Full(self.body.clone()),
            lifetime: None,
            tags: Arc::clone(&self.tags),
            snapshot: Some(reuse.snapshot),
            is_personal: false,
            cache,
            marked,
            forms: Some(Arc::clone(self) as _),
            upgrade: None,
            problem: None,
        })
    }

    /// The fields of an answer with it at this age, and what they say already; see [`outline::lay_out`].
    pub(crate) fn fields_at(
        &self,
        age_s: u64,
        facts: &CacheFacts,
        observed_as: Option<&RequestId>,
    ) -> (HeaderMap, Option<CacheFacts>) {
        outline::lay_out(self.outline.as_deref(), &self.headers, age_s, facts, observed_as)
    }

    /// Claims the refresh of it; `None` while another claim is held.
    pub(crate) fn claim_refresh(self: &Arc<Self>) -> Option<RefreshClaim> {
        let taken = self.refreshing.swap(true, Ordering::AcqRel);
        (!taken).then(|| RefreshClaim(Arc::clone(self)))
    }

    fn slot(&self, coding: Coding) -> &OnceLock<Option<CodedForm>> {
        let place = Coding::ALL.iter().position(|known| *known == coding);
        &self.coded[place.expect("every coding is in the list")]
    }
}

/// The right to refresh a stored response, given back when dropped.
pub(crate) struct RefreshClaim(Arc<StoredResponse>);

impl Drop for RefreshClaim {
    fn drop(&mut self) {
        self.0.refreshing.store(false, Ordering::Release);
    }
}

impl Forms for StoredResponse {
    fn is_worth_coding(&self, judge: &dyn Fn() -> bool) -> bool {
        *self.is_worth_coding.get_or_init(judge)
    }

    fn get(&self, coding: Coding) -> KeptForm {
        match self.slot(coding).get() {
            None => KeptForm::Missing,
            Some(None) => KeptForm::Useless,
            Some(Some(form)) => KeptForm::Made(form.clone()),
        }
    }

    fn put(&self, coding: Coding, form: Option<CodedForm>) {
        if self.slot(coding).set(form).is_ok() {
            // The store counts true bytes, so it has to learn that there are more of them now.
            if let (Some(store), Some(itself)) = (self.store.upgrade(), self.itself.upgrade()) {
                store.reweigh(&self.key, &itself);
            }
        }
    }
}

impl Drop for StoredResponse {
    /// Whoever still sends it keeps it in memory, which no store counts any more.
    fn drop(&mut self) {
        let forms = self.coded.iter().filter_map(|slot| slot.get()?.as_ref());
        forms.for_each(|form| self.in_flight.leave(&form.body));
        if let Some(parts) = self.http.as_ref().and_then(|facts| facts.parts.as_ref()) {
            parts.pieces().for_each(|piece| self.in_flight.leave(piece));
        }
        if !self.is_succeeded.load(Ordering::Relaxed) {
            self.in_flight.leave(&self.body);
        }
    }
}

impl Weigh for StoredResponse {
    fn bytes(&self) -> u64 {
        let forms = self.coded.iter().filter_map(|slot| slot.get()?.as_ref());
        let coded: usize = forms
            .map(|form| form.body.len() + form.etag.as_ref().map_or(0, value_bytes) + SHARED_BYTES)
            .sum();
        let tags = 2 * size_of::<usize>() + size_of_val(&*self.tags);
        let http = self.http.as_ref().map_or(0, |facts| facts.bytes());
        (size_of::<Self>()
            + http
            + fields_bytes(&self.headers)
            + self.body.len()
            + SHARED_BYTES
            + tags
            + coded) as u64
    }
}

impl fmt::Debug for StoredResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredResponse")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .field("fresh", &self.fresh)
            .finish_non_exhaustive()
    }
}
