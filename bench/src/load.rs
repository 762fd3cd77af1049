//! Load by `wrk`, and what it cost the server.

use std::borrow::Cow;
use std::path::Path;
use std::process::Command;

use kasoku_testkit::Client;

use crate::median;

/// What is measured.
pub(crate) trait Subject {
    /// Where it listens.
    fn address(&self) -> String;

    /// The cores that the load generator has, as `taskset` names them.
    fn cores_of_load(&self) -> String {
        "1".to_owned()
    }

    /// Processor time that it has used so far, with its children.
    fn cpu_us(&self) -> f64;
}

/// What is sent.
#[derive(Clone)]
pub(crate) struct Load {
    target: Cow<'static, str>,
    script: Option<&'static str>,
    /// What the script is told.
    argument: Option<&'static str>,
    /// How many connections send at once.
    connections: u32,
}

/// What was measured in one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Requests that were answered.
    pub(crate) requests: f64,
    /// Requests answered in a second.
    pub(crate) per_second: f64,
    /// The median latency.
    pub p50_ms: f64,
    /// The 99th percentile.
    pub p99_ms: f64,
    /// Processor time of the server for each request, the kernel's part included.
    pub(crate) cpu_us: f64,
}

impl Load {
    /// The same GET again and again.
    pub(crate) const fn get(target: &'static str) -> Self {
        Self { target: Cow::Borrowed(target), script: None, argument: None, connections: 64 }
    }

    /// The same, of a target that was found at run time.
    pub(crate) fn get_found(target: String) -> Self {
        Self { target: Cow::Owned(target), ..Self::get("") }
    }

    /// Requests made by a script of `bench/load/`.
    pub(crate) const fn script(target: &'static str, script: &'static str) -> Self {
        Self { target: Cow::Borrowed(target), script: Some(script), argument: None, connections: 64 }
    }

    /// The same, with an argument for the script, and so many connections.
    pub(crate) const fn with(mut self, argument: &'static str, connections: u32) -> Self {
        (self.argument, self.connections) = (Some(argument), connections);
        self
    }

    /// How many connections send at once.
    pub(crate) fn connections(&self) -> u32 {
        self.connections
    }

    /// Sends the request once and waits for the whole answer.
    pub(crate) fn once(&self, server: &impl Subject) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let client = Client::new(server.address());
        let answer = runtime.expect("a runtime can be made").block_on(client.get(&self.target));
        assert!(answer.status.is_success(), "{answer:?}");
    }

    /// Runs one round.
    ///
    /// # Panics
    /// If `wrk` is not installed, or any answer was an error: a figure for errors would be worthless.
    pub(crate) fn run(&self, server: &impl Subject) -> Measured {
        let mut wrk = Command::new("taskset");
        wrk.args(["-c", &server.cores_of_load(), "wrk", "-t1", "-d4s", "--timeout", "20s", "--latency"]);
        wrk.arg(format!("-c{}", self.connections));
        if let Some(script) = self.script {
            wrk.arg("-s").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("load").join(script));
        }
        wrk.arg(format!("http://{}{}", server.address(), self.target));
        wrk.args(self.argument.iter().flat_map(|argument| ["--", argument]));
        let before = server.cpu_us();
        let output = wrk.output().expect("taskset and wrk are installed: cargo xtask services");
        let spent_us = server.cpu_us() - before;
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        assert!(!said.contains("Non-2xx") && !said.contains("Socket errors"), "{}: {said}", self.target);
        let field = |name: &str| {
            let line = said.lines().find_map(|line| line.trim().strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} in {said}")).trim().to_owned()
        };
        let requests: f64 = said
            .lines()
            .find_map(|line| line.trim().split_once(" requests in "))
            .and_then(|(count, _)| count.parse().ok())
            .expect("wrk counts its requests");
        Measured {
            requests,
            per_second: field("Requests/sec:").parse().expect("a number"),
            p50_ms: milliseconds(&field("50%")),
            p99_ms: milliseconds(&field("99%")),
            cpu_us: spent_us / requests,
        }
    }
}

impl Measured {
    /// The median of each figure.
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let middle = |figure: fn(&Self) -> f64| median(rounds.iter().map(figure));
        Self {
            requests: middle(|round| round.requests),
            per_second: middle(|round| round.per_second),
            p50_ms: middle(|round| round.p50_ms),
            p99_ms: middle(|round| round.p99_ms),
            cpu_us: middle(|round| round.cpu_us),
        }
    }
}

fn milliseconds(text: &str) -> f64 {
    let (number, scale) = match text {
        text if text.ends_with("us") => (&text[..text.len() - 2], 0.001),
        text if text.ends_with("ms") => (&text[..text.len() - 2], 1.0),
        text => (text.trim_end_matches('s'), 1_000.0),
    };
    number.parse::<f64>().expect("a latency") * scale
}
