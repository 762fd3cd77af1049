//! What other programs write into a file, told by the triggers that lie in it.

use std::time::{Duration, Instant};

use super::*;
use crate::{WatchMode, Watchable, WatchedTable, watch_install, watch_remove, watch_status};

const SCHEMA: &str = "
    CREATE TABLE shelf (id INTEGER PRIMARY KEY, name TEXT UNIQUE, picture BLOB, room INTEGER);
    CREATE TABLE book (id INTEGER PRIMARY KEY, shelf INTEGER REFERENCES shelf(id) ON DELETE CASCADE);
    CREATE TABLE tally (word TEXT PRIMARY KEY, count INTEGER) WITHOUT ROWID;
    CREATE TABLE odd (id INTEGER PRIMARY KEY, name TEXT);
    CREATE UNIQUE INDEX odd_lower ON odd (lower(name));
    CREATE TABLE unwatched (id INTEGER PRIMARY KEY);
    INSERT INTO shelf VALUES (1, 'a', x'00ff', 1), (2, 'b', NULL, 1);
    INSERT INTO book VALUES (10, 1), (11, 1), (20, 2);
    INSERT INTO tally VALUES ('x', 1);";

fn watched() -> Vec<WatchedTable> {
    let table = |table: &str, columns: &[&str]| WatchedTable {
        table: table.to_owned(),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
    };
    vec![
        table("shelf", &["id", "name", "picture"]),
        table("book", &["id", "shelf"]),
        table("tally", &["word"]),
        table("odd", &["id"]),
    ]
}

/// A database with a feed, what is told of it, and another program at the same file.
struct Watching {
    bench: Bench,
    told: Arc<Told>,
    stranger: rusqlite::Connection,
}

impl Watching {
    async fn new() -> Self {
        let settings = Settings {
            watch: WatchMode::Install,
            poll: Duration::from_millis(5),
            bound: Duration::from_mins(1),
            ..Settings::default()
        };
        let bench = Bench::with(SCHEMA, &settings);
        bench.database.watch(watched()).await.unwrap();
        let told = Arc::new(Told::default());
        bench.database.listen(Arc::clone(&told) as _);
        let stranger = rusqlite::Connection::open(bench.path()).unwrap();
        stranger.busy_timeout(Duration::from_secs(30)).unwrap();
        stranger.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        let watching = Self { bench, told, stranger };
        // The first word is that anything may have changed before it; so is the one about the new triggers.
        watching.heard().await;
        watching.stranger.execute_batch("UPDATE tally SET count = 2").unwrap();
        watching.heard().await;
        watching
    }

    /// What was told, once the feed has looked at all that is committed by now.
    async fn heard(&self) -> Vec<String> {
        let (lease, since) = (self.bench.database.lease().expect("it is watched"), Instant::now());
        while lease.age(Instant::now()).is_none_or(|age| Instant::now() < since + age) {
            assert!(since.elapsed() < Duration::from_secs(20), "the feed does not look");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let mut told = self.told.take();
        told.sort();
        // An update that could replace rows is told with what it was before twice, which does no harm.
        told.dedup();
        told
    }

    async fn check(&self, sql: &str, expected: &[&str]) {
        self.stranger.execute_batch(sql).unwrap();
        assert_eq!(self.heard().await, expected, "{sql}");
    }
}

#[tokio::test]
async fn what_others_write_is_told_with_old_and_new_values() {
    let watching = Watching::new().await;
    watching.check("INSERT INTO shelf VALUES (3, 'c', x'01', 1)", &["shelf · -> 3,c,[1]"]).await;
    watching
        .check("UPDATE shelf SET name = 'd' WHERE id = 3", &["shelf 3,c,[1] -> ·", "shelf · -> 3,d,[1]"])
        .await;
    watching.check("UPDATE shelf SET room = 9 WHERE id = 3", &["shelf · -> 3,d,[1]"]).await;
    watching.check("BEGIN; DELETE FROM shelf; ROLLBACK", &[]).await;
    watching.check("INSERT INTO unwatched VALUES (1)", &[]).await;
    watching
        .check(
            "DELETE FROM shelf WHERE id = 1",
            &["book 10,1 -> ·", "book 11,1 -> ·", "shelf 1,a,[0, 255] -> ·"],
        )
        .await;
    watching.check("DELETE FROM tally", &["tally x -> ·"]).await;
    watching.check("VACUUM; ANALYZE", &[]).await;
}

#[tokio::test]
async fn what_a_replace_removes_without_a_trigger_is_told_too() {
    let watching = Watching::new().await;
    // By the unique name, the row 2 goes; by the key, what was row 1.
    watching
        .check(
            "INSERT OR REPLACE INTO shelf VALUES (7, 'b', NULL, 1)",
            &["book 20,2 -> ·", "shelf 2,b,null -> ·", "shelf · -> 7,b,null"],
        )
        .await;
    watching
        .check(
            "REPLACE INTO shelf VALUES (1, 'z', NULL, 1)",
            &["book 10,1 -> ·", "book 11,1 -> ·", "shelf 1,a,[0, 255] -> ·", "shelf · -> 1,z,null"],
        )
        .await;
    watching
        .check(
            "UPDATE OR REPLACE shelf SET name = 'z' WHERE id = 7",
            &["shelf 1,z,null -> ·", "shelf 7,b,null -> ·", "shelf · -> 7,z,null"],
        )
        .await;
    watching.check("INSERT INTO odd VALUES (1, 'A')", &["odd whole", "odd · -> 1"]).await;
}

#[tokio::test]
async fn ones_own_writes_are_told_once_and_leave_nothing_behind() {
    let watching = Watching::new().await;
    watching.bench.write("UPDATE shelf SET name = 'own' WHERE id = 1").await.unwrap();
    assert_eq!(watching.heard().await, ["shelf 1,a,[0, 255] -> 1,own,[0, 255]"]);
    let left = watching.bench.rows("SELECT count(*) FROM _kasoku_change WHERE relation = 'shelf'");
    assert_eq!(left, ["0"]);
}

#[tokio::test]
async fn what_cannot_be_told_in_detail_is_told_as_everything() {
    let watching = Watching::new().await;
    let everything = |sql: &'static str| {
        let watching = &watching;
        async move {
            watching.stranger.execute_batch(sql).unwrap();
            let heard = watching.heard().await;
            assert!(heard.contains(&"everything".to_owned()), "{sql}: {heard:?}");
        }
    };
    everything("UPDATE _kasoku_feed SET upto = 0; UPDATE shelf SET name = 'lost' WHERE id = 1").await;
    everything("UPDATE _kasoku_feed SET upto = 1000000, epoch = 'another'").await;
    let trigger: String = watching
        .stranger
        .query_row("SELECT name FROM sqlite_schema WHERE name GLOB '_kasoku_note_*_update'", [], |row| {
            row.get(0)
        })
        .unwrap();
    watching.stranger.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
    assert!(watching.heard().await.contains(&"everything".to_owned()));
    // Until the trigger is there again, nobody knows what a write changes.
    everything("UPDATE shelf SET room = 5 WHERE id = 1").await;
    watching.bench.database.watch(watched()).await.unwrap();
    watching.heard().await;
    watching.stranger.execute_batch("UPDATE shelf SET room = 6 WHERE id = 1").unwrap();
    watching.heard().await;
    watching.check("UPDATE shelf SET room = 7 WHERE id = 1", &["shelf · -> 1,lost,[0, 255]"]).await;
}

#[tokio::test]
async fn a_file_that_was_put_in_the_place_of_another_is_read_from() {
    let watching = Watching::new().await;
    assert_eq!(watching.bench.rows("SELECT name FROM shelf WHERE id = 1"), ["a"]);
    let path = watching.bench.path();
    let other = watching.bench.folder.path().join("other.db");
    let copy = rusqlite::Connection::open(&other).unwrap();
    copy.execute_batch(SCHEMA).unwrap();
    copy.execute_batch("UPDATE shelf SET name = 'other' WHERE id = 1").unwrap();
    drop(copy);
    watch_install(Watchable::File(&other), &watched()).unwrap();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", other.display()));
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    std::fs::rename(&other, &path).unwrap();
    let began = Instant::now();
    while watching.bench.rows("SELECT name FROM shelf WHERE id = 1") != ["other"] {
        assert!(began.elapsed() < Duration::from_secs(20), "the old file is read");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(watching.heard().await.contains(&"everything".to_owned()));
    watching.bench.write("UPDATE shelf SET name = 'ours' WHERE id = 1").await.unwrap();
    let stranger = rusqlite::Connection::open(&path).unwrap();
    let name: String =
        stranger.query_row("SELECT name FROM shelf WHERE id = 1", [], |row| row.get(0)).unwrap();
    assert_eq!(name, "ours");
}

#[test]
fn the_triggers_of_a_file_are_installed_shown_and_taken_away() {
    let bench = Bench::new(SCHEMA);
    let path = bench.path();
    let place = || Watchable::File(&path);
    assert_eq!(watch_status(place()).unwrap(), None);
    assert_eq!(watch_install(place(), &watched()).unwrap(), ["shelf", "book", "tally", "odd"]);
    assert_eq!(watch_install(place(), &watched()).unwrap(), [""; 0]);
    let tables: Vec<String> =
        watch_status(place()).unwrap().unwrap().into_iter().map(|watched| watched.table).collect();
    assert_eq!(tables, ["book", "odd", "shelf", "tally"]);
    let stranger = rusqlite::Connection::open(&path).unwrap();
    stranger.execute_batch("UPDATE shelf SET room = 2").unwrap();
    watch_remove(place()).unwrap();
    assert_eq!(watch_status(place()).unwrap(), None);
    stranger.execute_batch("UPDATE shelf SET room = 3").unwrap();
    let left: i64 = stranger
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name GLOB '_kasoku_note*'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
}
