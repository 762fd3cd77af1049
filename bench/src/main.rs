//! Comparisons: each figure beside something else, measured in one run on one machine.
//!
//! The server has one core and the load generator (`wrk`) the other. Rounds alternate between the two partners,
//! so that a machine whose speed drifts slows both. What is compared is the processor time that the server
//! spends on a request, read from `/proc`; requests per second are shown too, but where the load generator is the
//! fuller of the two they say more about it than about the server.
//!
//! `cargo run --release -p kasoku-bench` prints a table in Markdown; `bench/results/` keeps some.
#![expect(clippy::print_stdout, reason = "a program whose output is its result")]

mod load;
mod machine;
mod server;

use load::{Load, Measured};
use server::Server;

/// Rounds of each comparison; the median counts.
const ROUNDS: usize = 5;

/// One row of the table.
struct Comparison {
    what: &'static str,
    beside: &'static str,
    ours: Load,
    theirs: Load,
}

const COMPARISONS: [Comparison; 5] = [
    Comparison {
        what: "cached hit, one row (about 200 bytes)",
        beside: "bare hyper, fixed answer of the same size",
        ours: Load::get("/v1/items/1"),
        theirs: Load::get("/200"),
    },
    Comparison {
        what: "cached hit, page of 20 rows (about 4 KiB)",
        beside: "bare hyper, fixed answer of the same size",
        ours: Load::get("/v1/items"),
        theirs: Load::get("/4000"),
    },
    Comparison {
        what: "uncached row by key, random keys",
        beside: "bare hyper, fixed answer of the same size",
        ours: Load::script("/uncached/", "rows.lua"),
        theirs: Load::get("/200"),
    },
    Comparison {
        what: "uncached page of 20 rows, random places",
        beside: "bare hyper, fixed answer of the same size",
        ours: Load::script("/uncached", "pages.lua"),
        theirs: Load::get("/4000"),
    },
    Comparison {
        what: "durable insert of one row, 64 connections",
        beside: "bare hyper, fixed answer of 200 bytes",
        ours: Load::script("/uncached", "inserts.lua"),
        theirs: Load::get("/200"),
    },
];

fn main() {
    println!("{}", machine::described());
    let ours = Server::kasoku();
    let theirs = Server::bare_hyper();
    println!("| what | rps | p50 | p99 | CPU a request | beside | rps | CPU a request | CPU ratio |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for comparison in &COMPARISONS {
        let (mut mine, mut other) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            mine.push(comparison.ours.run(&ours));
            other.push(comparison.theirs.run(&theirs));
        }
        let (mine, other) = (Measured::median(mine), Measured::median(other));
        println!(
            "| {} | {:.0} | {:.2} ms | {:.2} ms | {:.1} µs | {} | {:.0} | {:.1} µs | {:.2} |",
            comparison.what,
            mine.per_second,
            mine.p50_ms,
            mine.p99_ms,
            mine.cpu_us,
            comparison.beside,
            other.per_second,
            other.cpu_us,
            other.cpu_us / mine.cpu_us,
        );
    }
    println!("\nA CPU ratio of 0.80 means that one core serves 80 % of what the partner serves on one core.");
}
