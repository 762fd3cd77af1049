//! Which path leads where.

use std::sync::Arc;

use futures_util::FutureExt;
use kasoku_pipeline::{Body, Response, Stack, first};
use proptest::prelude::*;

use super::*;

/// A policy that does nothing, so that a pipeline can be made.
struct Plain;

impl kasoku_pipeline::Policy for Plain {
    async fn around<N: kasoku_pipeline::Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
        next.run(request).await
    }
}

/// Answers with the pattern and the parameters.
struct Echo(&'static str);

impl Source for Echo {
    fn promises(&self) -> &Promises {
        const { &Promises::none() }
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        let mut text = self.0.to_owned();
        for (name, value) in request.params.iter() {
            text.extend([" ", name, "=", value]);
        }
        Box::pin(async { Ok(Response::ok(Body::from(text.into_bytes()))) })
    }
}

fn around(source: Arc<dyn Source>) -> Arc<dyn Pipeline> {
    first(Plain).finally(source)
}

fn route(index: usize, pattern: &'static str) -> Route {
    let name = RouteName { index, pattern: pattern.into() };
    Route { pattern: pattern.into(), name, takes: Takes::Known, pipeline: around(Arc::new(Echo(pattern))) }
}

fn router() -> Router {
    let patterns = [
        "/",
        "/v1/items",
        "/v1/items/{key}",
        "/v1/items/stats",
        "/a/{b}/c/{d}",
        "/{*rest}",
        "/only/",
        "/{{x}}/{y}",
        "/b}}/{y}",
    ];
    let routes = patterns.iter().enumerate().map(|(index, pattern)| route(index, pattern)).collect();
    Router::new(routes, around).unwrap()
}

/// What is answered at a target: the echo, or the status and where it leads.
fn answer(router: &Router, target: &str) -> String {
    let mut request = Request::get(target);
    let path = request.uri.path().to_owned();
    let pipeline = match router.find(&path) {
        Routed::Health => return "health".into(),
        Routed::Elsewhere(pipeline) | Routed::Open(pipeline) => pipeline,
        Routed::Pipeline(pipeline, params) => {
            request.params = params;
            pipeline
        }
    };
    match pipeline.run(request).now_or_never().unwrap() {
        Ok(response) if response.status == 200 => {
            String::from_utf8(response.body.bytes().unwrap().to_vec()).unwrap()
        }
        Ok(response) => {
            format!("{} {}", response.status.as_u16(), response.headers["location"].to_str().unwrap())
        }
        Err(failure) => failure.problem.kind().status().as_u16().to_string(),
    }
}

#[test]
fn a_path_leads_to_the_most_precise_pattern() {
    let router = router();
    for (target, expected) in [
        ("/", "/"),
        ("/health", "health"),
        ("/health?x=y", "health"),
        ("/v1/items?order=id", "/v1/items"),
        ("/v1/items/7", "/v1/items/{key} key=7"),
        ("/v1/items/stats", "/v1/items/stats"),
        ("/a/1/c/2", "/a/{b}/c/{d} b=1 d=2"),
        ("/other/path", "/{*rest} rest=other/path"),
        ("/{x}/1", "/{{x}}/{y} y=1"),
        ("/b}/1", "/b}}/{y} y=1"),
        ("/healthy", "/{*rest} rest=healthy"),
    ] {
        assert_eq!(answer(&router, target), expected, "{target}");
    }
}

#[test]
fn parameters_are_decoded_once_and_must_be_text() {
    let router = router();
    for (target, expected) in [
        ("/v1/items/a%20b", "/v1/items/{key} key=a b"),
        ("/v1/items/%2541", "/v1/items/{key} key=%41"),
        ("/v1/items/%C3%A9", "/v1/items/{key} key=é"),
        ("/v1/items/a%2Fb", "/v1/items/{key} key=a/b"),
        ("/v1/items/a+b", "/v1/items/{key} key=a+b"),
        ("/v1/items/%zz", "/v1/items/{key} key=%zz"),
        ("/v1/items/%FF", "400"),
        ("/v1/items/a%00b", "400"),
        ("/x/%80", "400"),
    ] {
        assert_eq!(answer(&router, target), expected, "{target}");
    }
}

#[test]
fn a_slash_too_many_or_too_few_is_pointed_out_and_never_to_another_host() {
    let patterns = ["/v1/items", "/only/", "/p/{a}"];
    let routes = patterns.iter().enumerate().map(|(index, pattern)| route(index, pattern)).collect();
    let made = Router::new(routes, around).unwrap();
    for (target, expected) in [
        ("/v1/items/?a=b&c", "308 /v1/items?a=b&c"),
        ("/only", "308 /only/"),
        ("/p/x/", "308 /p/x"),
        ("/nothing/", "404"),
        ("/", "404"),
        ("//only", "404"),
        ("//evil.example/", "404"),
        ("/health/", "404"),
    ] {
        assert_eq!(answer(&made, target), expected, "{target}");
    }
}

#[test]
fn what_cannot_be_routed_is_refused_when_the_router_is_made() {
    for (patterns, expected) in [
        (["/a/{b}", "/a/{c}"], "the path `/a/{c}` cannot be routed"),
        (["/a", "/a/{b"], "the path `/a/{b` cannot be routed"),
        (["/a", "/health"], "answered by the server itself"),
    ] {
        let routes = patterns.iter().enumerate().map(|(index, pattern)| route(index, pattern)).collect();
        let error = Router::new(routes, around).err().expect("it is refused").to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn each_refusal_answers_its_own_status() {
    let router = router();
    let statuses = Refusal::ALL.map(|refusal| {
        let failure = router.refusal(refusal).run(Request::get("/")).now_or_never().unwrap().unwrap_err();
        failure.problem.kind().status().as_u16()
    });
    assert_eq!(statuses, [404, 400, 400, 400, 400, 400, 414, 431, 501, 417, 400, 405, 501]);
}

#[test]
fn patterns_that_share_a_route_name_it_once() {
    let name = RouteName { index: 0, pattern: "/t".into() };
    let both = ["/t", "/t/{key}"].map(|pattern| Route {
        pattern: pattern.into(),
        name: name.clone(),
        takes: Takes::Known,
        pipeline: around(Arc::new(Echo(pattern))),
    });
    assert_eq!(Router::new(both.into(), around).unwrap().names(), [name]);
}

proptest! {
    #[test]
    fn no_path_makes_the_router_panic(path in "/([a-z{}*/.%]|%[0-9a-f]{2}|v1/items/|\\PC){0,40}") {
        match router().find(&path) {
            Routed::Pipeline(_, params) => prop_assert!(params.iter().all(|(_, value)| !value.contains('\0'))),
            Routed::Health => prop_assert_eq!(path, HEALTH_PATH),
            Routed::Elsewhere(_) | Routed::Open(_) => {}
        }
    }
}
