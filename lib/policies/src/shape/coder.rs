//! Puts an answer into the coding that the caller likes best, each form made once.

use std::sync::Arc;
use std::thread::available_parallelism;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, ETAG};
use kasoku_http_caching::coding::{Coding, Wish};
use kasoku_http_caching::entity_tag;
use kasoku_pipeline::{Body, CodedForm, KeptForm, Response};
use tokio::sync::Semaphore;

use crate::coding::encode;

/// Bodies above this are coded by a thread of their own, so that other requests do not wait for it.
const INLINE_BYTES_MAX: usize = 32 * 1024;

/// Codes bodies.
pub(super) struct Coder {
    /// Bounds the threads that code large bodies.
    threads: Arc<Semaphore>,
}

impl Coder {
    pub(super) fn new() -> Self {
        let threads = available_parallelism().map_or(1, std::num::NonZero::get);
        Self { threads: Arc::new(Semaphore::new(threads)) }
    }

    /// The answer in the coding of the wish, if that makes it smaller or identity is refused; else as it is,
    /// also for a caller that refuses identity where nothing else can be made (RFC 9110 §12.4.1 allows that).
    pub(super) async fn code(&self, response: Response, wish: Wish) -> Response {
        let (Some(coding), Body::Full(body)) = (wish.best(), &response.body) else {
            return response;
        };
        match response.forms.as_ref().map_or(KeptForm::Missing, |forms| forms.get(coding)) {
            KeptForm::Made(form) => apply(response, coding, form),
            KeptForm::Useless if !wish.identity_refused => response,
            KeptForm::Useless | KeptForm::Missing => {
                let body = body.clone();
                Box::pin(self.make(response, body, coding, wish)).await
            }
        }
    }

    async fn make(&self, response: Response, body: Bytes, coding: Coding, wish: Wish) -> Response {
        let identity_bytes = body.len();
        let Some(coded) = self.encoded(body, coding, wish).await else {
            return response;
        };
        let smaller = coded.len() < identity_bytes;
        let etag = response.headers.get(ETAG).map(|tag| entity_tag::of_coded(tag, coding));
        let form = CodedForm { body: coded, etag };
        if let Some(forms) = &response.forms {
            forms.put(coding, smaller.then(|| form.clone()));
        }
        if smaller || wish.identity_refused { apply(response, coding, form) } else { response }
    }

    /// `None` if all threads are busy with other bodies: then the identity form is sent this time.
    async fn encoded(&self, body: Bytes, coding: Coding, wish: Wish) -> Option<Bytes> {
        if body.len() <= INLINE_BYTES_MAX {
            return encode(&body, coding).ok();
        }
        let threads = Arc::clone(&self.threads);
        let place = match threads.try_acquire_owned() {
            Ok(place) => place,
            Err(_) if wish.identity_refused => Arc::clone(&self.threads).acquire_owned().await.ok()?,
            Err(_) => return None,
        };
        let work = tokio::task::spawn_blocking(move || {
            let _place = place;
            encode(&body, coding).ok()
        });
        work.await.ok().flatten()
    }
}

fn apply(mut response: Response, coding: Coding, form: CodedForm) -> Response {
    let headers = &mut response.headers;
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
    headers.remove(CONTENT_LENGTH);
    if let Some(etag) = form.etag {
        headers.insert(ETAG, etag);
    }
    response.body = Body::Full(form.body);
    response
}
