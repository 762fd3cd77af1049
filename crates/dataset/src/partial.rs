//! A file that is being made: it gets its name when it is complete, and is gone if it never is.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::DatasetError;

/// What SQLite and the engine put beside a database.
const COMPANIONS: [&str; 4] = ["", "-wal", "-shm", "-lock"];

/// Stands between a database's name and the process that makes it.
const MARK: &str = ".partial-";

/// A database that is being made under another name. Dropping it removes what there is.
#[derive(Debug)]
pub(crate) struct Partial {
    target: PathBuf,
    path: PathBuf,
}

impl Partial {
    /// Prepares to make a database, in the same folder and hence on the same disk.
    pub(crate) fn beside(target: &Path) -> Result<Self, DatasetError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        if target.exists() {
            return Err(DatasetError::Exists { path: target.to_owned() });
        }
        remove_abandoned(target);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut path = target.as_os_str().to_owned();
        path.push(format!("{MARK}{}-{number}", std::process::id()));
        Ok(Self { target: target.to_owned(), path: path.into() })
    }

    /// Where it is made.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name. If somebody else was faster, that name stays theirs.
    pub(crate) fn complete(self) -> Result<(), DatasetError> {
        let file_error = |source| DatasetError::File { path: self.target.clone(), source };
        File::open(&self.path).and_then(|file| file.sync_all()).map_err(file_error)?;
        // The log of a database that is gone would be taken for this one's.
        for companion in &COMPANIONS[1..3] {
            match fs::remove_file(with_suffix(&self.target, companion)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(file_error(error)),
                _ => {}
            }
        }
        match fs::hard_link(&self.path, &self.target) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(DatasetError::Exists { path: self.target.clone() });
            }
            // Some file systems have no hard links.
            Err(_) => fs::rename(&self.path, &self.target).map_err(file_error)?,
        }
        if let Some(folder) = self.target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(file_error)?;
        }
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn remove(path: &Path) {
    for companion in COMPANIONS {
        // What cannot be removed does no harm: it does not bear the name of a complete database.
        let _kept = fs::remove_file(with_suffix(path, companion));
    }
}

/// Removes what earlier imports left when they were killed. One that still runs holds its lock.
fn remove_abandoned(target: &Path) {
    let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else { return };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let prefix = format!("{}{MARK}", name.to_string_lossy());
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with(&prefix) || COMPANIONS[1..].iter().any(|companion| name.ends_with(companion)) {
            continue;
        }
        let path = folder.join(&name);
        let lock = OpenOptions::new().write(true).open(with_suffix(&path, "-lock"));
        let abandoned = match lock {
            Ok(lock) => lock.try_lock().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if abandoned {
            remove(&path);
        }
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}
