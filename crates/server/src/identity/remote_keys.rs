//! The public keys of an issuer, fetched from where it publishes them.
//!
//! They are fetched at the start, now and then, and when a token names one that is not known; the last at most once in a
//! while, since anybody can make up a name. Keys that were had stay in use while the issuer cannot be reached.

use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http::header::{ACCEPT, HOST, HeaderValue};
use http::uri::PathAndQuery;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use kasoku_observe::{Observation, Observer};
use kasoku_origin_client::{Client, ClientSettings, ExtraRoots, Protocol, Server};
use kasoku_pipeline::BoxFuture;
use kasoku_policies::identify::{DOCUMENT_BYTES_MAX, KeySet, KeySource};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

/// How often keys are fetched anew.
const REFRESH: Duration = Duration::from_mins(10);
/// A fetch may take this long.
const FETCH_MAX: Duration = Duration::from_secs(5);
/// Between two fetches because of a token, once there are keys; until then it is the next.
const THROTTLE: Duration = Duration::from_secs(10);
/// Between two fetches that fail, at first and at the most.
const RETRIES: [Duration; 2] = [Duration::from_secs(1), Duration::from_mins(1)];

/// See the module.
pub(super) struct RemoteKeys {
    client: Client,
    host: HeaderValue,
    path: PathAndQuery,
    keys: ArcSwapOption<KeySet>,
    /// When a fetch began last; held while one goes on.
    last: Mutex<Option<Instant>>,
    observer: Arc<dyn Observer>,
    asks: bool,
}

/// Why there are no new keys.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("the issuer cannot be asked: {0}")]
    Send(String),
    #[error("the issuer answers {0}")]
    Status(StatusCode),
    #[error("the issuer's answer broke off: {0}")]
    Body(String),
    #[error("the issuer's answer is of no use: {0}")]
    Document(String),
    #[error("the issuer took longer than {FETCH_MAX:?}")]
    Timeout,
}

impl RemoteKeys {
    /// Those at this URL, which was checked. Nothing is fetched where nobody is to be asked.
    pub(super) fn of(url: &Uri, observer: &Arc<dyn Observer>, asks: bool) -> Arc<dyn KeySource> {
        let authority = url.authority().expect("the URL was checked");
        let server = format!("{}://{authority}", url.scheme_str().expect("the URL was checked"));
        let settings = ClientSettings {
            servers: vec![server.parse::<Server>().expect("the URL was checked")],
            protocol: Protocol::Negotiated,
            connect_timeout: FETCH_MAX,
            first_byte_timeout: FETCH_MAX,
            between_bytes_timeout: FETCH_MAX,
            idle_timeout: Duration::from_secs(30),
            connections_max: 2,
            extra_roots: ExtraRoots::default(),
        };
        let keys = Arc::new(Self {
            client: Client::new(settings, observer),
            host: HeaderValue::from_str(authority.as_str())
                .expect("an authority is made of visible characters"),
            path: url.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")),
            keys: ArcSwapOption::empty(),
            last: Mutex::default(),
            observer: Arc::clone(observer),
            asks,
        });
        if asks {
            tokio::spawn(refresh(Arc::downgrade(&keys)));
        }
        keys
    }

    /// Fetches the keys, unless that was done within this time.
    async fn fetch(&self, unless_within: Duration) -> Result<(), FetchError> {
        let mut last = self.last.lock().await;
        if last.is_some_and(|last| last.elapsed() < unless_within) {
            return Ok(());
        }
        *last = Some(Instant::now());
        let fetched = timeout(FETCH_MAX, self.document()).await.unwrap_or(Err(FetchError::Timeout));
        match &fetched {
            Ok(keys) => {
                self.keys.store(Some(Arc::clone(keys)));
                self.observer.observe(&Observation::IssuerKeys { error: None });
            }
            Err(error) => self.observer.observe(&Observation::IssuerKeys { error: Some(error) }),
        }
        fetched.map(|_| ())
    }

    async fn document(&self) -> Result<Arc<KeySet>, FetchError> {
        let request = Request::get(self.path.as_str())
            .header(HOST, self.host.clone())
            .header(ACCEPT, "application/jwk-set+json, application/json")
            .body(Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync());
        let request = request.map_err(|error| FetchError::Send(error.to_string()))?;
        let answer = self.client.send(request).await.map_err(|error| FetchError::Send(error.to_string()))?;
        if answer.head.status != StatusCode::OK {
            return Err(FetchError::Status(answer.head.status));
        }
        let (mut body, mut text) = (answer.body, BytesMut::new());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| FetchError::Body(error.to_string()))?;
            text.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
            if text.len() > DOCUMENT_BYTES_MAX {
                return Err(FetchError::Document("it is too long".to_owned()));
            }
        }
        let text = std::str::from_utf8(&text).map_err(|error| FetchError::Document(error.to_string()))?;
        let keys = KeySet::of_document(text).map_err(|fault| FetchError::Document(fault.to_string()))?;
        Ok(Arc::new(keys))
    }
}

impl KeySource for RemoteKeys {
    fn current(&self) -> Option<Arc<KeySet>> {
        self.keys.load_full()
    }

    fn ask_again(&self) -> BoxFuture<'_, ()> {
        if !self.asks {
            return std::future::ready(()).boxed();
        }
        let throttle = if self.keys.load().is_some() { THROTTLE } else { RETRIES[0] };
        // What went wrong was told to the operator.
        self.fetch(throttle).map(|_| ()).boxed()
    }
}

/// Fetches the keys as long as anybody uses them.
async fn refresh(keys: Weak<RemoteKeys>) {
    let mut retry = RETRIES[0];
    while let Some(keys) = keys.upgrade() {
        let wait = if keys.fetch(Duration::ZERO).await.is_ok() {
            retry = RETRIES[0];
            REFRESH
        } else {
            let longer = (retry * 2).min(RETRIES[1]);
            std::mem::replace(&mut retry, longer)
        };
        drop(keys);
        sleep(wait).await;
    }
}
