//! Equal requests that come together.

use futures_util::future::join_all;
use kasoku_cache_store::Purge;

use super::*;

fn slowly(answer: Fields<'static>) -> Arc<ScriptedSource> {
    ScriptedSource::promising(Promises::none(), move |count, _| async move {
        crate::doubles::yields(5).await;
        ok(answer, &format!("body {count}")).answer()
    })
}

async fn together(stand: &Stand, requests: Vec<Request>) -> Vec<String> {
    let outcomes = join_all(requests.into_iter().map(|request| stand.pipeline.run(request))).await;
    join_all(outcomes.into_iter().map(Got::of)).await.into_iter().map(|got| got.body).collect()
}

#[tokio::test]
async fn a_thousand_equal_requests_are_one_forward() {
    let stand = Stand::over(HttpCacheRules::default(), slowly(&[("cache-control", "max-age=100")]));
    let bodies = together(&stand, (0..1_000).map(|_| request("GET", "/a", &[])).collect()).await;
    assert!(bodies.iter().all(|body| body == "body 0"));
    assert_eq!(stand.origin.asked(), 1);
}

#[tokio::test]
async fn what_is_for_one_is_asked_for_by_each_and_soon_without_waiting() {
    let stand = Stand::over(HttpCacheRules::default(), slowly(&[("cache-control", "private")]));
    let mut bodies = together(&stand, (0..3).map(|_| request("GET", "/a", &[])).collect()).await;
    bodies.sort();
    assert_eq!(bodies, ["body 0", "body 1", "body 2"]);
    let mut works: Vec<_> = (0..3).map(|_| stand.pipeline.run(request("GET", "/a", &[]))).collect();
    for work in &mut works {
        assert!(crate::doubles::poll_times(work.as_mut(), 1).await.is_none());
    }
    assert_eq!(stand.origin.working(), 3, "nobody waits for another");
}

#[tokio::test]
async fn callers_with_different_credentials_share_nothing() {
    let stand = Stand::over(HttpCacheRules::default(), slowly(&[("cache-control", "max-age=100")]));
    let requests = ["x", "y"].map(|who| request("GET", "/a", &[("authorization", who)])).into();
    let bodies = together(&stand, requests).await;
    assert_ne!(bodies[0], bodies[1]);
    let requests = ["x", "y"].map(|who| request("GET", "/a", &[("cookie", who)])).into();
    let bodies = together(&stand, requests).await;
    assert_ne!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn what_varies_is_shared_only_by_those_who_say_the_same() {
    let stand =
        Stand::over(HttpCacheRules::default(), slowly(&[("cache-control", "max-age=100"), ("vary", "foo")]));
    let requests = ["1", "2", "1"].map(|value| request("GET", "/a", &[("foo", value)])).into();
    let bodies = together(&stand, requests).await;
    assert_eq!(bodies[0], bodies[2]);
    assert_ne!(bodies[0], bodies[1]);
}

/// Removes something from a store.
type Purging = (&'static str, fn(&ResponseStore) -> u64);

const PURGES: [Purging; 7] = [
    ("everything", |store| store.purge_all(Purge::Hard)),
    ("the path", |store| store.purge_prefix(crate::cache::PATH_PART, b"/", Purge::Hard)),
    ("the route", |store| store.purge_prefix(crate::cache::ROUTE_PART, &3_u64.to_le_bytes(), Purge::Hard)),
    ("the target", |store| store.purge_tag(view::target_tag("origin.example", "/a", None), Purge::Hard)),
    ("a surrogate key", |store| store.purge_tag(Tag::named("front"), Purge::Hard)),
    ("a group", |store| store.purge_tag(group_tag("origin.example", "news"), Purge::Hard)),
    ("a group, softly", |store| store.purge_tag(group_tag("origin.example", "news"), Purge::Soft)),
];

const NAMED: Fields<'static> =
    &[("cache-control", "max-age=100"), ("surrogate-key", "front"), ("cache-groups", "\"news\"")];

#[tokio::test]
async fn no_forward_that_began_before_a_purge_answers_who_came_after_it() {
    for (what, purge) in PURGES {
        let stand = Stand::over(HttpCacheRules::default(), slowly(NAMED));
        let mut before = stand.pipeline.run(request("GET", "/a", &[]));
        assert!(crate::doubles::poll_times(before.as_mut(), 1).await.is_none());
        purge(&stand.store);
        let after = join_all((0..9).map(|_| stand.pipeline.run(request("GET", "/a", &[]))));
        let (before, after) = futures_util::future::join(before, after).await;
        assert_eq!(Got::of(before).await.body, "body 0", "{what}");
        for outcome in after {
            assert_eq!(Got::of(outcome).await.body, "body 1", "{what}");
        }
        let got = stand.get(&[]).await;
        assert!(got.is_hit() && got.body == "body 1", "{what}: what was on its way is not stored: {got:?}");
    }
}

#[tokio::test]
async fn a_body_that_was_purged_while_it_arrives_is_joined_by_nobody() {
    for (what, purge) in PURGES {
        let stand = Stand::over(HttpCacheRules::default(), slowly(NAMED));
        let first = stand.pipeline.run(request("GET", "/a", &[])).await.unwrap();
        let joined = stand.pipeline.run(request("GET", "/a", &[])).await.unwrap();
        assert!(joined.cache.collapsed, "{what}: the body is still arriving");
        purge(&stand.store);
        let after = stand.pipeline.run(request("GET", "/a", &[])).await;
        assert_eq!(Got::of(after).await.body, "body 1", "{what}");
        for response in [first, joined] {
            assert_eq!(Got::of(Ok(response)).await.body, "body 0", "{what}");
        }
        assert_eq!(stand.get(&[]).await.body, "body 1", "{what}");
    }
}
