//! What goes wrong with the server or the way there: nobody gets an error, a wrong answer or an endless wait.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kasoku_cache_remote::{Leased, Mode, Published, Reach, Remote, Settings, Stored};
use kasoku_coherence::Tag;
use kasoku_observe::{Observation, Observer};
use kasoku_testkit::Redis;
use kasoku_units::SystemClock;

use crate::nodes::{PATIENCE, Told, fill, key, look, node, patient, purge, until};
use crate::proxy::{Fault, Proxy};

/// A short budget and patience with everything else.
fn brisk(url: &str) -> Settings {
    Settings { budget: Duration::from_millis(200), ..patient(url) }
}

fn tag(tag: u64) -> Reach {
    Reach::Tags(vec![Tag(tag)])
}

async fn store(remote: &Remote, name: &str, value: &str, tags: &[u64]) {
    assert_eq!(remote.store(key(name), fill(remote, value, tags), None).await, Stored::Stored);
}

/// Looks up until the breaker is open, and sees that it opens by the failures allowed.
async fn open_breaker(remote: &Remote) {
    let mut found = Vec::new();
    while found.len() < 4 && found.last().is_none_or(|last| last != "Open") {
        found.push(look(remote, "a").await);
    }
    assert!(found.iter().all(|found| ["TimedOut", "Failed", "Open"].contains(&&**found)), "{found:?}");
    assert_eq!(found.last().map(String::as_str), Some("Open"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_server_costs_a_few_budgets_and_then_nothing() {
    let redis = Redis::start();
    let (remote, told) = node(brisk(&redis.url())).await;
    store(&remote, "a", "A", &[7]).await;
    redis.hang();
    open_breaker(&remote).await;
    assert!(matches!(remote.store(key("b"), fill(&remote, "B", &[]), None).await, Stored::Away(_)));
    assert_eq!(remote.publish(tag(7), Mode::Hard, Duration::ZERO).await, Published::Waiting);
    until("it is not current", || !remote.is_current()).await;
    redis.go_on();
    assert!(remote.ready(PATIENCE).await);
    until("the purge is published", || told.messages().len() == 1).await;
    assert_eq!(look(&remote, "a").await, "Changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_that_comes_back_empty_is_a_new_epoch() {
    let mut redis = Redis::start();
    let (remote, told) = node(brisk(&redis.url())).await;
    let before = fill(&remote, "A", &[7]);
    store(&remote, "a", "A", &[7]).await;
    redis.kill();
    until("it is not current", || !remote.is_current()).await;
    assert_eq!(look(&remote, "a").await, "NotCurrent");
    assert_eq!(remote.publish(tag(7), Mode::Hard, Duration::ZERO).await, Published::Waiting);
    redis.restart();
    assert!(remote.ready(PATIENCE).await);
    assert_eq!(told.gaps(), 2, "one for the start and one for the restart");
    assert_eq!(look(&remote, "a").await, "absent");
    assert_eq!(remote.store(key("a"), before, None).await, Stored::OtherEpoch);
    store(&remote, "a", "new", &[8]).await;
    assert_eq!(look(&remote, "a").await, "new");
    until("the purge is published", || told.messages().len() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_copy_of_the_server_brings_nothing_back() {
    let mut redis = Redis::start();
    let (remote, told) = node(brisk(&redis.url())).await;
    store(&remote, "a", "A", &[7]).await;
    redis.save();
    purge(&remote, tag(7), Mode::Hard).await;
    redis.kill();
    until("it is not current", || !remote.is_current()).await;
    // Whoever was there at the purge is gone: nobody is left that could know of it.
    drop(remote);
    redis.restart();
    assert_eq!(told.gaps(), 1);
    let (fresh, _) = node(brisk(&redis.url())).await;
    assert_eq!(look(&fresh, "a").await, "OtherEpoch");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_is_read_and_tells_of_purges_but_takes_no_entries() {
    let redis = Redis::start();
    let (one, _) = node(patient(&redis.url())).await;
    let (other, told) = node(patient(&redis.url())).await;
    store(&one, "a", "A", &[7]).await;
    redis.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(matches!(one.store(key("b"), fill(&one, "B", &[7]), None).await, Stored::Away(_)));
    assert!(matches!(one.lease(&key("b"), one.deadline()).await, Leased::Away(_)));
    assert_eq!(look(&other, "a").await, "A");
    purge(&one, tag(7), Mode::Hard).await;
    assert_eq!((look(&other, "a").await.as_str(), told.messages().len()), ("Changed", 1));
    redis.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    store(&one, "a", "new", &[7]).await;
    assert_eq!(look(&other, "a").await, "new");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_may_not_be_written_to_makes_nobody_current() {
    let redis = Redis::start();
    let (remote, told) = node(patient(&redis.url())).await;
    store(&remote, "a", "A", &[7]).await;
    redis.ask(&["REPLICAOF", "127.0.0.1", "1"]);
    until("it is not current", || !remote.is_current()).await;
    assert_eq!(look(&remote, "a").await, "NotCurrent");
    assert_eq!(remote.publish(tag(7), Mode::Hard, Duration::ZERO).await, Published::Waiting);
    redis.ask(&["REPLICAOF", "NO", "ONE"]);
    assert!(remote.ready(PATIENCE).await);
    until("the purge is published", || told.messages().len() == 1).await;
    assert_eq!(look(&remote, "a").await, "Changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_silent_ways_open_the_breaker_and_are_found_again() {
    for fault in [Fault::Slow(Duration::from_millis(600)), Fault::Silent] {
        let redis = Redis::start();
        let proxy = Proxy::start(redis.socket());
        let (remote, _) = node(brisk(&proxy.url())).await;
        store(&remote, "a", "A", &[7]).await;
        proxy.set(fault);
        open_breaker(&remote).await;
        proxy.set(Fault::None);
        assert!(remote.ready(PATIENCE).await);
        assert_eq!(look(&remote, "a").await, "A");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn garbled_and_shifted_answers_are_never_taken_for_true_ones() {
    let redis = Redis::start();
    let proxy = Proxy::start(redis.socket());
    let (remote, _) = node(brisk(&proxy.url())).await;
    for name in ["a", "b"] {
        store(&remote, name, name, &[7]).await;
    }
    for fault in [Fault::Garbled, Fault::Shifted] {
        for _ in 0..20 {
            proxy.set(Fault::None);
            assert!(remote.ready(PATIENCE).await);
            proxy.set(fault);
            for name in ["a", "b", "a", "b"] {
                let found = look(&remote, name).await;
                let other = if name == "a" { "b" } else { "a" };
                assert_ne!(found, other, "{fault:?}");
                drop(remote.lease(&key(name), remote.deadline()).await);
            }
        }
    }
    proxy.set(Fault::None);
    assert!(remote.ready(PATIENCE).await);
    let stats = remote.stats();
    assert!(stats.damaged + stats.failed > 0, "{stats:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_under_the_name_of_another_key_is_refused() {
    let redis = Redis::start();
    let (remote, _) = node(patient(&redis.url())).await;
    store(&remote, "a", "A", &[7]).await;
    let names = redis.ask(&["KEYS", "kasoku:e:*"]);
    let first = names.lines().nth(2).expect("there is one entry").to_owned();
    store(&remote, "b", "B", &[7]).await;
    let names = redis.ask(&["KEYS", "kasoku:e:*"]);
    let second =
        names.lines().find(|line| line.starts_with("kasoku") && *line != first).expect("there are two");
    assert_eq!(redis.ask(&["COPY", &first, second, "REPLACE"]), ":1\r\n");
    assert_eq!(look(&remote, "b").await, "OtherKey");
    redis.ask(&["SETRANGE", &first, "90", "?"]);
    assert_eq!(look(&remote, "a").await, "Damaged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_missed_messages_empties_its_memory_and_refuses_what_they_may_have_reached() {
    let redis = Redis::start();
    let proxy = Proxy::start(redis.socket());
    let (one, _) = node(patient(&redis.url())).await;
    let (other, told) = node(brisk(&proxy.url())).await;
    store(&one, "a", "A", &[7]).await;
    assert_eq!(look(&other, "a").await, "A");
    proxy.set(Fault::Silent);
    for number in [7, 8, 9] {
        let _ = one.publish(tag(number), Mode::Hard, Duration::from_millis(50)).await;
    }
    until("the messages are published", || one.stats().unpublished == 0).await;
    redis.ask(&["XTRIM", "kasoku:changes", "MAXLEN", "1"]);
    proxy.set(Fault::None);
    until("the memory is emptied", || told.gaps() == 2).await;
    assert!(other.ready(PATIENCE).await);
    assert_eq!(look(&other, "a").await, "Changed");
    assert!(told.messages().len() < 3, "what was missed is not told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_that_is_cut_goes_on_where_it_was() {
    let redis = Redis::start();
    let (one, _) = node(patient(&redis.url())).await;
    let (other, told) = node(patient(&redis.url())).await;
    store(&one, "a", "A", &[7]).await;
    purge(&one, tag(1), Mode::Hard).await;
    redis.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    // A line that nobody used may not have noticed yet.
    while look(&other, "a").await != "A" {
        assert!(one.ready(PATIENCE).await && other.ready(PATIENCE).await);
    }
    purge(&one, tag(2), Mode::Hard).await;
    let reaches: Vec<_> = told.messages().into_iter().map(|message| message.reach).collect();
    assert_eq!((reaches, told.gaps()), (vec![tag(1), tag(2)], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_operators_empty_is_a_new_epoch_or_costs_nothing() {
    let wipes: [&[&str]; 4] = [
        &["FLUSHALL"],
        &["DEL", "kasoku:changes"],
        &["DEL", "kasoku:epoch"],
        &["XTRIM", "kasoku:changes", "MAXLEN", "0"],
    ];
    for wipe in wipes {
        let redis = Redis::start();
        let (one, first) = node(patient(&redis.url())).await;
        let (other, second) = node(patient(&redis.url())).await;
        store(&one, "a", "A", &[7]).await;
        redis.ask(wipe);
        until("both begin anew", || first.gaps() == 2 && second.gaps() == 2).await;
        assert!(one.ready(PATIENCE).await && other.ready(PATIENCE).await);
        assert!(["absent", "OtherEpoch"].contains(&&*look(&other, "a").await), "{wipe:?}");
        store(&one, "a", "new", &[7]).await;
        assert_eq!(look(&other, "a").await, "new", "{wipe:?}");
        purge(&other, tag(7), Mode::Hard).await;
        assert_eq!(look(&one, "a").await, "Changed", "{wipe:?}");
    }
    let redis = Redis::start();
    let (remote, told) = node(patient(&redis.url())).await;
    redis.ask(&["SCRIPT", "FLUSH"]);
    let stored = || async {
        let verdict = remote.store(key("a"), fill(&remote, "A", &[7]), None).await;
        verdict == Stored::Stored
    };
    while !stored().await {
        assert!(remote.ready(PATIENCE).await);
    }
    assert_eq!((look(&remote, "a").await.as_str(), told.gaps()), ("A", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_into_the_queue_is_dropped() {
    let redis = Redis::start();
    let (remote, _) = node(Settings { queue_max: 8, ..patient(&redis.url()) }).await;
    redis.hang();
    let pending: Vec<_> =
        (0..64).map(|number| remote.store(key(&number.to_string()), fill(&remote, "A", &[]), None)).collect();
    let mut dropped = 0;
    redis.go_on();
    for pending in pending {
        dropped += u64::from(pending.await == Stored::Dropped);
    }
    assert!(dropped > 0);
    let (tight, _) = node(Settings { queue_bytes_max: 4, ..patient(&redis.url()) }).await;
    assert_eq!(tight.store(key("a"), fill(&tight, "value", &[]), None).await, Stored::Dropped);
}

/// What an observer was told of the second tier.
#[derive(Default)]
struct Noted(Mutex<Vec<bool>>);

impl Observer for Noted {
    fn observe(&self, observation: &Observation<'_>) {
        if let Observation::SecondTier { in_use, .. } = observation {
            self.0.lock().expect("no panic meanwhile").push(*in_use);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_state_is_observed_once() {
    let mut redis = Redis::start();
    redis.kill();
    let noted = Arc::new(Noted::default());
    let observed = |count| move |noted: &Noted| noted.0.lock().expect("no panic meanwhile").len() == count;
    let clock = Arc::new(SystemClock);
    let told = Arc::new(Told::default());
    let remote =
        Remote::open(patient(&redis.url()), clock, told, noted.clone()).expect("the settings are sound");
    assert!(!remote.ready(Duration::from_millis(400)).await);
    assert_eq!(look(&remote, "a").await, "NotCurrent");
    until("its absence is observed", || observed(1)(&noted)).await;
    redis.restart();
    assert!(remote.ready(PATIENCE).await);
    redis.kill();
    until("its loss is observed", || observed(3)(&noted)).await;
    redis.restart();
    until("its return is observed", || observed(4)(&noted)).await;
    assert_eq!(*noted.0.lock().expect("no panic meanwhile"), [false, true, false, true]);
}
