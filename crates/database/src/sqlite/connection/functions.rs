//! Functions that connections bring to the database, for what it names and does not have.

use std::sync::Arc;

use regex::Regex;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

/// Bytes that a compiled pattern may take.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// Gives a connection the function behind the operator `regexp`.
///
/// A pattern is compiled once for each run of a statement, and takes a time that grows with the text and no faster.
pub(super) fn install(raw: &rusqlite::Connection) -> rusqlite::Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    raw.create_scalar_function("regexp", 2, flags, regexp)
}

/// `text regexp pattern`; NULL where either is NULL.
fn regexp(context: &Context<'_>) -> rusqlite::Result<Option<bool>> {
    let (ValueRef::Text(_), ValueRef::Text(text)) = (context.get_raw(0), context.get_raw(1)) else {
        return Ok(None);
    };
    let compile = |pattern: ValueRef<'_>| {
        let built = regex::RegexBuilder::new(pattern.as_str()?).size_limit(COMPILED_BYTES_MAX).build();
        Ok::<Regex, Box<dyn std::error::Error + Send + Sync>>(built?)
    };
    let pattern: Arc<Regex> = context.get_or_create_aux(0, compile)?;
    let text = std::str::from_utf8(text).map_err(|fault| rusqlite::Error::UserFunctionError(fault.into()))?;
    Ok(Some(pattern.is_match(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_texts_and_nothing_else() {
        let raw = rusqlite::Connection::open_in_memory().unwrap();
        install(&raw).unwrap();
        let check = |sql: &str, expected: Option<bool>| {
            let found: Option<bool> = raw.query_row(&format!("select {sql}"), [], |row| row.get(0)).unwrap();
            assert_eq!(found, expected, "{sql}");
        };
        check("'Tea' regexp '^T'", Some(true));
        check("'Tea' regexp '^t'", Some(false));
        check("'Tea' regexp '(?si)^t.A'", Some(true));
        check("null regexp 'a'", None);
        check("'a' regexp null", None);
        check("5 regexp '5'", None);
        for wrong in ["(", "(a{1000}){1000}"] {
            let failed = raw.query_row("select 'a' regexp ?", [wrong], |row| row.get::<_, bool>(0));
            assert!(failed.is_err(), "{wrong}");
        }
    }
}
