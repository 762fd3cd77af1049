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

#[cfg(test)]
mod tests {
    use super::*;

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
