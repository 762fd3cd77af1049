//! The engine on real files: what it promises about writes, reads, changes, schema files and descriptions.

mod bulk;
mod changes;
mod copies;
mod inspecting;
mod migrations;
mod opening;
mod others;
mod postgres;
mod reads;
mod views;
mod writes;

use std::path::Path;
use std::sync::Arc;

use kasoku_coherence::{Position, Sequence};
use kasoku_observe::Silent;
use kasoku_sql_plan::Value;
use parking_lot::Mutex;
use tempfile::TempDir;

use crate::{
    CommitListener, DataChange, Database, DatabaseError, Migration, Rows, Settings, Statement, ValueRef,
};

/// A database with these tables, and the folder that it lies in.
struct Bench {
    database: Arc<Database>,
    folder: TempDir,
}

impl Bench {
    fn new(schema: &str) -> Self {
        Self::with(schema, &Settings::default())
    }

    fn with(schema: &str, settings: &Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { path: Some(folder.path().join("test.db")), ..settings.clone() };
        let database = Arc::new(open(&settings, &[file("001.sql", schema)]).unwrap());
        Self { database, folder }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("test.db")
    }

    /// Runs one statement as a write of its own.
    async fn write(&self, sql: &str) -> Result<u64, DatabaseError> {
        let statement = Statement::new("test", sql);
        let wrote = self.database.write(None, move |transaction| transaction.execute(&statement, &[])).await;
        wrote.map(|(count, _)| count)
    }

    /// The rows of a query, as text.
    fn rows(&self, sql: &str) -> Vec<String> {
        let (rows, _) = self.database.read_here(&Statement::new("test", sql), &[], None, texts).unwrap();
        rows
    }
}

/// Keeps what it is told.
#[derive(Default)]
struct Told(Mutex<Vec<(Position, Vec<DataChange>)>>);

impl Told {
    /// All changes since the last call, as `table old -> new`.
    fn take(&self) -> Vec<String> {
        let told = std::mem::take(&mut *self.0.lock());
        told.iter().flat_map(|(_, changes)| changes).map(change_text).collect()
    }
}

impl CommitListener for Told {
    fn changed(&self, position: Position, changes: &[DataChange]) {
        self.0.lock().push((position, changes.to_vec()));
    }
}

fn open(settings: &Settings, files: &[Migration]) -> Result<Database, DatabaseError> {
    Database::open(settings, files, Arc::new(Sequence::new()), Arc::new(Silent))
}

fn file(name: &str, sql: &str) -> Migration {
    Migration { name: name.to_owned(), sql: sql.to_owned() }
}

/// A connection of somebody else.
fn stranger(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).unwrap()
}

pub(crate) fn change_text(change: &DataChange) -> String {
    let row = |row: &Option<Box<[Value]>>| match row {
        Some(values) => values.iter().map(value_text).collect::<Vec<_>>().join(","),
        None => "·".to_owned(),
    };
    match change {
        DataChange::Row(change) => format!("{} {} -> {}", change.table, row(&change.old), row(&change.new)),
        DataChange::Table(table) => format!("{table} whole"),
        DataChange::Everything => "everything".to_owned(),
    }
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => format!("{bytes:?}"),
    }
}

fn texts(rows: &mut Rows<'_>) -> Result<Vec<String>, DatabaseError> {
    let width = rows.width();
    let mut texts = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (0..width).map(|column| value_text(&row.get(column).to_value()));
        texts.push(values.collect::<Vec<_>>().join(","));
    }
    Ok(texts)
}

fn first_integer(rows: &mut Rows<'_>) -> Result<i64, DatabaseError> {
    let row = rows.next()?.expect("one row");
    Ok(row.get(0).as_integer().expect("an integer"))
}

#[test]
fn text_that_is_not_utf8_is_given_as_bytes() {
    let bench = Bench::new("");
    let statement = Statement::new("odd", "SELECT CAST(x'ff41' AS TEXT), 'é', NULL, 1.5");
    let check = |rows: &mut Rows<'_>| {
        let row = rows.next()?.expect("one row");
        assert_eq!(row.get(0), ValueRef::Blob(b"\xffA"));
        assert_eq!(row.get(1), ValueRef::Text("é"));
        assert!(row.get(2).is_null());
        assert_eq!(row.get(3), ValueRef::Real(1.5));
        Ok::<_, DatabaseError>(())
    };
    bench.database.read_here(&statement, &[], None, check).unwrap();
}
