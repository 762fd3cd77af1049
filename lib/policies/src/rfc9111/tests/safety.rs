//! Callers who try to have others served what they asked for.

use proptest::prelude::*;

use super::*;

const FRESH: (&str, &str) = ("cache-control", "max-age=100");

/// An origin that says back everything that it sees.
fn reflecting() -> Arc<ScriptedSource> {
    ScriptedSource::promising(Promises::none(), |_, request| async move {
        let mut seen: Vec<_> =
            request.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        seen.sort();
        ok(&[FRESH], &format!("{} {}\n{}", request.method, request.uri, seen.join("\n"))).answer()
    })
}

/// What somebody gets who asks plainly, after an attacker has asked with these fields.
async fn after(attack: Fields<'_>) -> String {
    let stand = Stand::over(HttpCacheRules::default(), reflecting());
    stand.get(attack).await;
    stand.get(&[("user-agent", "victim"), ("accept", "*/*")]).await.body
}

#[tokio::test]
async fn no_field_of_one_caller_is_said_to_another() {
    for name in [
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-scheme",
        "x-forwarded-port",
        "x-forwarded-prefix",
        "x-original-url",
        "x-rewrite-url",
        "x-http-method-override",
        "x-host",
        "x-anything",
        "origin",
        "referer",
        "accept",
        "accept-language",
        "accept-charset",
        "accept-encoding",
        "user-agent",
        "cookie",
        "dnt",
        "purpose",
        "sec-fetch-site",
        "sec-ch-ua",
        "cache-control",
        "pragma",
        "content-type",
        "save-data",
        "application-field",
        "authorization",
        "range",
        "if-none-match",
        "if-modified-since",
        "if-range",
    ] {
        let body = after(&[(name, "evil-canary-4711")]).await;
        assert!(!body.contains("evil-canary"), "{name}: {body}");
    }
}

#[tokio::test]
async fn an_answer_that_says_back_an_unkeyed_field_is_not_stored() {
    let stand = Stand::over(HttpCacheRules::default(), reflecting());
    assert!(stand.get(&[("application-field", "evil-canary")]).await.body.contains("evil-canary"));
    assert!(!stand.get(&[]).await.is_hit());
    // What stands in the target is in the key.
    let stand = Stand::over(HttpCacheRules::default(), reflecting());
    stand.ask("GET", "/evil-canary", &[("application-field", "evil-canary")]).await;
    assert!(stand.ask("GET", "/evil-canary", &[]).await.is_hit());
}

#[tokio::test]
async fn an_update_that_says_back_an_unkeyed_field_is_not_stored() {
    let tag = ("etag", "\"1\"");
    let said = says(304, &[FRESH, tag, ("link", "</evil-canary>")], "");
    let stand = Stand::new(&[ok(&[FRESH, tag, ("age", "1000")], "one"), said, says(304, &[FRESH, tag], "")]);
    stand.get(&[]).await;
    let got = stand.get(&[("application-field", "evil-canary")]).await;
    assert_eq!((&*got.body, got.reason(), got.field("link")), ("one", "repeats", "</evil-canary>"));
    let got = stand.get(&[]).await;
    assert_eq!((got.is_hit(), got.field("link")), (false, ""));
}

#[tokio::test]
async fn what_a_request_is_called_is_neither_stored_nor_a_reason_not_to_store() {
    let answer = ok(&[FRESH, ("x-correlation-id", "of-the-first"), ("via", "1.1 proxies")], "one");
    let stand = Stand::new(&[answer]);
    let got = stand.get(&[("x-correlation-id", "of-the-first"), ("via", "1.1 proxies")]).await;
    assert_eq!(got.field("x-correlation-id"), "of-the-first");
    let got = stand.get(&[]).await;
    assert_eq!((got.is_hit(), got.field("x-correlation-id"), got.field("via")), (true, "", "1.1 proxies"));
}

#[tokio::test]
async fn a_body_that_says_back_what_came_on_the_way_is_not_stored() {
    for name in ["via", "traceparent", "baggage", "x-request-id", "x-b3-traceid"] {
        let stand = Stand::over(HttpCacheRules::default(), reflecting());
        stand.get(&[(name, "evil-canary")]).await;
        assert!(!stand.get(&[]).await.is_hit(), "{name}");
    }
}

#[tokio::test]
async fn the_host_is_shown_as_it_is_keyed() {
    let stand = Stand::new(&[ok(&[FRESH], "one")]);
    let mut shouted = request("GET", "/a", &[]);
    shouted.headers.insert("host", "ORIGIN.Example".parse().unwrap());
    Got::of(stand.pipeline.run(shouted).await).await;
    assert_eq!(stand.seen("host").as_deref(), Some("origin.example"));
    assert!(stand.get(&[]).await.is_hit());
}

#[tokio::test]
async fn a_body_on_a_read_does_not_reach_the_origin() {
    let stand = Stand::over(
        HttpCacheRules::default(),
        ScriptedSource::promising(Promises::none(), |_, request| async {
            let bytes = request.into_fields().body.read().await.unwrap();
            ok(&[FRESH], std::str::from_utf8(&bytes).unwrap()).answer()
        }),
    );
    let mut fat = request("GET", "/a", &[]);
    fat.body = kasoku_pipeline::RequestBody::new(Body::from("evil"), 100);
    assert_eq!(Got::of(stand.pipeline.run(fat).await).await.body, "");
}

#[tokio::test]
async fn an_error_that_a_request_brought_about_is_not_stored() {
    for fields in [
        &[("range", "bytes=zz")][..],
        &[("expect", "nonsense")],
        &[("x-oversized", &*"x".repeat(6_000))],
        &[("cookie", &*"x".repeat(6_000))],
    ] {
        let stand = Stand::new(&[says(400, &[FRESH], "bad"), ok(&[FRESH], "good")]);
        stand.get(fields).await;
        assert_eq!(stand.get(&[]).await.body, "good", "{:?}", fields[0].0);
    }
}

#[tokio::test]
async fn what_is_stored_outlives_requests_that_do_not_want_it() {
    for (fields, answer) in [
        (&[("cache-control", "no-store")][..], says(200, &[FRESH], "two")),
        (&[("authorization", "secret")], says(200, &[FRESH], "two")),
        (&[("if-match", "\"x\"")], says(412, &[], "")),
        (&[("cache-control", "no-cache"), ("expect", "nonsense")], says(417, &[], "")),
    ] {
        let stand = Stand::new(&[ok(&[FRESH], "one"), answer]);
        stand.get(&[]).await;
        assert!(!stand.get(fields).await.is_hit(), "{fields:?}");
        let got = stand.get(&[]).await;
        assert_eq!((got.is_hit(), &*got.body), (true, "one"), "{fields:?}");
    }
}

#[tokio::test]
async fn an_anonymous_caller_never_gets_what_somebody_with_credentials_got() {
    for fields in [&[("authorization", "secret")][..], &[("cookie", "session=secret")]] {
        for path in
            ["/account", "/account/x.css", "/account;x.css", "/account%2f..%2fstatic/x", "/account%00.css"]
        {
            let stand = Stand::over(HttpCacheRules::default(), reflecting());
            stand.ask("GET", path, fields).await;
            let got = stand.ask("GET", path, &[]).await;
            assert!(!got.body.contains("secret"), "{path}");
        }
    }
}

proptest! {
    /// **Key = view**: requests with one primary key are forwarded alike, but for application fields and the hop's.
    #[test]
    fn requests_with_one_key_are_forwarded_alike(
        requests in proptest::collection::vec(
            (
                "/[ab]{0,1}(\\?[ab]{0,1})?",
                proptest::collection::vec(
                    ("host|accept|accept-language|accept-encoding|user-agent|cookie|origin|x-a|referer|range|te", "[ab]|\\*|gzip|en"),
                    0..4,
                ),
            ),
            2..10,
        ),
    ) {
        let views = Views::new(1, &FieldRules::default());
        let mut seen = std::collections::HashMap::new();
        for (target, fields) in requests {
            let mut request = Request::get(&target);
            for (name, value) in &fields {
                request.headers.append(name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap());
            }
            let key = views.primary(&request, request.uri.query());
            let names = ["accept", "accept-encoding", "accept-language"].map(http::HeaderName::from_static);
            let varies = views.selecting(&names, &request.headers);
            let mut forwarded: Vec<_> = views.confine(request.again()).headers.iter()
                .filter(|(name, value)| {
                    FieldRules::default().treatment(name, value) != Treatment::Hop
                        && !names.contains(name)
                })
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            forwarded.sort_by(|one, other| one.0.as_str().cmp(other.0.as_str()));
            let view = (request.uri.to_string(), forwarded);
            let known = seen.entry(key.bytes().to_vec()).or_insert_with(|| view.clone());
            prop_assert_eq!(&*known, &view);
            let _ = varies;
        }
    }
}
