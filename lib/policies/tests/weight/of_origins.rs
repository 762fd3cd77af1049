//! Answers of origins: fields as a client reads them, bodies in pieces, variants, parts, and what was validated.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::header::RANGE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use kasoku_cache_store::Purge;
use kasoku_coherence::Sequence;
use kasoku_pipeline::{
    Body, BodyError, BoxFuture, Outcome, Pipeline, Promises, Request, Response, Source, Stack, first,
};
use kasoku_policies::Surroundings;
use kasoku_policies::cache::ResponseStore;
use kasoku_policies::collapse::Collapse;
use kasoku_policies::rfc9111::{AUTHORITY_PART, HttpCacheRules, pair};

use super::{ALONE, bytes_in_use, compare};

/// What a client reads from a connection at a time. What it reads is handed out as slices of that.
const READ_BYTES: usize = 8_192;

/// An origin whose answers are all alike, but for which part of the content is asked for.
struct Origin {
    promises: Promises,
    fields: Vec<(&'static str, &'static str)>,
    content_bytes: usize,
    /// Whether it says that nothing has changed.
    validates: bool,
    answers: AtomicU64,
}

impl Source for Origin {
    fn promises(&self) -> &Promises {
        &self.promises
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        self.answers.fetch_add(1, Ordering::Relaxed);
        let answer = self.answer_to(&request);
        Box::pin(async { Ok(answer) })
    }
}

impl Origin {
    fn answer_to(&self, request: &Request) -> Response {
        if self.validates && request.headers.contains_key("if-none-match") {
            let mut response = Response::new(StatusCode::NOT_MODIFIED, Body::Empty);
            response.headers = as_read(&self.fields);
            return response;
        }
        let content = Bytes::from(vec![b'.'; self.content_bytes]);
        let range = request.headers.get(RANGE).map(|range| range.to_str().unwrap().to_owned());
        let (status, content_range, content) = match range {
            None => (StatusCode::OK, None, content),
            Some(range) => {
                let (from, to) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
                let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
                let told = format!("bytes {from}-{to}/{}", content.len());
                (StatusCode::PARTIAL_CONTENT, Some(told), content.slice(from..=to))
            }
        };
        let mut response = Response::new(status, in_pieces(&content));
        response.headers = as_read(&self.fields);
        if let Some(told) = content_range {
            response.headers.insert("content-range", told.parse().unwrap());
        }
        response
    }
}

/// Fields whose values are slices of what was read.
fn as_read(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut read = BytesMut::with_capacity(READ_BYTES);
    let mut places = Vec::new();
    for (name, value) in fields {
        places.push((HeaderName::from_static(name), read.len()..read.len() + value.len()));
        read.extend_from_slice(value.as_bytes());
    }
    read.resize(READ_BYTES, b' ');
    let read = read.freeze();
    let value = |place| HeaderValue::from_maybe_shared(read.slice(place)).unwrap();
    places.into_iter().map(|(name, place)| (name, value(place))).collect()
}

/// A body as it comes, each piece a slice of what was read.
fn in_pieces(content: &[u8]) -> Body {
    let pieces = content.chunks(READ_BYTES / 2).map(|piece| {
        let mut read = BytesMut::with_capacity(READ_BYTES);
        read.extend_from_slice(piece);
        Ok::<_, BodyError>(Frame::data(read.freeze()))
    });
    Body::stream(StreamBody::new(stream::iter(pieces.collect::<Vec<_>>())))
}

/// Answers that are alike, and how many are expected.
struct Alike<'a> {
    what: &'a str,
    fields: &'a [(&'static str, &'static str)],
    content_bytes: usize,
    validates: bool,
    /// How often the origin is asked, and how many entries there are then.
    expected: (u64, u64),
}

type Asked = (String, Vec<(&'static str, String)>);

/// Asks an origin for these things, does something to the store, and compares what was taken with what the store says.
async fn check(
    alike: Alike<'_>,
    requests: impl IntoIterator<Item = Asked>,
    then: impl FnOnce(&ResponseStore),
) {
    let Alike { what, fields, content_bytes, validates, expected } = alike;
    let store = Arc::new(ResponseStore::new(256 << 20, Arc::new(Sequence::new())));
    let (promises, fields) = (Promises::none(), fields.to_vec());
    let origin = Arc::new(Origin { promises, fields, content_bytes, validates, answers: AtomicU64::new(0) });
    let (cache, fill, changes) = pair(HttpCacheRules::default(), &store, &Surroundings::quiet(0, "/"), None);
    let collapse = Collapse::new(&Promises::none(), changes);
    let pipeline = first(cache).then(collapse).then(fill).finally(Arc::clone(&origin) as _);
    ask(&pipeline, "/first".to_owned(), Vec::new()).await;
    let (used_before, said_before) = (bytes_in_use(), store.stats().bytes);
    let entries_before = store.stats().entries;
    let answers_before = origin.answers.load(Ordering::Relaxed);
    for (target, fields) in requests {
        ask(&pipeline, target, fields).await;
    }
    then(&store);
    let answers = origin.answers.load(Ordering::Relaxed) - answers_before;
    let entries = store.stats().entries - entries_before;
    assert_eq!((answers, entries), expected, "{what}");
    let used = bytes_in_use() - used_before;
    compare(used / entries, (store.stats().bytes - said_before) / entries, what);
}

async fn ask(pipeline: &Arc<dyn Pipeline>, target: String, fields: Vec<(&'static str, String)>) {
    let mut request = Request::get(&target);
    request.headers.insert("host", HeaderValue::from_static("origin.example"));
    for (name, value) in fields {
        request.headers.insert(name, value.parse().unwrap());
    }
    let response = pipeline.run(request).await.expect("the origin answers");
    response.into_fields().body.drain().await;
}

const USUAL: [(&str, &str); 6] = [
    ("cache-control", "public, max-age=3600, stale-while-revalidate=60"),
    ("content-type", "application/json; charset=utf-8"),
    ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("etag", "\"0123456789abcdef\""),
    ("x-name-of-our-own", "and a value"),
    ("x-served-by", "one of many"),
];

const FOR_CACHES: [(&str, &str); 3] = [
    ("cache-control", "max-age=3600"),
    ("surrogate-key", "one two three four five six seven"),
    ("kasoku-cache-control", "max-age=600"),
];

const VARYING: [(&str, &str); 3] = [
    ("cache-control", "max-age=3600"),
    ("etag", "\"0123456789abcdef\""),
    ("vary", "accept-language, x-plan"),
];

const WITHHOLDING: [(&str, &str); 2] =
    [("cache-control", "max-age=3600, private=\"x-one, x-two, x-three\""), ("x-one", "1")];

fn targets(count: u64) -> impl Iterator<Item = Asked> {
    (0..count).map(|number| (format!("/items/{number}?of=many&things=that&are=asked+for"), Vec::new()))
}

#[tokio::test]
async fn whole_answers_weigh_what_they_take() {
    let _alone = ALONE.lock().await;
    for (what, fields, content_bytes) in [
        ("no content", USUAL.as_slice(), 0),
        ("one byte", &USUAL, 1),
        ("a few bytes", &USUAL, 300),
        ("many bytes", &USUAL, 20_000),
        ("fields for caches", &FOR_CACHES, 300),
        ("withheld fields", &WITHHOLDING, 300),
    ] {
        let alike = Alike { what, fields, content_bytes, validates: false, expected: (150, 150) };
        check(alike, targets(150), |_| ()).await;
    }
}

#[tokio::test]
async fn answers_that_were_validated_weigh_what_they_take() {
    let _alone = ALONE.lock().await;
    let again = |(target, _): Asked| (target, vec![("cache-control", "no-cache".to_owned())]);
    let fields = &[USUAL.as_slice(), &FOR_CACHES[1..]].concat();
    let alike =
        Alike { what: "validated", fields, content_bytes: 300, validates: true, expected: (200, 100) };
    check(alike, targets(100).chain(targets(100).map(again)), |_| ()).await;
}

#[tokio::test]
async fn variants_weigh_what_they_take_and_so_do_their_names_when_they_are_gone() {
    const EACH: u64 = 64;
    let _alone = ALONE.lock().await;
    let variants = |longer: usize, (target, _): Asked| {
        let target = format!("{target}&{}", "x".repeat(longer));
        (0..EACH).map(move |number| (target.clone(), vec![("accept-language", language(number))]))
    };
    let all = |longer| targets(20).flat_map(move |asked| variants(longer, asked));
    let alike = |what, entries| Alike {
        what,
        fields: &VARYING,
        content_bytes: 40,
        validates: false,
        expected: (20 * EACH, entries),
    };
    check(alike("variants", 20 * EACH), all(0), |_| ()).await;
    let without_variants = |store: &ResponseStore| {
        assert_eq!(store.purge_prefix(AUTHORITY_PART + 1, b"vary", Purge::Hard), 20 * (EACH - 1));
    };
    check(alike("variants that are gone", 20), all(2_000), without_variants).await;
}

/// Any language that is usual, so that it is not part of the primary key.
fn language(number: u64) -> String {
    let letter = |number: u64| char::from(b'a' + (number % 26) as u8);
    format!("{}{}", letter(number / 26), letter(number))
}

#[tokio::test]
async fn parts_weigh_what_they_take() {
    let _alone = ALONE.lock().await;
    // How many, how far apart, and how long.
    for (what, count, apart, bytes) in [
        ("small parts", 100, 2_000, 10),
        ("large parts", 20, 30_000, 20_000),
        ("parts that bring one new byte each", 40, 1, 100_000),
    ] {
        let alike = Alike {
            what,
            fields: &USUAL,
            content_bytes: 1 << 20,
            validates: false,
            expected: (4 * count, 4),
        };
        let of_each = |(target, _): Asked| {
            let range = |first: u64| vec![("range", format!("bytes={first}-{}", first + bytes - 1))];
            (0..count).map(move |place| (target.clone(), range(place * apart)))
        };
        check(alike, targets(4).flat_map(of_each), |_| ()).await;
    }
}
