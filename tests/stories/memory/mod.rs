//! The cache stays within its budget, whatever is asked of it.
//!
//! Growth is counted from a server that has answered the same requests without storing them (`no-store`), so that
//! what is measured is what the cache keeps, and what keeping it costs the allocator. The page caches of the database
//! are kept small: they are another budget.

mod exports;
mod imports;
mod in_flight;
mod of_origins;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kasoku_testkit::{Client, Kasoku, Start, TempApp};

/// Clients that ask at the same time.
const CLIENTS: u64 = 4;

/// What is asked for.
struct Load {
    budget_mib: u64,
    /// The nth request.
    request: fn(u64) -> Asked,
    /// How many requests it takes to make one entry.
    requests_per_entry: u64,
    /// How many requests to send without storing, to make everything else ready.
    warm: u64,
}

/// A target, and fields.
type Asked = (String, Vec<(&'static str, String)>);

/// A table of texts.
struct Texts {
    budget_mib: u64,
    rows: u64,
    /// Bytes of the one text that a row has.
    row_bytes: u64,
    /// The nth target; each is another key.
    request: fn(u64) -> Asked,
    warm: u64,
}

async fn check_texts(texts: Texts) {
    let app = app(&texts);
    let Texts { budget_mib, request, warm, .. } = texts;
    check(&app, Load { budget_mib, request, requests_per_entry: 1, warm }).await;
}

fn app(shape: &Texts) -> TempApp {
    let toml = format!(
        r#"
[database]
url = "sqlite:memory.db"
schema = "schema/"
page_cache = "256KiB"
seed = {{ table = "texts", file = "seed.sql", rows = {rows} }}

[cache]
memory = "{budget_mib}MiB"

[[route]]
path = "/texts"
table = "texts"
filter = ["id", "text"]
order = ["id"]
page = {{ default = 50, most = 50 }}
cache = {{ fresh = "1h" }}
"#,
        rows = shape.rows,
        budget_mib = shape.budget_mib
    );
    let seed = format!(
        "with recursive n (id) as (select :first union all select id + 1 from n where id < :last)
         insert into texts select id, substr(printf('%08d', id) || hex(zeroblob({bytes})), 1, {bytes}) from n;",
        bytes = shape.row_bytes
    );
    TempApp::new(&toml)
        .file("schema/001-texts.sql", "create table texts (id integer primary key, text text not null);")
        .file("seed.sql", seed)
}

async fn check(app: &TempApp, load: Load) {
    let kasoku = Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready();
    let budget_bytes = load.budget_mib << 20;
    let no_store = |number| {
        let (target, mut fields) = (load.request)(number);
        fields.push(("cache-control", "no-store".to_owned()));
        (target, fields)
    };
    ask(&kasoku, (0..load.warm).map(no_store)).await;
    assert_eq!(gauge(&kasoku, "kasoku_cache_entries").await, 0, "nothing is stored yet");
    let before = kasoku.resident_bytes();
    let (mut most, mut asked, mut offered) = (0, 0, 0);
    while offered < 10 * budget_bytes {
        let more = (load.warm / 8).max(CLIENTS);
        most = most.max(ask(&kasoku, (asked..asked + more).map(load.request)).await);
        asked += more;
        let held = gauge(&kasoku, "kasoku_cache_bytes").await;
        let entries = asked / load.requests_per_entry;
        offered = entries * (held / gauge(&kasoku, "kasoku_cache_entries").await.max(1));
    }
    let (held, growth) = (gauge(&kasoku, "kasoku_cache_bytes").await, most.saturating_sub(before));
    let of_budget = |bytes: u64| bytes as f64 / budget_bytes as f64;
    assert!(of_budget(held) > 0.9, "the budget is used: {held} bytes");
    assert!(of_budget(growth) <= 1.1, "grew by {growth} bytes, holds {held}, after {asked} answers");
}

/// Sends these requests, and says how much memory was resident at the most meanwhile.
async fn ask(kasoku: &Kasoku, requests: impl Iterator<Item = Asked>) -> u64 {
    let (requests, next): (Arc<[Asked]>, _) = (requests.collect(), Arc::new(AtomicU64::new(0)));
    let clients = (0..CLIENTS).map(|_| {
        let (client, requests, next): (Client, _, _) =
            (kasoku.client(), Arc::clone(&requests), Arc::clone(&next));
        tokio::spawn(async move {
            while let Some((target, fields)) = requests.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let answer = client.get_with(target, &fields).await;
                assert!(answer.status.is_success(), "{answer:?}");
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut most = 0;
    while clients.iter().any(|client| !client.is_finished()) {
        most = most.max(kasoku.resident_bytes());
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    for client in clients {
        client.await.expect("every request is answered");
    }
    most
}

async fn gauge(kasoku: &Kasoku, name: &str) -> u64 {
    let metrics = kasoku.admin().get("/metrics").await;
    let value = metrics.text().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.expect("the gauge is there").parse::<f64>().expect("a number") as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_budgets_of_large_lists_stay_within_one() {
    // A filter that excludes nothing makes another key for the same 50 rows of 4 KB.
    let request = |number| (format!("/texts?text=neq.{number}"), Vec::new());
    check_texts(Texts { budget_mib: 64, rows: 200, row_bytes: 4_000, request, warm: 400 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_budgets_of_small_lists_stay_within_one() {
    let request = |number| (format!("/texts?text=neq.{number}&limit=1"), Vec::new());
    check_texts(Texts { budget_mib: 16, rows: 200, row_bytes: 2_000, request, warm: 4_000 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_budgets_of_tiny_rows_stay_within_one() {
    let request = |number| (format!("/texts/{}", number % 150_000 + 1), Vec::new());
    check_texts(Texts { budget_mib: 16, rows: 150_000, row_bytes: 12, request, warm: 40_000 }).await;
}
