//! RFC 9111 §4.4, RFC 9875: what writes take away.

use super::*;

const FRESH: (&str, &str) = ("cache-control", "max-age=100");

/// Reads both targets, writes to one of them with this answer, and says which were asked for anew.
async fn invalidated(method: &str, status: u16, answer: Fields<'_>) -> [bool; 2] {
    let stand = Stand::new(&[
        ok(&[FRESH, ("cache-groups", "\"g\"")], "a"),
        ok(&[FRESH], "b"),
        says(status, answer, ""),
        ok(&[FRESH], "again"),
    ]);
    stand.get(&[]).await;
    stand.ask("GET", "/b?q", &[]).await;
    stand.ask(method, "/a", &[]).await;
    [!stand.get(&[]).await.is_hit(), !stand.ask("GET", "/b?q", &[]).await.is_hit()]
}

#[tokio::test]
async fn a_successful_write_takes_its_targets_away() {
    for method in ["POST", "PUT", "DELETE", "PATCH", "FROBNICATE"] {
        assert_eq!(invalidated(method, 200, &[]).await, [true, false], "{method}");
    }
    assert_eq!(invalidated("POST", 302, &[]).await, [true, false]);
    assert_eq!(invalidated("POST", 500, &[]).await, [false, false]);
    assert_eq!(invalidated("POST", 404, &[]).await, [false, false]);
    assert_eq!(invalidated("OPTIONS", 200, &[]).await, [false, false]);
    for name in ["location", "content-location"] {
        assert_eq!(invalidated("POST", 201, &[(name, "/b?q")]).await, [true, true]);
        assert_eq!(invalidated("POST", 201, &[(name, "http://origin.example/b?q")]).await, [true, true]);
        assert_eq!(invalidated("POST", 201, &[(name, "http://evil.example/b?q")]).await, [true, false]);
    }
}

#[tokio::test]
async fn groups_are_invalidated_by_writes_only() {
    let stand = |method: &'static str| async move {
        let stand = Stand::new(&[
            ok(&[FRESH, ("cache-groups", "\"g\", \"h\"")], "a"),
            ok(&[FRESH, ("cache-group-invalidation", "\"h\"")], "b"),
        ]);
        stand.get(&[]).await;
        stand.ask(method, "/other", &[]).await;
        !stand.get(&[]).await.is_hit()
    };
    assert!(stand("POST").await);
    assert!(!stand("GET").await);
}

#[tokio::test]
async fn a_fill_that_began_before_a_write_is_not_stored() {
    let stand = Stand::over(
        HttpCacheRules::default(),
        ScriptedSource::promising(Promises::none(), |count, _| async move {
            crate::doubles::yields(if count == 0 { 20 } else { 1 }).await;
            ok(&[FRESH], &count.to_string()).answer()
        }),
    );
    let mut slow = stand.pipeline.run(request("GET", "/a", &[]));
    assert!(crate::doubles::poll_times(slow.as_mut(), 3).await.is_none());
    stand.ask("POST", "/a", &[]).await;
    let got = stand.get(&[]).await;
    assert!(!got.cache.collapsed, "what began before the write does not answer who came after it");
    assert_eq!(Got::of(slow.await).await.body, "0");
    assert_eq!(stand.get(&[]).await.body, got.body);
}

#[tokio::test]
async fn origins_name_what_operators_purge() {
    let stand = Stand::new(&[ok(&[FRESH, ("surrogate-key", "post-1 all")], "a"), ok(&[FRESH], "again")]);
    stand.get(&[]).await;
    assert!(stand.get(&[]).await.is_hit());
    stand.store.purge_tag(Tag::named("post-1"), kasoku_cache_store::Purge::Hard);
    assert_eq!(stand.get(&[]).await.body, "again");
}
