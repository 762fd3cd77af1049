//! RFC 9111 §4.3: asking whether what is stored still holds.

use super::*;

const FRESH: (&str, &str) = ("cache-control", "max-age=10");

#[tokio::test]
async fn a_304_freshens_what_is_stored() {
    let stand = Stand::new(&[
        ok(&[FRESH, ("etag", "\"1\""), ("x-from", "first")], "one"),
        says(304, &[FRESH, ("etag", "\"1\""), ("x-from", "second")], ""),
    ]);
    stand.get(&[]).await;
    stand.wait(20);
    let got = stand.get(&[]).await;
    assert_eq!((got.status, got.body.as_str(), got.field("x-from")), (200, "one", "second"));
    assert_eq!(stand.seen("if-none-match").as_deref(), Some("\"1\""));
    assert_eq!(got.cache.verdict, Verdict::Forwarded(Forward::Stale));
    assert_eq!((got.cache.forward_status, got.cache.stored), (Some(304), true));
    let got = stand.get(&[]).await;
    assert_eq!((got.is_hit(), got.field("age"), got.field("x-from")), (true, "0", "second"));
}

#[tokio::test]
async fn a_date_is_asked_by_where_there_is_no_tag() {
    let modified = "Sun, 01 Nov 2026 10:00:00 GMT";
    let answer: Fields<'_> = &[FRESH, ("last-modified", modified)];
    let stand = Stand::new(&[ok(answer, "one"), says(304, answer, "")]);
    stand.get(&[]).await;
    stand.wait(20);
    assert_eq!(stand.get(&[]).await.body, "one");
    assert_eq!(stand.seen("if-modified-since").as_deref(), Some(modified));
}

#[tokio::test]
async fn a_200_takes_the_place_of_what_is_stored() {
    let stand = Stand::new(&[ok(&[FRESH, ("etag", "\"1\"")], "one"), ok(&[FRESH, ("etag", "\"2\"")], "two")]);
    stand.get(&[]).await;
    stand.wait(20);
    assert_eq!(stand.get(&[]).await.body, "two");
    let got = stand.get(&[]).await;
    assert_eq!((got.is_hit(), got.body.as_str()), (true, "two"));
}

#[tokio::test]
async fn a_newer_answer_that_is_not_stored_takes_the_old_one_away() {
    let stand = Stand::new(&[
        ok(&[FRESH, ("etag", "\"1\"")], "one"),
        ok(&[("cache-control", "no-store")], "two"),
        says(0, &[], ""),
    ]);
    stand.get(&[]).await;
    stand.wait(20);
    assert_eq!(stand.get(&[]).await.body, "two");
    assert_eq!(stand.get(&[]).await.status, 503, "the first one is not served again");
}

#[tokio::test]
async fn a_304_about_something_else_is_not_believed() {
    let stand = Stand::new(&[
        ok(&[FRESH, ("etag", "\"1\"")], "one"),
        says(304, &[FRESH, ("etag", "\"9\"")], ""),
        ok(&[FRESH, ("etag", "\"9\"")], "nine"),
    ]);
    stand.get(&[]).await;
    stand.wait(20);
    assert_eq!(stand.get(&[]).await.body, "nine");
    assert_eq!((stand.origin.asked(), stand.seen("if-none-match")), (3, None));
}

#[tokio::test]
async fn callers_conditions_are_evaluated_against_what_is_stored() {
    let answer: Fields<'_> = &[FRESH, ("etag", "\"1\""), ("last-modified", "Sun, 01 Nov 2026 10:00:00 GMT")];
    let stand = Stand::new(&[ok(answer, "one")]);
    stand.get(&[]).await;
    for (fields, status) in [
        (&[("if-none-match", "\"1\"")][..], 304),
        (&[("if-none-match", "W/\"1\"")], 304),
        (&[("if-none-match", "\"2\", \"1\"")], 304),
        (&[("if-none-match", "*")], 304),
        (&[("if-none-match", "\"2\"")], 200),
        (&[("if-modified-since", "Sun, 01 Nov 2026 10:00:00 GMT")], 304),
        (&[("if-modified-since", "Sun, 01 Nov 2026 09:00:00 GMT")], 200),
        (&[("if-none-match", "\"2\""), ("if-modified-since", "Sun, 01 Nov 2026 10:00:00 GMT")], 200),
    ] {
        let got = stand.get(fields).await;
        assert_eq!((got.status, got.is_hit()), (status, true), "{fields:?}");
        assert_eq!(got.field("etag"), "\"1\"");
    }
    assert_eq!(stand.origin.asked(), 1);
    stand.get(&[("if-match", "\"1\"")]).await;
    assert_eq!((stand.origin.asked(), stand.seen("if-match").as_deref()), (2, Some("\"1\"")));
}

#[tokio::test]
async fn a_callers_own_question_is_passed_on_where_nothing_is_stored() {
    let stand =
        Stand::new(&[says(304, &[FRESH, ("etag", "\"1\"")], ""), ok(&[FRESH, ("etag", "\"1\"")], "one")]);
    let got = stand.get(&[("if-none-match", "\"1\"")]).await;
    assert_eq!((got.status, stand.seen("if-none-match").as_deref()), (304, Some("\"1\"")));
    assert_eq!(stand.get(&[]).await.body, "one", "a 304 is nothing to store");
}

#[tokio::test]
async fn a_stale_answer_is_asked_about_by_its_own_tag_and_fits_the_callers_condition() {
    let stand =
        Stand::new(&[ok(&[FRESH, ("etag", "\"1\"")], "one"), says(304, &[FRESH, ("etag", "\"1\"")], "")]);
    stand.get(&[]).await;
    stand.wait(20);
    let got = stand.get(&[("if-none-match", "\"0\"")]).await;
    assert_eq!((got.status, got.body.as_str()), (200, "one"));
    assert_eq!(stand.seen("if-none-match").as_deref(), Some("\"1\""));
    stand.wait(20);
    assert_eq!(stand.get(&[("if-none-match", "\"1\"")]).await.status, 304);
}

#[tokio::test]
async fn a_new_body_that_the_caller_does_not_want_is_stored_all_the_same() {
    let stand = Stand::new(&[ok(&[FRESH, ("etag", "\"1\"")], "one"), ok(&[FRESH, ("etag", "\"2\"")], "two")]);
    stand.get(&[]).await;
    stand.wait(20);
    assert_eq!(stand.get(&[("if-none-match", "\"2\"")]).await.status, 304);
    crate::doubles::yields(20).await;
    let got = stand.get(&[]).await;
    assert_eq!((got.is_hit(), got.body.as_str()), (true, "two"));
}

#[tokio::test]
async fn a_head_freshens_or_invalidates() {
    let first = ok(&[FRESH, ("etag", "\"1\"")], "one");
    let head = |etag| says(200, &[FRESH, ("etag", etag), ("content-length", "3"), ("x-from", "head")], "");
    let stand = Stand::new(&[first.clone(), head("\"1\"")]);
    stand.get(&[]).await;
    stand.wait(20);
    stand.ask("HEAD", "/a", &[]).await;
    let got = stand.get(&[]).await;
    assert_eq!((got.is_hit(), got.field("x-from"), got.body.as_str()), (true, "head", "one"));

    let stand = Stand::new(&[first, head("\"2\""), ok(&[FRESH], "two")]);
    stand.get(&[]).await;
    stand.wait(20);
    stand.ask("HEAD", "/a", &[]).await;
    assert_eq!(stand.get(&[]).await.body, "two");
}
