//! Kasoku as a caching proxy, beside nginx and Varnish.
//!
//! All three stand before the same origin, each on the first core with one serving thread or process; the origin and
//! the load generator share the other core. Whether a round was one of hits or of forwards is not taken on trust: the
//! origin counts what it was asked.

mod origin;
mod partner;

use kasoku_testkit::{Kasoku, Start};

use crate::ROUNDS;
use crate::load::{Load, Measured, Subject};
use crate::processes;
use crate::server::{binary, pin};
use origin::Origin;
use partner::Partner;

/// What each of them may keep in memory; Kasoku's own default.
const MEMORY_MIB: u32 = 256;

/// Hits of which the origin hears: none but the first.
const FORWARDED_HITS_MAX: f64 = 2.0;

struct Workload {
    what: &'static str,
    load: Load,
    origin_hears: Hears,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hears {
    Nothing,
    All,
}

const WORKLOADS: [Workload; 9] = [
    Workload { what: "hit, 1 KiB", load: Load::get("/stored/1k"), origin_hears: Hears::Nothing },
    Workload { what: "hit, 6 KiB", load: Load::get("/stored/6k"), origin_hears: Hears::Nothing },
    Workload { what: "hit, 64 KiB", load: Load::get("/stored/64k"), origin_hears: Hears::Nothing },
    Workload {
        what: "miss and store, 1 KiB",
        load: Load::script("/stored/1k", "unique.lua"),
        origin_hears: Hears::All,
    },
    Workload {
        what: "miss and store, 6 KiB",
        load: Load::script("/stored/6k", "unique.lua"),
        origin_hears: Hears::All,
    },
    Workload {
        what: "miss and store, 64 KiB",
        load: Load::script("/stored/64k", "unique.lua"),
        origin_hears: Hears::All,
    },
    Workload { what: "no-store, 1 KiB", load: Load::get("/passed/1k"), origin_hears: Hears::All },
    Workload { what: "no-store, 64 KiB", load: Load::get("/passed/64k"), origin_hears: Hears::All },
    Workload { what: "small POST", load: Load::script("/posted", "form.lua"), origin_hears: Hears::All },
];

/// The product before the origin.
struct Product(Kasoku);

impl Product {
    fn start(origin: &Origin) -> Self {
        let start = Start::origins(binary("kasoku"), &[format!("http://{}", origin.address())]);
        let start = start.env("KASOKU_SERVER_THREADS", "1");
        let process = start.env("KASOKU_CACHE_MEMORY", format!("{MEMORY_MIB}MiB")).ready();
        pin(process.id());
        Self(process)
    }
}

impl Subject for Product {
    fn address(&self) -> String {
        self.0.address().to_string()
    }

    fn cpu_us(&self) -> f64 {
        processes::cpu_us(self.0.id())
    }
}

/// Measures all workloads.
pub(crate) fn compare() {
    let origin = Origin::start();
    let ours = Product::start(&origin);
    let (nginx, varnish) = (Partner::nginx(&origin), Partner::varnish(&origin));
    println!("Partners: {}; {}.\n", nginx.version(), varnish.version());
    println!(
        "| what | Kasoku: rps | p50 | p99 | CPU | nginx: rps | p50 | p99 | CPU | Varnish: rps | p50 | p99 | CPU | \
         per core, of nginx | of Varnish |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    let began = std::time::Instant::now();
    let (all, own) = (processes::cpu_us_of_all(), processes::cpu_us(std::process::id()));
    for workload in &WORKLOADS {
        let mut rounds = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            rounds[0].push(workload.round(&ours, &origin));
            rounds[1].push(workload.round(&nginx, &origin));
            rounds[2].push(workload.round(&varnish, &origin));
        }
        let [ours, nginx, varnish] = rounds.map(|rounds| Measured::median(&rounds));
        println!(
            "| {} | {} | {} | {} | {:.2} | {:.2} |",
            workload.what,
            cells(ours),
            cells(nginx),
            cells(varnish),
            nginx.cpu_us / ours.cpu_us,
            varnish.cpu_us / ours.cpu_us,
        );
    }
    let others_us = (processes::cpu_us_of_all() - all) - (processes::cpu_us(std::process::id()) - own);
    println!(
        "\nThe last two columns are requests for each second of processor time, as a multiple of the partner's. Other \
         programs, and the host, took {:.2} of a core meanwhile.\n",
        others_us / began.elapsed().as_micros() as f64,
    );
}

impl Workload {
    /// One round with one of them.
    ///
    /// # Panics
    /// If it was not the round that it should be.
    fn round(&self, subject: &impl Subject, origin: &Origin) -> Measured {
        if self.origin_hears == Hears::Nothing {
            self.load.once(subject);
        }
        let before = origin.heard();
        let measured = self.load.run(subject);
        let heard = (origin.heard() - before) as f64;
        let is_so = match self.origin_hears {
            Hears::Nothing => heard <= FORWARDED_HITS_MAX,
            Hears::All => heard >= measured.requests,
        };
        assert!(is_so, "{}: of {} requests the origin heard {heard}", self.what, measured.requests);
        measured
    }
}

fn cells(measured: Measured) -> String {
    format!(
        "{:.0} | {:.2} ms | {:.2} ms | {:.1} µs",
        measured.per_second, measured.p50_ms, measured.p99_ms, measured.cpu_us
    )
}
