//! The database of an app: opened, filled at the first start, and what is kept in it for the server itself.

use std::sync::Arc;

use kasoku_coherence::Sequence;
use kasoku_config::{DatabaseSettings, EngineSettings, Plan, SeedSettings};
use kasoku_database::{Database, DatabaseError, Migration, Statement};
use kasoku_observe::Observer;
use kasoku_source_data::idempotency_schema;
use kasoku_sql_plan::{CursorKey, Dialect, Value};

/// Told how far a long start is: what is done, of how much.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// Opens the database, brings its schema up to date and fills it if it is new. Blocks meanwhile.
pub(crate) fn open(
    settings: &DatabaseSettings,
    sequence: &Arc<Sequence>,
    observer: &Arc<dyn Observer>,
    progress: Progress<'_>,
) -> Result<Database, DatabaseError> {
    let (files, sequence, observer) = (migrations(settings), Arc::clone(sequence), Arc::clone(observer));
    let database = match &settings.engine {
        EngineSettings::Sqlite(engine) => Database::open(engine, &files, sequence, observer)?,
        EngineSettings::Postgres(engine) => Database::connect(engine, &files, sequence, observer)?,
    };
    if !database.is_read_only() {
        let dialect = database.dialect();
        database.bulk(|bulk| bulk.run(&(own_schema(dialect) + &idempotency_schema(dialect))))?;
        if let Some(seed) = &settings.seed {
            fill(&database, seed, progress)?;
        }
    }
    Ok(database)
}

/// The key that signs cursors: from the configuration, or from the database, where it was made at the first start.
/// A database that may not be written has none; cursors are then good until the next start.
pub(crate) fn cursor_key(plan: &Plan, database: &Database) -> Result<CursorKey, DatabaseError> {
    if let Some(secret) = &plan.server.secret {
        return Ok(CursorKey::derive(secret.reveal().as_bytes()));
    }
    let kept = Statement::new("secret", "select secret from _kasoku_secret");
    let made = Statement::new("secret", format!("select {}", database.dialect().random_bytes()));
    let read = |statement: &Statement| {
        database.read_here(statement, &[], None, |rows| {
            Ok::<_, DatabaseError>(rows.next()?.map(|row| row.get(0).to_value()))
        })
    };
    let secret = match read(&kept) {
        Err(DatabaseError::Sql { .. }) if database.is_read_only() => read(&made)?,
        other => other?,
    };
    let Some(Value::Blob(secret)) = secret.0 else {
        return Err(DatabaseError::Corrupt("the secret for cursors is missing".into()));
    };
    Ok(CursorKey::derive(&secret))
}

/// Whether two configurations describe the same database, so that one can follow the other without a restart.
pub(crate) fn is_same(one: Option<&DatabaseSettings>, other: Option<&DatabaseSettings>) -> bool {
    let facts = |settings: &DatabaseSettings| (settings.engine.clone(), migrations(settings));
    one.map(facts) == other.map(facts)
}

/// What the server keeps for itself in a database that it may write.
fn own_schema(dialect: &Dialect) -> String {
    format!(
        "create table if not exists _kasoku_secret (id integer primary key check (id = 1), secret {} not null);
         insert into _kasoku_secret values (1, {}) on conflict do nothing;
         create table if not exists _kasoku_filling (name text primary key);",
        dialect.bytes_type(),
        dialect.random_bytes()
    )
}

fn migrations(settings: &DatabaseSettings) -> Vec<Migration> {
    let name = |path: &std::path::Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    settings.migrations.iter().map(|(path, sql)| Migration { name: name(path), sql: sql.clone() }).collect()
}

/// Fills a table that is empty. A fill that was interrupted is begun anew: what it left is not what was asked for.
fn fill(database: &Database, seed: &SeedSettings, progress: Progress<'_>) -> Result<(), DatabaseError> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let table = quoted(&seed.table);
    let has_row = |sql: String| {
        let found = database.read_here(&Statement::new("fill", sql), &[], None, |rows| {
            Ok::<_, DatabaseError>(rows.next()?.is_some())
        });
        found.map(|(found, _)| found)
    };
    let is_whole = || {
        let interrupted = has_row("select 1 from _kasoku_filling".into())?;
        Ok::<_, DatabaseError>(!interrupted && has_row(format!("select 1 from {table} limit 1"))?)
    };
    if is_whole()? {
        return Ok(());
    }
    database.bulk(|bulk| {
        bulk.alone()?;
        if is_whole()? {
            // Another server has filled it meanwhile.
            return Ok(());
        }
        progress(0, seed.rows);
        let tables = seed.also.iter().chain([&seed.table]);
        let mut statements: Vec<String> =
            tables.map(|name| format!("delete from {}", quoted(name))).collect();
        statements.push("insert into _kasoku_filling values ('seed') on conflict do nothing".to_owned());
        bulk.run(&statements.join(";\n"))?;
        bulk.fill(&seed.sql, seed.rows, u64::from(seed.part), |done| progress(done, seed.rows))?;
        bulk.run("delete from _kasoku_filling")?;
        bulk.analyze()
    })
}
