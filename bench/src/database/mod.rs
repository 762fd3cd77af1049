//! Kasoku on PostgreSQL, beside the same API written by hand.
//!
//! The server that is measured has the first core and one thread; the load generator, PostgreSQL and Redis share the
//! other. What a request costs is counted in two places, the server and PostgreSQL with Redis, for a server may be
//! cheap because it leaves its work to the database.

mod peers;
mod shop;

use crate::load::{Load, Measured, Subject};
use crate::{ROUNDS, median};
use peers::{Peer, Peers};
use shop::{Ours, Shop};

/// A request to ours, and how the same is asked of others.
struct Comparison {
    what: &'static str,
    ours: Load,
    others: Vec<(&'static str, Peer, Load)>,
}

/// A script's numbers go up to here; with reviews are fewer.
const ITEMS: &str = "100000";
const REVIEWED_ITEMS: &str = "20000";

/// Connections of callers.
const CALLERS: u32 = 64;

/// Callers of whom few do something at a time.
const MANY_CALLERS: u32 = 1_000;

const MIB: f64 = 1_048_576.0;

fn numbered(target: &'static str, most: &'static str) -> Load {
    Load::script(target, "rows.lua").with(most, CALLERS)
}

/// Measures all of them.
pub(crate) fn compare() {
    let shop = Shop::open();
    let ours = Ours::start(&shop);
    let deep = ours.deep_page();
    println!("Partners: {}.\n", Peers::described());
    println!(
        "| what | by | rps | p50 | p99 | CPU of the server | and of the database | ours costs: of the server's | of both |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let peers = Peers::start(&shop);
    for comparison in comparisons(deep) {
        let mut rounds: Vec<Vec<(Measured, f64)>> = vec![Vec::new(); comparison.others.len() + 1];
        for _ in 0..ROUNDS {
            rounds[0].push(round(&shop, &comparison.ours, &ours));
            for (place, (_, peer, load)) in comparison.others.iter().enumerate() {
                rounds[place + 1].push(round(&shop, load, peers.get(*peer)));
            }
        }
        let mut all = rounds.iter().map(|rounds| summed(rounds));
        let mine = all.next().expect("ours is the first");
        row(comparison.what, "Kasoku", mine, None);
        for ((name, ..), theirs) in comparison.others.iter().zip(all) {
            row("", name, theirs, Some(mine));
        }
    }
    drop(peers);
    crowd(&shop, &ours);
    drop(ours);
    bulk(&shop);
}

fn comparisons(deep: String) -> Vec<Comparison> {
    vec![
        Comparison {
            what: "uncached row by key",
            ours: numbered("/items/", ITEMS),
            others: vec![
                ("axum, pooled driver", Peer::Axum, numbered("/row/", ITEMS)),
                ("axum, PostgREST's statements", Peer::Axum, numbered("/shaped/row/", ITEMS)),
                ("Fastify, pg", Peer::Fastify, numbered("/row/", ITEMS)),
                ("FastAPI, asyncpg", Peer::FastApi, numbered("/row/", ITEMS)),
            ],
        },
        Comparison {
            what: "uncached list of 50 rows",
            ours: numbered("/items?id=lt.", ITEMS),
            others: vec![
                ("axum, pooled driver", Peer::Axum, numbered("/list/", ITEMS)),
                ("axum, PostgREST's statements", Peer::Axum, numbered("/shaped/list/", ITEMS)),
                ("Fastify, pg", Peer::Fastify, numbered("/list/", ITEMS)),
                ("FastAPI, asyncpg", Peer::FastApi, numbered("/list/", ITEMS)),
            ],
        },
        Comparison {
            what: "20 rows, each with 10 embedded",
            ours: numbered("/parents?select=id,title,reviews(id,stars)&id=lt.", REVIEWED_ITEMS),
            others: vec![
                ("axum, two statements", Peer::Axum, numbered("/embed/", REVIEWED_ITEMS)),
                ("axum, lateral JSON", Peer::Axum, numbered("/lateral/", REVIEWED_ITEMS)),
            ],
        },
        Comparison {
            what: "cached row",
            ours: Load::get("/kept/7"),
            others: vec![("axum, Redis", Peer::Axum, Load::get("/redis/row/7"))],
        },
        Comparison {
            what: "page 1,801 of 50 rows",
            ours: Load::get_found(deep),
            others: vec![(
                "Kasoku's first page is the list above; axum, OFFSET",
                Peer::Axum,
                Load::get("/offset/90000"),
            )],
        },
    ]
}

/// One round: what it measured, and what it cost the database for each request.
fn round(shop: &Shop, load: &Load, subject: &impl Subject) -> (Measured, f64) {
    let before = shop.cpu_us();
    let measured = load.run(subject);
    (measured, (shop.cpu_us() - before) / measured.requests)
}

fn summed(rounds: &[(Measured, f64)]) -> (Measured, f64) {
    let measured: Vec<Measured> = rounds.iter().map(|(measured, _)| *measured).collect();
    (Measured::median(&measured), median(rounds.iter().map(|(_, database_us)| *database_us)))
}

fn row(what: &str, by: &str, (measured, database_us): (Measured, f64), ours: Option<(Measured, f64)>) {
    let ratios = ours.map_or("– | –".to_owned(), |(ours, ours_database_us)| {
        format!(
            "{:.2} | {:.2}",
            ours.cpu_us / measured.cpu_us,
            (ours.cpu_us + ours_database_us) / (measured.cpu_us + database_us)
        )
    });
    println!(
        "| {what} | {by} | {:.0} | {:.2} ms | {:.2} ms | {:.1} µs | {database_us:.1} µs | {ratios} |",
        measured.per_second, measured.p50_ms, measured.p99_ms, measured.cpu_us,
    );
}

/// Memory with many callers, after a round has warmed it up with few.
fn crowd(shop: &Shop, ours: &Ours) {
    let load = Load::script("/items/", "rows.lua");
    round(shop, &load.clone().with(ITEMS, CALLERS), ours);
    let few = ours.resident_bytes();
    let (measured, _) = round(shop, &load.with(ITEMS, MANY_CALLERS), ours);
    let many = ours.resident_bytes();
    println!(
        "\n{MANY_CALLERS} connections, uncached rows: {:.0} a second, p99 {:.1} ms; resident {:.1} MiB after, {:.1} MiB \
         with {CALLERS}.\n",
        measured.per_second,
        measured.p99_ms,
        many as f64 / MIB,
        few as f64 / MIB,
    );
}

/// Ten thousand rows in one request, on both engines.
fn bulk(shop: &Shop) {
    println!("| 10,000 rows in one request | median of {ROUNDS} |");
    println!("|---|---|");
    for (engine, ours) in [("PostgreSQL", Ours::start(shop)), ("SQLite", Ours::on_sqlite())] {
        let took_ms = median((0..ROUNDS).map(|_| ours.insert_ten_thousand_ms()));
        println!("| {engine} | {took_ms:.0} ms |");
    }
    println!();
}
