//! Comparisons: each figure beside something else, measured in one run on one machine.
//!
//! The server has one core and the load generator (`wrk`) the other. Rounds alternate between the two partners,
//! so that a machine whose speed drifts slows both. What is compared is the processor time that the server
//! spends on a request, read from `/proc`; requests per second are shown too, but where the load generator is the
//! fuller of the two they say more about it than about the server.
//!
//! `cargo run -p kasoku-bench` prints tables in Markdown, and with `compare`, `insert`, `proxies` or `database` one of them;
//! `bench/results/` keeps some.
#![expect(clippy::print_stdout, reason = "a program whose output is its result")]

mod database;
mod load;
mod machine;
mod processes;
mod proxies;
mod server;

use load::{Load, Measured};
use server::{Cores, Server};

/// Rounds of each comparison; the median counts.
const ROUNDS: usize = 3;

/// One row of the table. The partner is bare hyper with a fixed answer of the same size: what the kernel, the
/// protocol and the load generator cost anyway. It runs twice: with few fields, and with the fields of our answer,
/// which shows what it costs to send those.
struct Comparison {
    what: &'static str,
    ours: Load,
    /// A target whose answer has the size, and the fields, that the partner's shall have.
    sized_as: &'static str,
    /// The SQL of a read, as the planner writes it, for a loop with nothing around it.
    sql: Option<&'static str>,
}

const ROW: &str = "select id, title, category, price, stock, maker, released, updated_at from items \
                   where deleted_at is null and id = ?1";
const PAGE: &str = "select id, title, category, price, stock, maker, released, updated_at from items \
                    where deleted_at is null and id < ?1 order by id desc limit 21";

const COMPARISONS: [Comparison; 5] = [
    Comparison {
        what: "cached hit, one row",
        ours: Load::get("/v1/items/1"),
        sized_as: "/v1/items/1",
        sql: None,
    },
    Comparison {
        what: "cached hit, page of 20 rows",
        ours: Load::get("/v1/items"),
        sized_as: "/v1/items",
        sql: None,
    },
    Comparison {
        what: "uncached row by key, random keys",
        ours: Load::script("/uncached/", "rows.lua"),
        sized_as: "/uncached/1",
        sql: Some(ROW),
    },
    Comparison {
        what: "uncached page of 20 rows, random places",
        ours: Load::script("/uncached", "pages.lua"),
        sized_as: "/uncached",
        sql: Some(PAGE),
    },
    Comparison {
        what: "durable insert of one row",
        ours: Load::script("/uncached", "inserts.lua"),
        sized_as: "/uncached/1",
        sql: None,
    },
];

/// Inserts of so many rows in a request. Connections with many rows are few: each of them waits for the rows of all.
const INSERTS: [(usize, Load); 3] = [
    (1, Load::script("/uncached", "inserts.lua")),
    (100, Load::script("/uncached", "inserts.lua").with("100", 8)),
    (1_000, Load::script("/uncached", "inserts.lua").with("1000", 4)),
];

fn main() {
    let asked = std::env::args().nth(1);
    let wants = |part: &str| asked.as_deref().is_none_or(|asked| asked == part);
    println!("{}", machine::described());
    if wants("compare") {
        compare();
    }
    if wants("insert") {
        insert();
    }
    if wants("proxies") {
        proxies::compare();
    }
    if wants("database") {
        database::compare();
    }
}

/// The middle one; of an even number, the upper of both.
fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Requests of each kind beside bare hyper, and reads beside their SQL alone.
fn compare() {
    let ours = Server::kasoku(Cores::First);
    println!(
        "| what | bytes | rps | p50 | p99 | CPU a request | bare hyper: rps | CPU a request | CPU ratio | \
         with our fields: CPU a request | CPU ratio | same SQL, bare loop | ratio |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for comparison in &COMPARISONS {
        let answer = ours.answer(comparison.sized_as);
        let bytes = answer.body.len();
        let (theirs, alike) = (Server::bare_hyper(bytes), Server::bare_hyper_like(&answer));
        let (mut mine, mut other, mut like) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            mine.push(comparison.ours.run(&ours));
            other.push(Load::get("/").run(&theirs));
            like.push(Load::get("/").run(&alike));
        }
        let [mine, other, like] = [&mine, &other, &like].map(|rounds| Measured::median(rounds));
        let bare = comparison.sql.map(|sql| ours.bare_loop_us(sql));
        let bare = bare.map_or("– | –".to_owned(), |us| format!("{us:.1} µs | {:.2}", us / mine.cpu_us));
        println!(
            "| {} | {bytes} | {:.0} | {:.2} ms | {:.2} ms | {:.1} µs | {:.0} | {:.1} µs | {:.2} | {:.1} µs | {:.2} | \
             {bare} |",
            comparison.what,
            mine.per_second,
            mine.p50_ms,
            mine.p99_ms,
            mine.cpu_us,
            other.per_second,
            other.cpu_us,
            other.cpu_us / mine.cpu_us,
            like.cpu_us,
            like.cpu_us / mine.cpu_us,
        );
    }
    println!(
        "\nA CPU ratio of 0.80 means that one core serves 80 % of what bare hyper serves on one core.\n"
    );
}

/// Rows a second: few and many in a request, with one core and with all.
fn insert() {
    println!("| durable inserts | connections | rows a second | requests a second | p50 | p99 | CPU a row |");
    println!("|---|---|---|---|---|---|---|");
    for (cores, name) in [(Cores::First, "one core"), (Cores::All, "all cores, shared with the load")] {
        for (rows, load) in &INSERTS {
            let server = Server::kasoku(cores);
            let rounds: Vec<Measured> = (0..ROUNDS).map(|_| load.run(&server)).collect();
            let measured = Measured::median(&rounds);
            println!(
                "| {rows} in a request, {name} | {} | {:.0} | {:.0} | {:.2} ms | {:.2} ms | {:.1} µs |",
                load.connections(),
                measured.per_second * *rows as f64,
                measured.per_second,
                measured.p50_ms,
                measured.p99_ms,
                measured.cpu_us / *rows as f64,
            );
        }
    }
}
