//! Opening: who may open what, and what is found after a crash.

use super::*;

const SCHEMA: &str = "CREATE TABLE n (v INTEGER PRIMARY KEY)";

fn settings(path: &Path, read_only: bool) -> Settings {
    Settings { path: Some(path.to_owned()), read_only, ..Settings::default() }
}

#[tokio::test]
async fn only_one_may_write_and_others_may_read() {
    let bench = Bench::new(SCHEMA);
    let second = open(&settings(&bench.path(), false), &[]).err().expect("a refusal");
    assert!(matches!(&second, DatabaseError::InUse { path } if *path == bench.path()), "{second}");
    let reading = open(&settings(&bench.path(), true), &[]).unwrap();
    bench.write("INSERT INTO n VALUES (1)").await.unwrap();
    let count = Statement::new("count", "SELECT count(*) FROM n");
    assert_eq!(reading.read_here(&count, &[], None, first_integer).unwrap().0, 1);
    let path = bench.path();
    let Bench { database, folder: _folder } = bench;
    drop(database);
    open(&settings(&path, false), &[file("001.sql", SCHEMA)]).unwrap();
}

#[tokio::test]
async fn a_database_that_is_only_read_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.db");
    stranger(&path).execute_batch("CREATE TABLE n (v); INSERT INTO n VALUES (1)").unwrap();
    let before = std::fs::read(&path).unwrap();
    let database = open(&settings(&path, true), &[file("001.sql", "CREATE TABLE more (a)")]).unwrap();
    let count = Statement::new("count", "SELECT count(*) FROM n");
    assert_eq!(database.read_here(&count, &[], None, first_integer).unwrap().0, 1);
    assert_eq!(database.read(&count, vec![], None, first_integer).await.unwrap().0, 1);
    let delete = Statement::new("delete", "DELETE FROM n");
    let refused = database.write::<_, DatabaseError>(None, move |write| write.execute(&delete, &[])).await;
    assert!(matches!(refused, Err(DatabaseError::ReadOnly)));
    assert!(database.is_read_only());
    drop(database);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing lies beside it");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.db");
    std::fs::write(&path, "just some text, long enough to be looked at as a header of a database file")
        .unwrap();
    for read_only in [true, false] {
        let error = open(&settings(&path, read_only), &[]).err().expect("a refusal");
        assert!(matches!(error, DatabaseError::Corrupt(_)), "{error:?}");
    }
    let missing = open(&settings(&folder.path().join("missing.db"), true), &[]).err().expect("a refusal");
    assert!(matches!(missing, DatabaseError::Io(_)), "{missing:?}");
    assert!(!folder.path().join("missing.db").exists());
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_crash() {
    let bench = Bench::new(SCHEMA);
    for v in 1..=50 {
        bench.write(&format!("INSERT INTO n VALUES ({v})")).await.unwrap();
    }
    // What a crash leaves: the file and its log as they are, without a clean close.
    let crashed = tempfile::tempdir().unwrap();
    for name in ["test.db", "test.db-wal"] {
        std::fs::copy(bench.folder.path().join(name), crashed.path().join(name)).unwrap();
    }
    let path = crashed.path().join("test.db");
    let database = open(&settings(&path, false), &[file("001.sql", SCHEMA)]).unwrap();
    let count = Statement::new("count", "SELECT count(*) FROM n");
    assert_eq!(database.read_here(&count, &[], None, first_integer).unwrap().0, 50);
}

#[tokio::test]
async fn a_private_database_is_gone_when_it_is_closed() {
    let database = open(&Settings::default(), &[file("001.sql", SCHEMA)]).unwrap();
    let insert = Statement::new("insert", "INSERT INTO n VALUES (1)");
    database.write::<_, DatabaseError>(None, move |write| write.execute(&insert, &[])).await.unwrap();
    let path = database.path().unwrap().to_owned();
    assert!(path.exists());
    drop(database);
    assert!(!path.exists());
}

#[test]
fn a_writer_syncs_and_enforces() {
    let bench = Bench::new(SCHEMA);
    let pragmas = bench.database.bulk(|bulk| {
        let connection = bulk.sqlite_connection().expect("a file");
        let read = |name: &str| connection.integer(&format!("PRAGMA {name}"));
        Ok::<_, DatabaseError>([read("synchronous")?, read("foreign_keys")?, read("recursive_triggers")?])
    });
    assert_eq!(pragmas.unwrap(), [2, 1, 1]);
    let mode: String =
        stranger(&bench.path()).query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}
