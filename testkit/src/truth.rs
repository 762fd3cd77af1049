//! The checker of truth: concurrent readers and writers, and what no reader may ever see.
//!
//! Each row carries a version that only grows, and its `kind` follows from the version. Writers note a version as
//! *issued* before they send it and as *acknowledged* when the answer is there. A read that began when version
//! *a* was acknowledged must show at least *a*; if nothing newer was issued until it ended, it must show exactly
//! the state of *a*, membership in filtered lists included. No reader sees a row go back.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use http::Method;
use serde_json::{Value, json};

use crate::{Client, TempApp};

/// What `kind` is at a version: `KINDS[version % 3]`.
pub const KINDS: [&str; 3] = ["red", "green", "blue"];

/// What the app serves, in the form that [`check`] asks for: the table at `/rows`, the totals at `/totals`.
const KASOKU_TOML: &str = r#"
[database]
url = "sqlite:versions.db"
schema = "schema/"

[[route]]
path = "/rows"
table = "rows"
filter = ["kind"]
order = ["id"]
page = { default = 20, most = 50 }
write = ["insert", "update"]

[[route]]
path = "/totals"
query = "select sum(version) as total from rows"
"#;

const SCHEMA: &str =
    "create table rows (id integer primary key, name text not null, kind text not null, version integer not null);
     create index rows_by_kind on rows (kind, id);";

/// The app that [`check`] can be run against; `more` is added to its configuration.
pub fn app(more: &str) -> TempApp {
    app_on("sqlite:versions.db", more)
}

/// As [`app`], on the database at this URL.
pub fn app_on(url: &str, more: &str) -> TempApp {
    app_with(url, "", more)
}

/// As [`app_on`], with more settings of the database.
pub fn app_with(url: &str, of_database: &str, more: &str) -> TempApp {
    let text = KASOKU_TOML.replace("sqlite:versions.db", url);
    let text = text.replace("schema = \"schema/\"", &format!("schema = \"schema/\"\n{of_database}"));
    TempApp::new(&format!("{text}\n{more}")).file("schema/001-rows.sql", SCHEMA)
}

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Rows, numbered from 1; few rows collide more.
    pub rows: usize,
    /// Tasks that write; each owns a share of the rows.
    pub writers: usize,
    /// Tasks that read.
    pub readers: usize,
    /// Reads and writes together.
    pub operations: usize,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Reads that were checked.
    pub reads: usize,
    /// Writes that were acknowledged.
    pub writes: usize,
    /// Reads that the cache answered.
    pub hits: usize,
    /// What must not be, at most a few of them.
    pub violations: Vec<String>,
}

struct History {
    issued: Vec<AtomicI64>,
    acknowledged: Vec<AtomicI64>,
    left: AtomicUsize,
}

/// Creates the rows, runs the load against `table` (columns `id`, `version`, `kind`) and the query route
/// `totals` (`select sum(version) as total …`), and checks every read.
///
/// # Panics
/// If a request fails: the server must answer all of this.
pub async fn check(client: &Client, table: &str, totals: &str, load: Load) -> Findings {
    let rows: Vec<Value> = (1..=load.rows)
        .map(|id| json!({"id": id, "name": format!("row {id}"), "version": 0, "kind": KINDS[0]}))
        .collect();
    let created = client.json(Method::POST, table, &Value::from(rows)).await;
    assert!(created.status.is_success(), "{created:?}");

    let counters = || (0..load.rows).map(|_| AtomicI64::new(0)).collect();
    let history = Arc::new(History {
        issued: counters(),
        acknowledged: counters(),
        left: AtomicUsize::new(load.operations),
    });
    let mut tasks = Vec::new();
    for writer in 0..load.writers {
        let (client, history, table) = (client.clone(), Arc::clone(&history), table.to_owned());
        tasks.push(tokio::spawn(write(client, history, table, writer, load)));
    }
    for reader in 0..load.readers {
        let (client, history) = (client.clone(), Arc::clone(&history));
        tasks.push(tokio::spawn(read(client, history, [table.to_owned(), totals.to_owned()], reader, load)));
    }
    let mut findings = Findings::default();
    for task in tasks {
        let part = task.await.expect("no task panics");
        findings.reads += part.reads;
        findings.writes += part.writes;
        findings.hits += part.hits;
        findings.violations.extend(part.violations);
    }
    findings
}

impl History {
    fn take(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    fn read(counters: &[AtomicI64]) -> Vec<i64> {
        counters.iter().map(|counter| counter.load(Ordering::SeqCst)).collect()
    }
}

async fn write(client: Client, history: Arc<History>, table: String, writer: usize, load: Load) -> Findings {
    let mut findings = Findings::default();
    let mut row = writer;
    while history.take() {
        let version = history.issued[row].fetch_add(1, Ordering::SeqCst) + 1;
        let body = json!({"version": version, "kind": KINDS[version as usize % 3]});
        let answer = client.json(Method::PATCH, &format!("{table}/{}", row + 1), &body).await;
        assert!(answer.status.is_success(), "{answer:?}");
        history.acknowledged[row].store(version, Ordering::SeqCst);
        findings.writes += 1;
        row = if row + load.writers < load.rows { row + load.writers } else { writer };
    }
    findings
}

async fn read(
    client: Client,
    history: Arc<History>,
    [table, totals]: [String; 2],
    reader: usize,
    load: Load,
) -> Findings {
    let mut findings = Findings::default();
    let mut latest = vec![0; load.rows];
    let mut turn = reader;
    while history.take() {
        turn += 1;
        let floor = History::read(&history.acknowledged);
        let (target, wanted) = match turn % 6 {
            0 => (totals.clone(), Wanted::Total),
            1 => (format!("{table}?limit=50"), Wanted::All),
            2 => {
                let kind = KINDS[turn / 6 % 3];
                (format!("{table}?kind=eq.{kind}&limit=50"), Wanted::Kind(kind))
            }
            _ => {
                let row = turn / 2 % load.rows;
                (format!("{table}/{}", row + 1), Wanted::Row(row))
            }
        };
        let answer = client.get(&target).await;
        let ceiling = History::read(&history.issued);
        findings.reads += 1;
        findings.hits += usize::from(answer.cache() == "HIT");
        if let Err(what) = judge(&wanted, &answer.json(), &floor, &ceiling, &mut latest)
            && findings.violations.len() < 5
        {
            findings.violations.push(format!("{target}: {what} ({})", answer.header("cache-status")));
        }
    }
    findings
}

enum Wanted {
    Row(usize),
    Kind(&'static str),
    All,
    Total,
}

/// Compares an answer with what was acknowledged before it was asked for, and issued until it was there.
fn judge(
    wanted: &Wanted,
    body: &Value,
    floor: &[i64],
    ceiling: &[i64],
    latest: &mut [i64],
) -> Result<(), String> {
    let number =
        |value: &Value, name: &str| value[name].as_i64().ok_or_else(|| format!("no {name} in {value}"));
    if matches!(wanted, Wanted::Total) {
        let total = number(body.get(0).unwrap_or(body), "total")?;
        let (least, most) = (floor.iter().sum::<i64>(), ceiling.iter().sum::<i64>());
        return if (least..=most).contains(&total) {
            Ok(())
        } else {
            Err(format!("total {total} not in {least}..={most}"))
        };
    }
    let shown = match body {
        Value::Array(rows) => rows.clone(),
        row => vec![row.clone()],
    };
    let mut versions = vec![None; floor.len()];
    for row in &shown {
        let (id, version) = (number(row, "id")? as usize - 1, number(row, "version")?);
        if version < floor[id] {
            return Err(format!(
                "row {} shows version {version} after {} was acknowledged",
                id + 1,
                floor[id]
            ));
        }
        if version < latest[id] {
            return Err(format!("row {} went back from {} to {version}", id + 1, latest[id]));
        }
        if row["kind"] != KINDS[version as usize % 3] {
            return Err(format!("row {} is torn: {row}", id + 1));
        }
        latest[id] = version;
        versions[id] = Some(version);
    }
    for (row, version) in versions.iter().enumerate().filter(|(row, _)| floor[*row] == ceiling[*row]) {
        let member = match wanted {
            Wanted::Row(wanted) => row == *wanted,
            Wanted::Kind(kind) => KINDS[floor[row] as usize % 3] == *kind,
            Wanted::All | Wanted::Total => true,
        };
        if version.is_some() != member {
            return Err(format!(
                "row {} at version {} is {}there",
                row + 1,
                floor[row],
                if member { "not " } else { "" }
            ));
        }
    }
    Ok(())
}
