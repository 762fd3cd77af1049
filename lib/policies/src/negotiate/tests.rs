//! Negotiation: many spellings of one choice are one stored answer, and refusals come before what is stored.

use std::time::Duration;

use http::header::ACCEPT;
use http::{HeaderValue, Method};
use kasoku_coherence::Sequence;
use kasoku_pipeline::{BoxFuture, Promises, Response, Stack, first};
use kasoku_problem::{Kind, Problem};

use super::*;
use crate::cache::{Cache, CacheRules, Fill, ResponseStore};
use crate::doubles::{ScriptedSource, Stage, get_with, readable, reads, text};

const RULES: CacheRules = CacheRules {
    fresh: Duration::from_secs(10),
    stale_while_revalidate: Duration::ZERO,
    stale_if_error: Duration::ZERO,
    client: Duration::ZERO,
    body_bytes_max: 10_000,
};

/// Answers in letters or in digits, and refuses what is neither.
struct Lettered(Arc<ScriptedSource>);

impl Source for Lettered {
    fn promises(&self) -> &Promises {
        self.0.promises()
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        self.0.answer(request)
    }

    fn negotiate(&self, request: &mut Request) -> Result<(), Problem> {
        let digits = match request.headers.get(ACCEPT).map(HeaderValue::as_bytes) {
            None | Some(b"letters" | b"LETTERS" | b"*") => false,
            Some(b"digits" | b"DIGITS") => true,
            Some(_) => return Err(Kind::NotAcceptable.into()),
        };
        request.headers.remove(ACCEPT);
        if digits {
            request.headers.insert(ACCEPT, HeaderValue::from_static("digits"));
        }
        Ok(())
    }
}

#[tokio::test]
async fn spellings_of_one_choice_share_an_answer_and_what_is_refused_is_refused_though_it_is_stored() {
    let stage = Stage::new();
    let promises = Promises { methods: vec![Method::GET], vary: vec![ACCEPT], ..reads() };
    let sequence = Arc::new(Sequence::new());
    let store = Arc::new(ResponseStore::new(1 << 20, Arc::clone(&sequence)));
    let scripted = ScriptedSource::promising(promises.clone(), move |_, request| {
        let said = request.headers.get(ACCEPT).map_or("letters", |value| value.to_str().unwrap()).to_owned();
        let snapshot = sequence.snapshot();
        async move { Ok::<Response, _>(readable(said, snapshot)) }
    });
    let source: Arc<dyn Source> = Arc::new(Lettered(Arc::clone(&scripted)));
    let pipeline = first(Negotiate::new(&source))
        .then(Cache::new(RULES, &promises, &store, &stage.surroundings))
        .then(Fill::new(RULES, &store, &stage.surroundings))
        .finally(source);
    for (accept, expected, asked) in [
        (None, Some("letters"), 1),
        (Some("*"), Some("letters"), 1),
        (Some("LETTERS"), Some("letters"), 1),
        (Some("DIGITS"), Some("digits"), 2),
        (Some("digits"), Some("digits"), 2),
        (Some("pictures"), None, 2),
        (Some("letters"), Some("letters"), 2),
    ] {
        let fields: Vec<_> = accept.map(|accept| ("accept", accept)).into_iter().collect();
        let outcome = pipeline.run(get_with("/", &fields)).await;
        assert_eq!(outcome.as_ref().ok().map(text), expected, "{accept:?}");
        assert_eq!(scripted.asked(), asked, "{accept:?}");
        if let Err(failure) = outcome {
            assert_eq!(failure.problem.kind(), Kind::NotAcceptable);
        }
    }
}
