//! RFC 9111 §4, §4.2, §5.2.1: when a stored answer is given, and how it is marked.

use super::*;

#[tokio::test]
async fn a_fresh_answer_is_given_until_its_lifetime_has_passed() {
    for (answer, lifetime) in [
        (&[("cache-control", "max-age=10")][..], 10),
        (&[("cache-control", "max-age=100, s-maxage=10")], 10),
        (&[("cache-control", "max-age=100"), ("age", "90")], 10),
        (&[("cdn-cache-control", "max-age=10"), ("cache-control", "no-store")], 10),
        (&[("kasoku-cache-control", "max-age=10"), ("cdn-cache-control", "no-store")], 10),
    ] {
        assert!(is_reused(answer, lifetime - 1, &[]).await, "{answer:?}");
        assert!(!is_reused(answer, lifetime, &[]).await, "{answer:?}");
    }
}

#[tokio::test]
async fn what_a_caller_asks_of_caches_is_followed() {
    let answer: Fields<'_> = &[("cache-control", "max-age=100")];
    for (second, expected) in [
        (&[("cache-control", "max-age=60")][..], true),
        (&[("cache-control", "max-age=40")], false),
        (&[("cache-control", "min-fresh=40")], true),
        (&[("cache-control", "min-fresh=60")], false),
        (&[("cache-control", "no-cache")], false),
        (&[("pragma", "no-cache")], false),
        (&[("cache-control", "only-if-cached")], true),
    ] {
        assert_eq!(is_reused(answer, 50, second).await, expected, "{second:?}");
    }
}

#[tokio::test]
async fn only_if_cached_is_never_forwarded() {
    let stand = Stand::new(&[ok(&[("cache-control", "max-age=10")], "one")]);
    let got = stand.get(&[("cache-control", "only-if-cached")]).await;
    assert_eq!((got.status, stand.origin.asked()), (504, 0));
}

#[tokio::test]
async fn a_caller_may_accept_a_stale_answer() {
    let stand = Stand::new(&[ok(&[("cache-control", "max-age=10")], "one")]);
    stand.get(&[]).await;
    stand.wait(15);
    let got = stand.get(&[("cache-control", "max-stale=10")]).await;
    assert_eq!((got.cache.verdict, got.reason(), got.body.as_str()), (Verdict::Stale, "max-stale", "one"));
    assert_eq!(stand.get(&[("cache-control", "max-stale=2")]).await.reason(), "expired");
}

#[tokio::test]
async fn an_answer_from_storage_tells_its_age_and_its_date() {
    let stand = Stand::new(&[ok(&[("cache-control", "max-age=100"), ("age", "7")], "one")]);
    assert_eq!(stand.get(&[]).await.field("age"), "7");
    let date = stand.date(0);
    stand.wait(5);
    let got = stand.get(&[]).await;
    assert_eq!([got.field("age"), got.field("date")], ["12", &date]);
    assert_eq!(got.cache.ttl_s, Some(88));
}

#[tokio::test]
async fn an_age_that_no_number_holds_is_cut_off() {
    let stand = Stand::new(&[ok(&[("cache-control", "max-age=10"), ("age", "99999999999999")], "one")]);
    stand.get(&[]).await;
    stand.wait(5);
    // RFC 9111 §1.2.2
    assert_eq!(stand.get(&[("cache-control", "max-stale")]).await.field("age"), "2147483648");
}

#[tokio::test]
async fn a_head_is_answered_from_a_stored_get_and_never_the_other_way() {
    let stand = Stand::new(&[ok(&[("cache-control", "max-age=100")], "one")]);
    let got = stand.ask("HEAD", "/a", &[]).await;
    assert!(!got.is_hit());
    assert!(!stand.get(&[]).await.is_hit());
    let got = stand.ask("HEAD", "/a", &[]).await;
    assert!(got.is_hit());
    assert_eq!((got.body.as_str(), got.field("content-length")), ("", "3"));
}

#[tokio::test]
async fn queries_and_hosts_are_told_apart() {
    let stand = Stand::new(&[ok(&[("cache-control", "max-age=100")], "one")]);
    for (target, host) in [("/a", "origin.example"), ("/a?x", "origin.example"), ("/a", "other.example")] {
        let fields = [("host", host)];
        let mut first = request("GET", target, &[]);
        first.headers.insert("host", fields[0].1.parse().unwrap());
        assert!(!Got::of(stand.pipeline.run(first.again()).await).await.is_hit(), "{target} {host}");
        assert!(Got::of(stand.pipeline.run(first).await).await.is_hit(), "{target} {host}");
    }
}
