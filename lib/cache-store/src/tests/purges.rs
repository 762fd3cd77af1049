//! What each kind of purge reaches, and what it does to fills that are under way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kasoku_coherence::{Change, ChangeSink, Key, KeyBuilder, Sequence, Snapshot, Tag};

use crate::{Fill, Found, Inserted, Purge, Store};

const BUDGET_BYTES: u64 = 32 << 20;

/// The keys that every table works on, each with its path as second part and its tags.
const ENTRIES: [(&str, &[&str]); 4] =
    [("/items", &["items"]), ("/items/1", &["items", "item 1"]), ("/posts", &["posts"]), ("/", &[])];

type Bytes = Store<Vec<u8>>;

fn store() -> Bytes {
    Store::new(BUDGET_BYTES, Arc::new(Sequence::new()))
}

fn key(path: &str) -> Key {
    KeyBuilder::new().part(b"GET").part(path.as_bytes()).optional(None).build()
}

fn fill(tags: &[&str], snapshot: Snapshot) -> Fill<Vec<u8>> {
    let tags = tags.iter().map(|name| Tag::named(name)).collect();
    Fill { value: Arc::new(vec![1; 10]), tags, snapshot, inserted: Instant::now(), expires: None }
}

/// One letter an entry: fresh, softened, changed or absent.
fn state(store: &Bytes, path: &str) -> char {
    match store.look_up(&key(path), Instant::now()) {
        Found::Usable { softened: None, .. } => 'f',
        Found::Usable { softened: Some(_), .. } => 's',
        Found::Changed => 'c',
        Found::Absent => 'a',
    }
}

type Purging = fn(&Bytes, Purge) -> u64;

/// A purge, how many entries it reaches, and which of the four those are.
const PURGES: [(&str, Purging, u64, [bool; 4]); 9] = [
    ("a key", |store, mode| store.purge_key(&key("/items"), mode), 1, [true, false, false, false]),
    ("a key that is not there", |store, mode| store.purge_key(&key("/x"), mode), 0, [false; 4]),
    ("a prefix", |store, mode| store.purge_prefix(1, b"/items", mode), 2, [true, true, false, false]),
    ("the prefix of all", |store, mode| store.purge_prefix(1, b"/", mode), 4, [true; 4]),
    ("another part", |store, mode| store.purge_prefix(0, b"/items", mode), 0, [false; 4]),
    ("a missing part", |store, mode| store.purge_prefix(2, b"", mode), 0, [false; 4]),
    (
        "a tag of many",
        |store, mode| store.purge_tag(Tag::named("items"), mode),
        2,
        [true, true, false, false],
    ),
    (
        "a tag of one",
        |store, mode| store.purge_tag(Tag::named("item 1"), mode),
        1,
        [false, true, false, false],
    ),
    ("everything", |store, mode| store.purge_all(mode), 4, [true; 4]),
];

#[test]
fn a_purge_reaches_what_it_names_and_nothing_else() {
    for (name, purge, reached, matching) in PURGES {
        for mode in [Purge::Soft, Purge::Hard] {
            let store = store();
            for (path, tags) in ENTRIES {
                assert_eq!(store.insert(key(path), fill(tags, store.snapshot())), Inserted::Stored);
            }
            assert_eq!(purge(&store, mode), reached, "{name}, {mode:?}");
            for ((path, _), matches) in ENTRIES.iter().zip(matching) {
                let state = state(&store, path);
                let expected = match (matches, mode) {
                    (false, _) => state == 'f',
                    (true, Purge::Soft) => state == 's',
                    (true, Purge::Hard) => state == 'c' || state == 'a',
                };
                assert!(expected, "{name}, {mode:?}: {path} is {state}");
            }
        }
    }
}

#[test]
fn a_fill_that_began_before_a_purge_that_matches_it_is_not_stored() {
    for (name, purge, _, matching) in PURGES {
        for mode in [Purge::Soft, Purge::Hard] {
            let store = store();
            let before = store.snapshot();
            assert_eq!(purge(&store, mode), 0, "{name}: nothing is stored");
            for ((path, tags), matches) in ENTRIES.into_iter().zip(matching) {
                let expected = if matches { Inserted::Fenced } else { Inserted::Stored };
                assert_eq!(store.insert(key(path), fill(tags, before)), expected, "{name}, {mode:?}: {path}");
                assert_eq!(
                    store.insert(key(path), fill(tags, store.snapshot())),
                    Inserted::Stored,
                    "{name}, {mode:?}: {path}, begun after it"
                );
                assert_eq!(state(&store, path), 'f', "{name}, {mode:?}: {path}, begun after it");
            }
        }
    }
}

#[test]
fn a_fill_ends_a_soft_purge_and_a_hard_purge_follows_a_soft_one() {
    let store = store();
    let key = key("/items");
    store.insert(key.clone(), fill(&["items"], store.snapshot()));
    store.purge_tag(Tag::named("items"), Purge::Soft);
    assert_eq!(state(&store, "/items"), 's');
    store.insert(key, fill(&["items"], store.snapshot()));
    assert_eq!(state(&store, "/items"), 'f');
    store.purge_all(Purge::Soft);
    store.purge_tag(Tag::named("items"), Purge::Hard);
    assert_eq!(state(&store, "/items"), 'c');
    assert_eq!(state(&store, "/items"), 'a', "what was found unusable is removed");
}

#[test]
fn purges_are_remembered_for_a_tag_that_nothing_depended_on() {
    let store = store();
    let before = store.snapshot();
    store.insert(key("/other"), fill(&["items"], before));
    store.purge_key(&key("/other"), Purge::Hard);
    assert_eq!(store.stats().tags, 0, "its cell is gone");
    store.purge_tag(Tag::named("items"), Purge::Hard);
    assert_eq!(store.insert(key("/items"), fill(&["items"], before)), Inserted::Fenced);
}

#[test]
fn prefixes_that_no_longer_fit_in_memory_refuse_all_fills_that_began_before_them() {
    let store = store();
    let before = store.snapshot();
    store.purge_prefix(1, b"/first", Purge::Hard);
    let between = store.snapshot();
    for number in 1..=255_u32 {
        store.purge_prefix(1, format!("/{number}/").as_bytes(), Purge::Hard);
    }
    assert_eq!(store.insert(key("/items"), fill(&[], before)), Inserted::Stored, "all 256 are remembered");
    store.purge_prefix(1, b"/one-more", Purge::Hard);
    assert_eq!(store.insert(key("/posts"), fill(&[], before)), Inserted::Fenced, "fails closed");
    assert_eq!(
        store.insert(key("/posts"), fill(&[], between)),
        Inserted::Stored,
        "the others are still known"
    );
    assert_eq!(store.insert(key("/255/a"), fill(&[], between)), Inserted::Fenced);
}

#[test]
fn a_prefix_too_long_to_remember_refuses_more_and_purges_no_more() {
    let store = store();
    let long = format!("/{}", "a".repeat(1500));
    let before = store.snapshot();
    let stored = format!("{}b", &long[..1400]);
    store.insert(key(&stored), fill(&[], before));
    assert_eq!(store.purge_prefix(1, long.as_bytes(), Purge::Hard), 0);
    assert_eq!(state(&store, &stored), 'f');
    assert_eq!(store.insert(key(&long), fill(&[], before)), Inserted::Fenced);
    assert_eq!(store.insert(key(&stored), fill(&[], before)), Inserted::Fenced);
}

#[test]
fn clearing_frees_everything_and_fences_fills_under_way() {
    let store = store();
    let empty = store.stats().bytes;
    let before = store.snapshot();
    for (path, tags) in ENTRIES {
        store.insert(key(path), fill(tags, before));
    }
    store.clear();
    let stats = store.stats();
    assert_eq!((stats.entries, stats.tags, stats.bytes), (0, 0, empty));
    assert_eq!(store.insert(key("/"), fill(&[], before)), Inserted::Fenced);
    assert_eq!(store.insert(key("/"), fill(&[], store.snapshot())), Inserted::Stored);
}

#[test]
fn an_expired_entry_is_absent_and_removed() {
    let store = store();
    let now = Instant::now();
    let expires = Some(now + Duration::from_secs(1));
    store.insert(key("/"), Fill { expires, ..fill(&[], store.snapshot()) });
    assert!(matches!(store.look_up(&key("/"), now), Found::Usable { .. }));
    assert!(matches!(store.look_up(&key("/"), now + Duration::from_secs(1)), Found::Absent));
    let stats = store.stats();
    assert_eq!((stats.entries, stats.hits, stats.expired, stats.absent), (0, 1, 1, 0));
}

#[test]
fn a_later_fill_stays_and_an_equal_one_replaces() {
    let sequence = Arc::new(Sequence::new());
    let store: Bytes = Store::new(BUDGET_BYTES, Arc::clone(&sequence));
    let early = store.snapshot();
    store.apply(&Change { position: sequence.next(), tags: vec![Tag::named("elsewhere")] });
    let late = store.snapshot();
    assert_eq!(store.insert(key("/"), fill(&["a"], late)), Inserted::Stored);
    assert_eq!(store.insert(key("/"), fill(&["a"], early)), Inserted::Older);
    assert_eq!(store.insert(key("/"), fill(&["b"], late)), Inserted::Stored);
    assert_eq!(store.stats().entries, 1);
    store.apply(&Change { position: sequence.next(), tags: vec![Tag::named("a")] });
    assert_eq!(state(&store, "/"), 'f', "the tags are those of the fill that replaced it");
    store.apply(&Change { position: sequence.next(), tags: vec![Tag::named("b")] });
    assert_eq!(state(&store, "/"), 'c');
}

#[test]
fn the_hottest_keys_come_first() {
    let store = store();
    for (path, tags) in ENTRIES {
        store.insert(key(path), fill(tags, store.snapshot()));
    }
    for (path, hits) in [("/posts", 3), ("/", 5), ("/items", 1)] {
        for _ in 0..hits {
            state(&store, path);
        }
    }
    let hottest = |most| {
        let hottest = store.hottest(most).into_iter();
        hottest.map(|hot| (hot.key, hot.hits)).collect::<Vec<_>>()
    };
    assert_eq!(hottest(2), [(key("/"), 5), (key("/posts"), 3)]);
    assert_eq!(hottest(9), [(key("/"), 5), (key("/posts"), 3), (key("/items"), 1)]);
    assert_eq!(hottest(0), []);
}
