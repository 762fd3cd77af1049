//! Small files kept in memory, so that callers who read slowly share one copy of each.
//!
//! A kept file is used only if its stamps are those of the file just opened, so nothing has to be told of changes.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use http::HeaderValue;
use parking_lot::Mutex;

use crate::folder::Stamps;

/// Files up to this size are sent from memory.
pub(crate) const SMALL_BYTES_MAX: u64 = 1 << 20;

/// Bytes of all kept files of a folder.
const KEPT_BYTES_MAX: usize = 16 << 20;

/// What an entry costs beside its name and bytes.
const OVERHEAD_BYTES: usize = 256;

/// A small file's bytes and the tag made of them.
#[derive(Debug, Clone)]
pub(crate) struct SmallFile {
    pub(crate) bytes: Bytes,
    pub(crate) etag: HeaderValue,
}

/// The small files read last, oldest first out.
#[derive(Default)]
pub(crate) struct KeptFiles(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    files: HashMap<String, (Stamps, SmallFile)>,
    order: VecDeque<String>,
    bytes: usize,
}

impl KeptFiles {
    /// The file of this name, if it was kept in this state.
    pub(crate) fn get(&self, name: &str, stamps: &Stamps) -> Option<SmallFile> {
        let kept = self.0.lock();
        kept.files.get(name).filter(|(known, _)| known == stamps).map(|(_, file)| file.clone())
    }

    /// Keeps a file in place of its earlier state.
    pub(crate) fn put(&self, name: &str, stamps: Stamps, file: SmallFile) {
        let mut kept = self.0.lock();
        let added = cost(name, &file);
        if let Some((_, before)) = kept.files.insert(name.to_owned(), (stamps, file)) {
            kept.bytes -= cost(name, &before);
        } else {
            kept.order.push_back(name.to_owned());
        }
        kept.bytes += added;
        while kept.bytes > KEPT_BYTES_MAX {
            let Some(oldest) = kept.order.pop_front() else { break };
            if let Some((_, file)) = kept.files.remove(&oldest) {
                kept.bytes -= cost(&oldest, &file);
            }
        }
    }
}

fn cost(name: &str, file: &SmallFile) -> usize {
    // The name stands in the map and in the order.
    2 * name.len() + file.bytes.len() + OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::{Entry, Folder};

    #[test]
    fn memory_stays_bounded_and_the_oldest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "x").unwrap();
        let Entry::File(_, stamps) = Folder::open(folder.path()).unwrap().entry("file").unwrap() else {
            panic!("a file");
        };
        let file = SmallFile { bytes: vec![0; 1 << 20].into(), etag: HeaderValue::from_static("\"x\"") };
        let kept = KeptFiles::default();
        for number in 0..40 {
            kept.put(&format!("file-{number}"), stamps, file.clone());
            kept.put(&format!("file-{number}"), stamps, file.clone());
        }
        let present: Vec<_> = (0..40).filter(|n| kept.get(&format!("file-{n}"), &stamps).is_some()).collect();
        assert_eq!(present, (25..40).collect::<Vec<_>>());
        let inner = kept.0.lock();
        assert!(inner.bytes <= KEPT_BYTES_MAX);
        assert_eq!((inner.files.len(), inner.order.len()), (15, 15));
    }
}
