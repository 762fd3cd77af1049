//! The file of the hottest targets: a line each, hottest first, as a path or, for origins, as a whole URL.
//!
//! Only what is stored under a plain target is in it. A key with anything else in it, such as a cookie, would need
//! that to be asked for again, and may be nobody else's business.

use std::fs::{File, OpenOptions, rename};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use http::uri::PathAndQuery;
use kasoku_coherence::Key;
use kasoku_config::{CachePlan, HotSettings, RoutePlan, WarmTarget};
use kasoku_policies::cache::{PATH_PART, ROUTE_PART};

use crate::app::Served;

const HEAD: &str = "# What was found in the cache most often, hottest first. Written by Kasoku.\n";

/// Bytes of the file that are read, at the most.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Bytes of targets that are written, at the most.
const TARGETS_BYTES_MAX: usize = 15 << 20;

/// Keys that are looked at for each target, as some are none.
const KEYS_PER_TARGET: usize = 4;

/// What was hot when the file was written. A line that is no target is passed over, and a file that cannot be read is
/// as good as none.
pub(super) fn load(settings: &HotSettings) -> Vec<WarmTarget> {
    let read = || {
        let mut text = Vec::new();
        File::open(&settings.file)?.take(FILE_BYTES_MAX).read_to_end(&mut text)?;
        io::Result::Ok(text)
    };
    match read() {
        Ok(text) => {
            let text = String::from_utf8_lossy(&text);
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            lines.filter_map(WarmTarget::read).take(settings.count).collect()
        }
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                let file = settings.file.display();
                tracing::warn!(%file, cause = &*error.to_string(), "the hottest targets could not be read");
            }
            Vec::new()
        }
    }
}

/// Replaces the file, so that whoever reads it sees the old list or the new one. Only its owner may read it.
pub(super) fn save(settings: &HotSettings, targets: &[WarmTarget]) -> io::Result<()> {
    let mut beside = settings.file.clone().into_os_string();
    beside.push(format!(".{}", std::process::id()));
    let beside = Path::new(&beside);
    let written = write(beside, targets).and_then(|()| rename(beside, &settings.file));
    if written.is_err() {
        // What is left of it is of no use, if anything is.
        let _gone = std::fs::remove_file(beside);
    }
    written
}

/// The targets that are found most often.
pub(super) fn hottest(served: &Served, count: usize) -> Vec<WarmTarget> {
    let hottest = served.store.hottest(count.saturating_mul(KEYS_PER_TARGET)).into_iter();
    hottest.filter_map(|hot| target(&hot.key, &served.plan.routes)).take(count).collect()
}

/// The target of a key, if there is nothing else in it.
fn target(key: &Key, routes: &[RoutePlan]) -> Option<WarmTarget> {
    let route = key.parts().nth(ROUTE_PART)??.try_into().ok().map(u64::from_le_bytes)?;
    let mut parts = key.parts().skip(PATH_PART);
    let path = std::str::from_utf8(parts.next()??).ok()?;
    let query = parts.next()?.map(std::str::from_utf8).transpose().ok()?;
    let route = routes.iter().find(|known| known.name.index as u64 == route)?;
    let host = match &route.cache {
        Some(CachePlan::Rfc9111(_)) => {
            let host = std::str::from_utf8(parts.next()??).ok()?;
            if parts.next().is_some() {
                return None;
            }
            Some(host.to_owned())
        }
        // What varies is counted; zero lines of a field are none.
        Some(CachePlan::Declared(_)) => parts.all(|part| part == Some(&[0; 4][..])).then_some(None)?,
        None => return None,
    };
    let target = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    Some(WarmTarget { host, target: PathAndQuery::try_from(target).ok()? })
}

fn write(path: &Path, targets: &[WarmTarget]) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let mut out = BufWriter::new(file);
    out.write_all(HEAD.as_bytes())?;
    let mut left = TARGETS_BYTES_MAX;
    for target in targets {
        let line = format!("{target}\n");
        let Some(rest) = left.checked_sub(line.len()) else { break };
        left = rest;
        out.write_all(line.as_bytes())?;
    }
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn targets(names: &[&str]) -> Vec<WarmTarget> {
        names.iter().map(|name| WarmTarget::read(name).expect("a target")).collect()
    }

    #[test]
    fn what_is_written_is_read_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let settings = HotSettings { file: folder.path().join("hot.keys"), count: 2 };
        assert_eq!(load(&settings), []);
        for names in [&["/a?b=%20", "http://a.example:81/c"][..], &["/d"]] {
            save(&settings, &targets(names)).unwrap();
            assert_eq!(load(&settings), targets(names));
        }
        let mode = std::fs::metadata(&settings.file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_others_have_written_into_is_read_as_far_as_it_makes_sense() {
        let folder = tempfile::tempdir().unwrap();
        let settings = HotSettings { file: folder.path().join("hot.keys"), count: 2 };
        std::fs::write(&settings.file, b"# head\n\nnothing\n/a\n\xff\xfe\n/b c\n/d\n/e\n").unwrap();
        assert_eq!(load(&settings), targets(&["/a", "/d"]));
    }

    #[test]
    fn a_file_that_cannot_be_replaced_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let settings = HotSettings { file: folder.path().to_owned(), count: 2 };
        assert!(save(&settings, &targets(&["/a"])).is_err());
        assert_eq!(load(&settings), []);
    }
}
