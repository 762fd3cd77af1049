//! Which functions make a result depend on more than the tables: on chance, on the clock, on the connection.

/// Functions that never give the same twice, or speak of the connection.
const ALWAYS: &[&str] = &[
    "random",
    "randomblob",
    "changes",
    "total_changes",
    "last_insert_rowid",
    "current_date",
    "current_time",
    "current_timestamp",
];

/// Functions of time, with the place of the argument that may say `now`.
const OF_TIME: &[(&str, usize)] = &[
    ("date", 0),
    ("time", 0),
    ("datetime", 0),
    ("julianday", 0),
    ("unixepoch", 0),
    ("strftime", 1),
    ("timediff", 0),
    ("timediff", 1),
];

/// The volatile functions among those that are called, each once, as a reader would recognise it in the texts.
pub(super) fn volatile(texts: &[String], functions: &[String]) -> Vec<String> {
    let mut found: Vec<String> =
        functions.iter().filter(|name| ALWAYS.contains(&name.as_str())).cloned().collect();
    for text in texts {
        let tokens = tokens(text);
        for (place, token) in tokens.iter().enumerate() {
            for (name, argument) in OF_TIME {
                if token.eq_ignore_ascii_case(name)
                    && tokens.get(place + 1) == Some(&"(")
                    && asks_the_clock(&tokens[place + 2..], *argument)
                {
                    found.push(format!("{name}('now')"));
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Whether the argument at this place is missing, says `now`, or is a parameter that may.
fn asks_the_clock(after: &[&str], argument: usize) -> bool {
    let (mut depth, mut place, mut seen) = (0, 0, false);
    for token in after {
        match *token {
            "(" => depth += 1,
            ")" if depth == 0 => return place <= argument && !(place == argument && seen),
            ")" => depth -= 1,
            "," if depth == 0 => {
                place += 1;
                seen = false;
                continue;
            }
            _ => {}
        }
        if place == argument {
            seen = true;
            let plain = token.trim_matches('\'');
            if plain.trim().eq_ignore_ascii_case("now") || token.starts_with(['?', ':', '@', '$']) {
                return true;
            }
        }
        if place > argument {
            return false;
        }
    }
    false
}

/// Cuts SQL into words, texts, parameters and signs, without comments. Quoted identifiers keep their quotes.
fn tokens(sql: &str) -> Vec<&str> {
    let bytes = sql.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'-' if bytes[at..].starts_with(b"--") => {
                at = sql[at..].find('\n').map_or(bytes.len(), |length| at + length);
                continue;
            }
            b'/' if bytes[at..].starts_with(b"/*") => {
                at = sql[at + 2..].find("*/").map_or(bytes.len(), |length| at + length + 4);
                continue;
            }
            quote @ (b'\'' | b'"' | b'`') => quoted_end(bytes, at, quote),
            b'[' => sql[at..].find(']').map_or(bytes.len(), |length| at + length + 1),
            byte if is_word(byte) || matches!(byte, b'?' | b':' | b'@' | b'$') => {
                at + 1 + bytes[at + 1..].iter().take_while(|byte| is_word(**byte)).count()
            }
            _ => at + 1,
        };
        tokens.push(&sql[at..end]);
        at = end;
    }
    tokens
}

fn quoted_end(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        if bytes[at] == quote {
            if bytes.get(at + 1) != Some(&quote) {
                return at + 1;
            }
            at += 1;
        }
        at += 1;
    }
    bytes.len()
}

/// Bytes beyond ASCII belong to words, so that no character is ever cut.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}
