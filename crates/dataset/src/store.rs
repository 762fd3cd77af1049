//! A new database that rows are stored in, and an existing one that is asked what it holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kasoku_coherence::Sequence;
use kasoku_database::{Bulk, Database, DatabaseError, Settings, Statement};
use kasoku_observe::Silent;
use kasoku_sql_plan::{Table, Value};

use crate::error::DatasetError;
use crate::schema_text::quoted;

/// Page cache of the import: most of an index that is being built should fit.
const PAGE_CACHE_BYTES: u64 = 64 << 20;

/// A database that is being filled.
pub(crate) struct Store {
    database: Database,
    path: PathBuf,
}

impl Store {
    /// Makes the file.
    pub(crate) fn create(path: &Path) -> Result<Self, DatasetError> {
        let settings = Settings {
            path: Some(path.to_owned()),
            readers: 1,
            page_cache_bytes: PAGE_CACHE_BYTES,
            ..Settings::default()
        };
        let database = Database::open(&settings, &[], Arc::new(Sequence::new()), Arc::new(Silent))
            .map_err(|source| DatasetError::Database { path: path.to_owned(), source })?;
        Ok(Self { database, path: path.to_owned() })
    }

    /// Runs SQL that may change the schema.
    pub(crate) fn run(&self, sql: &str) -> Result<(), DatasetError> {
        self.bulk(|bulk| bulk.run(sql))
    }

    /// Inserts rows and says how many there were.
    pub(crate) fn insert(
        &self,
        table: &str,
        columns: &[&str],
        rows: impl Iterator<Item = Vec<Value>>,
    ) -> Result<u64, DatasetError> {
        self.bulk(|bulk| bulk.insert_rows(table, columns, rows.map(Ok::<_, DatabaseError>), |_| {}))
    }

    /// Gathers statistics for the planner.
    pub(crate) fn analyze(&self) -> Result<(), DatasetError> {
        self.bulk(|bulk| {
            bulk.analyze()?;
            Ok(())
        })
    }

    /// Brings everything to the disk, in the one file.
    pub(crate) fn close(self) {
        self.database.close();
    }

    fn bulk<T>(&self, f: impl FnOnce(&mut Bulk<'_>) -> Result<T, DatabaseError>) -> Result<T, DatasetError> {
        self.database.bulk(f).map_err(|source| DatasetError::Database { path: self.path.clone(), source })
    }
}

/// The rows of each table; `None` for one that has more than `most`.
pub(crate) fn counts(path: &Path, tables: &[&Table], most: u64) -> Result<Vec<Option<u64>>, DatasetError> {
    let database_error = |source| DatasetError::Database { path: path.to_owned(), source };
    let settings =
        Settings { path: Some(path.to_owned()), read_only: true, readers: 1, ..Settings::default() };
    let database = Database::open(&settings, &[], Arc::new(Sequence::new()), Arc::new(Silent))
        .map_err(database_error)?;
    let count = |table: &&Table| {
        let beyond = most + 1;
        let sql = format!("select count(*) from (select 1 from {} limit {beyond})", quoted(&table.name));
        let (rows, _) = database.read_here(&Statement::new("count", sql), &[], None, |rows| {
            let first = rows.next()?.and_then(|row| row.get(0).as_integer());
            Ok::<_, DatabaseError>(first.and_then(|rows| u64::try_from(rows).ok()))
        })?;
        Ok(rows.filter(|rows| *rows <= most))
    };
    tables.iter().map(count).collect::<Result<_, _>>().map_err(database_error)
}
