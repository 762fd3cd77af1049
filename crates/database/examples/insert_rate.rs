//! Measures the engine against a bare loop on the same machine: durable single-row inserts from many tasks, and
//! look-ups by key. Run it with `cargo run --release -p kasoku-database --example insert_rate [TASKS] [SECONDS]`.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kasoku_coherence::{Position, Sequence};
use kasoku_database::{
    CommitListener, DataChange, Database, DatabaseError, Migration, Settings, Statement, WatchedTable,
    WriteTransaction,
};
use kasoku_observe::{Observation, Observer};
use kasoku_sql_plan::Value;

const SCHEMA: &str = "CREATE TABLE item (id INTEGER PRIMARY KEY, title TEXT NOT NULL, price INTEGER NOT NULL, \
                      category TEXT NOT NULL, updated_at TEXT NOT NULL); CREATE INDEX by_category ON item (category, price);";
const INSERT: &str =
    "INSERT INTO item (title, price, category, updated_at) VALUES (?1, ?2, ?3, ?4) RETURNING id";
const SELECT: &str = "SELECT id, title, price, category, updated_at FROM item WHERE id = ?1";
const ROWS: u64 = 100_000;

#[derive(Default)]
struct Counts {
    commits: AtomicU64,
    commit_us: AtomicU64,
    changes: AtomicU64,
}

impl Observer for Counts {
    fn observe(&self, observation: &Observation<'_>) {
        if let Observation::Committed { took, .. } = observation {
            self.commits.fetch_add(1, Ordering::Relaxed);
            self.commit_us.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
        }
    }
}

impl CommitListener for Counts {
    fn changed(&self, _: Position, changes: &[DataChange]) {
        self.changes.fetch_add(changes.len() as u64, Ordering::Relaxed);
    }
}

#[expect(clippy::print_stdout, reason = "an example that prints its measurements")]
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let tasks: u64 = arguments.next().map_or(Ok(64), |text| text.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let folder = tempfile::Builder::new().prefix("insert-rate-").tempdir_in(".")?;
    let path = folder.path().join("bench.db");
    let counts = Arc::new(Counts::default());
    let settings = Settings { path: Some(path.clone()), ..Settings::default() };
    let migrations = [Migration { name: "001.sql".into(), sql: SCHEMA.into() }];
    let database =
        Database::open(&settings, &migrations, Arc::new(Sequence::new()), Arc::clone(&counts) as _)?;
    let database = Arc::new(database);
    database.listen(Arc::clone(&counts) as _);
    let columns = ["id", "title", "price", "category"].map(str::to_owned).to_vec();
    database.watch(vec![WatchedTable { table: "item".into(), columns }]).await?;

    let began = Instant::now();
    let fill = "WITH RECURSIVE r(v) AS (SELECT :first UNION ALL SELECT v + 1 FROM r WHERE v < :last) INSERT INTO item \
                SELECT v, 'Item ' || v, v % 1000, 'c' || (v % 20), '2026-01-01T00:00:00Z' FROM r";
    database.bulk::<_, DatabaseError>(|bulk| bulk.fill(fill, ROWS, 20_000, |_| ()))?;
    println!("filled {ROWS} rows: {:.0} rows/s", ROWS as f64 / began.elapsed().as_secs_f64());

    println!("look-ups by key, one thread: bare {:.0}/s", bare_reads(&path)?);
    println!("look-ups by key, one thread: read_here {:.0}/s", engine_reads(&database)?);

    let (done, took) = inserts(&database, tasks, Duration::from_secs(seconds)).await?;
    let commits = counts.commits.load(Ordering::Relaxed);
    println!(
        "durable inserts, {tasks} tasks: {:.0}/s; {commits} commits of {:.1} rows, {:.0} us each; {} changes told",
        done as f64 / took.as_secs_f64(),
        done as f64 / commits as f64,
        counts.commit_us.load(Ordering::Relaxed) as f64 / commits as f64,
        counts.changes.load(Ordering::Relaxed),
    );
    Ok(())
}

async fn inserts(
    database: &Arc<Database>,
    tasks: u64,
    time: Duration,
) -> Result<(u64, Duration), Box<dyn Error>> {
    let insert = Statement::new("insert", INSERT);
    let began = Instant::now();
    let writers: Vec<_> = (0..tasks)
        .map(|task| {
            let (database, insert) = (Arc::clone(database), insert.clone());
            tokio::spawn(async move {
                let mut done = 0_u64;
                while began.elapsed() < time {
                    let (insert, price) = (insert.clone(), (done % 1_000) as i64);
                    let job = move |write: &mut WriteTransaction<'_>| {
                        let values = [
                            Value::Text(format!("Item {task}")),
                            Value::Integer(price),
                            Value::Text("books".into()),
                            Value::Text("2026-01-01T00:00:00Z".into()),
                        ];
                        write.query(&insert, &values, |rows| {
                            Ok::<_, DatabaseError>(rows.next()?.map(|row| row.get(0).to_value()))
                        })
                    };
                    database.write::<_, DatabaseError>(None, job).await?;
                    done += 1;
                }
                Ok::<_, DatabaseError>(done)
            })
        })
        .collect();
    let mut done = 0;
    for writer in writers {
        done += writer.await??;
    }
    Ok((done, began.elapsed()))
}

fn engine_reads(database: &Database) -> Result<f64, DatabaseError> {
    let select = Statement::new("select", SELECT);
    let mut bytes = 0;
    let began = Instant::now();
    let mut done = 0_u64;
    while done < 300_000 {
        let id = Value::Integer((done * 7_919 % ROWS) as i64 + 1);
        let (title, _) = database.read_here(&select, &[id], None, |rows| {
            let row = rows.next()?;
            Ok::<_, DatabaseError>(row.and_then(|row| row.get(1).as_text()).map_or(0, str::len))
        })?;
        bytes += title;
        done += 1;
    }
    assert!(bytes > 0);
    Ok(done as f64 / began.elapsed().as_secs_f64())
}

fn bare_reads(path: &std::path::Path) -> rusqlite::Result<f64> {
    let connection = rusqlite::Connection::open(path)?;
    connection.execute_batch("PRAGMA cache_size = -16384; PRAGMA query_only = ON")?;
    let mut statement = connection.prepare(SELECT)?;
    let mut bytes = 0;
    let began = Instant::now();
    let mut done = 0_u64;
    while done < 300_000 {
        let id = (done * 7_919 % ROWS) as i64 + 1;
        bytes += statement.query_row([id], |row| Ok(row.get_ref(1)?.as_str()?.len()))?;
        done += 1;
    }
    assert!(bytes > 0);
    Ok(done as f64 / began.elapsed().as_secs_f64())
}
