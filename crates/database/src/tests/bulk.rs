//! Large loads.

use super::*;
use crate::WatchedTable;

const SCHEMA: &str = "CREATE TABLE n (v INTEGER PRIMARY KEY, w TEXT)";

#[tokio::test]
async fn filling_makes_every_row_once_and_reports_progress() {
    let bench = Bench::new(SCHEMA);
    let mut progress = Vec::new();
    let sql = "WITH RECURSIVE r(v) AS (SELECT :first UNION ALL SELECT v + 1 FROM r WHERE v < :last) \
               INSERT INTO n SELECT v, 'w' || v FROM r; \
               UPDATE n SET w = 'last' WHERE v = :last;";
    bench.database.bulk(|bulk| bulk.fill(sql, 45_000, 20_000, |done| progress.push(done))).unwrap();
    assert_eq!(progress, [20_000, 40_000, 45_000]);
    assert_eq!(bench.rows("SELECT count(*), min(v), max(v) FROM n"), ["45000,1,45000"]);
    assert_eq!(bench.rows("SELECT v FROM n WHERE w = 'last'"), ["20000", "40000", "45000"]);
}

#[tokio::test]
async fn rows_are_imported_until_one_is_wrong() {
    let bench = Bench::new("");
    let told = Arc::new(Told::default());
    bench.database.listen(Arc::clone(&told) as _);
    let row = |v: i64| Ok::<_, DatabaseError>(vec![Value::Integer(v), Value::Text(format!("w{v}"))]);
    let loaded = bench.database.bulk(|bulk| {
        bulk.run("CREATE TABLE \"odd \"\"name\" (v INTEGER PRIMARY KEY, \"a b\" TEXT)")?;
        bulk.insert_rows("odd \"name", &["v", "a b"], (0..30_000).map(row), |_| ())
    });
    assert_eq!(loaded.unwrap(), 30_000);
    assert_eq!(told.take(), ["everything"]);
    assert_eq!(bench.rows("SELECT \"a b\" FROM \"odd \"\"name\" WHERE v = 29999"), ["w29999"]);
    let short = bench.database.bulk(|bulk| {
        let rows = [row(40_000), Ok(vec![Value::Null])];
        bulk.insert_rows("odd \"name", &["v", "a b"], rows, |_| ())
    });
    assert!(short.is_err());
    let stopped = bench.database.bulk(|bulk| {
        let rows = [row(50_000), Err(DatabaseError::Aborted), row(50_001)];
        bulk.insert_rows("odd \"name", &["v", "a b"], rows, |_| ())
    });
    assert!(matches!(stopped, Err(DatabaseError::Aborted)));
    assert_eq!(bench.rows("SELECT v FROM \"odd \"\"name\" WHERE v > 30000"), ["50000"]);
}

#[tokio::test]
async fn writes_go_on_after_a_load_and_after_one_that_panics() {
    let bench = Bench::new(SCHEMA);
    let told = Arc::new(Told::default());
    bench.database.listen(Arc::clone(&told) as _);
    bench.database.watch(vec![WatchedTable { table: "n".into(), columns: vec!["v".into()] }]).await.unwrap();
    let insert = |v: i64| format!("INSERT INTO n VALUES ({v}, 'x')");
    bench.database.bulk(|bulk| bulk.run(&insert(1))).unwrap();
    bench.write(&insert(2)).await.unwrap();
    assert_eq!(told.take(), ["everything", "n · -> 2"]);
    let database = Arc::clone(&bench.database);
    let panicked = std::thread::spawn(move || {
        database.bulk(|_| -> Result<(), DatabaseError> { panic!("dropped it") }).unwrap();
    });
    assert!(panicked.join().is_err());
    bench.write(&insert(3)).await.unwrap();
    let changes = told.take();
    assert_eq!(changes.last().unwrap(), "n · -> 3", "{changes:?}");
    assert!(changes.contains(&"everything".to_owned()), "{changes:?}");
}
