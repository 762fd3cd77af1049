//! Entries and purges, when nothing goes wrong.

use kasoku_cache_remote::{Mode, Reach, Stored};
use kasoku_coherence::Tag;
use kasoku_testkit::Redis;

use crate::nodes::{fill, key, look, node, patient, purge};

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
