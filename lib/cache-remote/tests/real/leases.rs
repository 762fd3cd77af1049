//! One fill per key among all nodes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kasoku_cache_remote::{Lease, Leased, Mode, Reach, Remote, Settings, Stored, Waited};
use kasoku_coherence::Tag;
use kasoku_testkit::Redis;

use crate::nodes::{PATIENCE, fill, key, look, node, patient, purge, until};
use crate::proxy::{Fault, Proxy};

/// Leases that end soon when nobody renews them.
fn short(url: &str) -> Settings {
    Settings { lease: Duration::from_millis(300), ..patient(url) }
}

async fn win(remote: &Remote, name: &str) -> Lease {
    match remote.lease(&key(name), remote.deadline()).await {
        Leased::Won(lease) => lease,
        other => panic!("{other:?}"),
    }
}

async fn is_held(remote: &Remote, name: &str) -> bool {
    match remote.lease(&key(name), remote.deadline()).await {
        Leased::Held { .. } => true,
        Leased::Won(_) => false,
        Leased::Away(away) => panic!("{away:?}"),
    }
}

fn patience() -> Instant {
    Instant::now() + PATIENCE
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_seekers_one_fills_and_all_find() {
    let redis = Redis::start();
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(Arc::new(node(patient(&redis.url())).await.0));
    }
    let mut seekers = Vec::new();
    for number in 0..1_000 {
        let remote = Arc::clone(&nodes[number % nodes.len()]);
        seekers.push(tokio::spawn(async move {
            match remote.wait(&key("a"), |_| true, patience()).await {
                Waited::Won(lease) => {
                    let fill = fill(&remote, "A", &[7]);
                    assert_eq!(remote.store(key("a"), fill, Some(lease)).await, Stored::Stored);
                    1
                }
                Waited::Found(entry) => {
                    assert_eq!(&*entry.value, b"A");
                    0
                }
                other => panic!("{other:?}"),
            }
        }));
    }
    let mut fills = 0;
    for seeker in seekers {
        fills += seeker.await.expect("no seeker panics");
    }
    assert_eq!(fills, 1);
    assert_eq!(look(&nodes[3], "a").await, "A");
    assert!(!is_held(&nodes[0], "a").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_had_by_one_and_given_back_when_it_is_dropped() {
    let redis = Redis::start();
    let (one, _) = node(patient(&redis.url())).await;
    let (other, _) = node(patient(&redis.url())).await;
    let lease = win(&one, "a").await;
    assert!(is_held(&other, "a").await && is_held(&one, "a").await);
    let token = lease.token();
    drop(lease);
    match other.wait(&key("a"), |_| true, patience()).await {
        Waited::Won(lease) => assert!(lease.token() > token),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_holder_keeps_its_lease() {
    let redis = Redis::start();
    let (one, _) = node(short(&redis.url())).await;
    let (other, _) = node(short(&redis.url())).await;
    let lease = win(&one, "a").await;
    let deadline = Instant::now() + Duration::from_millis(900);
    assert!(matches!(other.wait(&key("a"), |_| true, deadline).await, Waited::TimedOut));
    assert!(!lease.is_lost());
    assert_eq!(one.store(key("a"), fill(&one, "A", &[7]), Some(lease)).await, Stored::Stored);
    assert!(matches!(other.wait(&key("a"), |_| true, patience()).await, Waited::Found(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_goes_past_entries_that_are_not_accepted_or_were_purged() {
    let redis = Redis::start();
    let (one, _) = node(patient(&redis.url())).await;
    let (other, _) = node(patient(&redis.url())).await;
    assert_eq!(one.store(key("a"), fill(&one, "old", &[7]), None).await, Stored::Stored);
    purge(&one, Reach::Tags(vec![Tag(7)]), Mode::Soft).await;
    let lease = win(&one, "a").await;
    let waiter =
        tokio::spawn(async move { other.wait(&key("a"), |entry| !entry.softened, patience()).await });
    assert_eq!(one.store(key("a"), fill(&one, "new", &[7]), Some(lease)).await, Stored::Stored);
    match waiter.await.expect("it does not panic") {
        Waited::Found(entry) => assert_eq!(&*entry.value, b"new"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn when_the_holder_dies_a_waiter_takes_over() {
    let runtime = || tokio::runtime::Runtime::new().expect("a runtime can be made");
    let (doomed, living) = (runtime(), runtime());
    let redis = Redis::start();
    let (one, _) = doomed.block_on(node(short(&redis.url())));
    let (other, _) = living.block_on(node(short(&redis.url())));
    let lease = doomed.block_on(win(&one, "a"));
    assert!(living.block_on(is_held(&other, "a")));
    // What is dropped outside of a runtime cannot be given back, as in a process that was killed.
    doomed.shutdown_background();
    drop((lease, one));
    let waited = living.block_on(async { other.wait(&key("a"), |_| true, patience()).await });
    assert!(matches!(waited, Waited::Won(_)), "{waited:?}");
    living.block_on(async { drop(waited) });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_cut_off_cannot_store_after_its_successor_nor_end_its_lease() {
    let redis = Redis::start();
    let proxy = Proxy::start(redis.socket());
    let (one, _) = node(short(&proxy.url())).await;
    let (other, _) = node(short(&redis.url())).await;
    let lost = win(&one, "a").await;
    let (late, also_lost) = (fill(&one, "late", &[7]), win(&one, "b").await);
    proxy.set(Fault::Silent);
    let Waited::Won(lease) = other.wait(&key("a"), |_| true, patience()).await else {
        panic!("nobody renews")
    };
    let Waited::Won(_second) = other.wait(&key("b"), |_| true, patience()).await else {
        panic!("nobody renews")
    };
    proxy.set(Fault::None);
    assert!(one.ready(PATIENCE).await);
    until("the loss is noticed", || lost.is_lost() && also_lost.is_lost()).await;
    drop(also_lost);
    assert_eq!(one.store(key("a"), late, Some(lost)).await, Stored::Superseded);
    assert!(is_held(&one, "a").await && is_held(&one, "b").await);
    assert_eq!(other.store(key("a"), fill(&other, "A", &[7]), Some(lease)).await, Stored::Stored);
    assert_eq!(look(&one, "a").await, "A");
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_have_a_limit() {
    let redis = Redis::start();
    let (remote, _) = node(Settings { leases_max: 1, ..patient(&redis.url()) }).await;
    let lease = win(&remote, "a").await;
    assert!(matches!(remote.lease(&key("b"), remote.deadline()).await, Leased::Away(_)));
    drop(lease);
    while !matches!(remote.lease(&key("b"), remote.deadline()).await, Leased::Won(_)) {
        tokio::task::yield_now().await;
    }
}
