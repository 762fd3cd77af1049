//! The section `database`: which database, how it is made, and what it will hold.

mod location;
mod pool;
mod schema_files;

use std::path::PathBuf;

use kasoku_database::{LongSettings, Settings};

use super::server::{cores, positive, size};
use super::{Check, Known, RowRules};
use crate::describe::{Description, Fault};
use crate::diagnostic::{Finding, Place, did_you_mean};
use crate::engine::EngineSettings;
use crate::plan::{DatabaseSettings, SeedSettings};
use crate::tree::KeyPath;
use crate::written::{Database, DurationText, OrFalse, Seed, SizeText};
use location::{Location, location};
use schema_files::{SQL_BYTES_MAX, beside, is_for_both, migrations};

/// The database, and what routes must know of it.
pub(super) fn database(check: &mut Check<'_>, written: &Database) -> (Option<DatabaseSettings>, Known) {
    let at = KeyPath::root().key("database");
    let mut known = Known { description: None, read_only: written.read_only, row_rules: RowRules::default() };
    let Some(location) = location(check, &at, written) else { return (None, known) };
    let is_server = matches!(location, Location::Server(_));
    let kind = if is_server { "postgres" } else { "sqlite" };
    // An app for both kinds of databases has settings of both.
    let is_for_both = written.schema.as_ref().is_some_and(|folder| is_for_both(&check.path(folder)));
    let sound = is_for_both || pool::belong(check, &at, is_server);
    let migrations = match &written.schema {
        Some(folder) => migrations(check, &at.key("schema"), folder, kind),
        None => Some(Vec::new()),
    };
    let Some(migrations) = migrations else { return (None, known) };
    positive(check, &at.key("statement_timeout"), written.statement_timeout);
    let engine = engine(check, &at, written, location);
    if !sound {
        return (None, known);
    }
    known.description = describe(check, &at, written, &engine, &migrations);
    let schema = known.description.as_ref().map(|description| description.schema.clone());
    let seed = written.seed.as_ref().map(|seed| self::seed(check, &at.key("seed"), seed, (&known, kind)));
    let small = small(check, &at.key("small"), written, &known);
    let slow = match &written.slow {
        OrFalse::On(slow) => {
            positive(check, &at.key("slow"), *slow);
            Some(slow.duration())
        }
        OrFalse::Off(_) => None,
    };
    let settings = || {
        Some(DatabaseSettings {
            engine,
            slow,
            small,
            migrations,
            seed: seed.map_or(Some(None), |seed| seed.map(Some))?,
            schema: schema?,
        })
    };
    (settings(), known)
}

/// What the database is opened with.
fn engine(check: &mut Check<'_>, at: &KeyPath, written: &Database, location: Location) -> EngineSettings {
    let path = match location {
        Location::Memory => None,
        Location::File(path) => Some(path),
        Location::Server(of_url) => {
            return EngineSettings::Postgres(Box::new(pool::server(check, at, written, *of_url)));
        }
    };
    let page_cache = SizeText::kib(64)..=SizeText::mib(64 << 10);
    EngineSettings::Sqlite(Settings {
        path,
        read_only: written.read_only,
        readers: written.readers.map_or_else(|| cores().max(2), |readers| readers as usize),
        page_cache_bytes: size(check, &at.key("page_cache"), written.page_cache, &page_cache),
        write_queue: written.write_queue as usize,
        group_most: written.group as usize,
        statement_timeout: written.statement_timeout.duration(),
        long: long(check, at, written, LongSettings::IN_PROCESS),
        watch: pool::watch(check, at, written),
        poll: written.poll.duration(),
        bound: written.bound.duration(),
        ..Settings::default()
    })
}

/// From when on a statement is long.
fn long(check: &mut Check<'_>, at: &KeyPath, written: &Database, usual: LongSettings) -> LongSettings {
    if let Some(after) = written.long {
        positive(check, &at.key("long"), after);
    }
    positive(check, &at.key("long_for"), written.long_for);
    LongSettings {
        after: written.long.map_or(usual.after, DurationText::duration),
        remembered: written.long_for.duration(),
    }
}

fn describe(
    check: &mut Check<'_>,
    at: &KeyPath,
    written: &Database,
    engine: &EngineSettings,
    migrations: &[(PathBuf, String)],
) -> Option<Description> {
    let has_files = written.schema.is_some();
    let described = match engine {
        EngineSettings::Postgres(settings) => Description::of_server(settings, migrations),
        EngineSettings::Sqlite(settings) => match &settings.path {
            Some(path) if !has_files => Description::of_file(path),
            _ => Description::of_migrations(migrations),
        },
    };
    let is_server = matches!(engine, EngineSettings::Postgres(_));
    let at = if has_files && !is_server { at.key("schema") } else { at.key("url") };
    match described {
        Ok(description) => Some(description),
        Err(Fault::File { file, line, column, message }) => {
            let Some((path, text)) = migrations.iter().find(|(path, _)| path.ends_with(&file)) else {
                check.value(&at, Finding::error(format!("`{file}`: {message}")));
                return None;
            };
            let source = check.findings.text(path.display().to_string(), text);
            let place = Place { text: source, span: word_at(text, line, column) };
            let named = check.tree.at(&KeyPath::root().key("database").key("schema")).place.clone();
            let finding = Finding::error("the schema cannot be applied").label(message);
            check.findings.add(&at, place, finding.see(named, "a file of this folder"));
            None
        }
        Err(Fault::Sql { message, .. }) if is_server => {
            let finding = Finding::error("the database server cannot be asked what it holds").label(message);
            check.value(&at, finding.hint("it must run, and know the user, for the app to be checked"));
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

fn seed(
    check: &mut Check<'_>,
    at: &KeyPath,
    written: &Seed,
    (known, kind): (&Known, &str),
) -> Option<SeedSettings> {
    let path = beside(check.path(&written.file), kind);
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
    let also = written.also.iter().enumerate().map(|(place, name)| (at.key("also").index(place), name));
    for (here, name) in std::iter::once((at.key("table"), &written.table)).chain(also) {
        sound &= is_table(check, &here, name, known);
    }
    sound.then(|| SeedSettings {
        table: written.table.clone(),
        also: written.also.clone(),
        sql,
        rows: written.rows,
        part: written.part,
    })
}

/// Whether there is a table of this name, if the schema is known; what is wrong is told.
fn is_table(check: &mut Check<'_>, at: &KeyPath, name: &str, known: &Known) -> bool {
    let Some(description) = &known.description else { return true };
    if description.schema.table(name).is_some_and(|table| !table.view) {
        return true;
    }
    let tables =
        description.schema.tables.iter().filter(|table| !table.view).map(|table| table.name.as_str());
    let finding = Finding::error(format!("there is no table `{name}`"))
        .label("expected a table of the schema")
        .hint_if(did_you_mean(name, tables));
    check.value(at, finding);
    false
}
