//! RFC 9111 §4.1: answers that vary.

use super::*;

const FRESH: (&str, &str) = ("cache-control", "max-age=100");

#[tokio::test]
async fn a_variant_answers_those_who_say_the_same() {
    let vary: Fields<'_> = &[FRESH, ("vary", "Foo, Bar")];
    let stand = Stand::new(&[ok(vary, "one"), ok(vary, "two"), ok(vary, "three")]);
    for (fields, body) in [
        (&[("foo", "1")][..], "one"),
        (&[("foo", "1")], "one"),
        (&[("foo", "2")], "two"),
        (&[("foo", "1"), ("bar", "1")], "three"),
        (&[("foo", "2")], "two"),
        (&[("foo", "1")], "one"),
        (&[("foo", "1"), ("baz", "1")], "one"),
    ] {
        assert_eq!(stand.get(fields).await.body, body, "{fields:?}");
    }
    assert_eq!(stand.origin.asked(), 3);
    assert_eq!(stand.get(&[("foo", "9")]).await.cache.verdict, Verdict::Forwarded(Forward::VaryMiss));
}

#[tokio::test]
async fn variants_that_vary_by_different_fields_are_told_apart_by_all() {
    let stand = Stand::new(&[
        ok(&[FRESH, ("vary", "foo")], "one"),
        ok(&[FRESH, ("vary", "bar")], "two"),
        ok(&[FRESH, ("vary", "foo")], "three"),
    ]);
    assert_eq!(stand.get(&[("foo", "1")]).await.body, "one");
    assert_eq!(stand.get(&[("foo", "2"), ("bar", "1")]).await.body, "two");
    let got = stand.get(&[("foo", "3"), ("bar", "1")]).await;
    assert_eq!(got.body, "three", "`Vary: bar` alone would have given two");
}

#[tokio::test]
async fn the_origin_chooses_among_stored_variants_by_tag() {
    let vary = |etag| vec![FRESH, ("vary", "foo"), ("etag", etag)];
    let stand =
        Stand::new(&[ok(&vary("\"1\""), "one"), ok(&vary("\"2\""), "two"), says(304, &vary("\"2\""), "")]);
    stand.get(&[("foo", "1")]).await;
    stand.get(&[("foo", "2")]).await;
    let got = stand.get(&[("foo", "3")]).await;
    assert_eq!((got.status, got.body.as_str()), (200, "two"));
    assert_eq!(stand.seen("if-none-match").as_deref(), Some("\"1\", \"2\""));
}

#[tokio::test]
async fn what_the_origin_chose_answers_the_same_request_from_then_on() {
    let one: Fields<'_> = &[FRESH, ("vary", "foo"), ("etag", "\"1\"")];
    let stand = Stand::new(&[ok(one, "one"), says(304, one, ""), ok(one, "other")]);
    stand.get(&[("foo", "1")]).await;
    let got = stand.get(&[("foo", "2")]).await;
    assert_eq!((got.body.as_str(), got.cache.forward_status, got.cache.stored), ("one", Some(304), true));
    for (value, is_hit) in [("2", true), ("1", true), ("3", false)] {
        assert_eq!(stand.get(&[("foo", value)]).await.is_hit(), is_hit, "{value}");
    }
    assert_eq!(stand.origin.asked(), 3);
}

#[tokio::test]
async fn there_are_only_so_many_variants() {
    let rules = HttpCacheRules { variants_max: 2, ..HttpCacheRules::default() };
    let stand = Stand::ruled(rules, &[ok(&[FRESH, ("vary", "foo")], "one")]);
    for value in ["1", "2", "3", "4", "5"] {
        stand.get(&[("foo", value)]).await;
    }
    let mut hits = 0;
    for value in ["1", "2", "3", "4", "5"] {
        hits += usize::from(stand.get(&[("foo", value)]).await.is_hit());
    }
    assert_eq!(hits, 3, "the first and two more");
}

#[tokio::test]
async fn codings_vary_by_what_is_welcome_and_not_by_how_it_is_said() {
    let vary: Fields<'_> = &[FRESH, ("vary", "accept-encoding")];
    let stand = Stand::new(&[ok(vary, "one")]);
    stand.get(&[("accept-encoding", "gzip, deflate, br")]).await;
    assert_eq!(stand.seen("accept-encoding").as_deref(), Some("br, gzip"));
    assert!(stand.get(&[("accept-encoding", "br;q=1.0, gzip;q=0.8, *;q=0")]).await.is_hit());
    assert!(!stand.get(&[]).await.is_hit());
    assert!(!stand.get(&[("accept-encoding", "gzip")]).await.is_hit());
}

#[tokio::test]
async fn variants_that_have_gone_make_room_for_others() {
    let rules = HttpCacheRules { variants_max: 2, ..HttpCacheRules::default() };
    let stand = Stand::ruled(rules, &[ok(&[FRESH, ("vary", "foo")], "any")]);
    for value in ["1", "2", "3", "4"] {
        stand.get(&[("foo", value)]).await;
    }
    assert!(!stand.get(&[("foo", "4")]).await.is_hit(), "there are too many");
    let is_gone = stand.store.purge_prefix(AUTHORITY_PART + 1, b"vary", kasoku_cache_store::Purge::Hard);
    assert_eq!(is_gone, 2, "the first stays");
    stand.get(&[("foo", "4")]).await;
    for (value, is_hit) in [("1", true), ("4", true), ("2", false)] {
        assert_eq!(stand.get(&[("foo", value)]).await.is_hit(), is_hit, "{value}");
    }
}
