//! The files of an app that are SQL: those of its schema, and that of its first rows.

use std::path::{Path, PathBuf};

use super::Check;
use crate::check::unreadable;
use crate::diagnostic::Finding;
use crate::tree::KeyPath;

/// The names of both kinds of databases, as folders and in names of files.
const ENGINES: [&str; 2] = ["sqlite", "postgres"];

/// Bytes of a schema or seed file.
pub(super) const SQL_BYTES_MAX: u64 = 64 << 20;

/// More schema files than anybody has written.
const MIGRATIONS_MAX: usize = 10_000;

/// What is for one kind of database, if there is something: `seed.postgres.sql` beside `seed.sql`.
pub(super) fn beside(path: PathBuf, engine: &str) -> PathBuf {
    let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
    let own = path.with_extension(format!("{engine}.{extension}"));
    if own.is_file() { own } else { path }
}

/// Whether a schema folder has files for each kind of database.
pub(super) fn is_for_both(folder: &Path) -> bool {
    ENGINES.iter().all(|engine| folder.join(engine).is_dir())
}

/// The numbered files of the schema folder, in order; of the folder in it that is for this kind of database, if it has
/// such folders.
pub(super) fn migrations(
    check: &mut Check<'_>,
    at: &KeyPath,
    folder: &str,
    engine: &str,
) -> Option<Vec<(PathBuf, String)>> {
    let mut folder = check.path(folder);
    if ENGINES.iter().any(|engine| folder.join(engine).is_dir()) {
        folder.push(engine);
    }
    check.sources.push(folder.clone());
    let names = std::fs::read_dir(&folder).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect::<Result<Vec<_>, _>>()
    });
    let mut names = match names {
        Ok(names) => names,
        Err(error) => {
            check.value(at, unreadable("the schema folder", &folder, &error));
            return None;
        }
    };
    names
        .retain(|name| !name.starts_with('.') && Path::new(name).extension().is_some_and(|end| end == "sql"));
    if names.is_empty() || names.len() > MIGRATIONS_MAX {
        let finding = Finding::error("the schema folder holds no numbered files");
        check.value(at, finding.label("expected files such as `001_items.sql` in it"));
        return None;
    }
    let mut numbered = Vec::with_capacity(names.len());
    for name in names {
        let digits = name.len() - name.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let Ok(number) = name[..digits].parse::<u64>() else {
            let finding = Finding::error(format!("the schema file `{name}` has no number"));
            check.value(
                at,
                finding.label("expected names such as `001_items.sql`: the numbers give the order"),
            );
            return None;
        };
        numbered.push((number, name));
    }
    numbered.sort();
    if let Some(pair) = numbered.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let finding = Finding::error(format!("two schema files have the number {}", pair[0].0));
        check.value(at, finding.label(format!("`{}` and `{}`", pair[0].1, pair[1].1)));
        return None;
    }
    let mut read = Vec::with_capacity(numbered.len());
    for (_, name) in numbered {
        let path = folder.join(name);
        let text = check.read(&path, at, "a schema file", SQL_BYTES_MAX)?;
        read.push((path, text));
    }
    Some(read)
}
