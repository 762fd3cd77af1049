//! Programs of the system that tests and measurements run.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{Need, Outcome};

/// A program and where it comes from.
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) need: Need,
    /// Under which names it may be installed.
    commands: &'static [&'static str],
    /// How it tells its version.
    version: &'static str,
    /// Debian's package with it.
    package: &'static str,
}

/// All of them.
pub(super) const ALL: &[Program] = &[
    // Reads the same files with other eyes, so that an import can be compared.
    Program {
        name: "python3",
        need: Need::Tests,
        commands: &["python3"],
        version: "--version",
        package: "python3",
    },
    // The second tier of the cache; each test starts its own.
    Program {
        name: "redis-server",
        need: Need::Tests,
        commands: &["redis-server"],
        version: "--version",
        package: "redis-server",
    },
    // The database beside SQLite; each test starts its own. Debian keeps its programs in a folder per version.
    Program {
        name: "postgres",
        need: Need::Tests,
        commands: &[
            "postgres",
            "/usr/lib/postgresql/18/bin/postgres",
            "/usr/lib/postgresql/17/bin/postgres",
            "/usr/lib/postgresql/16/bin/postgres",
            "/usr/lib/postgresql/15/bin/postgres",
            "/usr/lib/postgresql/14/bin/postgres",
        ],
        version: "--version",
        package: "postgresql",
    },
    // Loads a server for the measurements.
    Program { name: "wrk", need: Need::Measurements, commands: &["wrk"], version: "-v", package: "wrk" },
    // The other caching proxies that this one is measured beside; each measurement starts its own.
    Program {
        name: "nginx",
        need: Need::Measurements,
        commands: &["nginx", "/usr/sbin/nginx"],
        version: "-v",
        package: "nginx-light",
    },
    Program {
        name: "varnishd",
        need: Need::Measurements,
        commands: &["varnishd", "/usr/sbin/varnishd"],
        version: "-V",
        package: "varnish",
    },
    // Shows the pages of the apps as people see them; node drives it, npm brings node the means.
    Program {
        name: "chromium",
        need: Need::Browser,
        commands: &["chromium", "chromium-browser", "google-chrome"],
        version: "--version",
        package: "chromium",
    },
    Program {
        name: "node",
        need: Need::Browser,
        commands: &["node", "nodejs"],
        version: "--version",
        package: "nodejs",
    },
    Program { name: "npm", need: Need::Browser, commands: &["npm"], version: "--version", package: "npm" },
];

impl Program {
    pub(super) fn provide(&self) -> Outcome {
        if let Some(version) = self.version() {
            return Outcome::Found(version);
        }
        if self.need == Need::Measurements {
            return Outcome::Missing(format!("`apt-get install {}` brings it", self.package));
        }
        match apt_install(self.package) {
            Ok(()) => self.version().map_or_else(
                || Outcome::Missing(format!("{} is installed and does not run", self.package)),
                Outcome::Installed,
            ),
            Err(why) => Outcome::Missing(why),
        }
    }

    fn version(&self) -> Option<String> {
        self.commands.iter().find_map(|command| {
            let output = Command::new(command).arg(self.version).stdin(Stdio::null()).output().ok()?;
            let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
            Some(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned())
        })
    }
}

/// Where a program of the list is installed, if it is.
pub(crate) fn path_of(name: &str) -> Option<PathBuf> {
    let program = ALL.iter().find(|program| program.name == name)?;
    program.commands.iter().find_map(|command| {
        let path = run(Command::new("sh").args(["-c", "command -v \"$0\"", command])).ok()?;
        Some(PathBuf::from(path.trim()))
    })
}

/// Runs a program without input.
///
/// # Errors
/// What it said, or why it could not be run.
pub(super) fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("{name} failed: {}", said.lines().last().unwrap_or("it said nothing").trim()))
        }
        Err(error) => Err(format!("{name} cannot be run: {error}")),
    }
}

fn apt_install(package: &str) -> Result<(), String> {
    apt_update()?;
    let mut install = Command::new("apt-get");
    install
        .args(["install", "--yes", "--no-install-recommends", package])
        .env("DEBIAN_FRONTEND", "noninteractive");
    run(&mut install).map(drop)
}

/// The lists of a new machine know no packages.
pub(super) fn apt_update() -> Result<(), String> {
    run(Command::new("apt-get").arg("update")).map(drop)
}
