//! Queries: in the target (`No-Vary-Search`) and as content (RFC 10008).

use super::*;

const FRESH: (&str, &str) = ("cache-control", "max-age=100");

#[tokio::test]
async fn parameters_that_make_no_difference_are_not_told_apart() {
    let answer: Fields<'_> = &[FRESH, ("no-vary-search", "key-order, params=(\"utm\")")];
    let stand = Stand::new(&[ok(answer, "one"), ok(answer, "two")]);
    for (target, is_hit) in [
        ("/a?x=1&utm=2&y=3", false),
        ("/a?x=1&utm=2&y=3", true),
        ("/a?x=1&y=3", true),
        ("/a?y=3&utm=9&x=1", true),
        ("/a?y=3&x=2", false),
        ("/b?y=3&x=2&utm=1", false),
    ] {
        assert_eq!(stand.ask("GET", target, &[]).await.is_hit(), is_hit, "{target}");
    }
    stand.ask("POST", "/a?utm=7&y=3&x=1", &[]).await;
    assert!(!stand.ask("GET", "/a?x=1&y=3", &[]).await.is_hit(), "a write reaches all that are equal");
}

#[tokio::test]
async fn what_an_origin_ceases_to_say_ceases_to_hold() {
    let stand = Stand::new(&[ok(&[FRESH, ("no-vary-search", "params")], "one"), ok(&[FRESH], "two")]);
    stand.ask("GET", "/a?x=1", &[]).await;
    assert!(stand.ask("GET", "/a?x=2", &[]).await.is_hit());
    stand.ask("GET", "/a?x=3", &[("cache-control", "no-cache")]).await;
    assert!(!stand.ask("GET", "/a?x=4", &[]).await.is_hit());
}

async fn query(stand: &Stand, fields: Fields<'_>, content: &str) -> Got {
    let mut request = request("QUERY", "/a", fields);
    request.body = RequestBody::new(Body::from(content.as_bytes().to_vec()), 1 << 20);
    Got::of(stand.pipeline.run(request).await).await
}

#[tokio::test]
async fn the_content_of_a_query_is_part_of_the_key() {
    let echo = ScriptedSource::promising(Promises::none(), |_, request| async {
        let kind = request.headers.get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
        let content = request.into_fields().body.read().await?;
        ok(&[FRESH], &format!("{kind} {}", String::from_utf8_lossy(&content))).answer()
    });
    let stand = Stand::over(HttpCacheRules::default(), echo);
    let json: Fields<'_> = &[("content-type", "application/json")];
    for (fields, content, is_hit) in [
        (json, "one", false),
        (json, "one", true),
        (json, "two", false),
        (&[("content-type", "text/plain")][..], "one", false),
        (json, "one", true),
    ] {
        let got = query(&stand, fields, content).await;
        assert_eq!((got.is_hit(), got.body), (is_hit, format!("{} {content}", fields[0].1)));
    }
    assert!(!stand.get(&[]).await.is_hit(), "a GET is something else");
    let long = "x".repeat(65_537);
    for _ in 0..2 {
        let got = query(&stand, json, &long).await;
        assert!(!got.is_hit() && got.body.ends_with(&long), "too long to be part of a key");
    }
    stand.ask("POST", "/a", &[]).await;
    assert!(!query(&stand, json, "one").await.is_hit(), "a write takes answers to queries away too");
}
