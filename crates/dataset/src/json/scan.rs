//! Finds the values of a JSON document one after another, without holding more than one of them.
//!
//! It only tells where a value ends; whether the value is well-formed is for its reader to say.

use std::io::{self, Read};
use std::rc::Rc;

use crate::bytes::{BLOCK_BYTES, Meter, ROW_BYTES_MAX};

/// A place in a stream of JSON.
pub(super) struct Scanner {
    source: Box<dyn Read>,
    meter: Rc<Meter>,
    block: Box<[u8]>,
    at: usize,
    end: usize,
    line: u64,
}

/// Why the next value could not be found.
#[derive(Debug)]
pub(super) enum ScanError {
    /// The system refused.
    Io(io::Error),
    /// Something else was expected at this line.
    Syntax { line: u64, what: String },
}

impl Scanner {
    pub(super) fn new(source: Box<dyn Read>, meter: &Rc<Meter>) -> Self {
        let block = vec![0; BLOCK_BYTES].into_boxed_slice();
        Self { source, meter: Rc::clone(meter), block, at: 0, end: 0, line: 1 }
    }

    /// The line of what comes next, spaces left out.
    pub(super) fn next_line(&mut self) -> Result<u64, ScanError> {
        self.peek()?;
        Ok(self.line)
    }

    /// The first byte of what comes next, spaces left out; `None` at the end.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, ScanError> {
        loop {
            while self.at < self.end {
                match self.block[self.at] {
                    b'\n' => self.line += 1,
                    b' ' | b'\t' | b'\r' => {}
                    byte => return Ok(Some(byte)),
                }
                self.at += 1;
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Passes over one of these signs, which must come next, and says which it was.
    pub(super) fn expect(&mut self, signs: &[u8]) -> Result<u8, ScanError> {
        let found = self.peek()?;
        match found {
            Some(byte) if signs.contains(&byte) => {
                self.at += 1;
                Ok(byte)
            }
            _ => {
                let signs: Vec<String> =
                    signs.iter().map(|sign| format!("`{}`", char::from(*sign))).collect();
                Err(self.unexpected(found, &signs.join(" or ")))
            }
        }
    }

    /// The error that something else was expected than what comes next.
    pub(super) fn unexpected(&self, found: Option<u8>, expected: &str) -> ScanError {
        let found = match found {
            None => "the end of the file".to_owned(),
            Some(byte @ 0x21..=0x7e) => format!("`{}`", char::from(byte)),
            Some(byte) => format!("the byte {byte:#04x}"),
        };
        self.error(format!("expected {expected}, found {found}"))
    }

    /// An error at the present line.
    pub(super) fn error(&self, what: String) -> ScanError {
        ScanError::Syntax { line: self.line, what }
    }

    /// The next value, as it is written.
    pub(super) fn value(&mut self, out: &mut Vec<u8>) -> Result<(), ScanError> {
        out.clear();
        self.pass(Some(out))
    }

    /// Passes over the next value, however large.
    pub(super) fn skip(&mut self) -> Result<(), ScanError> {
        self.pass(None)
    }

    fn pass(&mut self, mut out: Option<&mut Vec<u8>>) -> Result<(), ScanError> {
        let first = self.peek()?;
        let mut state = match first {
            Some(b'"' | b'{' | b'[') => State { depth: 0, place: Place::Before },
            Some(b'-' | b'0'..=b'9' | b'a'..=b'z') => State { depth: 0, place: Place::Word },
            other => return Err(self.unexpected(other, "a value")),
        };
        let began = self.line;
        loop {
            let (length, ended) = state.run(&self.block[self.at..self.end]);
            let part = &self.block[self.at..self.at + length];
            self.line += memchr::memchr_iter(b'\n', part).count() as u64;
            if let Some(out) = out.as_deref_mut() {
                out.extend_from_slice(part);
                if out.len() > ROW_BYTES_MAX {
                    let what = format!("a row of more than {} MiB begins here", ROW_BYTES_MAX >> 20);
                    return Err(ScanError::Syntax { line: began, what });
                }
            }
            self.at += length;
            if ended {
                return Ok(());
            }
            if !self.fill()? {
                if state.place == Place::Word {
                    return Ok(());
                }
                let what = "the value that begins here does not end".to_owned();
                return Err(ScanError::Syntax { line: began, what });
            }
        }
    }

    /// Reads the next block once the present one is used up.
    fn fill(&mut self) -> Result<bool, ScanError> {
        self.meter.row_complete();
        (self.at, self.end) = (0, self.source.read(&mut self.block).map_err(ScanError::Io)?);
        Ok(self.end > 0)
    }
}

/// Where in a value the scanner is.
struct State {
    depth: usize,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before a value, or between the parts of an object or array.
    Before,
    /// In a number, or in `true`, `false` or `null`.
    Word,
    /// In a string.
    Text,
    /// In a string, after a backslash.
    Escape,
}

impl State {
    /// Goes on through a block; says how many of its bytes belong to the value, and whether it ends with them.
    fn run(&mut self, block: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while at < block.len() {
            match self.place {
                Place::Text => match memchr::memchr2(b'"', b'\\', &block[at..]) {
                    None => return (block.len(), false),
                    Some(length) => {
                        let closes = block[at + length] == b'"';
                        at += length + 1;
                        self.place = if closes { Place::Before } else { Place::Escape };
                        if closes && self.depth == 0 {
                            return (at, true);
                        }
                    }
                },
                Place::Escape => {
                    at += 1;
                    self.place = Place::Text;
                }
                Place::Word => {
                    if !matches!(block[at], b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') {
                        return (at, true);
                    }
                    at += 1;
                }
                Place::Before => {
                    match block[at] {
                        b'"' => self.place = Place::Text,
                        b'{' | b'[' => self.depth += 1,
                        b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                        _ => {}
                    }
                    at += 1;
                    if self.depth == 0 && self.place == Place::Before {
                        return (at, true);
                    }
                }
            }
        }
        (at, false)
    }
}
