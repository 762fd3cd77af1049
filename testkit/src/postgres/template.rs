//! The cluster that every server begins as: made once below `target/`, copied for each.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{chown, lchown};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::{private_folder, programs};

/// How it is made. Text sorts by its bytes, as it does in SQLite; letters are known beyond ASCII.
const ARGUMENTS: &[&str] = &[
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--lc-collate=C",
    "--lc-ctype=C.UTF-8",
    // Sixteen times less to copy.
    "--wal-segsize=1",
    "--no-sync",
    "--no-instructions",
];

/// Puts a new cluster there.
pub(super) fn copy_to(data: &Path) {
    copy(&template(), data);
}

/// Puts a cluster there that is a copy of no other.
pub(super) fn begin_anew(data: &Path) {
    let output = programs::command("initdb").args(ARGUMENTS).arg("-D").arg(data).output();
    let output = output.expect("initdb can be run");
    assert!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
}

/// The template's folder, which is made unless it is there.
fn template() -> PathBuf {
    let places = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/postgres");
    fs::create_dir_all(&places).expect("target/ can be written");
    let template = places.join(version());
    if !template.is_dir() {
        make(&places, &template);
    }
    template
}

/// Made elsewhere and moved into its place whole: several tests may find that there is none.
fn make(places: &Path, template: &Path) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    if let Some((user, group)) = programs::other_user() {
        chown(folder.path(), Some(user), Some(group)).expect("root may give folders away");
    }
    let made = folder.path().join("data");
    begin_anew(&made);
    let copied = tempfile::tempdir_in(places).expect("a folder can be made");
    let whole = copied.path().join("data");
    copy(&made, &whole);
    if let Err(error) = fs::rename(&whole, template) {
        assert!(template.is_dir(), "the template cannot be put into its place: {error}");
    }
}

/// What the template depends on: the version of PostgreSQL and how it is made.
fn version() -> OsString {
    let output = programs::command("initdb").arg("--version").stdin(Stdio::null()).output();
    let output = output.expect("initdb can be run");
    let mut name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    name.push_str(&ARGUMENTS.concat());
    let kept = |letter: char| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' };
    name.chars().map(kept).collect::<String>().into()
}

/// Copies a folder, and gives the copy to whom the server runs as.
fn copy(from: &Path, to: &Path) {
    private_folder(to);
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let entry = entry.expect("its entries too");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("an entry has a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("a file can be copied");
            give(&target);
        }
    }
    give(to);
}

fn give(path: &Path) {
    if let Some((user, group)) = programs::other_user() {
        lchown(path, Some(user), Some(group)).expect("root may give files away");
    }
}
