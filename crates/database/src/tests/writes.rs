//! Writes: what shares a commit, what fails alone, and what a caller may rely on once it is answered.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use kasoku_observe::{Observation, Observer};
use kasoku_problem::{Kind, Problem};

use super::*;
use crate::{ConstraintKind, WatchedTable, WriteTransaction};

const SCHEMA: &str = "
    CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE CHECK (length(name) < 9));
    CREATE TABLE part (id INTEGER PRIMARY KEY, item INTEGER REFERENCES item(id) DEFERRABLE INITIALLY DEFERRED,
                       owner INTEGER REFERENCES item(id));
    CREATE TABLE strict (id INTEGER PRIMARY KEY, n INTEGER) STRICT;
    CREATE TRIGGER no_ghost BEFORE INSERT ON item WHEN NEW.name = 'ghost'
        BEGIN SELECT RAISE(ROLLBACK, 'no ghosts'); END;
    CREATE TRIGGER no_troll BEFORE INSERT ON item WHEN NEW.name = 'troll'
        BEGIN SELECT RAISE(ABORT, 'no trolls'); END;
    INSERT INTO item VALUES (1, 'one');";

type Answer = Pin<Box<dyn Future<Output = Result<u64, DatabaseError>>>>;

/// A writer that is busy until it is let go, with jobs waiting behind it.
struct Held {
    bench: Bench,
    commits: Arc<Commits>,
    let_go: mpsc::SyncSender<()>,
    first: Answer,
}

/// Counts commits and the jobs in them.
#[derive(Default)]
struct Commits(Mutex<Vec<usize>>);

impl Observer for Commits {
    fn observe(&self, observation: &Observation<'_>) {
        if let Observation::Committed { writes, .. } = observation {
            self.0.lock().push(*writes);
        }
    }
}

impl Held {
    fn new(settings: &Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { path: Some(folder.path().join("test.db")), ..settings.clone() };
        let commits = Arc::new(Commits::default());
        let observer: Arc<dyn Observer> = Arc::clone(&commits) as _;
        let files = [file("001.sql", SCHEMA)];
        let database = Database::open(&settings, &files, Arc::new(Sequence::new()), observer).unwrap();
        let bench = Bench { database: Arc::new(database), folder };
        let (let_go, wait) = mpsc::sync_channel(1);
        let (begun, begins) = mpsc::sync_channel(1);
        let database = Arc::clone(&bench.database);
        let mut first: Answer = Box::pin(async move {
            let hold = move |_: &mut WriteTransaction<'_>| {
                begun.send(()).unwrap();
                wait.recv().unwrap();
                Ok::<_, DatabaseError>(0)
            };
            Ok(database.write(None, hold).await?.0)
        });
        begin(&mut first);
        begins.recv().unwrap();
        Self { bench, commits, let_go, first }
    }

    /// Puts a job behind the busy one.
    fn queue(
        &self,
        deadline: Option<Instant>,
        job: impl FnMut(&mut WriteTransaction<'_>) -> Result<u64, DatabaseError> + Send + 'static,
    ) -> Answer {
        let database = Arc::clone(&self.bench.database);
        let mut answer: Answer = Box::pin(async move { Ok(database.write(deadline, job).await?.0) });
        begin(&mut answer);
        answer
    }

    fn queue_sql(&self, sql: &str) -> Answer {
        let statement = Statement::new("test", sql);
        self.queue(None, move |transaction| transaction.execute(&statement, &[]))
    }

    /// Lets the writer go on; what waited is answered.
    async fn answers(self, waiting: Vec<Answer>) -> (Bench, Vec<Result<u64, DatabaseError>>, Vec<usize>) {
        self.let_go.send(()).unwrap();
        self.first.await.unwrap();
        let mut answers = Vec::new();
        for answer in waiting {
            answers.push(answer.await);
        }
        let commits = self.commits.0.lock().clone();
        (self.bench, answers, commits)
    }
}

/// Polls once, which puts a write into the queue.
fn begin(answer: &mut Answer) {
    assert!(answer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

fn insert(id: usize) -> String {
    format!("INSERT INTO item VALUES ({id}, 'i{id}')")
}

#[tokio::test]
async fn what_waits_together_is_committed_together() {
    let held = Held::new(&Settings { group_most: 40, ..Settings::default() });
    let waiting = (100..164).map(|id| held.queue_sql(&insert(id))).collect();
    let (bench, answers, commits) = held.answers(waiting).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(1))));
    assert_eq!(commits, [1, 40, 24]);
    assert_eq!(bench.rows("SELECT count(*) FROM item"), ["65"]);
}

/// One bad job among good ones: the good are kept, the bad is not.
async fn check_bad_job(
    name: &str,
    bad: impl FnOnce(&Held) -> Answer,
    expected: impl Fn(&DatabaseError) -> bool,
) {
    let held = Held::new(&Settings::default());
    let waiting = vec![held.queue_sql(&insert(10)), bad(&held), held.queue_sql(&insert(11))];
    let (bench, answers, _) = held.answers(waiting).await;
    assert!(matches!(answers[0], Ok(1)) && matches!(answers[2], Ok(1)), "{name}: {answers:?}");
    let error = answers[1].as_ref().expect_err(name);
    assert!(expected(error), "{name}: {error:?}");
    assert_eq!(bench.rows("SELECT id FROM item"), ["1", "10", "11"], "{name}");
    assert_eq!(bench.rows("SELECT count(*) FROM part"), ["0"], "{name}");
    bench
        .write(&insert(12))
        .await
        .unwrap_or_else(|error| panic!("{name}: the writer is well afterwards: {error}"));
}

fn is_sql(sql: &'static str) -> impl FnOnce(&Held) -> Answer {
    move |held| held.queue_sql(sql)
}

#[tokio::test]
async fn a_job_fails_alone() {
    use DatabaseError::{Aborted, Constraint, Panicked, Refused};
    check_bad_job("constraint", is_sql("INSERT INTO item VALUES (20, 'one')"), |error| {
        matches!(error, Constraint { .. })
    })
    .await;
    check_bad_job(
        "a trigger that rolls everything back",
        is_sql("INSERT INTO item VALUES (20, 'ghost')"),
        |error| matches!(error, Constraint { kind: ConstraintKind::Trigger, .. }),
    )
    .await;
    check_bad_job("a constraint of the commit", is_sql("INSERT INTO part (item) VALUES (99)"), |error| {
        matches!(error, Constraint { kind: ConstraintKind::ForeignKey, .. })
    })
    .await;
    for sql in [
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT mine",
        "RELEASE kasoku_job",
        "DROP TABLE part",
        "CREATE TABLE other (a)",
        "CREATE TEMP TABLE other (a)",
        "ALTER TABLE part ADD COLUMN x",
        "PRAGMA foreign_keys = OFF",
        "ATTACH 'other.db' AS other",
    ] {
        check_bad_job(sql, move |held| held.queue_sql(sql), |error| matches!(error, Refused(_))).await;
    }
    let panics = |held: &Held| {
        let statement = Statement::new("test", "INSERT INTO item VALUES (20, 'lost')");
        held.queue(None, move |transaction| {
            transaction.execute(&statement, &[])?;
            panic!("dropped it")
        })
    };
    check_bad_job("panic", panics, |error| matches!(error, Panicked(text) if text.contains("dropped it")))
        .await;
    let swallows = |held: &Held| {
        let statement = Statement::new("test", "INSERT INTO item VALUES (20, 'ghost')");
        held.queue(None, move |transaction| Ok(transaction.execute(&statement, &[]).unwrap_or(7)))
    };
    check_bad_job("a lost transaction that the job hides", swallows, |error| matches!(error, Aborted)).await;
    let late = |held: &Held| {
        let statement = Statement::new("test", "INSERT INTO item VALUES (20, 'late')");
        let deadline = Instant::now();
        held.queue(Some(deadline), move |transaction| transaction.execute(&statement, &[]))
    };
    check_bad_job("late", late, |error| matches!(error, DatabaseError::Deadline)).await;
}

#[tokio::test]
async fn a_write_that_takes_too_long_is_stopped_and_its_group_is_not() {
    let held = Held::new(&Settings { statement_timeout: Duration::from_millis(100), ..Settings::default() });
    let endless = "INSERT INTO item WITH RECURSIVE n(v) AS (SELECT 1000 UNION ALL SELECT v + 1 FROM n) \
                   SELECT v, 'n' || v FROM n WHERE v < 0";
    let waiting = vec![held.queue_sql(&insert(10)), held.queue_sql(endless), held.queue_sql(&insert(11))];
    let (bench, answers, _) = held.answers(waiting).await;
    assert!(matches!(answers[..], [Ok(1), Err(DatabaseError::Deadline), Ok(1)]), "{answers:?}");
    assert_eq!(bench.rows("SELECT id FROM item"), ["1", "10", "11"]);
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let held = Held::new(&Settings { write_queue: 1, ..Settings::default() });
    let waiting = held.queue_sql(&insert(10));
    let refused = held.bench.write(&insert(11)).await;
    assert!(matches!(refused, Err(DatabaseError::QueueFull)));
    let (bench, answers, _) = held.answers(vec![waiting]).await;
    assert!(answers[0].is_ok());
    assert_eq!(bench.rows("SELECT id FROM item"), ["1", "10"]);
}

#[tokio::test]
async fn a_waiter_that_goes_away_changes_nothing() {
    let held = Held::new(&Settings::default());
    drop(held.queue_sql(&insert(10)));
    let waiting = vec![held.queue_sql(&insert(11))];
    let (bench, ..) = held.answers(waiting).await;
    assert_eq!(bench.rows("SELECT id FROM item"), ["1", "10", "11"]);
}

/// Notes what could be read at the moment of the report, and how many were answered by then.
struct Witness {
    database: Mutex<Option<std::sync::Weak<Database>>>,
    answered: AtomicUsize,
    seen: Mutex<Vec<(Position, i64, usize)>>,
}

impl CommitListener for Witness {
    fn changed(&self, position: Position, _: &[DataChange]) {
        let database = self.database.lock().as_ref().and_then(std::sync::Weak::upgrade).unwrap();
        let count = Statement::new("count", "SELECT count(*) FROM item");
        let (rows, snapshot) = database.read_here(&count, &[], None, first_integer).unwrap();
        assert!(!snapshot.shows(position), "what is read now may be older than the change");
        self.seen.lock().push((position, rows, self.answered.load(Ordering::SeqCst)));
    }
}

#[tokio::test]
async fn the_listener_is_told_before_any_read_sees_the_change() {
    let bench = Bench::new(SCHEMA);
    let witness = Arc::new(Witness {
        database: Mutex::new(Some(Arc::downgrade(&bench.database))),
        answered: AtomicUsize::new(0),
        seen: Mutex::default(),
    });
    bench.database.listen(Arc::clone(&witness) as _);
    bench
        .database
        .watch(vec![WatchedTable { table: "item".into(), columns: vec!["id".into()] }])
        .await
        .unwrap();
    for id in 10..13_i64 {
        let statement = Statement::new("insert", "INSERT INTO item VALUES (?1, 'i' || ?1)");
        let job = move |transaction: &mut WriteTransaction<'_>| {
            transaction.execute(&statement, &[Value::Integer(id)])
        };
        let (_, commit) = bench.database.write::<_, DatabaseError>(None, job).await.unwrap();
        witness.answered.fetch_add(1, Ordering::SeqCst);
        let seen = witness.seen.lock().pop().unwrap();
        assert_eq!(seen, (commit.position, id - 9, (id - 10) as usize));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_read_after_an_answer_sees_the_write() {
    let bench = Bench::new(SCHEMA);
    let check = |writer: i64, database: Arc<Database>| async move {
        let insert = Statement::new("insert", "INSERT INTO item VALUES (?1, 'i' || ?1) RETURNING id");
        let select = Statement::new("select", "SELECT count(*) FROM item WHERE id = ?1");
        for round in 0..20 {
            let id = vec![Value::Integer(1_000 + writer * 100 + round)];
            let (statement, params) = (insert.clone(), id.clone());
            let job = move |transaction: &mut WriteTransaction<'_>| {
                transaction.query(&statement, &params, first_integer)
            };
            let (returned, commit) = database.write(None, job).await.unwrap();
            assert_eq!(Value::Integer(returned), id[0]);
            let (here, snapshot) = database.read_here(&select, &id, None, first_integer).unwrap();
            assert!(here == 1 && snapshot.shows(commit.position));
            let (there, snapshot) = database.read(&select, id, None, first_integer).await.unwrap();
            assert!(there == 1 && snapshot.shows(commit.position));
        }
    };
    let writers = (0..8).map(|writer| tokio::spawn(check(writer, Arc::clone(&bench.database))));
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn a_full_disk_fails_writes_and_nothing_else_and_recovers() {
    let bench = Bench::new(SCHEMA);
    let limit = |pages: u32| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        bench.database.bulk::<_, DatabaseError>(|bulk| bulk.run(&sql)).unwrap();
    };
    limit(1);
    let large = "INSERT INTO part (id, owner) WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n \
                 WHERE v < 5000) SELECT v, 1 FROM n";
    assert!(matches!(bench.write(large).await, Err(DatabaseError::DiskFull)));
    assert_eq!(bench.rows("SELECT count(*) FROM part"), ["0"]);
    limit(1_000_000);
    assert_eq!(bench.write(large).await.unwrap(), 5_000);
    let check: String =
        stranger(&bench.path()).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[tokio::test]
async fn the_log_does_not_grow_without_bound() {
    let bench = Bench::new("CREATE TABLE large (id INTEGER PRIMARY KEY, bytes BLOB)");
    for _ in 0..30 {
        bench.write("INSERT OR REPLACE INTO large VALUES (1, zeroblob(4 << 20))").await.unwrap();
    }
    let log = std::fs::metadata(bench.folder.path().join("test.db-wal")).unwrap().len();
    assert!(log < 60 << 20, "{log} bytes after writing twice that");
}

#[tokio::test]
async fn after_closing_everything_is_refused() {
    let bench = Bench::new(SCHEMA);
    bench.write(&insert(10)).await.unwrap();
    bench.database.close();
    assert!(matches!(bench.write(&insert(11)).await, Err(DatabaseError::Closed)));
    assert!(!bench.folder.path().join("test.db-wal").exists(), "the log was copied into the file");
}

#[tokio::test]
async fn an_error_says_whose_fault_it_is_and_nothing_internal() {
    let cases = [
        ("INSERT INTO item VALUES (1, 'two')", Kind::Conflict, "item.id"),
        ("INSERT INTO item VALUES (2, 'one')", Kind::Conflict, "item.name"),
        ("INSERT INTO item VALUES (2, NULL)", Kind::Unprocessable, "item.name"),
        ("INSERT INTO item VALUES (2, 'much too long')", Kind::Unprocessable, ""),
        ("INSERT INTO item VALUES (2, 'troll')", Kind::Unprocessable, ""),
        ("INSERT INTO item VALUES ('x', 'two')", Kind::Unprocessable, ""),
        ("INSERT INTO strict VALUES (1, 'x')", Kind::Unprocessable, "strict.n"),
        ("INSERT INTO part (owner) VALUES (77)", Kind::Conflict, ""),
        ("INSERT INTO nothing VALUES (1)", Kind::Internal, ""),
        ("INSERT INTO item VALUES (?1, 'two')", Kind::Internal, ""),
    ];
    let bench = Bench::new(SCHEMA);
    for (sql, kind, names) in cases {
        let error = bench.write(sql).await.expect_err(sql);
        if let DatabaseError::Constraint { table, columns, .. } = &error {
            let named =
                table.iter().flat_map(|table| columns.iter().map(move |name| format!("{table}.{name}")));
            assert_eq!(named.collect::<Vec<_>>().join(","), names, "{sql}: {error:?}");
        }
        let shown = error.clone().problem(|column| column == "name");
        let detail = shown.detail_text().unwrap_or_default().to_owned();
        assert_eq!(detail.contains("`name`"), names == "item.name", "{sql}: {detail}");
        let problem = Problem::from(error);
        assert_eq!(problem.kind(), kind, "{sql}");
        assert!(problem.cause_ref().is_some());
        let document = String::from_utf8(problem.document("r")).unwrap();
        for internal in ["item", "INSERT", "strict", "name"] {
            assert!(!document.contains(internal), "{sql}: {document}");
        }
    }
}

#[tokio::test]
async fn virtual_tables_are_read_and_written_by_triggers_like_any_other() {
    let bench = Bench::new(
        "CREATE TABLE memo (id INTEGER PRIMARY KEY, text TEXT);
         CREATE VIRTUAL TABLE word USING fts5 (text);
         CREATE VIRTUAL TABLE box USING rtree (id, least, most);
         CREATE TRIGGER find AFTER INSERT ON memo BEGIN
             INSERT INTO word (rowid, text) VALUES (NEW.id, NEW.text);
             INSERT INTO box VALUES (NEW.id, NEW.id, NEW.id + 1);
         END;
         CREATE TRIGGER lose AFTER DELETE ON memo BEGIN
             DELETE FROM word WHERE rowid = OLD.id;
         END;",
    );
    bench.write("INSERT INTO memo (text) VALUES ('alpha'), ('beta')").await.unwrap();
    assert_eq!(bench.rows("SELECT rowid FROM word WHERE word MATCH 'beta'"), ["2"]);
    assert_eq!(bench.rows("SELECT id FROM box WHERE least > 1.5"), ["2"]);
    bench.write("DELETE FROM memo WHERE id = 2").await.unwrap();
    assert_eq!(bench.rows("SELECT rowid FROM word WHERE word MATCH 'beta'"), [""; 0]);
}
