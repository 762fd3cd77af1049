//! Finds the file that a path means: index, stored codings and fallback included. Blocks on the disk.

use std::fs::File;
use std::io::{self, Read};

use bytes::Bytes;
use http::HeaderValue;
use kasoku_http_caching::coding::{Coding, Wish};
use kasoku_http_caching::entity_tag;
use kasoku_units::Clock;

use crate::FilesRules;
use crate::folder::{Entry, Folder, Stamps};
use crate::kept::{KeptFiles, SMALL_BYTES_MAX, SmallFile};
use crate::media_type;
use crate::path::{self, Target};
use crate::validator::{self, Validators};

/// What a path means.
pub(crate) enum Found {
    File(Box<FoundFile>),
    /// A folder that was asked for as if it were a file, and has an index.
    FolderWithoutSlash,
    Nothing,
}

/// A file, open and ready to be sent.
pub(crate) struct FoundFile {
    pub(crate) content: Content,
    pub(crate) validators: Validators,
    pub(crate) media_type: HeaderValue,
    pub(crate) coding: Option<Coding>,
}

/// A file's bytes, or the file to read them from.
pub(crate) enum Content {
    Memory(Bytes),
    /// So many bytes as there were when it was opened.
    Disk(File, u64),
}

impl Content {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Disk(_, length) => *length,
        }
    }
}

/// Finds what `target` means, in the coding that the caller likes best.
pub(crate) fn find(
    rules: &FilesRules,
    kept: &KeptFiles,
    clock: &dyn Clock,
    target: &Target,
    wish: Wish,
) -> io::Result<Found> {
    let folder = Folder::open(&rules.folder)?;
    let search = Search { folder, kept, clock, wish };
    let found = match (search.folder.entry(&target.relative)?, target.slash) {
        (Entry::File(file, stamps), false) => search.file(&target.relative, file, stamps)?,
        (Entry::Folder, slash) => {
            let index = join(&target.relative, &rules.index);
            match (search.folder.entry(&index)?, slash) {
                (Entry::File(file, stamps), true) => search.file(&index, file, stamps)?,
                (Entry::File(..), false) => Found::FolderWithoutSlash,
                _ => Found::Nothing,
            }
        }
        _ => Found::Nothing,
    };
    match (found, &rules.fallback) {
        (Found::Nothing, Some(fallback)) if !media_type::names_a_file(&target.relative) => {
            search.fallback(fallback)
        }
        (found, _) => Ok(found),
    }
}

struct Search<'a> {
    folder: Folder<'a>,
    kept: &'a KeptFiles,
    clock: &'a dyn Clock,
    wish: Wish,
}

impl Search<'_> {
    fn fallback(&self, name: &str) -> io::Result<Found> {
        let Ok(target) = path::parse(name, false) else { return Ok(Found::Nothing) };
        match self.folder.entry(&target.relative)? {
            Entry::File(file, stamps) => self.file(&target.relative, file, stamps),
            _ => Ok(Found::Nothing),
        }
    }

    /// Chooses among the file and those beside it that hold it in a coding.
    fn file(&self, name: &str, file: File, stamps: Stamps) -> io::Result<Found> {
        let (mut chosen, mut file, mut coding) = (name.to_owned(), (file, stamps), None);
        for liked in self.wish.codings() {
            let beside = format!("{name}{}", extension(liked));
            // One that is older was made from an earlier state of the file.
            if let Entry::File(coded, its) = self.folder.entry(&beside)?
                && its.modified >= stamps.modified
            {
                (chosen, file, coding) = (beside, (coded, its), Some(liked));
                break;
            }
        }
        let (content, validators) = self.content(&chosen, file.0, file.1)?;
        let media_type = media_type::of(name);
        Ok(Found::File(Box::new(FoundFile { content, validators, media_type, coding })))
    }

    fn content(&self, name: &str, file: File, stamps: Stamps) -> io::Result<(Content, Validators)> {
        let now = self.clock.wall();
        let settled = stamps.settled(now);
        let small =
            if stamps.length <= SMALL_BYTES_MAX { self.small(name, &file, stamps, settled)? } else { None };
        let (content, etag) = match small {
            Some(small) => (Content::Memory(small.bytes), small.etag),
            None => (Content::Disk(file, stamps.length), validator::of_stamps(&stamps, settled)),
        };
        Ok((content, Validators::new(etag, stamps.modified, now)))
    }

    /// All bytes of a small file; `None` if it has grown large meanwhile.
    fn small(&self, name: &str, file: &File, stamps: Stamps, settled: bool) -> io::Result<Option<SmallFile>> {
        if let Some(small) = self.kept.get(name, &stamps) {
            return Ok(Some(small));
        }
        let mut bytes = Vec::with_capacity(stamps.length as usize + 1);
        file.take(SMALL_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > SMALL_BYTES_MAX {
            return Ok(None);
        }
        let small = SmallFile { etag: entity_tag::of_body(&bytes), bytes: bytes.into() };
        if settled {
            self.kept.put(name, stamps, small.clone());
        }
        Ok(Some(small))
    }
}

/// What the name of a file in this coding ends in.
fn extension(coding: Coding) -> &'static str {
    match coding {
        Coding::Brotli => ".br",
        Coding::Zstd => ".zst",
        Coding::Gzip => ".gz",
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
