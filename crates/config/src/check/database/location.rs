//! Which database a URL names, and whether it can be used so.

use std::path::{Path, PathBuf};

use kasoku_database::PostgresSettings;

use super::Check;
use crate::diagnostic::Finding;
use crate::tree::KeyPath;
use crate::written::Database;

/// Where a database is.
pub(super) enum Location {
    Memory,
    File(PathBuf),
    /// A server, with the settings of its URL and no others.
    Server(Box<PostgresSettings>),
}

/// Where the database is.
pub(super) fn location(check: &mut Check<'_>, at: &KeyPath, written: &Database) -> Option<Location> {
    let url_at = at.key("url");
    if is_server(&written.url) {
        return server(check, at, written);
    }
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
    writes_nothing_that_is_only_read(check, at, written).then_some(location)
}

/// Whether a URL is that of a PostgreSQL server.
fn is_server(url: &str) -> bool {
    matches!(url.split_once(':'), Some(("postgres" | "postgresql", _)))
}

/// The server in a URL. Its password is in no message.
fn server(check: &mut Check<'_>, at: &KeyPath, written: &Database) -> Option<Location> {
    let settings = PostgresSettings::new(&written.url);
    if let Some(password) = settings.password() {
        check.findings.hide(&password);
        check.findings.hide(&written.url);
    }
    if let Err(error) = settings.check() {
        let finding = Finding::error("the database's URL cannot be used").label(error.to_string());
        check.value(&at.key("url"), finding.hint("it looks like `postgres://user:password@host:5432/name`"));
        return None;
    }
    writes_nothing_that_is_only_read(check, at, written).then(|| Location::Server(Box::new(settings)))
}

/// Whether nothing is to be written to what is opened for reading only.
fn writes_nothing_that_is_only_read(check: &mut Check<'_>, at: &KeyPath, written: &Database) -> bool {
    let writes = [
        ("schema", written.schema.is_some(), "a database for reading only takes no schema"),
        ("seed", written.seed.is_some(), "a database for reading only cannot be filled"),
    ];
    let mut contradicting = writes.into_iter().filter(|(_, is_written, _)| written.read_only && *is_written);
    let Some((key, _, message)) = contradicting.next() else { return true };
    let finding = Finding::error(message).label("would have to write it");
    check.key(&at.key(key), finding.hint(format!("leave out `{key}` or `read_only`")));
    false
}

/// The file in the URL of a database.
fn file_of(url: &str) -> Result<&str, Finding> {
    let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
    match scheme {
        "sqlite" => {}
        "mysql" | "libsql" | "redis" => {
            let finding = Finding::error(format!(
                "this version serves SQLite and PostgreSQL, and no `{scheme}:` databases"
            ));
            return Err(finding.label("expected `sqlite:` and a file, or `postgres:` and a server"));
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
