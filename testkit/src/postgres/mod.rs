//! A private PostgreSQL: in a folder of its own, on a socket and a loopback port, and gone with the test.
//!
//! A start copies a cluster that was made once below `target/`, which takes a tenth of a second. Tests that neither
//! end nor configure the server share one per process, each in a database of its own.

mod database;
mod keeper;
mod programs;
mod standby;
mod template;

use std::fmt;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub use database::PostgresDatabase;
use keeper::Keeper;

use crate::free_port;

/// How long a start or an end may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Between two looks at a server that starts or ends.
const PAUSE: Duration = Duration::from_millis(2);

/// How often another port is tried when somebody else was given the one that had been free.
const PORTS_TRIED_MAX: u32 = 20;

/// What every server begins with; a test's own settings come after it. Nothing here needs to outlive the machine.
const DEFAULTS: &[(&str, &str)] = &[
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    // In the folder, where a server that was killed leaves nothing to others.
    ("dynamic_shared_memory_type", "mmap"),
];

/// A running server. Whoever reaches its socket or its port is its superuser `postgres`, without a password.
pub struct Postgres {
    folder: PathBuf,
    settings: Vec<(String, String)>,
    port: u16,
    child: Option<Child>,
    databases: AtomicU32,
    /// Ends what is left and removes the folder, when this is dropped or its process is gone.
    _keeper: Keeper,
}

impl Postgres {
    /// Starts an empty server that never waits for the disk.
    ///
    /// # Panics
    /// If PostgreSQL is not installed (`cargo xtask services` installs it) or does not start.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts an empty server with these settings of `postgresql.conf`, such as `("fsync", "on")`.
    ///
    /// # Panics
    /// If PostgreSQL is not installed or does not start with them.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        let mut postgres = Self::unstarted(settings);
        template::copy_to(&postgres.data_folder());
        postgres.begin();
        postgres
    }

    /// Starts an empty server that is no copy: all others are copies of one and bear its number.
    ///
    /// # Panics
    /// If PostgreSQL is not installed or does not start.
    pub fn unrelated() -> Self {
        let mut postgres = Self::unstarted(&[]);
        template::begin_anew(&postgres.data_folder());
        postgres.begin();
        postgres
    }

    /// A server without files.
    fn unstarted(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("kasoku-postgres-").tempdir();
        let folder = folder.expect("a folder can be made").keep();
        let keeper = Keeper::over(&folder);
        if let Some((user, group)) = programs::other_user() {
            chown(&folder, Some(user), Some(group)).expect("root may give folders away");
        }
        let settings = DEFAULTS.iter().chain(settings);
        let settings = settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let databases = AtomicU32::new(0);
        Self { folder, settings, port: 0, child: None, databases, _keeper: keeper }
    }

    /// Starts for the first time, on a port that is free.
    fn begin(&mut self) {
        for _ in 0..PORTS_TRIED_MAX {
            self.port = free_port();
            if self.run().is_ok() {
                return;
            }
        }
        panic!("PostgreSQL does not start:\n{}", self.log());
    }

    /// The server that tests of this process share. Nobody can end it; it ends with the process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A new database, empty, that nobody else uses.
    pub fn database(&self) -> PostgresDatabase {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed) + 1);
        self.psql(&format!("create database {name}"));
        self.named(&name)
    }

    /// Where a client connects to: the database `postgres`, over the loopback port.
    pub fn url(&self) -> String {
        self.named("postgres").url()
    }

    /// Runs statements in the database `postgres` and gives what they return, a line for a row, `|` between columns.
    pub fn psql(&self, sql: &str) -> String {
        self.named("postgres").psql(sql)
    }

    /// The loopback port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its socket.
    pub fn socket_folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of its files, such as `pg_hba.conf`.
    pub fn data_folder(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Changes a setting, from the next [`restart`](Self::restart) on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Stops all its processes in the middle of whatever they do, so that they answer nobody and close nothing.
    pub fn hang(&self) {
        keeper::signal("STOP", &keeper::processes(&self.data_folder()));
    }

    /// Lets it go on after [`hang`](Self::hang).
    pub fn go_on(&self) {
        keeper::signal("CONT", &keeper::processes(&self.data_folder()));
    }

    /// Ends all its processes as a crash would.
    pub fn kill(&mut self) {
        keeper::signal("KILL", &keeper::processes(&self.data_folder()));
        self.wait_for_its_end();
    }

    /// Ends it in an orderly way, without waiting for its clients.
    pub fn stop(&mut self) {
        if let Some(child) = &self.child {
            keeper::signal("INT", &[child.id()]);
        }
        self.wait_for_its_end();
    }

    /// Starts it again with what it holds, on the same port; one that runs is stopped before.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&mut self) {
        self.stop();
        for _ in 0..PORTS_TRIED_MAX {
            if self.run().is_ok() {
                return;
            }
        }
        panic!("PostgreSQL does not start again:\n{}", self.log());
    }

    /// The database of this name, which is there.
    pub fn named(&self, name: &str) -> PostgresDatabase {
        PostgresDatabase::new(self.folder.clone(), self.port, name)
    }

    /// Starts the server and waits until it takes connections.
    fn run(&mut self) -> Result<(), Ended> {
        let log = self.folder.join("log");
        let log = fs::OpenOptions::new().create(true).append(true).open(log).expect("a log can be written");
        let mut command = programs::command("postgres");
        command.arg("-D").arg(self.data_folder()).arg("-k").arg(&self.folder);
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        for (name, value) in &self.settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        // A group of its own: an interrupt at the keyboard is for the test.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut child = command.spawn().expect("PostgreSQL is installed; `cargo xtask services` does it");
        let mut waited = Duration::ZERO;
        while !self.is_ready(child.id()) {
            if child.try_wait().expect("it can be waited for").is_some() {
                return Err(Ended);
            }
            assert!(waited < PATIENCE, "PostgreSQL does not become ready:\n{}", self.log());
            std::thread::sleep(PAUSE);
            waited += PAUSE;
        }
        self.child = Some(child);
        Ok(())
    }

    /// The eighth line of its lock file says so; the first is the process that wrote it.
    fn is_ready(&self, process: u32) -> bool {
        let text = fs::read_to_string(self.data_folder().join("postmaster.pid")).unwrap_or_default();
        let mut lines = text.lines();
        lines.next() == Some(&process.to_string())
            && lines.nth(6).is_some_and(|state| matches!(state.trim(), "ready" | "standby"))
    }

    fn wait_for_its_end(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        child.wait().expect("it can be waited for");
        let mut waited = Duration::ZERO;
        while !keeper::processes(&self.data_folder()).is_empty() {
            assert!(waited < PATIENCE, "PostgreSQL does not end:\n{}", self.log());
            std::thread::sleep(PAUSE);
            waited += PAUSE;
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            keeper::signal("CONT", &keeper::processes(&self.data_folder()));
            // At once, without a checkpoint: nobody needs the files any more.
            keeper::signal("QUIT", &[child.id()]);
            let _ = child.wait();
        }
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("folder", &self.folder)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// The server ended before it took connections.
#[derive(Debug)]
struct Ended;

/// Makes a folder that only its owner enters, which PostgreSQL insists on.
fn private_folder(path: &Path) {
    fs::create_dir(path).expect("a folder can be made");
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("its owner may close it");
}

#[cfg(test)]
mod tests;
