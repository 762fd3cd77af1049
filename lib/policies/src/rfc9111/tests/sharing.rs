//! Equal requests that come together.

use futures_util::future::join_all;

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
