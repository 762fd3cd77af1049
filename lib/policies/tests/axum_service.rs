//! Drives `examples/axum_service.rs`: all policies as layers around an axum router.

#[path = "../examples/axum_service.rs"]
#[expect(dead_code, reason = "its `main` is for people")]
mod axum_service;

use axum::body::Body;
use axum::http::{Request, Response};
use http_body_util::BodyExt;
use tower::ServiceExt;

use self::axum_service::{Notes, app};

/// Sends one request; what is returned can be compared in one line.
async fn send(router: &axum::Router, request: Request<Body>) -> (Response<()>, String) {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (Response::from_parts(parts, ()), String::from_utf8_lossy(&bytes).into_owned())
}

async fn get(router: &axum::Router, target: &str, fields: &[(&str, &str)]) -> (Response<()>, String) {
    let request =
        fields.iter().fold(Request::get(target), |request, (name, value)| request.header(*name, *value));
    send(router, request.body(Body::empty()).unwrap()).await
}

fn field<'a>(response: &'a Response<()>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn add(router: &axum::Router, text: &str) {
    let (response, _) =
        send(router, Request::post("/notes").body(Body::from(text.to_owned())).unwrap()).await;
    assert_eq!((response.status().as_u16(), field(&response, "x-cache")), (201, "BYPASS"));
}

#[tokio::test]
async fn answers_are_cached_until_what_they_depend_on_changes() {
    let router = app(Notes::new());
    for (verdict, text) in [("MISS", "[]"), ("HIT", "[]")] {
        let (response, body) = get(&router, "/notes", &[("cookie", "not looked at")]).await;
        assert_eq!((field(&response, "x-cache"), body.as_str()), (verdict, text));
    }
    add(&router, "first").await;
    for verdict in ["MISS", "HIT"] {
        let (response, body) = get(&router, "/notes", &[]).await;
        assert_eq!((field(&response, "x-cache"), body.as_str()), (verdict, r#"["first"]"#));
    }
    let (response, body) = get(&router, "/notes/0", &[]).await;
    assert_eq!(
        (response.status().as_u16(), body.as_str()),
        (200, r#""first""#),
        "path parameters reach the handler"
    );
}

#[tokio::test]
async fn answers_are_named_shaped_and_validated() {
    let router = app(Notes::new());
    add(&router, &"all work and no play ".repeat(200)).await;
    let (plain, _) = get(&router, "/notes", &[("x-request-id", "mine")]).await;
    assert_eq!(field(&plain, "x-request-id"), "mine");
    assert!(field(&plain, "cache-status").starts_with("kasoku; fwd=uri-miss; stored; ttl=60"));
    let (coded, _) = get(&router, "/notes", &[("accept-encoding", "br")]).await;
    assert_eq!((field(&coded, "content-encoding"), field(&coded, "x-cache")), ("br", "HIT"));
    assert_ne!(field(&coded, "etag"), field(&plain, "etag"));
    let (validated, body) = get(&router, "/notes", &[("if-none-match", field(&plain, "etag"))]).await;
    assert_eq!((validated.status().as_u16(), body.as_str()), (304, ""));
}

#[tokio::test]
async fn failures_pass_through_the_layers_and_are_rescued() {
    let router = app(Notes::new());
    let request = Request::delete("/notes").body(Body::empty()).unwrap();
    let (refused, body) = send(&router, request).await;
    assert_eq!((refused.status().as_u16(), field(&refused, "allow")), (405, "GET, HEAD, POST, OPTIONS"));
    assert_eq!(field(&refused, "content-type"), "application/problem+json");
    assert!(body.contains(field(&refused, "x-request-id")), "the document names the request");
    let (missing, _) = get(&router, "/notes/7", &[]).await;
    assert_eq!((missing.status().as_u16(), field(&missing, "x-cache")), (404, "MISS"));
    let request = Request::head("/notes").body(Body::empty()).unwrap();
    let (head, body) = send(&router, request).await;
    assert_eq!((field(&head, "content-length"), body.as_str()), ("2", ""));
}
