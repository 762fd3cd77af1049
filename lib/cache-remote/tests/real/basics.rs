//! Entries and purges, when nothing goes wrong.

use std::time::Duration;

use bytes::Bytes;
use kasoku_cache_remote::{Mode, Published, Reach, Settings, Stored};
use kasoku_coherence::Tag;
use kasoku_testkit::Redis;

use crate::nodes::{PATIENCE, fill, key, look, node, patient, purge};
use crate::proxy::{Fault, Proxy};

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_stores_others_find_until_it_is_purged() {
    let redis = Redis::start();
    let (one, _) = node(patient(&redis.url())).await;
    let (other, told) = node(patient(&redis.url())).await;
    assert_eq!(look(&other, "a").await, "absent");
    assert_eq!(one.store(key("a"), fill(&one, "A", &[7]), None).await, Stored::Stored);
    assert_eq!(look(&other, "a").await, "A");
    let late = fill(&one, "late", &[7]);
    purge(&one, Reach::Tags(vec![Tag(7)]), Mode::Hard).await;
    assert_eq!(look(&other, "a").await, "Changed");
    assert_eq!(told.messages().len(), 1);
    assert_eq!(one.store(key("a"), late, None).await, Stored::Stored, "it is not worse than what is there");
    assert_eq!(look(&other, "a").await, "Changed", "what began before the purge is not used after it");
    assert_eq!(one.store(key("a"), fill(&one, "new", &[7]), None).await, Stored::Stored);
    assert_eq!(look(&other, "a").await, "new");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_purge_reaches_what_it_says_softly_or_hard() {
    let redis = Redis::start();
    let (one, _) = node(patient(&redis.url())).await;
    let (other, told) = node(patient(&redis.url())).await;
    let reaches = [
        Reach::Tags(vec![Tag(1), Tag(7)]),
        Reach::Key(key("/items/7")),
        Reach::Prefix { part: 1, prefix: Bytes::from_static(b"/items") },
        Reach::Everything,
    ];
    for (number, reach) in reaches.iter().enumerate() {
        for name in ["/items/7", "/other"] {
            let tags: &[u64] = if name == "/other" { &[8] } else { &[7] };
            assert_eq!(one.store(key(name), fill(&one, name, tags), None).await, Stored::Stored);
        }
        let also = if *reach == Reach::Everything { ["/other, softened", "Changed"] } else { ["/other"; 2] };
        purge(&one, reach.clone(), Mode::Soft).await;
        assert_eq!(look(&other, "/items/7").await, "/items/7, softened");
        assert_eq!(look(&other, "/other").await, also[0]);
        purge(&other, reach.clone(), Mode::Hard).await;
        assert_eq!(look(&one, "/items/7").await, "Changed");
        assert_eq!(look(&one, "/other").await, also[1]);
        let heard = told.messages();
        let [.., soft, hard] = &heard[..] else { panic!("{heard:?}") };
        assert_eq!((&soft.reach, soft.mode, soft.sender), (reach, Mode::Soft, one.node()));
        assert_eq!((&hard.reach, hard.mode, hard.sender), (reach, Mode::Hard, other.node()));
        assert_eq!(heard.len(), number * 2 + 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_starts_late_knows_of_earlier_purges() {
    let redis = Redis::start();
    let (one, _) = node(patient(&redis.url())).await;
    for name in ["a", "b"] {
        let tags: &[u64] = if name == "a" { &[7] } else { &[8] };
        assert_eq!(one.store(key(name), fill(&one, name, tags), None).await, Stored::Stored);
    }
    purge(&one, Reach::Tags(vec![Tag(7)]), Mode::Hard).await;
    let (late, told) = node(patient(&redis.url())).await;
    assert_eq!((look(&late, "a").await.as_str(), look(&late, "b").await.as_str()), ("Changed", "b"));
    assert_eq!((told.messages().len(), told.gaps()), (0, 1));
    purge(&one, Reach::Tags(vec![Tag(9)]), Mode::Hard).await;
    redis.ask(&["XTRIM", "kasoku:changes", "MAXLEN", "1"]);
    let (later, _) = node(patient(&redis.url())).await;
    assert_eq!(look(&later, "b").await, "Changed", "what was trimmed may have reached it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publication_says_how_many_nodes_it_has_reached() {
    let redis = Redis::start();
    let proxy = Proxy::start(redis.socket());
    let (one, _) = node(patient(&redis.url())).await;
    let (_two, _) = node(patient(&redis.url())).await;
    let (cut_off, _) = node(patient(&proxy.url())).await;
    let tags = |count: u64| Reach::Tags((0..count).map(Tag).collect());
    purge(&one, tags(3_000), Mode::Hard).await;
    match one.publish(tags(1), Mode::Hard, PATIENCE).await {
        Published::Reached { position, nodes, of } => assert_eq!((position, nodes, of), (5, 3, 3)),
        Published::Waiting => panic!("it was not published"),
    }
    proxy.set(Fault::Silent);
    let published = one.publish(tags(1), Mode::Hard, Duration::from_millis(300)).await;
    assert_eq!(published, Published::Reached { position: 6, nodes: 2, of: 3 });
    // Until it is not counted any more, and then it is not current either.
    let reached = |published| matches!(published, Published::Reached { nodes: 2, of: 2, .. });
    while !reached(one.publish(tags(1), Mode::Hard, Duration::from_millis(100)).await) {}
    assert!(!cut_off.is_current());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_shows_more_is_not_replaced_by_what_shows_less() {
    let redis = Redis::start();
    let (one, _) = node(patient(&redis.url())).await;
    let early = fill(&one, "early", &[7]);
    purge(&one, Reach::Tags(vec![Tag(1)]), Mode::Hard).await;
    assert_eq!(one.store(key("a"), fill(&one, "late", &[7]), None).await, Stored::Stored);
    assert_eq!(one.store(key("a"), early, None).await, Stored::Older);
    assert_eq!(look(&one, "a").await, "late");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_values_are_compressed_and_too_large_ones_left_out() {
    let redis = Redis::start();
    let (one, _) = node(Settings { value_bytes_max: 400_000, ..patient(&redis.url()) }).await;
    let large = "0123456789".repeat(40_000);
    assert_eq!(one.store(key("a"), fill(&one, &large, &[7]), None).await, Stored::Stored);
    assert_eq!(look(&one, "a").await, large);
    let weight =
        redis.ask(&["MEMORY", "USAGE", redis.ask(&["KEYS", "kasoku:e:*"]).lines().nth(2).expect("one")]);
    let weight: u64 = weight.trim_start_matches(':').trim().parse().expect("a number");
    assert!(weight < 10_000, "{weight}");
    let too_large = fill(&one, &(large + "."), &[7]);
    assert_eq!(one.store(key("b"), too_large, None).await, Stored::Unfit);
    let mut gone = fill(&one, "A", &[7]);
    gone.lifetime = Duration::ZERO;
    assert_eq!(one.store(key("b"), gone, None).await, Stored::Unfit);
}
