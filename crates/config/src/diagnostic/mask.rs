//! Keeps secrets out of what is shown: out of the quoted lines of files, and out of messages.
//!
//! Lines are masked by the look of the text and not by its meaning, because a file that is broken has none: a
//! value behind a name that sounds like a secret, or that is nearly such a name, and the password of a URL. On a
//! line that cannot be read, every value is masked whose name is not known to be harmless.

use std::ops::Range;

use super::nearest::nearest;

/// Shorter values are not hidden in messages: they would mask half of the words there.
pub(super) const HIDDEN_BYTES_MIN: usize = 4;

/// No secret is shorter.
pub(crate) const SECRET_BYTES_MIN: usize = 16;

/// Words that make a name sound secret.
const SECRET_WORDS: [&str; 7] = ["secret", "token", "password", "passwd", "credential", "apikey", "api_key"];

/// Values that only say where a secret is.
const REFERENCES: [&str; 3] = ["env:", "file:", "${"];

/// The text with whatever looks like a secret replaced by as many `*` as it has bytes.
pub(super) fn masked(text: &str) -> String {
    let mut masked = text.to_owned();
    for (at, _) in text.match_indices('=') {
        if sounds_secret(&name_before(text, at)) {
            cover_value(&mut masked, text, at + 1, text.len());
        }
    }
    for range in values_without_sign(text) {
        cover(&mut masked, range);
    }
    for range in passwords(text) {
        cover(&mut masked, range);
    }
    masked
}

/// Masks what follows each name of a line that is not known to be harmless; a line without names whole.
pub(super) fn cover_line(text: &mut String, at: usize, is_harmless: impl Fn(&str) -> bool) {
    let start = text[..at].rfind('\n').map_or(0, |found| found + 1);
    let end = text[at..].find('\n').map_or(text.len(), |found| at + found);
    let line = text[start..end].to_owned();
    let signs: Vec<usize> = line.match_indices('=').map(|(at, _)| at).collect();
    for sign in &signs {
        if !is_harmless(&name_before(&line, *sign)) {
            let whole = text.clone();
            cover_value(text, &whole, start + sign + 1, end);
        }
    }
    let first = line.split(|c| !is_name_char(c)).find(|word| !word.is_empty()).unwrap_or_default();
    // A short word alone is a name that was begun, and no secret.
    let is_name = line.len() < SECRET_BYTES_MIN && line.trim().chars().all(is_name_char);
    if signs.is_empty() && !is_name && !is_harmless(first) && !line.trim_start().starts_with(['[', '#']) {
        cover(text, start..end);
    }
}

/// Replaces a part of a text by as many `*` as it has bytes.
pub(super) fn cover(text: &mut String, range: Range<usize>) {
    let stars: String =
        text[range.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { '*' }).collect();
    text.replace_range(range, &stars);
}

/// Replaces each secret in a text by as many `*` as it has bytes.
pub(super) fn blank(text: &mut String, secrets: &[String]) {
    for secret in secrets.iter().filter(|secret| secret.len() >= HIDDEN_BYTES_MIN) {
        if text.contains(secret.as_str()) {
            *text = text.replace(secret.as_str(), &"*".repeat(secret.len()));
        }
    }
}

/// Replaces each hidden value in a message, and characters that would steer a terminal.
pub(super) fn hide(message: &mut String, hidden: &[String]) {
    for value in hidden {
        if message.contains(value.as_str()) {
            *message = message.replace(value.as_str(), "***");
        }
    }
    if message.contains(char::is_control) {
        let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
        *message = message.chars().map(escape).collect();
    }
}

/// The last name before a sign, as far as it can be made out.
fn name_before(text: &str, sign: usize) -> String {
    let line = text[..sign].rfind('\n').map_or(0, |found| found + 1);
    let key = text[line..sign].rsplit(['{', ',', '[', '.', '=']).next().unwrap_or_default();
    key.chars().filter(|c| is_name_char(*c)).collect()
}

/// Masks the value that begins at a place: in quotes up to their end, otherwise up to the end of the line.
fn cover_value(masked: &mut String, text: &str, from: usize, limit: usize) {
    let value = text[from..limit].trim_start_matches([' ', '\t']);
    let from = limit - value.len();
    let line_end = value.find(['\n', '\r']).map_or(limit, |found| from + found);
    let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| value.starts_with(quotes));
    let Some(quotes) = quotes else {
        if !is_reference(value) && !value.starts_with([':', '?']) {
            cover(masked, from..line_end);
        }
        return;
    };
    let from = from + quotes.len();
    if !is_reference(&text[from..limit]) {
        let limit = if quotes.len() == 3 { limit } else { line_end };
        let to = closing(&text[from..limit], quotes).map_or(limit, |found| from + found);
        // Behind quotes that end too early may stand the rest of the secret.
        let rest = text[to..line_end.max(to)].trim_start_matches(['"', '\'']);
        let is_clean = rest.trim_start().is_empty() || rest.trim_start().starts_with(['#', ',', '}', ']']);
        cover(masked, from..if is_clean { to } else { line_end.max(to) });
    }
}

/// Quoted texts behind names that sound secret, with a space instead of a sign between.
fn values_without_sign(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(is_name_char).map(|found| at + found) {
        let end = text[start..].find(|c| !is_name_char(c)).map_or(text.len(), |found| start + found);
        at = end;
        let behind = &text[end..];
        let value = behind.trim_start_matches([' ', '\t']);
        if value.len() < behind.len() && value.starts_with(['"', '\'']) && sounds_secret(&text[start..end]) {
            let line_end = value.find('\n').unwrap_or(value.len());
            let from = text.len() - value.len();
            let to = closing(&value[1..line_end], &value[..1]).map_or(line_end, |found| found + 1);
            found.push(from + 1..from + to);
        }
    }
    found
}

/// The passwords in `scheme://user:password@host`.
fn passwords(text: &str) -> Vec<Range<usize>> {
    let find = |(at, _): (usize, &str)| {
        let rest = &text[at + 3..];
        let end =
            rest.find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'')).unwrap_or(rest.len());
        let host = rest[..end].rfind('@')?;
        let colon = rest[..host].find(':')?;
        Some(at + 3 + colon + 1..at + 3 + host)
    };
    text.match_indices("://").filter_map(find).collect()
}

/// Where the closing quotes are, not counting escaped ones.
fn closing(text: &str, quotes: &str) -> Option<usize> {
    let basic = quotes.starts_with('"');
    let mut behind_escape = false;
    text.char_indices().find_map(|(at, c)| {
        let is_escaped = std::mem::take(&mut behind_escape);
        behind_escape = basic && !is_escaped && c == '\\';
        (!is_escaped && text[at..].starts_with(quotes)).then_some(at)
    })
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

fn is_reference(value: &str) -> bool {
    REFERENCES.iter().any(|prefix| value.starts_with(prefix))
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word)) || nearest(&name, SECRET_WORDS).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let result = masked(text);
        assert_eq!(result, expected, "{text}");
        assert_eq!(result.len(), text.len(), "spans stay true: {text}");
    }

    #[test]
    fn values_behind_secret_names_are_masked() {
        check(r#"token = "abc" # why"#, r#"token = "***" # why"#);
        check("token = 'abc'\nlisten = 'x'", "token = '***'\nlisten = 'x'");
        check(r#"server = { secret = "a\"b", x = "y" }"#, r#"server = { secret = "****", x = "y" }"#);
        check(r#""token" = "abc""#, r#""token" = "***""#);
        check(r#"admin.token="abc""#, r#"admin.token="***""#);
        check("token = \"\"\"a\nb\"\"\"", "token = \"\"\"*\n*\"\"\"");
        check("KASOKU_ADMIN_TOKEN=abc", "KASOKU_ADMIN_TOKEN=***");
        check("token = 12345", "token = *****");
        check("secret = \"naïve\"", "secret = \"******\"");
    }

    #[test]
    fn values_behind_broken_names_and_quotes_are_masked() {
        check("tken = \"abc\"", "tken = \"***\"");
        check("se\"cret = \"abc\"", "se\"cret = \"***\"");
        check("secrets = \"abc", "secrets = \"***");
        check("token = abc\"\nx = 1", "token = ****\nx = 1");
        check("token = \"a\"bc\"", "token = \"*****");
        check("token \"abc\"", "token \"***\"");
    }

    #[test]
    fn references_to_secrets_stay_readable() {
        check("token = \"env:TOKEN\"", "token = \"env:TOKEN\"");
        check("secret = 'file:/run/x'", "secret = 'file:/run/x'");
        check("secret = \"${SECRET}\"", "secret = \"${SECRET}\"");
        check("listen = \"127.0.0.1:80\"", "listen = \"127.0.0.1:80\"");
        check("a token for \"this\" page", "a token for \"this\" page");
        check("select = [\"token\", \"id\"]", "select = [\"token\", \"id\"]");
        check("where token = :token", "where token = :token");
    }

    #[test]
    fn passwords_of_urls_are_masked() {
        check("url = \"postgres://me:abc@host/db\"", "url = \"postgres://me:***@host/db\"");
        check("url = \"http://host:80/a@b\"", "url = \"http://host:80/a@b\"");
    }

    #[test]
    fn a_broken_line_shows_only_values_of_harmless_names() {
        for (line, expected) in [
            ("listen = \"abc", "listen = \"abc"),
            ("ret = \"abc\"", "ret = \"***\""),
            ("{ listen = \"a\", x = \"b\"", "{ listen = \"a\", x = \"*\""),
            ("abc\" d", "******"),
            ("listen \"abc\"", "listen \"abc\""),
            ("[server", "[server"),
            ("memry", "memry"),
        ] {
            let mut text = format!("x = \"1\"\n{line}\nx = \"2\"");
            cover_line(&mut text, 10, |name| name == "listen");
            assert_eq!(text, format!("x = \"1\"\n{expected}\nx = \"2\""));
        }
    }
}
