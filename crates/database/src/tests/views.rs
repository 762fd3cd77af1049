//! Views that connections keep between reads: nobody sees less for it.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use super::*;
use crate::WatchedTable;

const READ: &str = "SELECT v FROM n";

fn counter(sequence: &Arc<Sequence>) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { path: Some(folder.path().join("test.db")), ..Settings::default() };
    let schema = [file("001.sql", "CREATE TABLE n (v INTEGER NOT NULL); INSERT INTO n VALUES (0);")];
    let database = Database::open(&settings, &schema, Arc::clone(sequence), Arc::new(Silent)).unwrap();
    Bench { database: Arc::new(database), folder }
}

/// Reads often enough for a view to be kept.
fn read(bench: &Bench) -> i64 {
    let statement = Statement::new("read", READ);
    let once = || bench.database.read_here(&statement, &[], None, first_integer).unwrap().0;
    (0..3).for_each(|_| _ = once());
    once()
}

#[tokio::test]
async fn a_read_after_an_answered_write_shows_it_though_the_snapshot_stands_still() {
    let sequence = Arc::new(Sequence::new());
    let bench = counter(&sequence);
    // Another database of this process commits all the while, so that no snapshot moves on.
    let elsewhere = sequence.reserve();
    for expected in 1..=50 {
        read(&bench);
        bench.write("UPDATE n SET v = v + 1").await.unwrap();
        assert_eq!(read(&bench), expected);
        let many = |read: &mut crate::ReadTransaction<'_>| {
            read.query(&Statement::new("read", READ), &[], first_integer)
        };
        assert_eq!(bench.database.read_many_here(None, many).unwrap().0, expected);
    }
    sequence.publish(elsewhere);
}

/// Remembers at which position the counter was to be how high.
#[derive(Default)]
struct Announcements(Mutex<Vec<(Position, i64)>>);

impl CommitListener for Announcements {
    fn changed(&self, position: Position, changes: &[DataChange]) {
        for change in changes {
            let DataChange::Row(change) = change else { continue };
            if let Some([Value::Integer(value)]) = change.new.as_deref() {
                self.0.lock().push((position, *value));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_beside_a_writer_show_what_was_answered_and_what_their_snapshots_promise() {
    let bench = counter(&Arc::new(Sequence::new()));
    let announced = Arc::new(Announcements::default());
    bench.database.listen(Arc::clone(&announced) as _);
    let watched = WatchedTable { table: "n".to_owned(), columns: vec!["v".to_owned()] };
    bench.database.watch(vec![watched]).await.unwrap();
    let (answered, ended) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (database, announced) = (Arc::clone(&bench.database), Arc::clone(&announced));
            let (answered, ended) = (Arc::clone(&answered), Arc::clone(&ended));
            std::thread::spawn(move || {
                let statement = Statement::new("read", READ);
                while !ended.load(Ordering::Acquire) {
                    let floor = answered.load(Ordering::Acquire);
                    let (value, snapshot) = database.read_here(&statement, &[], None, first_integer).unwrap();
                    assert!(value >= floor, "{value} was read after {floor} was answered");
                    let announced = announced.0.lock();
                    let promised = announced.iter().rev().find(|(position, _)| snapshot.shows(*position));
                    let promised = promised.map_or(0, |(_, value)| *value);
                    assert!(value >= promised, "{value} was read with a snapshot that shows {promised}");
                }
            })
        })
        .collect();
    for number in 1..=300 {
        bench.write("UPDATE n SET v = v + 1").await.unwrap();
        answered.store(number, Ordering::Release);
    }
    ended.store(true, Ordering::Release);
    for reader in readers {
        reader.join().unwrap();
    }
    assert_eq!(announced.0.lock().len(), 300);
}

#[test]
fn reads_that_never_pause_come_to_see_what_another_process_writes() {
    let bench = counter(&Arc::new(Sequence::new()));
    let other = stranger(&bench.path());
    for expected in 1..=20 {
        read(&bench);
        other.execute_batch("UPDATE n SET v = v + 1").unwrap();
        // A view that were kept for good would never let this end.
        while read(&bench) != expected {}
    }
}

#[tokio::test]
async fn a_view_that_nobody_uses_does_not_keep_the_log() {
    let bench = counter(&Arc::new(Sequence::new()));
    let other = stranger(&bench.path());
    bench.write("UPDATE n SET v = v + 1").await.unwrap();
    assert_eq!(read(&bench), 1);
    // It waits for readers for a few seconds before it says that it was kept from its work.
    let kept_from: i64 = other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
    assert_eq!(kept_from, 0);
    assert_eq!(std::fs::metadata(bench.path().with_extension("db-wal")).unwrap().len(), 0);
}
