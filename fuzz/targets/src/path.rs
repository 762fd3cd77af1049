//! Paths: routed, decoded, looked for in a folder; ranges of what is there.
//!
//! The lines are a request's target, its `Range`, `If-Range` and `Accept-Encoding`. Holds for every input: nothing
//! outside of the folder is answered, no range makes an answer larger than the file and its frame, no redirect leads
//! to another host, and what fails is the caller's fault.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT_ENCODING, CONTENT_RANGE, IF_RANGE, LOCATION, RANGE};
use http::{HeaderValue, Method, StatusCode, Uri};
use http_body_util::BodyExt as _;
use kasoku_observe::RouteName;
use kasoku_pipeline::{Next, Outcome, Pipeline, Policy, Request, Source, Stack, first};
use kasoku_problem::Fault;
use kasoku_server::{Route, Routed, Router, Takes};
use kasoku_source_files::{FilesRules, FilesSource};

use crate::parts::lines;

/// Takes any bytes.
pub fn run(input: &[u8]) {
    let [target, range, if_range, accepted] = lines(input);
    let Ok(uri) = Uri::try_from(target) else { return };
    let mut request = Request::new(Method::GET, uri);
    for (name, value) in [(RANGE, range), (IF_RANGE, if_range), (ACCEPT_ENCODING, accepted)] {
        if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_bytes(value)) {
            request.headers.append(name, value);
        }
    }
    SITE.with(|site| site.runtime.block_on(answered(site, request)));
}

async fn answered(site: &Site, mut request: Request) {
    let path = request.uri.path().to_owned();
    let pipeline = match site.router.find(&path) {
        Routed::Pipeline(pipeline, params) => {
            request.params = params;
            pipeline
        }
        Routed::Open(pipeline) | Routed::Elsewhere(pipeline) => pipeline,
        Routed::Health => return,
    };
    let response = match pipeline.run(request).await {
        Ok(response) => response.into_fields(),
        Err(failure) => {
            assert_eq!(failure.problem.kind().fault(), Fault::Caller, "{path}: {failure:?}");
            return;
        }
    };
    if let Some(location) = response.headers.get(LOCATION) {
        let location = location.as_bytes();
        let elsewhere = location.starts_with(b"//") || location.starts_with(b"/\\");
        assert!(location.starts_with(b"./") || (location.starts_with(b"/") && !elsewhere), "{location:?}");
    }
    let body = response.body.collect().await.expect("the file is read").to_bytes();
    assert!(!body.windows(OUTSIDE.len()).any(|part| part == OUTSIDE), "{path} leads out of the folder");
    match response.status {
        StatusCode::OK | StatusCode::PERMANENT_REDIRECT => {}
        StatusCode::PARTIAL_CONTENT => {
            let several = !response.headers.contains_key(CONTENT_RANGE);
            let most = CONTENT.len() + if several { 17 * FRAME_BYTES_MOST } else { 0 };
            assert!(body.len() <= most, "{} bytes of {path}", body.len());
        }
        other => panic!("{other} of {path}"),
    }
}

/// What no answer holds.
const OUTSIDE: &[u8] = b"this is not served";

/// The largest file of the folder.
const CONTENT: &[u8] = &[b'x'; 1_000];

/// What a part of several has around it, generously.
const FRAME_BYTES_MOST: usize = 256;

struct Site {
    router: Router,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

thread_local! {
    // Of the thread, so that its end takes the folder away.
    static SITE: Site = site();
}

fn site() -> Site {
    let folder = tempfile::tempdir().expect("a folder");
    let served = folder.path().join("served");
    let write = |path: &Path, content: &[u8]| std::fs::write(path, content).expect("a file is written");
    std::fs::create_dir_all(served.join("deep/er")).expect("folders are made");
    write(&folder.path().join("secret.txt"), OUTSIDE);
    write(&served.join(".hidden"), OUTSIDE);
    for name in ["index.html", "a.txt", "deep/b c.json", "deep/er/é.css"] {
        write(&served.join(name), CONTENT);
    }
    write(&served.join("a.txt.gz"), b"shorter");
    let rules =
        FilesRules { folder: served, index: "index.html".into(), fallback: None, max_age: Duration::ZERO };
    let source: Arc<dyn Source> = Arc::new(FilesSource::new(rules));
    let patterns =
        ["/", "/v1/items/{key}", "/v1/items/{key}/{other}/", "/files/{*rest}", "/{{x}}/{y}", "/deep"];
    let route = |(index, pattern): (usize, &&str)| Route {
        pattern: (*pattern).to_owned(),
        name: RouteName { index, pattern: (*pattern).into() },
        takes: Takes::Known,
        pipeline: around(Arc::clone(&source)),
    };
    let router = Router::new(patterns.iter().enumerate().map(route).collect(), around);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Site {
        router: router.expect("the patterns are sound"),
        runtime: runtime.expect("a runtime starts"),
        _folder: folder,
    }
}

/// A policy that does nothing, so that a pipeline can be made.
struct Plain;

impl Policy for Plain {
    async fn around<N: Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
        next.run(request).await
    }
}

fn around(source: Arc<dyn Source>) -> Arc<dyn Pipeline> {
    first(Plain).finally(source)
}
