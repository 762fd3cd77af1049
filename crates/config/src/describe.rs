//! What routes are checked against: the tables of the database and the meaning of its queries, as the database
//! itself tells them. The one file here that knows the database engine.

use std::path::{Path, PathBuf};

use kasoku_database::{DatabaseError, Inspector, Migration, MigrationError, PostgresSettings};
use kasoku_sql_plan::{ColumnKind, Dialect, Schema};

/// A database, described by itself.
pub(crate) struct Description {
    /// Its tables and views.
    pub(crate) schema: Schema,
    inspector: Inspector,
}

/// What is known of a query.
pub(crate) struct QueryFacts {
    /// Whether it leaves the database as it is.
    pub(crate) reads_only: bool,
    /// A function in it whose result changes by itself.
    pub(crate) volatile: Option<String>,
    /// The columns of its result.
    pub(crate) columns: Vec<(String, ColumnKind)>,
}

/// What is wrong with a database or a query.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A schema file.
    File {
        /// Its name.
        file: String,
        /// Counted from 1; 0 where it is not known.
        line: usize,
        /// Counted from 1; 0 where it is not known.
        column: usize,
        /// What the database says.
        message: String,
    },
    /// A statement, or the database as a whole.
    Sql {
        /// What the database says.
        message: String,
        /// The byte of the statement where it found the mistake.
        offset: Option<usize>,
    },
}

impl Description {
    /// Of a database as it is; the file is not touched.
    pub(crate) fn of_file(path: &Path) -> Result<Self, Fault> {
        Self::of(Inspector::of_file(path)?)
    }

    /// Of a database that is made by these files.
    pub(crate) fn of_migrations(files: &[(PathBuf, String)]) -> Result<Self, Fault> {
        Self::of(Inspector::of_migrations(&named(files))?)
    }

    /// Of a server's database, as it is or as these files will make it.
    pub(crate) fn of_server(settings: &PostgresSettings, files: &[(PathBuf, String)]) -> Result<Self, Fault> {
        if files.is_empty() {
            return Self::of(Inspector::of_server(settings)?);
        }
        Self::of(Inspector::of_server_with_migrations(settings, &named(files))?)
    }

    /// How SQL is written for it.
    pub(crate) fn dialect(&self) -> &'static Dialect {
        self.inspector.dialect()
    }

    /// What a query means here.
    pub(crate) fn query(&self, sql: &str) -> Result<QueryFacts, Fault> {
        let reads = self.inspector.reads(sql)?;
        Ok(QueryFacts {
            reads_only: self.inspector.reads_only(sql)? && reads.writes.is_empty(),
            volatile: reads.volatile.into_iter().next(),
            columns: self
                .inspector
                .columns(sql)?
                .into_iter()
                .map(|column| (column.name, column.kind))
                .collect(),
        })
    }

    /// A function in a view whose result changes by itself.
    pub(crate) fn view_volatile(&self, view: &str) -> Option<String> {
        let sql = format!("select * from \"{}\"", view.replace('"', "\"\""));
        self.inspector.reads(&sql).ok()?.volatile.into_iter().next()
    }

    fn of(inspector: Inspector) -> Result<Self, Fault> {
        Ok(Self { schema: inspector.schema()?, inspector })
    }
}

/// The files as the database knows them.
fn named(files: &[(PathBuf, String)]) -> Vec<Migration> {
    let migration = |(path, sql): &(PathBuf, String)| Migration {
        name: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        sql: sql.clone(),
    };
    files.iter().map(migration).collect()
}

impl From<DatabaseError> for Fault {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Migration(MigrationError::Failed { file, line, column, message }) => {
                Self::File { file, line, column, message }
            }
            DatabaseError::Migration(MigrationError::BrokenReferences { file, table }) => {
                let message = format!("leaves rows in `{table}` that refer to rows which do not exist");
                Self::File { file, line: 0, column: 0, message }
            }
            DatabaseError::Sql { message, offset, .. } => Self::Sql { message: message.to_string(), offset },
            other => Self::Sql { message: other.to_string(), offset: None },
        }
    }
}
