//! The running binary.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use crate::Client;

/// How long a start or an end may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_mins(1);

/// What to start.
#[derive(Debug)]
pub struct Start {
    command: Command,
    listen: SocketAddr,
}

/// A running server. It is killed when the test is done with it.
#[derive(Debug)]
pub struct Kasoku {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    public: SocketAddr,
    admin: SocketAddr,
}

impl Start {
    /// `serve TARGET` on ports that the system chooses, logging JSON.
    pub fn serve(binary: impl AsRef<Path>, target: impl AsRef<Path>) -> Self {
        Self::with(binary.as_ref(), &[target.as_ref().as_os_str()])
    }

    /// `serve --origin URL`, for each of these URLs.
    pub fn origins(binary: impl AsRef<Path>, urls: &[String]) -> Self {
        let arguments = urls.iter().flat_map(|url| [OsStr::new("--origin"), OsStr::new(url)]);
        Self::with(binary.as_ref(), &arguments.collect::<Vec<_>>())
    }

    fn with(binary: &Path, arguments: &[&OsStr]) -> Self {
        let mut command = Command::new(binary);
        command.arg("serve").args(arguments);
        command.args(["--admin", "127.0.0.1:0", "--json"]);
        command.env_remove("DATABASE_URL").stdin(Stdio::null());
        Self { command, listen: SocketAddr::from(([127, 0, 0, 1], 0)) }
    }

    /// Listens there, instead of on a port that the system chooses.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.command.arg(arg.into());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.command.env(name, value.into());
        self
    }

    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// If it ends or says nothing before that; the log is in the message.
    pub fn ready(mut self) -> Kasoku {
        self.command.arg("--listen").arg(self.listen.to_string());
        let mut child = self.command.stderr(Stdio::piped()).spawn().expect("the binary can be started");
        let stderr = child.stderr.take().expect("it was piped");
        let log = Arc::new(Mutex::new(Vec::new()));
        let (said, listening) = mpsc::channel();
        std::thread::spawn({
            let log = Arc::clone(&log);
            move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    if let Some(addresses) = addresses(&line) {
                        // Nobody listens once the test goes on.
                        let _ = said.send(addresses);
                    }
                    log.lock().expect("no panic while the log is held").push(line);
                }
            }
        });
        let Ok((public, admin)) = listening.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            panic!("the server did not start:\n{}", log.lock().expect("no panic meanwhile").join("\n"));
        };
        Kasoku { child, log, public, admin }
    }
}

impl Kasoku {
    /// A client of the public listener.
    pub fn client(&self) -> Client {
        Client::new(self.public)
    }

    /// A client of the admin listener.
    pub fn admin(&self) -> Client {
        Client::new(self.admin)
    }

    /// The address of the public listener.
    pub fn address(&self) -> SocketAddr {
        self.public
    }

    /// The address of the admin listener.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.log.lock().expect("no panic while the log is held").join("\n")
    }

    /// Sends a signal by name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status();
        assert!(status.expect("kill can be run").success(), "SIG{name} could not be sent");
    }

    /// Ends it without warning, as a crash would.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it can be waited for");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not end in time.
    pub fn wait(mut self) -> ExitStatus {
        let mut waited = Duration::ZERO;
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return status;
            }
            assert!(waited < PATIENCE, "the server did not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
            waited += Duration::from_millis(10);
        }
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says so");
        line.trim().trim_end_matches("kB").trim().parse::<u64>().expect("a number of kilobytes") * 1_024
    }
}

impl Drop for Kasoku {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The addresses of the line that says that the server listens.
fn addresses(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let fields = line.get("fields").unwrap_or(&line);
    let address = |name| fields.get(name)?.as_str()?.parse().ok();
    Some((address("listen")?, address("admin")?))
}
