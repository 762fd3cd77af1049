//! Texts of SQL as people write them: several statements, parameters with names.
//!
//! Only as much of the language is understood as is needed to leave quoted texts and comments alone
//! (<https://www.postgresql.org/docs/current/sql-syntax-lexical.html>).

use std::fmt::Write as _;

/// A name as an identifier.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The statements of a text, without the signs between them.
pub(crate) fn statements(sql: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut at, mut begin) = (0, 0);
    while at < sql.len() {
        let end = token_end(sql, at);
        if &sql[at..end] == ";" {
            found.push(sql[begin..at].trim());
            begin = end;
        }
        at = end;
    }
    found.push(sql[begin..].trim());
    found.retain(|statement| !is_blank(statement));
    found
}

/// A statement with `$1`, `$2`, … for its named parameters, and their names in this order. Each is a whole number.
pub(crate) fn numbered<'n>(sql: &str, known: &[&'n str]) -> (String, Vec<&'n str>) {
    let mut text = String::with_capacity(sql.len());
    let mut names: Vec<&'n str> = Vec::new();
    let mut at = 0;
    while at < sql.len() {
        let end = token_end(sql, at);
        let token = &sql[at..end];
        // Behind a word or a bracket it is the end of a slice: `a[1:last]`.
        let slice = sql[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ')' | ']'));
        let name = token.strip_prefix(':').filter(|_| !slice);
        let name = name.and_then(|name| known.iter().find(|known| **known == name));
        match name {
            Some(name) => {
                let place = names.iter().position(|seen| seen == name).unwrap_or_else(|| {
                    names.push(name);
                    names.len() - 1
                });
                write!(text, "${}", place + 1).expect("a String takes all text");
            }
            None => text.push_str(token),
        }
        at = end;
    }
    (text, names)
}

fn is_blank(sql: &str) -> bool {
    let mut at = 0;
    while at < sql.len() {
        let end = token_end(sql, at);
        let token = &sql[at..end];
        if !token.trim().is_empty() && !token.starts_with("--") && !token.starts_with("/*") {
            return false;
        }
        at = end;
    }
    true
}

/// Where the token that begins here ends: a quoted text, a comment, a word, `::`, `:name`, or one sign.
fn token_end(sql: &str, at: usize) -> usize {
    let rest = &sql[at..];
    let bytes = rest.as_bytes();
    let word = |from: usize| from + rest[from..].bytes().take_while(|byte| is_word(*byte)).count();
    let length = match bytes[0] {
        b'\'' => {
            let escaped = at > 0 && matches!(sql.as_bytes()[at - 1], b'e' | b'E');
            quoted_length(bytes, b'\'', escaped)
        }
        b'"' => quoted_length(bytes, b'"', false),
        b'-' if rest.starts_with("--") => rest.find('\n').map_or(rest.len(), |length| length + 1),
        b'/' if rest.starts_with("/*") => comment_length(bytes),
        b'$' => dollar_length(rest),
        b':' if rest.starts_with("::") => 2,
        b':' => word(1).max(1),
        byte if is_word(byte) => {
            let end = word(0);
            // The sign before an escaped text is seen by itself.
            if end > 1 && matches!(bytes[end - 1], b'e' | b'E') && bytes.get(end) == Some(&b'\'') {
                end - 1
            } else {
                end
            }
        }
        _ => 1,
    };
    at + length
}

fn quoted_length(bytes: &[u8], quote: u8, escaped: bool) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escaped => at += 1,
            byte if byte == quote => {
                if bytes.get(at + 1) != Some(&quote) {
                    return at + 1;
                }
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// Comments nest.
fn comment_length(bytes: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// A text between two equal tags, `$body$ … $body$`; or a parameter, `$1`.
fn dollar_length(rest: &str) -> usize {
    let tag = rest[1..].find('$').map(|end| &rest[..end + 2]);
    match tag.filter(|tag| {
        tag[1..tag.len() - 1].bytes().all(is_word) && !tag[1..].starts_with(|c: char| c.is_ascii_digit())
    }) {
        Some(tag) => rest[tag.len()..].find(tag).map_or(rest.len(), |end| tag.len() * 2 + end),
        None => 1,
    }
}

/// Bytes beyond ASCII belong to words, so that no character is ever cut.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_where_no_text_or_comment_goes_on() {
        let check = |sql, expected: &[&str]| assert_eq!(statements(sql), expected, "{sql}");
        check("a; b ;", &["a", "b"]);
        check(
            "select ';' ; select \"x;y\" -- no; end\n; /* ; /* ; */ ; */",
            &["select ';'", "select \"x;y\" -- no; end"],
        );
        check("do $$ begin; end $$; select $q$;$q$", &["do $$ begin; end $$", "select $q$;$q$"]);
        check(r"select E'\';' ; b", &[r"select E'\';'", "b"]);
        check("", &[]);
    }

    #[test]
    fn named_parameters_are_numbered_and_casts_are_left_alone() {
        let check = |sql, expected: &str, names: &[&str]| {
            assert_eq!(numbered(sql, &["first", "last"]), (expected.to_owned(), names.to_vec()), "{sql}");
        };
        check("generate_series(:first, :last)", "generate_series($1, $2)", &["first", "last"]);
        check(":last::int + :first + :last", "$1::int + $2 + $1", &["last", "first"]);
        check("':first' || x::first --:last\n", "':first' || x::first --:last\n", &[]);
        check("a[1:last]", "a[1:last]", &[]);
    }
}
