//! The section `database`: which file, how it is made, and what it will hold.

use std::path::{Path, PathBuf};

use super::server::{cores, positive, size};
use super::{Check, Known, unreadable};
use crate::describe::{Description, Fault};
use crate::diagnostic::{Finding, Place, did_you_mean};
use crate::plan::{DatabaseSettings, SeedSettings};
use crate::tree::KeyPath;
use crate::written::{Database, Seed, SizeText};

/// Bytes of a schema or seed file.
const SQL_BYTES_MAX: u64 = 64 << 20;

/// More schema files than anybody has written.
const MIGRATIONS_MAX: usize = 10_000;

/// Where a database is.
enum Location {
    Memory,
    File(PathBuf),
}

/// The database, and what routes must know of it.
pub(super) fn database(check: &mut Check<'_>, written: &Database) -> (Option<DatabaseSettings>, Known) {
    let at = KeyPath::root().key("database");
    let mut known = Known { description: None, read_only: written.read_only };
    let path = match location(check, &at, written) {
        None => return (None, known),
        Some(Location::Memory) => None,
        Some(Location::File(path)) => Some(path),
    };
    let migrations = match &written.schema {
        Some(folder) => migrations(check, &at.key("schema"), folder),
        None => Some(Vec::new()),
    };
    let Some(migrations) = migrations else { return (None, known) };
    known.description = describe(check, &at, written, path.as_deref(), &migrations);
    let schema = known.description.as_ref().map(|description| description.schema.clone());
    let seed = written.seed.as_ref().map(|seed| self::seed(check, &at.key("seed"), seed, &known));
    let small = small(check, &at.key("small"), written, &known);
    positive(check, &at.key("statement_timeout"), written.statement_timeout);
    let page_cache = SizeText::kib(64)..=SizeText::mib(64 << 10);
    let page_cache_bytes = size(check, &at.key("page_cache"), written.page_cache, &page_cache);
    let settings = || {
        Some(DatabaseSettings {
            path,
            read_only: written.read_only,
            migrations,
            seed: seed.map_or(Some(None), |seed| seed.map(Some))?,
            schema: schema?,
            readers: written.readers.map_or_else(|| cores().max(2), |readers| readers as usize),
            page_cache_bytes,
            write_queue: written.write_queue as usize,
            group_most: written.group as usize,
            statement_timeout: written.statement_timeout.duration(),
            small,
        })
    };
    (settings(), known)
}

/// Where the database is.
fn location(check: &mut Check<'_>, at: &KeyPath, written: &Database) -> Option<Location> {
    let url_at = at.key("url");
    let found = file_of(&written.url).and_then(|file| match file {
        ":memory:" if written.read_only || written.schema.is_none() => {
            let finding = Finding::error("a database in memory is empty at the start");
            Err(finding.label("needs a `schema`, and cannot be `read_only`"))
        }
        ":memory:" => Ok(Location::Memory),
        file => {
            let path = check.path(file);
            unusable(&path, written).map_or(Ok(Location::File(path)), Err)
        }
    });
    let location = match found {
        Ok(location) => location,
        Err(finding) => {
            check.value(&url_at, finding);
            return None;
        }
    };
    let writes = [
        ("schema", written.schema.is_some(), "a database for reading only takes no schema"),
        ("seed", written.seed.is_some(), "a database for reading only cannot be filled"),
    ];
    let mut contradicting = writes.into_iter().filter(|(_, is_written, _)| written.read_only && *is_written);
    let Some((key, _, message)) = contradicting.next() else { return Some(location) };
    let finding = Finding::error(message).label("would have to write it");
    check.key(&at.key(key), finding.hint(format!("leave out `{key}` or `read_only`")));
    None
}

/// The file in the URL of a database.
fn file_of(url: &str) -> Result<&str, Finding> {
    let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
    match scheme {
        "sqlite" => {}
        "postgres" | "postgresql" | "mysql" | "libsql" | "redis" => {
            let finding = Finding::error(format!("this version serves SQLite, and no `{scheme}:` databases"));
            return Err(finding.label("expected `sqlite:` and a file"));
        }
        _ => {
            let file = url.trim_start_matches("file:");
            let looks_like_file = !file.is_empty() && !file.contains("://");
            return Err(Finding::error("the database's URL has no known scheme")
                .label("expected `sqlite:` and a file, or `sqlite::memory:`")
                .hint_if(looks_like_file.then(|| format!("write \"sqlite:{file}\""))));
        }
    }
    let file = rest.strip_prefix("//").unwrap_or(rest);
    if file.contains('?') {
        let finding = Finding::error("the database's URL has no parameters").label("expected only a file");
        return Err(finding.hint("opening for reading only is `read_only = true`"));
    }
    if file.is_empty() {
        return Err(
            Finding::error("the database's URL names no file").label("expected a file behind `sqlite:`")
        );
    }
    Ok(file)
}

/// Why a file cannot be the database.
fn unusable(path: &Path, written: &Database) -> Option<Finding> {
    let parent = path.parent().unwrap_or(Path::new("."));
    if path.is_dir() {
        return Some(Finding::error("the database is a folder").label("expected a file"));
    }
    if (written.read_only || written.schema.is_none()) && !path.exists() {
        let hint = if written.read_only {
            "a database for reading only must be there already"
        } else {
            "a `schema` folder says how to make it"
        };
        let finding = Finding::error("the database does not exist");
        return Some(finding.label(format!("looked for {}", path.display())).hint(hint));
    }
    (!parent.is_dir()).then(|| {
        let finding = Finding::error("the folder of the database does not exist");
        finding.label(format!("looked for {}", parent.display()))
    })
}

/// The numbered files of the schema folder, in order.
fn migrations(check: &mut Check<'_>, at: &KeyPath, folder: &str) -> Option<Vec<(PathBuf, String)>> {
    let folder = check.path(folder);
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

fn describe(
    check: &mut Check<'_>,
    at: &KeyPath,
    written: &Database,
    path: Option<&Path>,
    migrations: &[(PathBuf, String)],
) -> Option<Description> {
    let (described, at) = match path {
        Some(path) if written.schema.is_none() => (Description::of_file(path), at.key("url")),
        _ => (Description::of_migrations(migrations), at.key("schema")),
    };
    match described {
        Ok(description) => Some(description),
        Err(Fault::File { file, line, column, message }) => {
            let Some((path, text)) = migrations.iter().find(|(path, _)| path.ends_with(&file)) else {
                check.value(&at, Finding::error(format!("`{file}`: {message}")));
                return None;
            };
            let source = check.findings.text(path.display().to_string(), text);
            let place = Place { text: source, span: word_at(text, line, column) };
            let named = check.tree.at(&at).place.clone();
            let finding = Finding::error("the schema cannot be applied").label(message);
            check.findings.add(&at, place, finding.see(named, "a file of this folder"));
            None
        }
        Err(Fault::Sql { message, .. }) => {
            check.value(&at, Finding::error("the database cannot be read").label(message));
            None
        }
    }
}

/// The word at a line and column, counted from 1; where they are not known, the first line.
fn word_at(text: &str, line: usize, column: usize) -> std::ops::Range<usize> {
    let start_of_line: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let line = text[start_of_line..].lines().next().unwrap_or("");
    let start: usize = line.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
    let rest = &line[start..];
    let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').filter(|length| *length > 0);
    let length = if column == 0 { line.trim_end().len() } else { length.unwrap_or(rest.trim_end().len()) };
    start_of_line + start..start_of_line + start + length
}

/// Tables that may be read whole, by their own names.
fn small(check: &mut Check<'_>, at: &KeyPath, written: &Database, known: &Known) -> Vec<String> {
    let Some(description) = &known.description else { return Vec::new() };
    let mut names = Vec::with_capacity(written.small.len());
    for (place, name) in written.small.iter().enumerate() {
        let Some(table) = description.schema.table(name).filter(|table| !table.view) else {
            let tables = description.schema.tables.iter().filter(|table| !table.view);
            let finding = Finding::error(format!("there is no table `{name}`"))
                .label("expected a table of the schema")
                .hint_if(did_you_mean(name, tables.map(|table| table.name.as_str())));
            check.value(&at.index(place), finding);
            continue;
        };
        names.push(table.name.clone());
    }
    names
}

fn seed(check: &mut Check<'_>, at: &KeyPath, written: &Seed, known: &Known) -> Option<SeedSettings> {
    let path = check.path(&written.file);
    let sql = check.read(&path, &at.key("file"), "the seed file", SQL_BYTES_MAX)?;
    let mut sound = true;
    if let Some(missing) = [":first", ":last"].into_iter().find(|param| !sql.contains(param)) {
        let finding = Finding::error(format!("the seed file does not use `{missing}`"));
        check.value(
            &at.key("file"),
            finding.label("expected statements for the rows numbered `:first` to `:last`"),
        );
        sound = false;
    }
    if let Some(description) = &known.description
        && description.schema.table(&written.table).is_none_or(|table| table.view)
    {
        let tables =
            description.schema.tables.iter().filter(|table| !table.view).map(|table| table.name.as_str());
        let finding = Finding::error(format!("there is no table `{}`", written.table))
            .label("expected a table of the schema")
            .hint_if(did_you_mean(&written.table, tables));
        check.value(&at.key("table"), finding);
        sound = false;
    }
    sound.then(|| SeedSettings { table: written.table.clone(), sql, rows: written.rows })
}
