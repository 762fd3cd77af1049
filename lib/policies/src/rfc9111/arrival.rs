//! Answers on their way into the store: kept when all of the body has come.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG, EXPIRES, LAST_MODIFIED, VIA};
use http::{HeaderMap, HeaderName, StatusCode};
use kasoku_coherence::{Key, Snapshot};
use kasoku_http_caching::freshness::Freshness;
use kasoku_http_caching::partial::{Inserted as Merged, Parts};
use kasoku_http_caching::reason::Reason;
use kasoku_http_caching::storing::Refusal;
use kasoku_http_caching::vary::Varying;
use kasoku_pipeline::Request;

use super::fields::is_trace;
use super::second_tier::Ticket;
use super::shelf::{Keep, Kept, Shelf};
use super::view::Views;

/// Fields that say what a condition may have said.
const VALIDATORS: [HeaderName; 4] = [DATE, ETAG, EXPIRES, LAST_MODIFIED];

/// Values shorter than this prove nothing when an answer contains them.
const TELLING_BYTES: usize = 8;

/// A request as it was sent, to judge the answer by.
pub(super) struct Asked {
    pub(super) primary: Key,
    pub(super) request: Request,
    pub(super) snapshot: Snapshot,
    pub(super) sent: Instant,
    pub(super) ticket: Option<Box<dyn Ticket>>,
}

/// A head that has come back.
pub(super) struct Came {
    pub(super) at: SystemTime,
    pub(super) arrived: Instant,
}

impl Asked {
    pub(super) fn keep(
        &mut self,
        came: &Came,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        freshness: Freshness,
    ) -> Keep {
        Keep {
            status,
            headers,
            body,
            parts: None,
            freshness,
            snapshot: self.snapshot,
            arrived: came.arrived,
            ticket: self.ticket.take(),
        }
    }
}

/// An answer whose body is still to come.
pub(super) struct Arrival {
    pub(super) shelf: Arc<Shelf>,
    pub(super) asked: Asked,
    pub(super) keep: Keep,
}

impl Arrival {
    /// All of the body has come. It is kept as it is given, in memory of its own.
    pub(super) fn finish(mut self, body: Bytes) -> Kept {
        if repeats(&self.shelf.views, &self.asked.request, &self.keep.headers, &body) {
            return Kept::Not(Reason::Repeats);
        }
        if self.keep.status == StatusCode::PARTIAL_CONTENT {
            return self.finish_part(body);
        }
        self.keep.headers.remove(CONTENT_LENGTH);
        self.keep.body = body;
        self.shelf.keep(&self.asked.primary, &self.asked.request, self.keep)
    }

    /// A part is put together with what there is (§3.3, §3.4).
    fn finish_part(mut self, body: Bytes) -> Kept {
        let Ok(new) = Parts::of_response(self.keep.status, &self.keep.headers, body) else {
            return Kept::Not(Reason::NotStored(Refusal::ContentRangeInvalid));
        };
        let found = self.shelf.again(&self.asked.primary, self.keep.arrived);
        let merged = found
            .and_then(|found| found.facts().parts.clone())
            .and_then(|mut held| (held.merge(new.clone()) == Merged::Merged).then_some(held));
        let parts = merged.unwrap_or(new);
        self.keep.headers.remove(CONTENT_RANGE);
        self.keep.headers.remove(CONTENT_LENGTH);
        self.keep.status = StatusCode::OK;
        match parts.whole() {
            Some(pieces) => self.keep.body = Bytes::from(pieces.concat()),
            None => self.keep.parts = Some(parts),
        }
        self.shelf.keep(&self.asked.primary, &self.asked.request, self.keep)
    }
}

/// Whether an answer, or an update of one, says to all what this request alone said, in a field that is in no key. What
/// stands in the target is in the key.
pub(super) fn repeats(views: &Views, request: &Request, headers: &HeaderMap, body: &[u8]) -> bool {
    let target = request.uri.path_and_query().map_or("", |target| target.as_str());
    let varying = match Varying::of(headers) {
        Varying::By(names) => names,
        _ => Vec::new(),
    };
    let unkeyed = views.unkeyed(&request.headers).filter(|(name, _)| !varying.contains(name));
    let mut telling = unkeyed.map(|(_, value)| value.as_bytes()).filter(|said| {
        said.len() >= TELLING_BYTES && memchr::memmem::find(target.as_bytes(), said).is_none()
    });
    telling.any(|said| {
        let finder = memchr::memmem::Finder::new(said);
        finder.find(body).is_some()
            || headers.iter().any(|(name, value)| {
                // A caller's validator comes back where a condition was not evaluated. Proxies of one kind have one
                // name. What a request is called is not kept.
                let may_repeat = VALIDATORS.contains(name) || *name == VIA || is_trace(name.as_str());
                !may_repeat && finder.find(value.as_bytes()).is_some()
            })
    })
}
