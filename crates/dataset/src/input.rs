//! Tells what kind of file was given, by its name and its first bytes.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::error::DatasetError;

/// How many bytes are looked at.
const HEAD_BYTES: usize = 8 * 1024;

/// A file that can be served as tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The file.
    pub path: PathBuf,
    /// How its rows are written.
    pub format: Format,
    /// Whether its bytes are compressed.
    pub compression: Compression,
    /// Its size on the disk.
    pub bytes: u64,
}

/// How rows are written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Fields between commas or another sign that is found out; the first row names the columns.
    Delimited,
    /// Fields between tabs.
    Tabbed,
    /// One JSON document, or several one after another.
    Json,
    /// JSON documents one after another: each is a row.
    JsonLines,
    /// An existing SQLite database, which is served as it is.
    Sqlite,
}

/// Whether the bytes of a file are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// They are not.
    None,
    /// By gzip (RFC 1952), in one member or several.
    Gzip,
}

impl Input {
    /// The file's name without folder and extensions: what its table is called after.
    pub fn stem(&self) -> String {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = strip_extension(&name, "gz");
        match name.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
            _ => name.to_owned(),
        }
    }
}

/// Tells what kind of file this is.
pub fn recognise(path: &Path) -> Result<Input, DatasetError> {
    let file_error = |source| DatasetError::File { path: path.to_owned(), source };
    let refuse = |why: &str| Err(DatasetError::NotRecognised { path: path.to_owned(), why: why.to_owned() });
    let about = std::fs::metadata(path).map_err(file_error)?;
    if about.is_dir() {
        return refuse("is a folder");
    }
    let mut head = read_head(File::open(path).map_err(file_error)?).map_err(file_error)?;
    let compression = if head.starts_with(&[0x1f, 0x8b]) { Compression::Gzip } else { Compression::None };
    if compression == Compression::Gzip {
        head = read_head(MultiGzDecoder::new(File::open(path).map_err(file_error)?)).map_err(file_error)?;
    }
    if head.is_empty() {
        return refuse("is empty");
    }
    if let Some(why) = foreign(&head) {
        return refuse(why);
    }
    let Some(format) = format_of(path, &head) else {
        return refuse("has neither an extension nor a beginning that is known");
    };
    if format == Format::Sqlite && compression == Compression::Gzip {
        return refuse("is a compressed SQLite database; decompress it first, as it is served in place");
    }
    Ok(Input { path: path.to_owned(), format, compression, bytes: about.len() })
}

fn read_head(file: impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    file.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// SQLite is known by its first bytes, everything else by its extension.
fn format_of(path: &Path, head: &[u8]) -> Option<Format> {
    if head.starts_with(b"SQLite format 3\0") {
        return Some(Format::Sqlite);
    }
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let (_, extension) = strip_extension(&name, "gz").rsplit_once('.')?;
    match extension {
        "csv" => Some(Format::Delimited),
        "tsv" | "tab" => Some(Format::Tabbed),
        "json" | "geojson" => Some(Format::Json),
        "ndjson" | "jsonl" => Some(Format::JsonLines),
        _ => None,
    }
}

fn strip_extension<'a>(name: &'a str, extension: &str) -> &'a str {
    match name.rsplit_once('.') {
        Some((rest, last)) if last.eq_ignore_ascii_case(extension) && !rest.is_empty() => rest,
        _ => name,
    }
}

/// Says what a file is that cannot be read as text, whatever its extension claims.
fn foreign(head: &[u8]) -> Option<&'static str> {
    const UTF_16: &str = "is UTF-16 text; save it as UTF-8 (for instance: iconv -f UTF-16 -t UTF-8)";
    let known: [(&[u8], &str); 10] = [
        (b"PK\x03\x04", "is a zip archive or an office document; unpack it, or save the sheet as CSV"),
        (b"PAR1", "is a Parquet file; export it as CSV or newline-delimited JSON"),
        (b"ARROW1", "is an Arrow file; export it as CSV or newline-delimited JSON"),
        (b"\xd0\xcf\x11\xe0", "is an old office document; save the sheet as CSV"),
        (b"\xfd7zXZ\0", "is compressed by xz; decompress it first"),
        (b"\x28\xb5\x2f\xfd", "is compressed by zstd; decompress it first"),
        (b"BZh", "is compressed by bzip2; decompress it first"),
        (b"\xff\xfe", UTF_16),
        (b"\xfe\xff", UTF_16),
        (b"\x1f\x8b", "is compressed twice"),
    ];
    if head.starts_with(b"SQLite format 3\0") {
        return None;
    }
    if let Some((_, why)) = known.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(why);
    }
    let zeros = memchr::memchr_iter(0, head).count();
    if zeros * 3 > head.len() {
        return Some(UTF_16);
    }
    (zeros > 0).then_some("is not text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn check(name: &str, bytes: &[u8], expected: Result<(Format, Compression), &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        match (recognise(&path), expected) {
            (Ok(input), Ok(expected)) => assert_eq!((input.format, input.compression), expected, "{name}"),
            (Err(error), Err(part)) => {
                let text = error.to_string();
                assert!(text.contains(part), "{name}: {text}");
                assert!(text.contains("accepted are .csv"), "{name}: {text}");
            }
            (found, expected) => panic!("{name}: found {found:?}, expected {expected:?}"),
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_file_is_known_by_its_extension_or_by_its_first_bytes() {
        use Compression::{Gzip, None};
        use Format::{Delimited, Json, JsonLines, Sqlite, Tabbed};
        check("a.csv", b"a,b\n", Ok((Delimited, None)));
        check("A.CSV", b"a,b\n", Ok((Delimited, None)));
        check("a.tsv", b"a\tb\n", Ok((Tabbed, None)));
        check("a.json", b"[]", Ok((Json, None)));
        check("a.ndjson", b"{}\n", Ok((JsonLines, None)));
        check("a.jsonl", b"{}\n", Ok((JsonLines, None)));
        check("a.csv.gz", &gzip(b"a,b\n"), Ok((Delimited, Gzip)));
        check("gzipped-all-the-same.csv", &gzip(b"a,b\n"), Ok((Delimited, Gzip)));
        check("music.db", b"SQLite format 3\0...", Ok((Sqlite, None)));
        check("music.backup-2", b"SQLite format 3\0...", Ok((Sqlite, None)));
    }

    #[test]
    fn what_is_not_accepted_is_named_with_a_way_out() {
        check("a.csv", b"", Err("is empty"));
        check("a.parquet", b"PAR1....", Err("Parquet"));
        check("a.xlsx", b"PK\x03\x04....", Err("save the sheet as CSV"));
        check("a.csv", b"PK\x03\x04....", Err("zip archive"));
        check("a.csv", b"\xff\xfea\0,\0b\0\n\0", Err("UTF-16"));
        check("a.csv", b"a\0,\0b\0\n\0", Err("UTF-16"));
        check("a.csv", b"a,b\n1,\0\n3,4\n5,6\n", Err("is not text"));
        check("a.docx.gz", &gzip(b"hello"), Err("neither an extension"));
        check("a.db.gz", &gzip(b"SQLite format 3\0..."), Err("decompress it first"));
        check("a.csv.gz", &gzip(&gzip(b"a,b\n")), Err("compressed twice"));
        check("README", b"hello", Err("neither an extension"));
    }

    #[test]
    fn folders_and_absent_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(recognise(folder.path()).unwrap_err().to_string().contains("is a folder"));
        let absent = recognise(&folder.path().join("none.csv")).unwrap_err();
        assert!(matches!(absent, DatasetError::File { .. }), "{absent}");
    }

    #[test]
    fn a_stem_is_the_name_without_folder_and_extensions() {
        for (name, stem) in [("x/flights-200k.json", "flights-200k"), ("a.b.csv.GZ", "a.b"), (".csv", ".csv")]
        {
            let input =
                Input { path: name.into(), format: Format::Json, compression: Compression::None, bytes: 0 };
            assert_eq!(input.stem(), stem);
        }
    }
}
