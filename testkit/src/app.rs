//! Apps in temporary folders, gone when the test is.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// An app in a folder of its own.
#[derive(Debug)]
pub struct TempApp {
    folder: TempDir,
}

impl TempApp {
    /// An empty folder.
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder can be made") }
    }

    /// A folder with this `kasoku.toml`.
    pub fn new(kasoku_toml: &str) -> Self {
        Self::empty().file("kasoku.toml", kasoku_toml)
    }

    /// A copy of one of the project's own apps, without what running it left behind.
    pub fn copy_of(name: &str) -> Self {
        let app = Self::empty();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../apps").join(name);
        copy(&from, app.path());
        app
    }

    /// Adds a file, with the folders it is in.
    #[must_use]
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(name, content);
        self
    }

    /// Writes a file over what was there.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder can be made");
        fs::write(path, content).expect("a file can be written");
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).expect("the file is there")
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the app's folder can be read") {
        let entry = entry.expect("its entries too");
        let (name, target) = (entry.file_name(), to.join(entry.file_name()));
        if entry.file_type().expect("an entry has a type").is_dir() {
            fs::create_dir_all(&target).expect("a folder can be made");
            copy(&entry.path(), &target);
        } else if !name.to_string_lossy().contains(".db") {
            fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}
