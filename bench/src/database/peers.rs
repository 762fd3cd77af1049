//! The same API by hand, in three ecosystems: axum, Fastify and FastAPI, each with the pool that its users take.
//!
//! Their sources are in `bench/peers/`. They are built or installed below `target/`, from the registries and by exact
//! versions, when they are first wanted.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kasoku_testkit::free_port;

use super::shop::{Shop, answers_at};
use crate::load::Subject;
use crate::processes::{self, Running};

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(20);

/// One of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    Axum,
    Fastify,
    FastApi,
}

/// All three, running.
pub(super) struct Peers([Server; 3]);

/// One of them: a process on the first core.
pub(super) struct Server {
    process: Running,
    port: u16,
}

impl Peers {
    /// Their versions.
    pub(super) fn described() -> String {
        let pinned = |file: &str| {
            let text = fs::read_to_string(sources().join(file)).expect("the sources are in the tree");
            text.lines()
                .map(str::trim)
                .filter(|line| line.contains("==") || line.contains("pg\""))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let said = |program: &str| {
            let output = Command::new(program).arg("--version").output();
            output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
        };
        format!(
            "axum with deadpool-postgres and mimalloc; node {}, {}; {}, {}",
            said("node"),
            pinned("fastify/package.json").replace(['"', '{', '}'], ""),
            said(&python().display().to_string()),
            pinned("fastapi/requirements.txt"),
        )
    }

    pub(super) fn start(shop: &Shop) -> Self {
        provide();
        let fastify = place().join("fastify/server.js");
        let fastapi = sources().join("fastapi/server.py");
        let axum = place().join("release/kasoku-bench-peer");
        Self([
            Server::start(shop, &[&axum]),
            Server::start(shop, &[Path::new("node"), &fastify]),
            Server::start(shop, &[&python(), &fastapi]),
        ])
    }

    pub(super) fn get(&self, peer: Peer) -> &Server {
        &self.0[peer as usize]
    }
}

impl Server {
    fn start(shop: &Shop, words: &[&Path]) -> Self {
        let port = free_port();
        let mut command = Command::new("env");
        command.arg(format!("PORT={port}")).arg(format!("DATABASE_URL={}", shop.database_url()));
        command.arg(format!("REDIS_URL={}", shop.redis_url())).args(words);
        let mut process = Running::on_core(0, &command);
        let mut waited = Duration::ZERO;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(!process.has_ended() && waited < PATIENCE, "{words:?} did not start");
            std::thread::sleep(PAUSE);
            waited += PAUSE;
        }
        let server = Self { process, port };
        assert!(
            answers_at(&server.address(), "/row/1") && answers_at(&server.address(), "/list/1000"),
            "{words:?}"
        );
        server
    }
}

impl Subject for Server {
    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn cpu_us(&self) -> f64 {
        processes::cpu_us(self.process.id())
    }
}

/// Builds or installs what is missing, or older than its source.
fn provide() {
    let folder = place();
    let run = |what: &str, command: &mut Command| {
        let status = command.status().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(status.success(), "{what} could not be had");
    };
    let manifest = sources().join("axum/Cargo.toml");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--quiet", "--locked", "--manifest-path"]).arg(manifest);
    run("the axum peer", cargo.arg("--target-dir").arg(&folder));

    let fastify = folder.join("fastify");
    fs::create_dir_all(&fastify).expect("target/ is ours");
    for file in ["package.json", "server.js"] {
        fs::copy(sources().join("fastify").join(file), fastify.join(file)).expect("target/ is ours");
    }
    let mut npm = Command::new("npm");
    run(
        "the Fastify peer",
        npm.args(["install", "--silent", "--no-audit", "--no-fund"]).current_dir(&fastify),
    );

    let environment = folder.join("python");
    if !environment.exists() {
        run("a Python environment", Command::new("python3").args(["-m", "venv"]).arg(&environment));
    }
    let mut pip = Command::new(python());
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    run("the FastAPI peer", pip.arg(sources().join("fastapi/requirements.txt")));
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

fn place() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers")
}

fn python() -> PathBuf {
    place().join("python/bin/python")
}
