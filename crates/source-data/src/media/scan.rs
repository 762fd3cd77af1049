//! Walks over JSON that was written here, so that it is known to be whole and needs no tree.

/// How deep objects and arrays are looked into; what is deeper stays as it is.
const DEPTH_MAX: usize = 64;

/// A place in a text.
struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

/// The elements of an array, each as its text.
pub(super) fn elements(array: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut scanner = Scanner { text: array, at: 0 };
    scanner.open();
    std::iter::from_fn(move || scanner.element())
}

/// The members of an object: names as they are written, quotes included, and values as their text.
pub(super) fn members(object: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut scanner = Scanner { text: object, at: 0 };
    scanner.open();
    std::iter::from_fn(move || scanner.member())
}

/// The same text without the members that are `null`, at any depth. Elements of arrays stay.
pub(super) fn without_nulls(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    strip(value, DEPTH_MAX, &mut out);
    out
}

fn strip(value: &[u8], depth: usize, out: &mut Vec<u8>) {
    match value.first() {
        Some(b'{') if depth > 0 => {
            out.push(b'{');
            for (place, (name, value)) in members(value).filter(|(_, value)| *value != b"null").enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(name);
                out.push(b':');
                strip(value, depth - 1, out);
            }
            out.push(b'}');
        }
        Some(b'[') if depth > 0 => {
            out.push(b'[');
            for (place, value) in elements(value).enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                strip(value, depth - 1, out);
            }
            out.push(b']');
        }
        _ => out.extend_from_slice(value),
    }
}

impl<'a> Scanner<'a> {
    /// Steps behind the bracket or brace at the beginning.
    fn open(&mut self) {
        self.space();
        self.at += 1;
    }

    fn element(&mut self) -> Option<&'a [u8]> {
        self.next_begins().then(|| self.value())
    }

    fn member(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        self.next_begins().then(|| {
            let name = self.value();
            self.space();
            // The colon.
            self.at += 1;
            (name, self.value())
        })
    }

    /// Whether something comes before the end; steps over the comma before it.
    fn next_begins(&mut self) -> bool {
        self.space();
        if self.text.get(self.at) == Some(&b',') {
            self.at += 1;
            self.space();
        }
        !matches!(self.text.get(self.at), None | Some(b']' | b'}'))
    }

    /// Steps over one value of any kind.
    fn value(&mut self) -> &'a [u8] {
        self.space();
        let from = self.at;
        let mut depth = 0_usize;
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'"' => self.string(),
                b'[' | b'{' => {
                    depth += 1;
                    self.at += 1;
                }
                b']' | b'}' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => break,
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            if depth == 0 {
                break;
            }
        }
        if self.at == from {
            // What begins no value is stepped over all the same, so that every walk ends.
            self.at += 1;
        }
        self.text.get(from..self.at).unwrap_or_default()
    }

    fn string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.text.get(self.at) {
            self.at += match byte {
                b'\\' => 2,
                _ => 1,
            };
            if *byte == b'"' {
                break;
            }
        }
        self.at = self.at.min(self.text.len());
    }

    fn space(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }
}
