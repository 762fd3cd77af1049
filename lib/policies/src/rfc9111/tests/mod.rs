//! Conversations between callers, the cache and an origin, clause by clause.

mod invalidation;
mod parts;
mod queries;
mod reuse;
mod safety;
mod sharing;
mod stale;
mod storing;
mod validation;
mod variants;

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use kasoku_coherence::Sequence;
use kasoku_pipeline::{Body, Pipeline, Promises, Response, Stack, first};
use kasoku_problem::Kind;

use super::*;
use crate::collapse::Collapse;
use crate::doubles::{ScriptedSource, Stage};

/// Fields of a request or of an answer.
type Fields<'a> = &'a [(&'static str, &'a str)];

/// What the origin says, in turn.
#[derive(Clone)]
struct Says {
    status: u16,
    fields: Vec<(&'static str, String)>,
    body: String,
}

fn says(status: u16, fields: Fields<'_>, body: &str) -> Says {
    let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Says { status, fields, body: body.to_owned() }
}

fn ok(fields: Fields<'_>, body: &str) -> Says {
    says(200, fields, body)
}

/// A cache between a caller and an origin that says these things one after the other, and then the last one again.
struct Stand {
    stage: Stage,
    store: Arc<ResponseStore>,
    pipeline: Arc<dyn Pipeline>,
    origin: Arc<ScriptedSource>,
}

/// What a caller got.
#[derive(Debug)]
struct Got {
    status: u16,
    headers: HeaderMap,
    body: String,
    cache: CacheFacts,
}

impl Stand {
    fn new(script: &[Says]) -> Self {
        Self::ruled(HttpCacheRules::default(), script)
    }

    fn ruled(rules: HttpCacheRules, script: &[Says]) -> Self {
        let script = script.to_vec();
        Self::over(
            rules,
            ScriptedSource::promising(Promises::none(), move |count, _| {
                let says = script[count.min(script.len() - 1)].clone();
                async move { says.answer() }
            }),
        )
    }

    fn over(rules: HttpCacheRules, origin: Arc<ScriptedSource>) -> Self {
        let stage = Stage::new();
        let store = Arc::new(ResponseStore::new(16 << 20, Arc::new(Sequence::new())));
        let (cache, fill, changes) = pair(rules, &store, &stage.surroundings, None);
        let collapse = Collapse::new(&Promises::none(), changes);
        let pipeline = first(cache).then(collapse).then(fill).finally(Arc::clone(&origin) as _);
        Self { stage, store, pipeline, origin }
    }

    async fn get(&self, fields: Fields<'_>) -> Got {
        self.ask("GET", "/a", fields).await
    }

    async fn ask(&self, method: &str, target: &str, fields: Fields<'_>) -> Got {
        Got::of(self.pipeline.run(request(method, target, fields)).await).await
    }

    fn wait(&self, seconds: u64) {
        self.stage.clock.advance(Duration::from_secs(seconds));
    }

    /// Fields of the request that the origin saw last.
    fn seen(&self, name: &str) -> Option<String> {
        let heads = self.origin.heads();
        let (_, headers) = heads.last().expect("the origin was asked");
        headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    /// An HTTP date, so many seconds from now.
    fn date(&self, seconds: i64) -> String {
        let now = self.stage.surroundings.clock.wall();
        let by = Duration::from_secs(seconds.unsigned_abs());
        httpdate::fmt_http_date(if seconds < 0 { now - by } else { now + by })
    }
}

impl Says {
    fn answer(self) -> Outcome {
        if self.status == 0 {
            return Err(Kind::Unavailable.into());
        }
        let status = StatusCode::from_u16(self.status).unwrap();
        let chunks: Vec<_> = self.body.as_bytes().chunks(3).map(<[u8]>::to_vec).collect();
        let body = if chunks.is_empty() { Body::Empty } else { stream(chunks) };
        let mut response = Response::new(status, body);
        for (name, value) in &self.fields {
            response.headers.append(*name, value.parse().unwrap());
        }
        Ok(response)
    }
}

/// A body in pieces, as they come from an origin.
fn stream(chunks: Vec<Vec<u8>>) -> Body {
    let frames = chunks
        .into_iter()
        .map(|chunk| Ok::<_, kasoku_pipeline::BodyError>(http_body::Frame::data(chunk.into())));
    Body::stream(http_body_util::StreamBody::new(futures_util::stream::iter(frames.collect::<Vec<_>>())))
}

fn request(method: &str, target: &str, fields: Fields<'_>) -> Request {
    let mut request = Request::new(method.parse().unwrap(), target.parse().unwrap());
    request.headers.insert("host", "origin.example".parse().unwrap());
    for (name, value) in fields {
        request.headers.append(*name, value.parse().unwrap());
    }
    request
}

impl Got {
    async fn of(outcome: Outcome) -> Self {
        match outcome {
            Ok(response) => {
                let fields = response.into_fields();
                let body = fields.body.collect().await.unwrap().to_bytes();
                Self {
                    status: fields.status.as_u16(),
                    headers: fields.headers,
                    body: String::from_utf8(body.to_vec()).unwrap(),
                    cache: fields.cache,
                }
            }
            Err(failure) => Self {
                status: failure.problem.kind().status().as_u16(),
                headers: HeaderMap::new(),
                body: String::new(),
                cache: failure.cache,
            },
        }
    }

    fn field(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn reason(&self) -> &'static str {
        self.cache.reason.map_or("", Reason::token)
    }

    fn is_hit(&self) -> bool {
        self.cache.verdict == Verdict::Hit
    }
}

/// Asks twice, `wait` seconds apart; whether the second time was answered from what is stored.
async fn is_reused(answer: Fields<'_>, wait: u64, second: Fields<'_>) -> bool {
    let stand = Stand::new(&[ok(answer, "one"), ok(answer, "two")]);
    stand.get(&[]).await;
    stand.wait(wait);
    let got = stand.get(second).await;
    assert_eq!(got.is_hit(), stand.origin.asked() == 1, "{:?}", got.cache);
    got.is_hit()
}
