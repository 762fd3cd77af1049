//! Files of rows.
//!
//! Holds for every input: what is found out about a file and what an import of it stores are the same.

use std::path::Path;

use kasoku_dataset::{DatasetError, import, infer, recognise};

/// Files of fields between signs.
pub mod delimited {
    /// Takes any bytes.
    pub fn run(input: &[u8]) {
        super::read(input, &["rows.csv", "rows.tsv"]);
    }
}

/// JSON, and JSON documents one after another.
pub mod json {
    /// Takes any bytes.
    pub fn run(input: &[u8]) {
        super::read(input, &["rows.json", "rows.ndjson"]);
    }
}

fn read(input: &[u8], names: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    for name in names {
        let file = folder.path().join(name);
        std::fs::write(&file, input).expect("the file is written");
        agree(&file, input);
    }
}

fn agree(file: &Path, input: &[u8]) {
    let Ok(recognised) = recognise(file) else { return };
    let inferred = infer(&recognised, &mut |_| {});
    // An import waits for the disk; one in four inputs is enough to compare.
    if !input.len().is_multiple_of(4) {
        return;
    }
    let imported = import(&recognised, &file.with_added_extension("db"), &mut |_| {});
    match (inferred, imported) {
        (Ok(inferred), Ok(imported)) => assert_eq!(inferred.tables, imported.tables),
        (Err(inferred), Err(imported)) => assert_eq!(inferred.to_string(), imported.to_string()),
        (Ok(_), Err(DatasetError::File { .. })) => {}
        (inferred, imported) => panic!("inferred {inferred:?}, imported {imported:?}"),
    }
}
