//! What a commit reports: every way in which SQLite can change a row, with the values before and after.

use super::*;
use crate::sqlite::connection::{Access, Connection, Place};
use crate::sqlite::upkeep;
use crate::{ROWS_REPORTED_MAX, WatchedTable};

const SCHEMA: &str = "
    CREATE TABLE shelf (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE book (id INTEGER PRIMARY KEY, shelf INTEGER REFERENCES shelf(id) ON DELETE CASCADE
                       ON UPDATE CASCADE, title TEXT UNIQUE CHECK (title <> 'bad'), hidden TEXT);
    CREATE TABLE tally (word TEXT PRIMARY KEY, count INTEGER) WITHOUT ROWID;
    CREATE TABLE log (id INTEGER PRIMARY KEY, what TEXT);
    CREATE TABLE mute (id INTEGER PRIMARY KEY, x INTEGER);
    CREATE TRIGGER log_books AFTER INSERT ON book BEGIN INSERT INTO log (what) VALUES (NEW.title); END;
    CREATE TRIGGER mute_all AFTER INSERT ON mute BEGIN SELECT RAISE(IGNORE); END;
    CREATE VIEW titles AS SELECT id, title FROM book;
    CREATE TRIGGER put_title INSTEAD OF INSERT ON titles BEGIN INSERT INTO book (id, title) VALUES (NEW.id, NEW.title); END;
    INSERT INTO shelf VALUES (1, 'a'), (2, 'b');
    INSERT INTO book (id, shelf, title) VALUES (1, 1, 'one'), (2, 1, 'two');
    INSERT INTO tally VALUES ('x', 1), ('y', 2);
    DELETE FROM log;";

fn watched() -> Vec<WatchedTable> {
    let table = |table: &str, columns: &[&str]| WatchedTable {
        table: table.to_owned(),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
    };
    vec![
        table("shelf", &["id", "name"]),
        table("book", &["id", "shelf", "title"]),
        table("tally", &["count", "word"]),
        table("log", &["what"]),
        table("mute", &["id", "x"]),
    ]
}

async fn bench() -> (Bench, Arc<Told>) {
    let bench = Bench::new(SCHEMA);
    let told = Arc::new(Told::default());
    bench.database.listen(Arc::clone(&told) as _);
    bench.database.watch(watched()).await.unwrap();
    (bench, told)
}

async fn check(name: &str, sql: &str, expected: &[&str]) {
    let (bench, told) = bench().await;
    bench.write(sql).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut changes = told.take();
    changes.sort();
    assert_eq!(changes, expected, "{name}");
}

#[tokio::test]
async fn every_way_to_change_a_row_is_reported() {
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "insert, and the row that a trigger inserts",
            "INSERT INTO book (id, shelf, title) VALUES (3, NULL, 'three')",
            &["book · -> 3,null,three", "log · -> three"],
        ),
        ("update", "UPDATE shelf SET name = 'c' WHERE id = 2", &["shelf 2,b -> 2,c"]),
        (
            "delete, and the rows that a foreign key deletes",
            "DELETE FROM shelf WHERE id = 1",
            &["book 1,1,one -> ·", "book 2,1,two -> ·", "shelf 1,a -> ·"],
        ),
        (
            "a new key, and the rows that follow it",
            "UPDATE shelf SET id = 9 WHERE id = 1",
            &["book 1,1,one -> 1,9,one", "book 2,1,two -> 2,9,two", "shelf 1,a -> 9,a"],
        ),
        (
            "a row that REPLACE removes by another unique key",
            "INSERT OR REPLACE INTO book (id, shelf, title) VALUES (1, 2, 'two')",
            &["book 1,1,one -> ·", "book 2,1,two -> ·", "book · -> 1,2,two", "log · -> two"],
        ),
        (
            "upsert that updates",
            "INSERT INTO tally VALUES ('x', 5) ON CONFLICT (word) DO UPDATE SET count = count + excluded.count",
            &["tally 1,x -> 6,x"],
        ),
        (
            "upsert that inserts",
            "INSERT INTO tally VALUES ('z', 5) ON CONFLICT (word) DO UPDATE SET count = 0",
            &["tally · -> 5,z"],
        ),
        ("upsert that does nothing", "INSERT INTO tally VALUES ('x', 5) ON CONFLICT DO NOTHING", &[]),
        ("delete of everything", "DELETE FROM tally", &["tally 1,x -> ·", "tally 2,y -> ·"]),
        (
            "a column that is not watched",
            "UPDATE book SET hidden = 'h' WHERE id = 1",
            &["book 1,1,one -> 1,1,one"],
        ),
        (
            "through a view",
            "INSERT INTO titles VALUES (7, 'seven')",
            &["book · -> 7,null,seven", "log · -> seven"],
        ),
        ("a trigger that ends all later triggers", "INSERT INTO mute VALUES (1, 2)", &["mute · -> 1,2"]),
        ("no row at all", "UPDATE shelf SET name = 'q' WHERE id = 77", &[]),
    ];
    for (name, sql, expected) in cases {
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        check(name, sql, &expected).await;
    }
}

#[tokio::test]
async fn a_job_that_fails_reports_nothing() {
    let (bench, told) = bench().await;
    let midway = "INSERT INTO book (id, title) VALUES (5, 'five'), (6, 'bad'), (7, 'seven')";
    assert!(bench.write(midway).await.is_err());
    assert_eq!(told.take(), Vec::<String>::new());
    assert_eq!(bench.rows("SELECT count(*) FROM book"), ["2"]);
}

#[tokio::test]
async fn a_part_that_is_undone_takes_its_changes_with_it() {
    let (bench, told) = bench().await;
    let insert = Statement::new("insert", "INSERT INTO shelf VALUES (?1, 'x')");
    let job = move |transaction: &mut crate::WriteTransaction<'_>| {
        transaction.execute(&insert, &[Value::Integer(10)])?;
        let undone: Result<(), DatabaseError> = transaction.attempt(|part| {
            part.execute(&insert, &[Value::Integer(11)])?;
            part.execute(&insert, &[Value::Integer(10)])?;
            Ok(())
        });
        assert!(matches!(undone, Err(DatabaseError::Constraint { .. })));
        transaction.attempt(|part| part.execute(&insert, &[Value::Integer(12)]))?;
        Ok::<_, DatabaseError>(())
    };
    bench.database.write(None, job).await.unwrap();
    assert_eq!(told.take(), ["shelf · -> 10,x", "shelf · -> 12,x"]);
    assert_eq!(bench.rows("SELECT id FROM shelf WHERE id > 9"), ["10", "12"]);
}

#[tokio::test]
async fn a_statement_that_fails_midway_but_keeps_its_rows_still_reports_them() {
    let (bench, told) = bench().await;
    let statement = Statement::new("fail", "INSERT OR FAIL INTO shelf VALUES (5, 'five'), (1, 'again')");
    let job = move |transaction: &mut crate::WriteTransaction<'_>| {
        assert!(transaction.execute(&statement, &[]).is_err());
        Ok::<_, DatabaseError>(())
    };
    bench.database.write(None, job).await.unwrap();
    assert_eq!(bench.rows("SELECT id FROM shelf WHERE id = 5"), ["5"]);
    assert_eq!(told.take(), ["shelf · -> 5,five"]);
}

#[tokio::test]
async fn too_many_rows_are_reported_as_their_table() {
    let (bench, told) = bench().await;
    let last = ROWS_REPORTED_MAX + 3;
    let many = format!(
        "INSERT INTO shelf WITH RECURSIVE n(v) AS (SELECT 3 UNION ALL SELECT v + 1 FROM n WHERE v < {last}) \
         SELECT v, 'x' FROM n"
    );
    bench.write(&many).await.unwrap();
    assert_eq!(told.take(), ["shelf whole"]);
    bench.write("UPDATE shelf SET name = 'c' WHERE id = 2").await.unwrap();
    assert_eq!(told.take(), ["shelf 2,b -> 2,c"], "the next commit begins anew");
}

#[tokio::test]
async fn an_undone_flood_does_not_hide_the_rows_before_it() {
    let (bench, told) = bench().await;
    let one = Statement::new("one", "INSERT INTO shelf VALUES (3, 'x')");
    let flood = Statement::new(
        "flood",
        "INSERT INTO shelf WITH RECURSIVE n(v) AS (SELECT 10 UNION ALL SELECT v + 1 FROM n WHERE v < 20000) SELECT v, 'x' FROM n",
    );
    let job = move |transaction: &mut crate::WriteTransaction<'_>| {
        transaction.execute(&one, &[])?;
        let _undone: Result<(), DatabaseError> = transaction.attempt(|part| {
            part.execute(&flood, &[])?;
            Err(DatabaseError::Aborted)
        });
        Ok::<_, DatabaseError>(())
    };
    bench.database.write(None, job).await.unwrap();
    assert_eq!(told.take(), ["shelf · -> 3,x"]);
}

#[tokio::test]
async fn watching_again_replaces_what_is_watched() {
    let (bench, told) = bench().await;
    let only = WatchedTable { table: "shelf".into(), columns: vec!["name".into()] };
    bench.database.watch(vec![only]).await.unwrap();
    bench.write("INSERT INTO book (id, shelf, title) VALUES (3, NULL, 'three')").await.unwrap();
    bench.write("DELETE FROM shelf WHERE id = 2").await.unwrap();
    assert_eq!(told.take(), ["shelf b -> ·"]);
    let missing = WatchedTable { table: "nothing".into(), columns: vec![] };
    assert!(bench.database.watch(vec![missing]).await.is_err());
    bench.write("DELETE FROM shelf WHERE id = 1").await.unwrap();
    assert_eq!(told.take(), ["shelf a -> ·"], "a watch that fails leaves the last one in force");
}

#[tokio::test]
async fn what_another_process_writes_is_noticed_by_the_next_write() {
    let (bench, told) = bench().await;
    bench.write("UPDATE shelf SET name = 'mine' WHERE id = 1").await.unwrap();
    assert_eq!(told.take(), ["shelf 1,a -> 1,mine"], "own writes are no news");
    stranger(&bench.path()).execute_batch("UPDATE shelf SET name = 'theirs' WHERE id = 2").unwrap();
    bench.write("UPDATE shelf SET name = 'again' WHERE id = 1").await.unwrap();
    let changes = told.take();
    assert!(changes.contains(&"everything".to_owned()), "{changes:?}");
    assert!(changes.contains(&"shelf 1,mine -> 1,again".to_owned()), "{changes:?}");
}

#[tokio::test]
async fn copying_the_log_is_no_news() {
    let (bench, told) = bench().await;
    let place = Place {
        path: bench.path(),
        page_cache_bytes: 1 << 20,
        mapped_bytes: 0,
        durable: true,
        files: Arc::default(),
    };
    let other = Connection::open(&place, Access::Write).unwrap();
    for name in ["x", "y", "z"] {
        bench.write(&format!("UPDATE shelf SET name = '{name}' WHERE id = 2")).await.unwrap();
        upkeep::checkpoint(&other).unwrap();
    }
    bench.write("UPDATE shelf SET name = 'b' WHERE id = 2").await.unwrap();
    assert_eq!(told.take(), ["shelf 2,b -> 2,x", "shelf 2,x -> 2,y", "shelf 2,y -> 2,z", "shelf 2,z -> 2,b"]);
}

/// Wakes whoever waits as soon as it is told of everything.
struct Wake(tokio::sync::Notify);

impl CommitListener for Wake {
    fn changed(&self, _: Position, changes: &[DataChange]) {
        if changes.contains(&DataChange::Everything) {
            self.0.notify_one();
        }
    }
}

#[tokio::test]
async fn what_another_process_writes_is_noticed_without_a_write() {
    let bench = Bench::new(SCHEMA);
    let writer = Arc::new(Wake(tokio::sync::Notify::new()));
    bench.database.listen(Arc::clone(&writer) as _);
    let settings = Settings { path: Some(bench.path()), read_only: true, ..Settings::default() };
    let reading = open(&settings, &[]).unwrap();
    let reader = Arc::new(Wake(tokio::sync::Notify::new()));
    reading.listen(Arc::clone(&reader) as _);
    stranger(&bench.path()).execute_batch("UPDATE shelf SET name = 'theirs' WHERE id = 2").unwrap();
    writer.0.notified().await;
    reader.0.notified().await;
}

/// Panics once.
struct Clumsy(std::sync::atomic::AtomicBool, Told);

impl CommitListener for Clumsy {
    fn changed(&self, position: Position, changes: &[DataChange]) {
        assert!(self.0.swap(true, std::sync::atomic::Ordering::Relaxed), "dropped it");
        self.1.changed(position, changes);
    }
}

#[tokio::test]
async fn a_listener_that_panics_is_told_to_forget_everything() {
    let (bench, _) = bench().await;
    let clumsy = Arc::new(Clumsy(false.into(), Told::default()));
    bench.database.listen(Arc::clone(&clumsy) as _);
    bench.write("UPDATE shelf SET name = 'c' WHERE id = 2").await.unwrap();
    assert_eq!(clumsy.1.take(), ["everything"]);
    bench.write("UPDATE shelf SET name = 'd' WHERE id = 2").await.unwrap();
    assert_eq!(clumsy.1.take(), ["shelf 2,c -> 2,d"]);
}
