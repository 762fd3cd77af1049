//! RFC 5861 and what else lets a stale answer be given.

use super::*;

const SWR: (&str, &str) = ("cache-control", "max-age=10, stale-while-revalidate=20");
const SIE: (&str, &str) = ("cache-control", "max-age=10, stale-if-error=20");

#[tokio::test]
async fn a_stale_answer_is_given_while_a_new_one_is_fetched() {
    let stand = Stand::new(&[ok(&[SWR], "one"), ok(&[SWR], "two")]);
    stand.get(&[]).await;
    stand.wait(15);
    let got = stand.get(&[]).await;
    assert_eq!((got.cache.verdict, got.reason(), &*got.body), (Verdict::Stale, "revalidating", "one"));
    assert_eq!(got.cache.ttl_s, Some(-5));
    crate::doubles::yields(50).await;
    let got = stand.get(&[]).await;
    assert_eq!((got.is_hit(), &*got.body, stand.origin.asked()), (true, "two", 2));
    stand.wait(40);
    assert!(!stand.get(&[]).await.is_hit());
}

#[tokio::test]
async fn a_failing_origin_is_covered_up_for_as_long_as_it_is_allowed() {
    for failure in [says(503, &[], "down"), says(500, &[], "down"), says(0, &[], "")] {
        let stand = Stand::new(&[ok(&[SIE], "one"), failure]);
        stand.get(&[]).await;
        stand.wait(15);
        let got = stand.get(&[]).await;
        assert_eq!((got.cache.verdict, got.reason(), &*got.body), (Verdict::Stale, "origin-failed", "one"));
        let got = stand.get(&[]).await;
        assert_eq!(
            (got.reason(), stand.origin.asked()),
            ("origin-failing", 2),
            "it is left alone for a while"
        );
        stand.wait(2);
        stand.get(&[]).await;
        assert_eq!(stand.origin.asked(), 3);
    }
    let stand = Stand::new(&[ok(&[SIE], "one"), says(503, &[], "down")]);
    stand.get(&[]).await;
    stand.wait(40);
    assert_eq!(stand.get(&[]).await.status, 503);
    let stand = Stand::new(&[ok(&[SIE], "one"), says(404, &[], "gone")]);
    stand.get(&[]).await;
    stand.wait(15);
    assert_eq!(stand.get(&[]).await.status, 404, "a 404 is an answer and no failure");
}

#[tokio::test]
async fn an_origin_that_cannot_be_reached_is_covered_up_unless_that_is_forbidden() {
    let stand = |control: &'static str| async move {
        let stand = Stand::new(&[ok(&[("cache-control", control)], "one"), says(0, &[], "")]);
        stand.get(&[]).await;
        stand.wait(15);
        stand.get(&[]).await.status
    };
    assert_eq!(stand("max-age=10").await, 200);
    for control in
        ["max-age=10, must-revalidate", "max-age=10, proxy-revalidate", "s-maxage=10", "no-cache, max-age=10"]
    {
        assert_eq!(stand(control).await, 503, "{control}");
    }
}

#[tokio::test]
async fn a_slow_origin_is_awaited_in_the_background() {
    tokio::time::pause();
    let rules = HttpCacheRules { soft_timeout: Some(Duration::from_millis(50)), ..HttpCacheRules::default() };
    let origin = ScriptedSource::promising(Promises::none(), |count, _| async move {
        if count > 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        ok(&[SIE], &count.to_string()).answer()
    });
    let stand = Stand::over(rules, origin);
    stand.get(&[]).await;
    stand.wait(15);
    let got = stand.get(&[]).await;
    assert_eq!((got.reason(), &*got.body), ("origin-slow", "0"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let got = stand.get(&[]).await;
    assert_eq!((got.is_hit(), &*got.body), (true, "1"));
}

#[tokio::test]
async fn an_answer_is_refreshed_before_its_time() {
    let rules = HttpCacheRules { eager: Some(0.8), ..HttpCacheRules::default() };
    let stand = Stand::ruled(rules, &[ok(&[SWR], "one"), ok(&[SWR], "two")]);
    stand.get(&[]).await;
    stand.wait(7);
    stand.get(&[]).await;
    crate::doubles::yields(50).await;
    assert_eq!(stand.origin.asked(), 1);
    stand.wait(1);
    assert_eq!(stand.get(&[]).await.body, "one");
    crate::doubles::yields(50).await;
    let got = stand.get(&[]).await;
    assert_eq!((got.is_hit(), &*got.body), (true, "two"));
}

#[tokio::test]
async fn an_origin_that_answers_with_an_error_is_not_one_that_cannot_be_reached() {
    let stand = Stand::new(&[ok(&[("cache-control", "max-age=10")], "one"), says(503, &[], "down")]);
    stand.get(&[]).await;
    stand.wait(15);
    for asked in 2..=3 {
        assert_eq!(stand.get(&[]).await.status, 503, "nothing allows the stale answer to stand in");
        assert_eq!(stand.origin.asked(), asked);
    }
}

#[tokio::test]
async fn a_failure_is_told_at_once_for_a_while_where_that_is_wanted() {
    let rules = HttpCacheRules { failures: Some(Duration::from_secs(5)), ..HttpCacheRules::default() };
    for failure in [says(0, &[], ""), says(502, &[], "down")] {
        let stand = Stand::ruled(rules.clone(), &[failure, ok(&[SIE], "back")]);
        let first = stand.get(&[]).await.status;
        let got = stand.get(&[]).await;
        assert_eq!((got.status, got.reason(), stand.origin.asked()), (first, "origin-failing", 1));
        assert_eq!(stand.ask("GET", "/other", &[]).await.status, 200, "only what failed is not asked for");
        stand.wait(6);
        assert_eq!(stand.get(&[]).await.body, "back");
    }
    let stand = Stand::new(&[says(0, &[], ""), ok(&[SIE], "back")]);
    stand.get(&[]).await;
    assert_eq!(stand.get(&[]).await.body, "back", "nothing is remembered by default");
}

#[tokio::test]
async fn lifetimes_that_the_origin_did_not_say_are_spread() {
    let mut rules = HttpCacheRules { jitter: 0.5, ..HttpCacheRules::default() };
    rules.storing.fresh = Some(Duration::from_secs(1_000));
    let stand = Stand::ruled(rules, &[ok(&[], "one")]);
    let mut lifetimes = std::collections::BTreeSet::new();
    for number in 0..50 {
        let ttl_s = stand.ask("GET", &format!("/{number}"), &[]).await.cache.ttl_s.unwrap();
        assert!((500..=1_000).contains(&ttl_s), "{ttl_s}");
        lifetimes.insert(ttl_s);
    }
    assert!(lifetimes.len() > 10, "{lifetimes:?}");
    let said: Fields<'_> = &[("cache-control", "max-age=1000")];
    let stand = Stand::ruled(HttpCacheRules { jitter: 0.5, ..HttpCacheRules::default() }, &[ok(said, "one")]);
    assert_eq!(stand.get(&[]).await.cache.ttl_s, Some(1_000), "what the origin says is kept to");
}
