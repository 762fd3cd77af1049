//! Tests against a real server.

mod values;

use kasoku_testkit::{Postgres, PostgresDatabase};
use tokio_postgres::{Client, NoTls};

/// A database of its own and a connection to it.
struct Bench {
    runtime: tokio::runtime::Runtime,
    client: Client,
    database: PostgresDatabase,
}

impl Bench {
    fn new(schema: &str) -> Self {
        let database = Postgres::shared().database();
        if !schema.is_empty() {
            database.psql(schema);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&database.socket_url(), NoTls).await.unwrap();
            tokio::spawn(connection);
            client
        });
        Self { runtime, client, database }
    }

    fn query(
        &self,
        sql: &str,
        params: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Vec<tokio_postgres::Row> {
        let rows = self.runtime.block_on(self.client.query(sql, params));
        rows.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }
}
