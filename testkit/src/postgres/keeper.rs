//! Leaves nothing behind, even when the test is killed.
//!
//! A shell outlives the test by a moment: it waits for the end of a pipe whose other end the test holds, and the
//! system closes that end however the test ends. A server's processes are those whose working directory is the folder
//! of its files, so that none is missed and nobody else's is touched.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Ends the server without a checkpoint, then what is left of it after five seconds, and removes what it shared.
const SCRIPT: &str = r#"
cat >/dev/null
data="$0/data"
processes() { find /proc -mindepth 2 -maxdepth 2 -name cwd -lname "$data" 2>/dev/null | cut -d/ -f3; }
for turn in $(seq 500); do
    left=$(processes)
    [ -n "$left" ] || break
    if [ "$turn" -eq 1 ]; then kill -CONT $left; kill -QUIT $left; fi
    if [ "$turn" -eq 400 ]; then kill -CONT $left; kill -KILL $left; fi
    sleep 0.0125
done
shared=$(sed -n '7s/.* //p' "$data/postmaster.pid")
[ -z "$shared" ] || ipcrm -m "$shared"
rm -rf "$0"
"#;

/// The shell that waits.
#[derive(Debug)]
pub(super) struct Keeper(Child);

impl Keeper {
    /// Of this folder, with the server's files in `data`.
    pub(super) fn over(folder: &Path) -> Self {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(SCRIPT).arg(folder).current_dir("/");
        // What ends the group of the test must not end this one.
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(shell.spawn().expect("there is a shell"))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// The processes of a server.
pub(super) fn processes(data: &Path) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("Linux lists its processes").filter_map(Result::ok);
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_its =
        |process: &u32| fs::read_link(format!("/proc/{process}/cwd")).is_ok_and(|folder| folder == data);
    numbers.filter(is_its).collect()
}

/// Sends a signal by name; processes that have ended meanwhile are passed over.
pub(super) fn signal(name: &str, processes: &[u32]) {
    if !processes.is_empty() {
        let numbers = processes.iter().map(u32::to_string);
        let _ = Command::new("kill").arg(format!("-{name}")).args(numbers).stderr(Stdio::null()).status();
    }
}
