//! Rust source as text: what is code, what is comment, what is test, and where functions begin and end.
//!
//! This is a scanner, not a parser. It knows comments, all forms of string and character literals, and braces;
//! that is enough to measure and to look for words, and it needs no compiler.

use std::ops::Range;

/// A source file taken apart. Both texts have the line breaks and the byte positions of the original.
#[derive(Debug)]
pub(crate) struct RustText {
    /// The code; comments and the contents of literals are blank.
    pub(crate) code: String,
    /// The comments; everything else is blank.
    pub(crate) comments: String,
    /// For each line, whether it belongs to tests.
    test_lines: Vec<bool>,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// Where it begins, counted from 1.
    pub(crate) line: usize,
    /// Lines with code on them, from `fn` to the closing brace.
    pub(crate) code_lines: usize,
}

impl RustText {
    pub(crate) fn new(text: &str) -> Self {
        let (code, comments) = split(text);
        let mut test_lines = vec![false; text.lines().count()];
        for span in test_items(&code) {
            let (first, last) = (line_of(&code, span.start), line_of(&code, span.end.saturating_sub(1)));
            for line in first..=last {
                if let Some(flag) = test_lines.get_mut(line - 1) {
                    *flag = true;
                }
            }
        }
        Self { code, comments, test_lines }
    }

    /// Whether a place belongs to tests.
    pub(crate) fn is_test(&self, place: usize) -> bool {
        self.test_lines.get(line_of(&self.code, place) - 1).copied().unwrap_or_default()
    }

    /// Lines that do not belong to tests.
    pub(crate) fn lines_apart_from_tests(&self) -> usize {
        self.test_lines.iter().filter(|test| !**test).count()
    }

    /// Lines of code with their numbers, tests left out.
    pub(crate) fn code_apart_from_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().filter(|(at, _)| !self.test_lines[*at]).map(|(at, line)| (at + 1, line))
    }

    /// Functions outside of tests.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut functions = Vec::new();
        for (start, _) in words(&self.code).filter(|(_, word)| *word == "fn") {
            let line = line_of(&self.code, start);
            let is_type = !self.code[start + 2..].starts_with(char::is_whitespace);
            if is_type || self.test_lines[line - 1] {
                continue;
            }
            let Some((_, name)) = words(&self.code[start + 2..]).next() else { continue };
            let Some(end) = end_of_item(&self.code, start) else { continue };
            if !self.code[..end].ends_with('}') {
                continue;
            }
            let code_lines = self.code[start..end].lines().filter(|line| !line.trim().is_empty()).count();
            functions.push(Function { name: name.to_owned(), line, code_lines });
        }
        functions
    }
}

/// The words of a text with their places.
pub(crate) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let start = at + text[at..].find(is_word)?;
        at = text[start..].find(|c: char| !is_word(c)).map_or(text.len(), |length| start + length);
        Some((start, &text[start..at]))
    })
}

/// The line of a place, counted from 1.
pub(crate) fn line_of(text: &str, place: usize) -> usize {
    text[..place.min(text.len())].matches('\n').count() + 1
}

/// Separates code from comments; the contents of literals are in neither.
fn split(text: &str) -> (String, String) {
    let mut code = String::with_capacity(text.len());
    let mut comments = String::with_capacity(text.len());
    let mut rest = text;
    let mut previous = ' ';
    while let Some(first) = rest.chars().next() {
        let (piece, kind) = next_piece(rest, first, previous);
        let taken = &rest[..piece];
        rest = &rest[piece..];
        previous = taken.chars().next_back().unwrap_or(' ');
        let blank = blanked(taken);
        match kind {
            Kind::Code => {
                code.push_str(taken);
                comments.push_str(&blank);
            }
            Kind::Comment => {
                code.push_str(&blank);
                comments.push_str(taken);
            }
            Kind::Literal => {
                // The quotes stay, so that something stands where the literal stood.
                code.push('"');
                code.push_str(&blank[1..]);
                comments.push_str(&blank);
            }
        }
    }
    (code, comments)
}

enum Kind {
    Code,
    Comment,
    Literal,
}

/// The length of what comes next, and what it is.
fn next_piece(rest: &str, first: char, previous: char) -> (usize, Kind) {
    let in_word = previous.is_alphanumeric() || previous == '_';
    match first {
        '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), Kind::Comment),
        '/' if rest.starts_with("/*") => (block_comment(rest), Kind::Comment),
        '"' => (quoted(rest, 1), Kind::Literal),
        '\'' => character(rest).map_or((1, Kind::Code), |length| (length, Kind::Literal)),
        'r' | 'b' | 'c' if !in_word => {
            prefixed(rest).map_or((1, Kind::Code), |length| (length, Kind::Literal))
        }
        _ => (first.len_utf8(), Kind::Code),
    }
}

fn blanked(text: &str) -> String {
    text.chars().flat_map(|c| std::iter::repeat_n(if c == '\n' { '\n' } else { ' ' }, c.len_utf8())).collect()
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
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

/// A string literal whose contents begin at `start`.
fn quoted(rest: &str, start: usize) -> usize {
    let bytes = rest.as_bytes();
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A character literal; `None` for a lifetime or a label.
fn character(rest: &str) -> Option<usize> {
    let inner = &rest[1..];
    let first = inner.chars().next()?;
    if first == '\\' {
        let escaped = inner.char_indices().nth(2).map_or(inner.len(), |(at, _)| at);
        return inner[escaped..].find('\'').map(|end| 1 + escaped + end + 1);
    }
    inner[first.len_utf8()..].starts_with('\'').then(|| first.len_utf8() + 2)
}

/// Literals with a prefix: `r"…"`, `r#"…"#`, `b"…"`, `br"…"`, `c"…"`, `cr"…"`, `b'…'`.
fn prefixed(rest: &str) -> Option<usize> {
    let letters = rest.find(|c: char| !c.is_ascii_lowercase())?;
    let (prefix, after) = rest.split_at(letters);
    let raw = match prefix {
        "b" | "c" => false,
        "r" | "br" | "cr" => true,
        _ => return None,
    };
    if !raw {
        return match after.as_bytes().first()? {
            b'"' => Some(letters + quoted(after, 1)),
            b'\'' if prefix == "b" => character(after).map(|length| letters + length),
            _ => None,
        };
    }
    let hashes = after.find(|c| c != '#')?;
    let contents = after[hashes..].strip_prefix('"')?;
    let closing = format!("\"{}", "#".repeat(hashes));
    let end = contents.find(&closing).map_or(contents.len(), |end| end + closing.len());
    Some(letters + hashes + 1 + end)
}

/// Items that exist for tests only.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut items: Vec<Range<usize>> = Vec::new();
    for attribute in ["#[cfg(test)]", "#[test]"] {
        for (start, _) in code.match_indices(attribute) {
            if let Some(end) = end_of_item(code, start + attribute.len()) {
                items.push(start..end);
            }
        }
    }
    items
}

/// Where an item ends that begins at `start`: at its closing brace, or at a semicolon if it has no body.
fn end_of_item(code: &str, start: usize) -> Option<usize> {
    let (mut braces, mut others) = (0_usize, 0_usize);
    for (at, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'{' => braces += 1,
            b'}' => {
                braces = braces.checked_sub(1)?;
                if braces == 0 && others == 0 {
                    return Some(at + 1);
                }
            }
            b'(' | b'[' => others += 1,
            b')' | b']' => others = others.checked_sub(1)?,
            b';' if braces == 0 && others == 0 => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(text: &str) -> String {
        split(text).0
    }

    #[test]
    fn comments_and_literals_are_told_from_code() {
        for (text, expected) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"f("{")"#, r#"f("  )"#),
            (r#"f("\"{")"#, r#"f("    )"#),
            (r##"f(r#"a"{"#) }"##, r#"f("       ) }"#),
            (r##"br#"{"#;"##, r#""      ;"#),
            ("'{' '\\'' 'a", "\"   \"    'a"),
            (r"'\u{7d}' }", "\"        }"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            ("'outer: loop {}", "'outer: loop {}"),
            ("b'{' b\"}\" c\"}\"", "\"    \"    \"   "),
            ("r#type + rb", "r#type + rb"),
            ("\"// no comment\" x", "\"               x"),
            ("number\"x\"", "number\"  "),
            ("\"é{\" }", "\"     }"),
            ("\"open {", "\"      "),
        ] {
            let found = code(text);
            assert_eq!(found, expected, "{text}");
            assert_eq!(found.len(), text.len(), "{text}");
        }
        assert_eq!(split("a // why\nb").1, "  // why\n ");
    }

    #[test]
    fn tests_do_not_count_towards_the_length_of_a_file() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n#[test]\nfn d() {}\n";
        let rust = RustText::new(text);
        assert_eq!(rust.lines_apart_from_tests(), 2);
        let names: Vec<_> = rust.functions().into_iter().map(|function| function.name).collect();
        assert_eq!(names, ["a", "c"]);
        assert_eq!(RustText::new("#[cfg(test)]\nmod tests;\nfn a() {}\n").lines_apart_from_tests(), 1);
        assert_eq!(RustText::new("#[cfg(test)]\nuse a::{b, c};\nfn a() {}\n").lines_apart_from_tests(), 1);
    }

    #[test]
    fn functions_are_measured_in_lines_of_code() {
        let text = concat!(
            "trait T { fn none(&self) -> [u8; 3]; }\n",
            "fn outer(\n    a: [u8; 3],\n) -> bool {\n\n    // a comment }\n    let s = \"}\";\n",
            "    fn inner() {}\n    s == \"\"\n}\n",
            "fn one() {}\n",
            "type F = fn(u8) -> u8;\n",
            "const G: fn(u8) -> u8 = |x| { x };\n",
        );
        let found: Vec<_> =
            RustText::new(text).functions().into_iter().map(|f| (f.name, f.line, f.code_lines)).collect();
        let expected = [("outer", 2, 7), ("inner", 8, 1), ("one", 11, 1)];
        assert_eq!(found, expected.map(|(name, line, lines)| (name.to_owned(), line, lines)));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_moves_a_byte(text in r#"[a-z{}()\[\];'"\\/*#\nrbcé ]{0,80}"#) {
            let rust = RustText::new(&text);
            prop_assert_eq!(rust.code.len(), text.len());
            prop_assert_eq!(rust.comments.len(), text.len());
            prop_assert_eq!(rust.code.lines().count(), text.lines().count());
            rust.functions();
        }
    }
}
