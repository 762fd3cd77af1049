//! The engine on a real server: what it promises about reads, writes, changes and lost connections.

mod copies;
mod inspecting;
mod lanes;
mod migrations;
mod replicas;
mod together;
mod watching;

use std::sync::Arc;
use std::time::Duration;

use kasoku_coherence::Sequence;
use kasoku_observe::Silent;
use kasoku_sql_plan::Value;
use kasoku_testkit::{Postgres, PostgresDatabase};

use super::texts;
use crate::{Database, DatabaseError, PostgresSettings, Statement, WriteTransaction};

/// A database of the shared server with these tables, connected to.
struct Site {
    place: PostgresDatabase,
    database: Arc<Database>,
}

impl Site {
    fn new(schema: &str) -> Self {
        Self::with(schema, |_| ())
    }

    fn with(schema: &str, set: impl FnOnce(&mut PostgresSettings)) -> Self {
        let place = Postgres::shared().database();
        place.psql(schema);
        let mut settings = PostgresSettings::new(place.url());
        set(&mut settings);
        let database = connect(&settings).unwrap();
        Self { place, database: Arc::new(database) }
    }

    async fn rows(&self, sql: &str, params: Vec<Value>) -> Vec<String> {
        let read = self.database.read(&Statement::new("test", sql), params, None, texts).await;
        read.unwrap().0
    }

    /// Runs one statement as a write of its own.
    async fn write(&self, sql: &str) -> Result<u64, DatabaseError> {
        let statement = Statement::new("test", sql);
        let job = move |transaction: &mut WriteTransaction<'_>| transaction.execute(&statement, &[]);
        self.database.write(None, job).await.map(|(count, _)| count)
    }
}

fn connect(settings: &PostgresSettings) -> Result<Database, DatabaseError> {
    Database::connect(settings, &[], Arc::new(Sequence::new()), Arc::new(Silent))
}
