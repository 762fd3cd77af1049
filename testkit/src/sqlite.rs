//! What another reader sees in a database file: the `sqlite3` command, or Python's module of that name.

use std::path::Path;
use std::process::{Command, Output};

/// Runs a statement in a process of its own and returns its rows as text, columns parted by `|`.
///
/// # Panics
/// If there is neither of the two programs, or if the statement fails.
pub fn sqlite(database: &Path, sql: &str) -> Vec<String> {
    let output = command(database, sql).or_else(|| python(database, sql)).unwrap_or_else(|| {
        panic!("this test needs another reader of SQLite files: install the `sqlite3` command or Python 3")
    });
    let (rows, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{sql}: {errors}");
    rows.lines().map(str::to_owned).collect()
}

/// Asserts that a database file is sound, and that no foreign key leads nowhere.
pub fn assert_sound(database: &Path) {
    assert_eq!(sqlite(database, "pragma integrity_check"), ["ok"], "the file is damaged");
    assert_eq!(sqlite(database, "pragma foreign_key_check"), [""; 0], "a reference leads nowhere");
}

fn command(database: &Path, sql: &str) -> Option<Output> {
    Command::new("sqlite3").args(["-batch", "-bail", "-noheader"]).arg(database).arg(sql).output().ok()
}

fn python(database: &Path, sql: &str) -> Option<Output> {
    const SCRIPT: &str = "import sqlite3, sys\n\
        connection = sqlite3.connect(sys.argv[1], timeout=30)\n\
        for row in connection.execute(sys.argv[2]):\n    \
            print('|'.join('' if value is None else str(value) for value in row))\n\
        connection.commit()\n";
    let output = Command::new("python3").args(["-c", SCRIPT]).arg(database).arg(sql).output().ok()?;
    // Without the module, Python is there and of no use.
    (!String::from_utf8_lossy(&output.stderr).contains("No module named")).then_some(output)
}
