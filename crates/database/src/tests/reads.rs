//! Reads: what stops them, what they see, and what a broken one leaves behind.

use std::future::Future as _;
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use super::*;

const ENDLESS: &str =
    "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n) SELECT count(*) FROM n";

fn numbers() -> Bench {
    Bench::new("CREATE TABLE n (v INTEGER PRIMARY KEY); INSERT INTO n VALUES (1), (2), (3);")
}

#[tokio::test]
async fn a_read_ends_at_its_deadline_and_at_the_longest_that_a_statement_may_take() {
    let endless = Statement::new("endless", ENDLESS);
    let short = Duration::from_millis(50);
    let hour = Duration::from_hours(1);
    for (timeout, deadline) in [(hour, Some(short)), (short, None), (short, Some(hour))] {
        let settings = Settings { statement_timeout: timeout, ..Settings::default() };
        let bench =
            Bench::with("CREATE TABLE n (v INTEGER PRIMARY KEY); INSERT INTO n VALUES (1);", &settings);
        let deadline = || deadline.map(|after| Instant::now() + after);
        let here = bench.database.read_here(&endless, &[], deadline(), first_integer);
        assert!(matches!(here, Err(DatabaseError::Deadline)), "{here:?}");
        let many = bench.database.read_many_here(deadline(), |read| read.query(&endless, &[], first_integer));
        assert!(matches!(many, Err(DatabaseError::Deadline)), "{many:?}");
        let there = bench.database.read(&endless, vec![], deadline(), first_integer).await;
        assert!(matches!(there, Err(DatabaseError::Deadline)), "{there:?}");
        assert_eq!(bench.rows("SELECT v FROM n"), ["1"], "the connection is well afterwards");
    }
}

#[tokio::test]
async fn a_read_whose_deadline_has_passed_is_not_begun() {
    let bench = numbers();
    let select = Statement::new("select", "SELECT v FROM n");
    let past = Some(Instant::now());
    let here = bench.database.read_here(&select, &[], past, texts);
    let there = bench.database.read(&select, vec![], past, texts).await;
    assert!(matches!((here, there), (Err(DatabaseError::Deadline), Err(DatabaseError::Deadline))));
}

#[tokio::test]
async fn a_read_that_nobody_waits_for_frees_its_thread() {
    let settings = Settings { readers: 1, statement_timeout: Duration::from_hours(1), ..Settings::default() };
    let bench = Bench::with("CREATE TABLE n (v INTEGER PRIMARY KEY);", &settings);
    let (begun, begins) = mpsc::sync_channel(1);
    let endless = Statement::new("endless", ENDLESS);
    let mut abandoned = Box::pin(bench.database.read_many(None, move |read| {
        begun.send(()).unwrap();
        read.query(&endless, &[], first_integer)
    }));
    assert!(abandoned.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    begins.recv().unwrap();
    drop(abandoned);
    let select = Statement::new("select", "SELECT 7");
    assert_eq!(bench.database.read(&select, vec![], None, first_integer).await.unwrap().0, 7);
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let settings = Settings { readers: 1, read_queue: 1, ..Settings::default() };
    let bench = Bench::with("CREATE TABLE n (v INTEGER PRIMARY KEY);", &settings);
    let (begun, begins) = mpsc::sync_channel(1);
    let (let_go, wait) = mpsc::sync_channel::<()>(1);
    let mut context = Context::from_waker(Waker::noop());
    let wait = Arc::new(Mutex::new(wait));
    let mut busy = Box::pin(bench.database.read_many(None, move |_| {
        begun.send(()).unwrap();
        wait.lock().recv().unwrap();
        Ok::<_, DatabaseError>(())
    }));
    assert!(busy.as_mut().poll(&mut context).is_pending());
    begins.recv().unwrap();
    let select = Statement::new("select", "SELECT 7");
    let mut waiting = Box::pin(bench.database.read(&select, vec![], None, first_integer));
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    let refused = bench.database.read(&select, vec![], None, first_integer).await;
    assert!(matches!(refused, Err(DatabaseError::QueueFull)));
    let_go.send(()).unwrap();
    busy.await.unwrap();
    assert_eq!(waiting.await.unwrap().0, 7);
}

#[tokio::test]
async fn statements_of_one_read_see_one_moment() {
    let bench = numbers();
    let count = Statement::new("count", "SELECT count(*) FROM n");
    let other = stranger(&bench.path());
    let counts = |read: &mut crate::ReadTransaction<'_>| {
        let before = read.query(&count, &[], first_integer)?;
        other.execute_batch("INSERT INTO n VALUES (NULL)").unwrap();
        Ok::<_, DatabaseError>((before, read.query(&count, &[], first_integer)?))
    };
    let (counted, _) = bench.database.read_many_here(None, counts).unwrap();
    assert_eq!(counted, (3, 3));
    assert_eq!(bench.rows("SELECT count(*) FROM n"), ["4"]);
}

#[tokio::test]
async fn a_read_cannot_write() {
    let bench = numbers();
    let delete = Statement::new("delete", "DELETE FROM n");
    let here = bench.database.read_here(&delete, &[], None, texts);
    let there = bench.database.read(&delete, vec![], None, texts).await;
    assert!(matches!((here, there), (Err(DatabaseError::ReadOnly), Err(DatabaseError::ReadOnly))));
    assert_eq!(bench.rows("SELECT count(*) FROM n"), ["3"]);
}

#[test]
fn a_read_cannot_change_what_it_runs_in() {
    let bench = numbers();
    for sql in ["BEGIN", "ROLLBACK", "PRAGMA query_only = OFF", "ATTACH 'x.db' AS x", "SAVEPOINT s"] {
        let statement = Statement::new("sly", sql);
        let alone = bench.database.read_here(&statement, &[], None, texts);
        assert!(matches!(alone, Err(DatabaseError::Refused(_))), "{sql}: {alone:?}");
        let within = bench.database.read_many_here(None, |read| read.query(&statement, &[], texts));
        assert!(matches!(within, Err(DatabaseError::Refused(_))), "{sql}: {within:?}");
    }
}

#[tokio::test]
async fn a_reader_that_panics_harms_nobody_else() {
    let settings = Settings { readers: 1, ..Settings::default() };
    let bench = Bench::with("CREATE TABLE n (v INTEGER PRIMARY KEY); INSERT INTO n VALUES (1);", &settings);
    let select = Statement::new("select", "SELECT v FROM n");
    let broken = |_: &mut Rows<'_>| -> Result<(), DatabaseError> { panic!("dropped it") };
    let there = bench.database.read(&select, vec![], None, broken).await;
    assert!(matches!(there, Err(DatabaseError::Panicked(_))));
    let database = Arc::clone(&bench.database);
    let here = std::thread::spawn(move || {
        database.read_many_here(None, |read| read.query(&select, &[], broken)).unwrap();
    });
    assert!(here.join().is_err());
    bench.write("INSERT INTO n VALUES (2)").await.unwrap();
    assert_eq!(bench.rows("SELECT count(*) FROM n"), ["2"]);
    let select = Statement::new("select", "SELECT count(*) FROM n");
    assert_eq!(bench.database.read(&select, vec![], None, first_integer).await.unwrap().0, 2);
}

#[test]
fn threads_that_read_at_once_find_a_connection() {
    let bench = numbers();
    let select = Statement::new("select", "SELECT v FROM n WHERE v = ?1");
    std::thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| {
                let read = bench.database.read_here(&select, &[Value::Integer(2)], None, first_integer);
                assert_eq!(read.unwrap().0, 2);
            });
        }
    });
}

#[test]
fn parameters_must_be_as_many_as_the_statement_has() {
    let bench = numbers();
    for params in [vec![], vec![Value::Null, Value::Null]] {
        let select = Statement::new("select", "SELECT v FROM n WHERE v = ?1");
        assert!(matches!(
            bench.database.read_here(&select, &params, None, texts),
            Err(DatabaseError::Sql { .. })
        ));
    }
}

#[test]
fn a_misspelt_column_in_quotes_is_an_error() {
    let select = Statement::new("select", "SELECT v FROM n WHERE v = \"w\"");
    let read = numbers().database.read_here(&select, &[], None, texts);
    assert!(matches!(read, Err(DatabaseError::Sql { .. })), "{read:?}");
}
