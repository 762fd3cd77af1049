//! Text files, read up to a limit that does not trust what the file says of its own size.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use kasoku_units::ByteSize;

/// Reads a whole file of at most `bytes_max`. Devices and pipes are refused: they may never end.
pub(crate) fn read(path: &Path, bytes_max: u64) -> io::Result<String> {
    // Looked at before it is opened, for opening a pipe waits for its writer.
    let facts = std::fs::metadata(path)?;
    if facts.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !facts.is_file() {
        return Err(io::Error::other("it is not a plain file"));
    }
    let mut text = String::new();
    File::open(path)?.take(bytes_max + 1).read_to_string(&mut text)?;
    if text.len() as u64 > bytes_max {
        return Err(io::Error::other(format!("it is larger than {}", ByteSize(bytes_max))));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_files_within_the_limit_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), "12345");
        assert_eq!(read(&path, 4).unwrap_err().to_string(), "it is larger than 4B");
        assert_eq!(read(Path::new("/dev/zero"), 4).unwrap_err().to_string(), "it is not a plain file");
        assert_eq!(read(folder.path(), 4).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(read(&folder.path().join("gone"), 4).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
