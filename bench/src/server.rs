//! The servers that are compared, each on the first core.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use kasoku_testkit::{Answer, Client, Kasoku, Start, TempApp};

use crate::load::Subject;
use crate::processes::{self, Running};

/// Routes that are not cached, beside the catalogue's own.
const UNCACHED: &str = r#"
[[route]]
path = "/uncached"
table = "items"
select = ["id", "title", "category", "price", "stock", "maker", "released", "updated_at"]
filter = ["id"]
order = ["-id"]
write = ["insert"]
envelope = "items"
soft_delete = "deleted_at"
cache = false
"#;

/// The ports of hyper with its own fields and with ours.
const BARE_HYPER: u16 = 7_001;
const BARE_HYPER_WITH_FIELDS: u16 = 7_002;

/// Fields that hyper sends by itself.
const OF_HYPER: [&str; 2] = ["content-length", "date"];

/// Which cores a server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cores {
    /// The first alone, and the load generator the second.
    First,
    /// All that there are, beside the load generator.
    All,
}

/// A running server.
pub(crate) enum Server {
    /// The product, serving the catalogue.
    Kasoku {
        /// The process.
        process: Kasoku,
        /// Where its files are, until it ends.
        app: TempApp,
        cores: Cores,
    },
    /// hyper with a fixed answer.
    BareHyper {
        /// The process.
        process: Running,
        /// Where it listens.
        port: u16,
    },
}

impl Server {
    /// Starts the product, with a serving thread for each core that it has.
    pub(crate) fn kasoku(cores: Cores) -> Self {
        let app = TempApp::copy_of("catalog");
        let toml = app.read("kasoku.toml").replace("audit = 0.01", "audit = 0.0");
        app.write("kasoku.toml", format!("{toml}{UNCACHED}"));
        let start = Start::serve(binary("kasoku"), app.path());
        let process = match cores {
            Cores::First => start.env("KASOKU_SERVER_THREADS", "1").ready(),
            Cores::All => start.ready(),
        };
        if cores == Cores::First {
            pin(process.id());
        }
        Self::Kasoku { process, app, cores }
    }

    /// Starts hyper with a fixed answer of this size, and few fields.
    pub(crate) fn bare_hyper(bytes: usize) -> Self {
        Self::bare(BARE_HYPER, bytes, &[])
    }

    /// Starts hyper with a fixed answer of the size and with the fields of this one.
    pub(crate) fn bare_hyper_like(answer: &Answer) -> Self {
        let sent = answer.headers.iter().filter(|(name, _)| !OF_HYPER.contains(&name.as_str()));
        let written =
            sent.map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
        let fields: Vec<String> = written.collect();
        Self::bare(BARE_HYPER_WITH_FIELDS, answer.body.len(), &fields)
    }

    fn bare(port: u16, bytes: usize, fields: &[String]) -> Self {
        let mut command = Command::new(binary("examples/bare_hyper"));
        command.args(["own", "1", &bytes.to_string(), &port.to_string()]).args(fields);
        let process = Running::on_core(0, &command);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self::BareHyper { process, port }
    }

    /// The answer to a target. It is asked for twice, so that a cached one is shown as the cache gives it.
    pub(crate) fn answer(&self, target: &str) -> Answer {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let client = Client::new(self.address());
        let answers = async { (client.get(target).await, client.get(target).await) };
        let (_, answer) = runtime.expect("a runtime can be made").block_on(answers);
        assert!(answer.status.is_success(), "{answer:?}");
        answer
    }

    /// What the same SQL costs in a bare loop on the same file, on the first core: microseconds for each run.
    pub(crate) fn bare_loop_us(&self, sql: &str) -> f64 {
        let Self::Kasoku { app, .. } = self else { panic!("it has no database") };
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(binary("examples/bare_loop"));
        let output = command.arg(app.path().join("catalog.db")).args(["100000", "4", sql]).output();
        let output = output.expect("taskset is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().parse().expect("it prints a number")
    }
}

impl Subject for Server {
    fn address(&self) -> String {
        match self {
            Self::Kasoku { process, .. } => process.address().to_string(),
            Self::BareHyper { port, .. } => format!("127.0.0.1:{port}"),
        }
    }

    fn cores_of_load(&self) -> String {
        match self {
            Self::Kasoku { cores: Cores::All, .. } => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                format!("0-{}", cores - 1)
            }
            _ => "1".to_owned(),
        }
    }

    fn cpu_us(&self) -> f64 {
        processes::cpu_us(match self {
            Self::Kasoku { process, .. } => process.id(),
            Self::BareHyper { process, .. } => process.id(),
        })
    }
}

/// A program of the build for distribution.
pub(crate) fn binary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/dist").join(name)
}

/// Puts every thread of a process on the first core.
pub(crate) fn pin(id: u32) {
    pin_to(0, id);
}

/// Puts every thread of a process on a core; processes that it starts from then on inherit that.
pub(crate) fn pin_to(core: usize, id: u32) {
    let mut command = Command::new("taskset");
    let command = command.args(["-acp", &core.to_string(), &id.to_string()]).stdout(Stdio::null());
    assert!(command.status().expect("taskset is installed").success(), "the server could not be pinned");
}
