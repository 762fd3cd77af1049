//! The lexer of values with structure: names, operators, lists and quoted texts of an already decoded parameter.

use std::borrow::Cow;

/// A place in a text.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// What has not been read.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(crate) fn at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Reads `expected` if it comes next.
    pub(crate) fn eat(&mut self, expected: &str) -> bool {
        let comes = self.rest().starts_with(expected);
        if comes {
            self.at += expected.len();
        }
        comes
    }

    pub(crate) fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(' ').len();
    }

    /// Reads up to one of these ASCII characters, or to the end.
    pub(crate) fn until(&mut self, ends: &[u8]) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| ends.contains(&byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Reads a name: quoted, or up to one of these characters.
    pub(crate) fn name(&mut self, ends: &[u8]) -> Cow<'a, str> {
        self.quoted(ends).unwrap_or_else(|| Cow::Borrowed(self.until(ends)))
    }

    /// Reads a value of a list or group: quoted, or raw up to `,` or `)`.
    ///
    /// Clients that do not escape quotes inside quoted texts are common, so a quote ends the text only where the
    /// value can end, and a value that begins with a quote that nothing ends is raw.
    pub(crate) fn value(&mut self) -> Cow<'a, str> {
        self.name(b",)")
    }

    /// Reads a name: quoted, or up to an arrow (`->`) or one of these characters.
    pub(crate) fn name_before_arrow(&mut self, ends: &[u8]) -> Cow<'a, str> {
        let mut quoted_ends = ends.to_vec();
        quoted_ends.push(b'-');
        self.quoted(&quoted_ends).unwrap_or_else(|| {
            let rest = self.rest();
            let bytes = rest.as_bytes();
            let is_end = |at: &usize| ends.contains(&bytes[*at]) || bytes[*at..].starts_with(b"->");
            let length = (0..bytes.len()).find(is_end).unwrap_or(bytes.len());
            self.at += length;
            Cow::Borrowed(&rest[..length])
        })
    }

    /// Reads the value of an operator within a group: in braces or brackets, quoted, or raw up to `,` or `)`.
    pub(crate) fn operand(&mut self) -> Cow<'a, str> {
        let rest = self.rest();
        if let Some(length) = bracketed(rest) {
            let after = rest[length..].trim_start_matches(' ');
            if after.is_empty() || after.starts_with([',', ')']) {
                self.at += length;
                return Cow::Borrowed(&rest[..length]);
            }
        }
        self.value()
    }

    /// A quoted text, if one is here and something that may follow it does; else nothing is read.
    fn quoted(&mut self, ends: &[u8]) -> Option<Cow<'a, str>> {
        let inner = self.rest().strip_prefix('"')?;
        let mut plain = true;
        let mut out = String::new();
        let mut letters = inner.char_indices();
        while let Some((place, letter)) = letters.next() {
            match letter {
                '"' => {
                    let after = inner[place + 1..].trim_start_matches(' ');
                    if after.is_empty() || ends.contains(&after.as_bytes()[0]) {
                        self.at = self.text.len() - after.len();
                        let whole = Cow::Borrowed(&inner[..place]);
                        return Some(if plain { whole } else { Cow::Owned(out) });
                    }
                    out.push('"');
                }
                '\\' => match inner[place + 1..].chars().next() {
                    Some(escaped @ ('"' | '\\')) => {
                        letters.next();
                        plain = false;
                        out.push(escaped);
                    }
                    _ => out.push('\\'),
                },
                literal => out.push(literal),
            }
        }
        None
    }
}

/// How long the list or document at the beginning is, up to the brace or bracket that closes it.
fn bracketed(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    let (mut in_quotes, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_quotes => escaped = true,
            b'"' => in_quotes = !in_quotes,
            _ if in_quotes => {}
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' => {
                if open.pop() != Some(byte) {
                    return None;
                }
                if open.is_empty() {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        if open.is_empty() {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_documents_of_a_group_keep_their_commas() {
        let cases = [
            ("{a,b},c)", "{a,b}", ",c)"),
            (r#"{"a}",b})"#, r#"{"a}",b}"#, ")"),
            (r#"{"k":[1,{"l":2}]},c)"#, r#"{"k":[1,{"l":2}]}"#, ",c)"),
            ("[1,2])", "[1,2]", ")"),
            ("[1,5),c)", "[1", ",5),c)"),
            ("{a,b)", "{a", ",b)"),
            ("{a}b,c)", "{a}b", ",c)"),
            (r#""{a,b}",c)"#, "{a,b}", ",c)"),
            ("a,b)", "a", ",b)"),
            ("", "", ""),
        ];
        for (text, value, rest) in cases {
            let mut scanner = Scanner::new(text);
            assert_eq!(scanner.operand(), value, "{text}");
            assert_eq!(scanner.rest(), rest, "{text}");
        }
    }

    #[test]
    fn quoted_values_end_where_a_value_can_end() {
        let cases = [
            (r#""a,b",c)"#, "a,b", ",c)"),
            (r"c,d)", "c", ",d)"),
            (r#"d"e,f)"#, "d\"e", ",f)"),
            (r#""d\"e",f)"#, "d\"e", ",f)"),
            (r#""a\\")"#, "a\\", ")"),
            (r#""a\b")"#, "a\\b", ")"),
            (r#""a"b,c",d)"#, "a\"b,c", ",d)"),
            (r#""a" ,b)"#, "a", ",b)"),
            (r#""open,b)"#, "\"open", ",b)"),
            (r#"","#, "\"", ","),
            (r#""")"#, "", ")"),
            ("", "", ""),
            ("é,x", "é", ",x"),
        ];
        for (text, value, rest) in cases {
            let mut scanner = Scanner::new(text);
            assert_eq!(scanner.value(), value, "{text}");
            assert_eq!(scanner.rest(), rest, "{text}");
        }
    }
}
