//! TOML text to tree.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Entry, Node, Value};
use crate::diagnostic::{Finding, Findings, Place, WHOLE_FILE};

/// Reads as much of a text as can be read; what cannot is found.
pub(crate) fn read(text: &str, source: usize, findings: &mut Findings) -> Node {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        let span = visible(text, span);
        let key = key_near(text, span.start);
        let (message, expected) = split(error.message());
        let mut finding = Finding::error(message);
        if let Some(expected) = expected {
            finding = finding.label(expected);
        }
        findings.add(key, Place { text: source, span }, finding);
    }
    let mut reader = Reader { source, text, too_large: Vec::new() };
    let value = reader.table(table.into_inner());
    for place in reader.too_large {
        let key = key_near(text, place.span.start);
        findings.add(key, place, Finding::error("the number is too large").label("expected up to 64 bits"));
    }
    Node { place: Place::start_of(source), value }
}

struct Reader<'a> {
    source: usize,
    text: &'a str,
    too_large: Vec<Place>,
}

impl Reader<'_> {
    fn table(&mut self, table: DeTable<'_>) -> Value {
        let each = |(key, value): (Spanned<std::borrow::Cow<'_, str>>, Spanned<DeValue<'_>>)| {
            let key_place = self.place(key.span());
            let node = self.node(value, &key_place);
            (key.into_inner().into_owned(), Entry { key: key_place, node })
        };
        Value::Table(table.into_iter().map(each).collect::<BTreeMap<_, _>>())
    }

    fn node(&mut self, value: Spanned<DeValue<'_>>, key: &Place) -> Node {
        let span = value.span();
        let place = if span.is_empty() { key.clone() } else { self.place(span) };
        let value = match value.into_inner() {
            DeValue::String(text) => Value::String(text.into_owned()),
            DeValue::Integer(number) => {
                Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or_else(|_| {
                    self.too_large.push(place.clone());
                    0
                }))
            }
            DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(answer) => Value::Boolean(answer),
            DeValue::Datetime(date) => Value::Datetime(date.to_string()),
            DeValue::Array(values) => {
                Value::Array(values.into_iter().map(|value| self.node(value, &place)).collect())
            }
            DeValue::Table(table) => self.table(table),
        };
        Node { place, value }
    }

    fn place(&self, span: std::ops::Range<usize>) -> Place {
        Place { text: self.source, span: visible(self.text, span) }
    }
}

/// The part of a span that can be underlined: without the line breaks around it, and never past the text.
fn visible(text: &str, span: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let start = span.start.min(text.len());
    let end = span.end.clamp(start, text.len());
    let part = text.get(start..end).unwrap_or("");
    start..start + part.trim_end_matches(['\n', '\r']).len()
}

/// The parser's message and what it expected.
fn split(message: &str) -> (String, Option<String>) {
    match message.split_once(", expected ") {
        Some((message, expected)) if !expected.is_empty() && expected != "nothing" => {
            (message.to_owned(), Some(format!("expected {expected}")))
        }
        Some((message, _)) => (message.to_owned(), None),
        None => (message.to_owned(), None),
    }
}

/// The setting that a broken line is about, as far as its look tells: the header above, and the word that the line
/// begins with. A text in quotes is no name here: it may be a value that lost its key.
fn key_near(text: &str, at: usize) -> String {
    let line_end = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |found| at + found);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let word = |line: &'_ str| line.find(|c| !is_name(c)).unwrap_or(line.len());
    let (mut section, mut key) = ("", "");
    for line in text.get(..line_end).unwrap_or(text).lines().map(str::trim) {
        if line.starts_with('[') {
            let inner = line.trim_start_matches(['[', ' ']);
            (section, key) = (&inner[..word(inner)], "");
        } else if !line.is_empty() && !line.starts_with('#') {
            key = &line[..word(line)];
        }
    }
    let named: Vec<&str> = [section, key].into_iter().filter(|part| !part.is_empty()).collect();
    if named.is_empty() { WHOLE_FILE.to_owned() } else { named.join(".") }
}
