//! PostgreSQL's programs, and as whom they run.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// A program of the newest PostgreSQL that is installed, as the user that it may run as.
pub(super) fn command(program: &str) -> Command {
    let mut command = Command::new(path(program));
    if let Some((user, group)) = other_user() {
        command.uid(user).gid(group);
    }
    // What the caller set for its own databases is not meant for this one.
    for name in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGSERVICE", "PGOPTIONS"]
    {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C.UTF-8").current_dir("/");
    command
}

/// Where a program is; its bare name where only the search path knows. Debian keeps the server's programs out of that,
/// a folder for each version.
pub(super) fn path(program: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let newest = || {
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
        let versions = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let folder = |version: u32| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"));
        let folders = versions.map(|version| (version, folder(version)));
        let servers = folders.filter(|(_, folder)| folder.join("initdb").is_file());
        servers.max().map_or_else(PathBuf::new, |(_, folder)| folder)
    };
    FOLDER.get_or_init(newest).join(program)
}

/// The user and group to run as, where we are root, whom PostgreSQL refuses to serve.
pub(super) fn other_user() -> Option<(u32, u32)> {
    let are_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if !are_root {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("the list of users can be read");
    let user = |wanted: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let found = fields.next() == Some(wanted);
            let (user, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            found.then_some((user, group))
        })
    };
    Some(user("postgres").or_else(|| user("nobody")).expect("there is somebody else than root"))
}
