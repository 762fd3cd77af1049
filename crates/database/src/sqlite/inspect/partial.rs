//! The condition of a partial index, out of the text that made it: no pragma gives it.

use rusqlite::{Connection, OptionalExtension as _};

/// The condition, as it was written.
pub(super) fn condition(raw: &Connection, index: &str) -> rusqlite::Result<Option<Box<str>>> {
    let text: Option<Option<String>> = raw
        .query_row("SELECT sql FROM main.sqlite_schema WHERE type = 'index' AND name = ?1", [index], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(text.flatten().and_then(|text| behind_columns(&text).map(Into::into)))
}

/// What stands behind `where`, which is the first word behind the brackets of the columns.
fn behind_columns(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let length = match letter {
            '\'' | '"' | '`' => quoted(rest, letter)?,
            '[' => quoted(rest, ']')?,
            '-' if rest.starts_with("--") => rest.find('\n').map_or(rest.len(), |end| end + 1),
            '/' if rest.starts_with("/*") => rest.find("*/")? + 2,
            _ => letter.len_utf8(),
        };
        rest = &rest[length..];
        match letter {
            '(' => depth += 1,
            ')' if depth == 1 => break,
            ')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    let rest = rest.trim();
    let (word, condition) = rest.split_at_checked("where".len())?;
    let condition = condition.trim_end_matches(';').trim();
    (word.eq_ignore_ascii_case("where") && !condition.is_empty() && !condition.contains("--"))
        .then_some(condition)
}

/// How long a quoted text is, its quotes included. A doubled quote ends it and begins another at once.
fn quoted(text: &str, end: char) -> Option<usize> {
    text[1..].find(end).map(|length| length + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_condition_stands_behind_the_columns() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(behind_columns(text), expected, "{text}");
        check("create unique index a on t (x) where y is null", Some("y is null"));
        check("CREATE UNIQUE INDEX a ON t(x, lower(y)) WHERE (y > 1);", Some("(y > 1)"));
        check(r#"create unique index "a (b" on [t(] ("where") where "x)" = ')'"#, Some(r#""x)" = ')'"#));
        check("create index a /* ( */ on t -- (\n (x) where y", Some("y"));
        check("create index a on t (x)", None);
        check("create index a on t (x) where y -- why\n = 1", None);
        check("create index a on t (x", None);
        check("create index a on t ('x", None);
        check("", None);
    }
}
