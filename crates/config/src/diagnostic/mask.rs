//! Keeps secrets out of what is shown: out of the quoted lines of files, and out of messages.
//!
//! Lines are masked by the look of the text and not by its meaning, because a file that is broken has none: a
//! value behind a name that sounds like a secret, or that is nearly such a name, and the password of a URL.

use super::nearest::nearest;

/// Shorter values are not hidden in messages: they would mask half of the words there.
pub(super) const HIDDEN_BYTES_MIN: usize = 4;

/// Words that make a name sound secret.
const SECRET_WORDS: [&str; 7] = ["secret", "token", "password", "passwd", "credential", "apikey", "api_key"];

/// Values that only say where a secret is.
const REFERENCES: [&str; 3] = ["env:", "file:", "${"];

/// The text with whatever looks like a secret replaced by as many `*` as it has bytes.
pub(super) fn masked(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    mask_named_values(text, &mut bytes);
    mask_passwords(text, &mut bytes);
    String::from_utf8(bytes).expect("whole characters are replaced by ASCII")
}

/// Replaces each hidden value in a message.
pub(super) fn hide(message: &mut String, hidden: &[String]) {
    for value in hidden {
        if message.contains(value.as_str()) {
            *message = message.replace(value.as_str(), "***");
        }
    }
}

fn mask_named_values(text: &str, bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(start) = text[at..].find(is_name_char).map(|found| at + found) {
        let end = text[start..].find(|c| !is_name_char(c)).map_or(text.len(), |found| start + found);
        at = end;
        if sounds_secret(&text[start..end])
            && let Some((from, to)) = value_behind(text, end)
        {
            bytes[from..to].fill(b'*');
            at = to;
        }
    }
}

/// The value behind a name: in quotes up to their end, otherwise up to the end of the line.
fn value_behind(text: &str, end: usize) -> Option<(usize, usize)> {
    let blank = [' ', '\t'];
    let behind = &text[end..];
    let behind_quotes = behind.trim_start_matches(['"', '\'']).trim_start_matches(blank);
    let is_assigned = behind_quotes.starts_with('=');
    let assigned = match behind_quotes.strip_prefix('=') {
        Some(value) => value.trim_start_matches(blank),
        // The sign is missing; without a space either, this is the name's own closing quote.
        None if behind.starts_with(blank) => behind.trim_start_matches(blank),
        None => return None,
    };
    let from = text.len() - assigned.len();
    let line_end = assigned.find(['\n', '\r']).map_or(text.len(), |found| from + found);
    for quotes in ["\"\"\"", "'''", "\"", "'"] {
        let Some(inner) = assigned.strip_prefix(quotes) else { continue };
        let inner_from = from + quotes.len();
        if is_reference(inner) {
            return None;
        }
        let several_lines = quotes.len() == 3;
        let limit = if several_lines { text.len() } else { line_end };
        let to = closing(&text[inner_from..limit], quotes).map_or(limit, |found| inner_from + found);
        return (to > inner_from).then_some((inner_from, to));
    }
    (is_assigned && !is_reference(assigned) && from < line_end).then_some((from, line_end))
}

/// Where the closing quotes are, not counting escaped ones.
fn closing(text: &str, quotes: &str) -> Option<usize> {
    let escapes = quotes.starts_with('"');
    let mut skip = false;
    text.char_indices().find_map(|(at, c)| {
        let escaped = std::mem::take(&mut skip);
        skip = escapes && !escaped && c == '\\';
        (!escaped && text[at..].starts_with(quotes)).then_some(at)
    })
}

/// The password in `scheme://user:password@host`.
fn mask_passwords(text: &str, bytes: &mut [u8]) {
    for (at, _) in text.match_indices("://") {
        let rest = &text[at + 3..];
        let end =
            rest.find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'')).unwrap_or(rest.len());
        let Some(host) = rest[..end].rfind('@') else { continue };
        if let Some(colon) = rest[..host].find(':') {
            bytes[at + 3 + colon + 1..at + 3 + host].fill(b'*');
        }
    }
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
        check("token = \"\"\"a\nb\"\"\" x", "token = \"\"\"***\"\"\" x");
        check("KASOKU_ADMIN_TOKEN=abc", "KASOKU_ADMIN_TOKEN=***");
        check("token = 12345", "token = *****");
        check("secret = \"naïve\"", "secret = \"******\"");
    }

    #[test]
    fn values_behind_broken_names_and_quotes_are_masked() {
        check("tken = \"abc\"", "tken = \"***\"");
        check("secrets = \"abc", "secrets = \"***");
        check("token = abc\"\nx = 1", "token = ****\nx = 1");
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
    }

    #[test]
    fn passwords_of_urls_are_masked() {
        check("url = \"postgres://me:abc@host/db\"", "url = \"postgres://me:***@host/db\"");
        check("url = \"http://host:80/a@b\"", "url = \"http://host:80/a@b\"");
    }
}
