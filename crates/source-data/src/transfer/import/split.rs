//! A body that comes in pieces, divided into records: lines, or elements of an array.
//!
//! No more is held than the record that is being received, and that has a limit. What a record says is not looked at here
//! beyond what tells where it ends.

use kasoku_problem::{Kind, Problem};

use super::ImportFormat;

/// Divides a body.
pub(super) struct Splitter {
    state: State,
    /// Bytes that belong to the record being received, and may go on behind it.
    buffer: Vec<u8>,
    /// How many of them were looked at.
    seen: usize,
    /// Where the record begins, counted from 1.
    line: u64,
    record_bytes_max: usize,
}

/// A record, and the line where it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) bytes: Vec<u8>,
    pub(super) line: u64,
}

/// Where in the grammar the last byte left off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Of lines of text.
    Field(Field),
    /// Of lines.
    Line,
    /// Of an array: what comes next around its elements.
    Around(Next),
    /// Of an array: within an element, so many brackets deep.
    Element { depth: usize, text: Text },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Begins,
    Plain,
    Quoted,
    /// Behind a quote that ends the field, unless it is one of two.
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Array,
    First,
    Element,
    CommaOrEnd,
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    Escaped,
}

/// What a byte is to the record.
enum Step {
    Within,
    /// The record ends behind it.
    Ends,
    /// It belongs to no record.
    Apart,
}

impl Splitter {
    pub(super) fn new(format: ImportFormat, record_bytes_max: usize) -> Self {
        let state = match format {
            ImportFormat::Csv => State::Field(Field::Begins),
            ImportFormat::Ndjson => State::Line,
            ImportFormat::Json => State::Around(Next::Array),
        };
        Self { state, buffer: Vec::new(), seen: 0, line: 1, record_bytes_max }
    }

    /// Takes in what has come.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next record, if it has come to its end.
    ///
    /// # Errors
    /// The body cannot be divided any further.
    pub(super) fn next(&mut self) -> Result<Option<Record>, Problem> {
        while let Some(byte) = self.buffer.get(self.seen).copied() {
            self.seen += 1;
            match self.step(byte)? {
                Step::Within if self.seen > self.record_bytes_max => {
                    let detail =
                        format!("line {}: a row may have at most {} bytes", self.line, self.record_bytes_max);
                    return Err(Problem::new(Kind::BodyTooLarge).detail(detail).member("line", self.line));
                }
                Step::Within => {}
                Step::Ends => return Ok(Some(self.take())),
                Step::Apart => drop(self.take()),
            }
        }
        Ok(None)
    }

    /// What is left when the body has come to its end.
    ///
    /// # Errors
    /// It ends within something.
    pub(super) fn finish(&mut self) -> Result<Option<Record>, Problem> {
        match self.state {
            State::Around(Next::Nothing) => Ok(None),
            State::Around(_) | State::Element { .. } => Err(self.broken("the array does not end")),
            State::Field(Field::Quoted) => Err(self.broken("a quoted field does not end")),
            State::Field(_) | State::Line => Ok((!self.buffer.is_empty()).then(|| self.take())),
        }
    }

    fn take(&mut self) -> Record {
        let rest = self.buffer.split_off(self.seen);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        self.seen = 0;
        let line = self.line;
        self.line += bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        Record { bytes, line }
    }

    fn step(&mut self, byte: u8) -> Result<Step, Problem> {
        let (state, step) = match (self.state, byte) {
            (State::Line, b'\n') => (State::Line, Step::Ends),
            (State::Line, _) => (State::Line, Step::Within),
            (State::Field(field), byte) => {
                let (field, step) = in_field(field, byte);
                (State::Field(field), step)
            }
            (State::Around(next), byte) => return self.around(next, byte),
            (State::Element { depth, text }, byte) => in_element(depth, text, byte),
        };
        self.state = state;
        Ok(step)
    }

    fn around(&mut self, next: Next, byte: u8) -> Result<Step, Problem> {
        if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            return Ok(Step::Apart);
        }
        let next = match (next, byte) {
            (Next::Array, b'[') => Next::First,
            (Next::First | Next::CommaOrEnd, b']') => Next::Nothing,
            (Next::CommaOrEnd, b',') => Next::Element,
            (Next::First | Next::Element, b'{') => {
                self.state = State::Element { depth: 1, text: Text::Outside };
                return Ok(Step::Within);
            }
            (Next::Array, _) => return Err(self.broken("an array is expected")),
            (Next::First | Next::Element, _) => return Err(self.broken("an object is expected")),
            (Next::CommaOrEnd, _) => return Err(self.broken("a comma or the end of the array is expected")),
            (Next::Nothing, _) => return Err(self.broken("something comes behind the array")),
        };
        self.state = State::Around(next);
        Ok(Step::Apart)
    }

    fn broken(&self, what: &str) -> Problem {
        let detail = format!("line {}: {what}", self.line);
        Problem::new(Kind::InvalidBody).detail(detail).member("line", self.line)
    }
}

fn in_field(field: Field, byte: u8) -> (Field, Step) {
    match (field, byte) {
        (Field::Quoted, b'"') => (Field::Ended, Step::Within),
        (Field::Begins | Field::Ended, b'"') | (Field::Quoted, _) => (Field::Quoted, Step::Within),
        (_, b'\n') => (Field::Begins, Step::Ends),
        (_, b',') => (Field::Begins, Step::Within),
        _ => (Field::Plain, Step::Within),
    }
}

fn in_element(depth: usize, text: Text, byte: u8) -> (State, Step) {
    let within = |depth, text| (State::Element { depth, text }, Step::Within);
    match (text, byte) {
        (Text::Inside, b'\\') => within(depth, Text::Escaped),
        (Text::Inside, b'"') => within(depth, Text::Outside),
        (Text::Escaped | Text::Inside, _) | (Text::Outside, b'"') => within(depth, Text::Inside),
        (Text::Outside, b'{' | b'[') => within(depth + 1, Text::Outside),
        (Text::Outside, b'}' | b']') if depth == 1 => (State::Around(Next::CommaOrEnd), Step::Ends),
        (Text::Outside, b'}' | b']') => within(depth - 1, Text::Outside),
        (Text::Outside, _) => within(depth, Text::Outside),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Divides a text that comes in pieces of this size.
    fn split(format: ImportFormat, text: &[u8], size: usize) -> Result<Vec<(u64, String)>, String> {
        let mut splitter = Splitter::new(format, 100);
        let mut found = Vec::new();
        let told = |problem: Problem| problem.detail_text().unwrap_or_default().to_owned();
        for piece in text.chunks(size.max(1)) {
            splitter.push(piece);
            while let Some(record) = splitter.next().map_err(told)? {
                found.push(record);
            }
        }
        found.extend(splitter.finish().map_err(told)?);
        let texts = found.into_iter();
        Ok(texts.map(|record| (record.line, String::from_utf8_lossy(&record.bytes).into_owned())).collect())
    }

    #[test]
    fn records_are_the_same_however_they_come() {
        let check = |format, text: &str, expected: &[(u64, &str)]| {
            let expected: Vec<_> = expected.iter().map(|(line, text)| (*line, (*text).to_owned())).collect();
            for size in 1..text.len() + 2 {
                assert_eq!(split(format, text.as_bytes(), size), Ok(expected.clone()), "{text:?} by {size}");
            }
        };
        let (csv, ndjson, json) = (ImportFormat::Csv, ImportFormat::Ndjson, ImportFormat::Json);
        check(
            csv,
            "a,b\r\n1,\"x\ny\"\n2,\"\"\"\n\"\n3,",
            &[(1, "a,b\r\n"), (2, "1,\"x\ny\"\n"), (4, "2,\"\"\"\n\"\n"), (6, "3,")],
        );
        check(csv, "", &[]);
        check(ndjson, "{\"a\":1}\n\n{\"a\":2}", &[(1, "{\"a\":1}\n"), (2, "\n"), (3, "{\"a\":2}")]);
        check(
            json,
            " [\n{\"a\": \"}]\\\"\"},\n {\"b\": [{}, []]}] \n",
            &[(2, "{\"a\": \"}]\\\"\"}"), (3, "{\"b\": [{}, []]}")],
        );
        check(json, "[]", &[]);
    }

    #[test]
    fn what_cannot_be_divided_is_told_with_its_line() {
        let check = |format, text: &str, mentions: &str| {
            let said = split(format, text.as_bytes(), 3).unwrap_err();
            assert!(said.contains(mentions), "{text:?}: {said}");
        };
        let (csv, ndjson, json) = (ImportFormat::Csv, ImportFormat::Ndjson, ImportFormat::Json);
        check(csv, "a\nb\n\"c\n", "line 3: a quoted field does not end");
        check(csv, &format!("a\n{}", "x".repeat(200)), "line 2: a row may have at most 100 bytes");
        check(ndjson, &"x".repeat(200), "line 1: a row may have at most 100 bytes");
        check(json, "", "the array does not end");
        check(json, "{}", "an array is expected");
        check(json, "[{}\n{}]", "line 2: a comma");
        check(json, "[1]", "an object is expected");
        check(json, "[{},]", "an object is expected");
        check(json, "[{}", "the array does not end");
        check(json, "[{\"a\": \"", "the array does not end");
        check(json, "[] []", "something comes behind");
    }

    proptest! {
        #[test]
        fn any_bytes_are_divided_alike_however_they_come(text: Vec<u8>, size in 1_usize..9) {
            for format in [ImportFormat::Csv, ImportFormat::Ndjson, ImportFormat::Json] {
                prop_assert_eq!(split(format, &text, size), split(format, &text, usize::MAX));
            }
        }
    }
}
