//! Texts of SQL as people write them: several statements, parameters with names.
//!
//! Only as much of the language is understood as is needed to leave quoted texts and comments alone
//! (<https://www.postgresql.org/docs/current/sql-syntax-lexical.html>).

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A statement with `$1`, `$2`, … in place of its named parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered<'s> {
    /// The text.
    pub text: String,
    /// The parameters' names in the order of their numbers, which is that of their first use.
    pub names: Vec<&'s str>,
    /// Where each written number ends, in the text and in the statement that it was made from.
    ends: Vec<(usize, usize)>,
}

/// A text that asks for what is known of its caller, as in `:caller.id`, with parameters of usual names in their place:
/// `:caller_id`. No byte of it moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerParams {
    /// The text.
    pub text: String,
    /// The names of the parameters, and what each asks for.
    pub parts: BTreeMap<String, String>,
}

/// Finds what a text asks for of its caller.
///
/// # Errors
/// The name of a parameter that would be taken for another.
pub fn caller_params(sql: &str) -> Result<CallerParams, String> {
    let mut text = sql.to_owned().into_bytes();
    let mut parts: BTreeMap<String, String> = BTreeMap::new();
    let tokens: Vec<(usize, &str)> = words(sql).collect();
    let mut plain: Vec<&str> = Vec::new();
    for (at, (place, token)) in tokens.iter().enumerate() {
        let Some(first) = token.strip_prefix(':').filter(|name| !name.is_empty() && !name.starts_with(':'))
        else {
            continue;
        };
        // Points and words follow without blanks between.
        let mut end = place + token.len();
        let mut rest = tokens[at + 1..].chunks_exact(2);
        while let Some([(point, "."), (word, name)]) = rest.next().filter(|_| first == "caller") {
            if *point != end || *word != end + 1 || !name.bytes().all(is_word) {
                break;
            }
            text[*point] = b'_';
            end = word + name.len();
        }
        if end == place + token.len() {
            plain.push(first);
            continue;
        }
        let asked = sql[place + ":caller.".len()..end].to_owned();
        let name = format!("caller_{}", asked.replace('.', "_"));
        if parts.get(&name).is_some_and(|known| *known != asked) {
            return Err(name);
        }
        parts.insert(name, asked);
    }
    if let Some(taken) = plain.iter().find(|name| parts.contains_key(**name)) {
        return Err((*taken).to_owned());
    }
    let text = String::from_utf8(text).expect("a point and `_` have one byte each");
    Ok(CallerParams { text, parts })
}

/// A name as an identifier.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The statements of a text, without the signs between them.
pub fn statements(sql: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut at, mut begin) = (0, 0);
    // In the body of a function, statements are a part of the one that makes it.
    let (mut body, mut before) = (0_usize, "");
    while at < sql.len() {
        let end = token_end(sql, at);
        let token = &sql[at..end];
        let is = |word: &str| token.eq_ignore_ascii_case(word);
        if token == ";" && body == 0 {
            found.push(sql[begin..at].trim());
            begin = end;
            before = "";
        } else if is("atomic") && before.eq_ignore_ascii_case("begin") {
            body = 1;
        } else if body > 0 && is("case") {
            body += 1;
        } else if body > 0 && is("end") {
            body -= 1;
        }
        if !is_blank_token(token) {
            before = token;
        }
        at = end;
    }
    found.push(sql[begin..].trim());
    found.retain(|statement| !is_blank(statement));
    found
}

/// The words and signs of a text, each with its place, without blanks and comments.
pub fn words(sql: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < sql.len() {
            let (begin, end) = (at, token_end(sql, at));
            at = end;
            if !is_blank_token(&sql[begin..end]) {
                return Some((begin, &sql[begin..end]));
            }
        }
        None
    })
}

/// Numbers the parameters of a statement that `is_param` takes for some.
pub fn numbered<'s>(sql: &'s str, is_param: impl Fn(&str) -> bool) -> Numbered<'s> {
    let mut text = String::with_capacity(sql.len());
    let (mut names, mut ends) = (Vec::<&'s str>::new(), Vec::new());
    let mut at = 0;
    while at < sql.len() {
        let end = token_end(sql, at);
        let token = &sql[at..end];
        // Behind a word or a bracket it is the end of a slice: `a[1:last]`.
        let slice = sql[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ')' | ']'));
        let name = token.strip_prefix(':').filter(|name| {
            !slice && !name.starts_with(|c: char| c == ':' || c.is_ascii_digit()) && !name.is_empty()
        });
        match name.filter(|name| is_param(name)) {
            Some(name) => {
                let place = names.iter().position(|seen| *seen == name).unwrap_or_else(|| {
                    names.push(name);
                    names.len() - 1
                });
                write!(text, "${}", place + 1).expect("a String takes all text");
                ends.push((text.len(), end));
            }
            None => text.push_str(token),
        }
        at = end;
    }
    Numbered { text, names, ends }
}

/// Writes something in place of each numbered parameter.
pub fn valued(sql: &str, write: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut at = 0;
    while at < sql.len() {
        let end = token_end(sql, at);
        let token = &sql[at..end];
        match token.strip_prefix('$').and_then(|number| number.parse().ok()) {
            Some(number) => text.push_str(&write(number)),
            None => text.push_str(token),
        }
        at = end;
    }
    text
}

impl Numbered<'_> {
    /// The byte of the statement that a byte of the text stands for.
    pub fn origin(&self, byte: usize) -> usize {
        let before = self.ends.iter().rev().find(|(end, _)| *end <= byte);
        let (end, origin) = before.copied().unwrap_or_default();
        byte - end + origin
    }
}

fn is_blank(sql: &str) -> bool {
    words(sql).next().is_none()
}

fn is_blank_token(token: &str) -> bool {
    token.trim().is_empty() || token.starts_with("--") || token.starts_with("/*")
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
            let end = rest.bytes().take_while(|byte| is_word(*byte) || *byte == b'$').count();
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
        None => 1 + rest[1..].bytes().take_while(u8::is_ascii_digit).count(),
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
        check(
            "create function f() begin atomic select case 1 when 1 then 2 end; select 2; end; begin; a; end",
            &[
                "create function f() begin atomic select case 1 when 1 then 2 end; select 2; end",
                "begin",
                "a",
                "end",
            ],
        );
        check("", &[]);
    }

    #[test]
    fn what_is_asked_of_the_caller_becomes_a_parameter_without_moving_a_byte() {
        type Parts<'p> = &'p [(&'p str, &'p str)];
        let check = |sql, expected: Result<(&str, Parts<'_>), &str>| {
            let read = caller_params(sql);
            let parts = |read: &CallerParams| {
                read.parts.iter().map(|(name, part)| (name.clone(), part.clone())).collect::<Vec<_>>()
            };
            let read = read.map(|read| (read.text.clone(), parts(&read)));
            let owned = |(name, part): &(&str, &str)| ((*name).to_owned(), (*part).to_owned());
            let expected = expected.map(|(text, parts)| (text.to_owned(), parts.iter().map(owned).collect()));
            assert_eq!(read, expected.map_err(str::to_owned), "{sql}");
        };
        check("a = :caller.id", Ok(("a = :caller_id", &[("caller_id", "id")])));
        check("(:caller.app.tenant)", Ok(("(:caller_app_tenant)", &[("caller_app_tenant", "app.tenant")])));
        check("a = ':caller.id' -- :caller.id", Ok(("a = ':caller.id' -- :caller.id", &[])));
        check("a = :caller and b = :caller .id", Ok(("a = :caller and b = :caller .id", &[])));
        check("x::caller.id", Ok(("x::caller.id", &[])));
        check("a = :caller.id or b = :caller_id", Err("caller_id"));
        check("a = :caller.a.b or b = :caller.a_b", Err("caller_a_b"));
    }

    #[test]
    fn named_parameters_are_numbered_and_casts_are_left_alone() {
        let check = |sql, expected: &str, names: &[&str]| {
            let numbered = numbered(sql, |name| ["first", "last"].contains(&name));
            assert_eq!((numbered.text.as_str(), numbered.names.as_slice()), (expected, names), "{sql}");
        };
        check("generate_series(:first, :last)", "generate_series($1, $2)", &["first", "last"]);
        check(":last::int + :first + :last", "$1::int + $2 + $1", &["last", "first"]);
        check("':first' || x::first --:last\n", "':first' || x::first --:last\n", &[]);
        check("a[1:last]", "a[1:last]", &[]);
        check("a[:last] a[: 2]", "a[$1] a[: 2]", &["last"]);
    }

    #[test]
    fn values_stand_in_place_of_numbers_outside_of_texts() {
        let text = valued("select $1, '$2', $10::int, $$ $1 $$, a$1", |number| format!("<{number}>"));
        assert_eq!(text, "select <1>, '$2', <10>::int, $$ $1 $$, a$1");
    }

    #[test]
    fn a_place_behind_numbers_is_found_in_the_text_that_has_names() {
        let sql = "select :first, :last + nothing";
        let numbered = numbered(sql, |_| true);
        let check = |word: &str| {
            let origin = numbered.origin(numbered.text.find(word).unwrap());
            assert_eq!(origin, sql.find(word).unwrap(), "{word}");
        };
        check("select");
        check(", ");
        check("nothing");
    }
}
