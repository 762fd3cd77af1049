//! RFC 9111 §3: what is stored.

use super::*;

/// The token with which an answer to a request was not stored; empty if it was.
async fn refusal(request: Fields<'_>, status: u16, answer: Fields<'_>) -> &'static str {
    let stand = Stand::new(&[says(status, answer, "one")]);
    let got = stand.get(request).await;
    let again = stand.get(request).await;
    assert_eq!(got.cache.stored, got.reason().is_empty(), "{answer:?}");
    assert_eq!(again.is_hit(), got.cache.stored, "{answer:?}");
    got.reason()
}

#[tokio::test]
async fn each_refusal_has_its_reason() {
    let fresh = ("cache-control", "max-age=100");
    let cookie = ("set-cookie", "a=b");
    for (request, status, answer, expected) in [
        (&[][..], 200, &[fresh][..], ""),
        (&[], 200, &[("cache-control", "max-age=100, no-store")], "no-store"),
        (&[], 200, &[("cache-control", "max-age=100, private")], "private"),
        (&[], 200, &[fresh, ("vary", "*")], "vary-any"),
        (&[], 200, &[fresh, cookie], "sets-cookie"),
        (&[], 200, &[], "no-freshness-no-validator"),
        (&[], 404, &[fresh], ""),
        (&[], 302, &[], "status"),
        (&[], 302, &[fresh], ""),
        (&[("authorization", "x")], 200, &[fresh], "credentials"),
        (&[("cache-control", "no-store")], 200, &[fresh], "request-no-store"),
        (&[("expect", "weird")], 417, &[fresh], "provoked"),
    ] {
        assert_eq!(refusal(request, status, answer).await, expected, "{request:?} {status} {answer:?}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_passed_on() {
    let rules = HttpCacheRules { body_bytes_max: 5, ..HttpCacheRules::default() };
    let stand = Stand::ruled(rules, &[ok(&[("cache-control", "max-age=100")], "sixsix")]);
    assert_eq!(stand.get(&[]).await.body, "sixsix");
    assert_eq!(stand.get(&[]).await.body, "sixsix");
    assert_eq!(stand.origin.asked(), 2);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_stored() {
    let origin = ScriptedSource::promising(Promises::none(), |_, _| async {
        let frames = [Ok(http_body::Frame::data("one".into())), Err("it broke".into())];
        let frames: [Result<_, kasoku_pipeline::BodyError>; 2] = frames;
        let body = Body::stream(http_body_util::StreamBody::new(futures_util::stream::iter(frames)));
        let mut response = Response::ok(body);
        response.headers.insert("cache-control", "max-age=100".parse().unwrap());
        Ok(response)
    });
    let stand = Stand::over(HttpCacheRules::default(), origin);
    for asked in 1..=2 {
        let response = stand.pipeline.run(request("GET", "/a", &[])).await.unwrap();
        assert!(response.into_fields().body.collect().await.is_err());
        assert_eq!(stand.origin.asked(), asked);
    }
}

#[tokio::test]
async fn fields_for_caches_do_not_reach_callers() {
    let answer: Fields<'_> =
        &[("kasoku-cache-control", "max-age=100"), ("surrogate-key", "a b"), ("cache-tag", "c")];
    let stand = Stand::new(&[ok(answer, "one")]);
    for got in [stand.get(&[]).await, stand.get(&[]).await] {
        for (name, _) in answer {
            assert!(!got.headers.contains_key(*name), "{name}");
        }
    }
    assert_eq!(stand.origin.asked(), 1);
    // RFC 9213 §2.1: the one for all caches goes on.
    let stand = Stand::new(&[ok(&[("cdn-cache-control", "max-age=100")], "one")]);
    assert_eq!(stand.get(&[]).await.field("cdn-cache-control"), "max-age=100");
}

#[tokio::test]
async fn fields_that_are_not_for_all_are_not_stored() {
    let answer: Fields<'_> =
        &[("cache-control", "max-age=100, private=\"x-one\""), ("x-one", "1"), ("x-all", "2")];
    let stand = Stand::new(&[ok(answer, "one")]);
    assert_eq!(stand.get(&[]).await.field("x-one"), "1");
    let got = stand.get(&[]).await;
    assert_eq!((got.is_hit(), got.field("x-one"), got.field("x-all")), (true, "", "2"));
}
