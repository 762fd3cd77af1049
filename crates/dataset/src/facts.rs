//! What a column was seen to hold, and the type that follows from it.

use kasoku_sql_plan::ColumnKind;

use crate::cell::{Cell, DateForm, Form, date_form, form_of, json_number, trim};
use crate::distinct::{DistinctEstimate, Uniqueness, hash_of};

/// Bytes of the example that is kept of a column.
const EXAMPLE_BYTES_MAX: usize = 40;

/// The largest whole number up to which a double holds all of them.
const EXACT_IN_DOUBLE: u64 = 1 << 53;

/// What was seen in a column, in bounded memory however many rows it has.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// Cells that hold something.
    filled: u64,
    /// Cells that hold a word for a missing value.
    missing: u64,
    seen: Seen,
    distinct: DistinctEstimate,
    uniqueness: Option<Uniqueness>,
    shortest: usize,
    longest: usize,
    dates: Option<DateForm>,
    not_dates: bool,
    example: Option<String>,
    first_text: Option<(u64, String)>,
}

/// Which forms were seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a set of forms, not a state")]
struct Seen {
    /// Whole numbers.
    integers: bool,
    /// Whole numbers that a double would round.
    wide_integers: bool,
    /// Whole numbers beyond 64 bits.
    oversized: bool,
    /// Decimal numbers.
    reals: bool,
    /// Truth values.
    truths: bool,
    /// Texts.
    texts: bool,
    /// Objects or arrays.
    documents: bool,
}

impl Facts {
    /// Nothing seen so far. Uniqueness is only watched where the column may become the key.
    pub(crate) fn new(may_be_key: bool) -> Self {
        Self {
            filled: 0,
            missing: 0,
            seen: Seen::default(),
            distinct: DistinctEstimate::new(),
            uniqueness: may_be_key.then(Uniqueness::new),
            shortest: usize::MAX,
            longest: 0,
            dates: None,
            not_dates: false,
            example: None,
            first_text: None,
        }
    }

    /// Takes note of a cell, in the row that begins at this line.
    pub(crate) fn add(&mut self, cell: &Cell<'_>, line: u64) {
        match cell {
            Cell::Null => {}
            Cell::Loose(text) => {
                match form_of(text) {
                    Form::Empty if text.is_empty() => {}
                    // Such a word, and spaces alone, are a text if the column turns out to be one of texts.
                    Form::Empty | Form::Missing => {
                        self.missing += 1;
                        self.add_value(trim(text), None);
                    }
                    form => self.add_form(form, trim(text), text, line),
                }
            }
            Cell::Text(text) => self.add_form(Form::Other, text, text, line),
            Cell::Number(text) => self.add_form(json_number(text), text, text, line),
            Cell::Boolean(truth) => {
                let text = if *truth { "true" } else { "false" };
                self.add_form(Form::Boolean(*truth), text, text, line);
            }
            Cell::Json(text) => self.add_form(Form::Json, text, text, line),
        }
    }

    fn add_form(&mut self, form: Form, trimmed: &str, text: &str, line: u64) {
        self.filled += 1;
        let mut number = None;
        match form {
            Form::Integer(value) => {
                number = Some(value);
                self.seen.integers = true;
                self.seen.wide_integers |= value.unsigned_abs() > EXACT_IN_DOUBLE;
            }
            Form::Oversized => self.seen.oversized = true,
            Form::Real(_) => self.seen.reals = true,
            Form::Boolean(_) => self.seen.truths = true,
            Form::Json => self.seen.documents = true,
            Form::Other | Form::Missing | Form::Empty => self.add_text(text, line),
        }
        self.add_value(trimmed, number);
        self.shortest = self.shortest.min(text.len());
        self.longest = self.longest.max(text.len());
        if self.example.is_none() && trimmed.len() <= EXAMPLE_BYTES_MAX {
            self.example = Some(trimmed.to_owned());
        }
    }

    fn add_value(&mut self, trimmed: &str, number: Option<i64>) {
        let hash = hash_of(trimmed);
        self.distinct.add(hash);
        if let Some(uniqueness) = &mut self.uniqueness {
            uniqueness.add(hash, number);
            if !uniqueness.is_proved() {
                self.uniqueness = None;
            }
        }
    }

    fn add_text(&mut self, text: &str, line: u64) {
        if !self.seen.texts {
            self.first_text = Some((line, text.chars().take(EXAMPLE_BYTES_MAX).collect()));
        }
        self.seen.texts = true;
        if self.not_dates {
            return;
        }
        match (date_form(text), self.dates) {
            (Some(found), None) => self.dates = Some(found),
            (Some(found), Some(before)) if found == before => {}
            _ => (self.not_dates, self.dates) = (true, None),
        }
    }

    /// The type that all of its cells have.
    pub(crate) fn kind(&self, origin: Origin) -> ColumnKind {
        let Seen { integers, wide_integers, oversized, reals, truths, texts, documents } = self.seen;
        let numbers = integers || oversized || reals;
        match [numbers, truths, texts, documents] {
            [true, false, false, false] => match (oversized, reals) {
                (true, _) => ColumnKind::Text,
                (false, true) if wide_integers => ColumnKind::Text,
                (false, true) => ColumnKind::Real,
                (false, false) => ColumnKind::Integer,
            },
            [false, true, false, false] => ColumnKind::Boolean,
            [false, false, false, true] => ColumnKind::Json,
            [false, false, _, false] => ColumnKind::Text,
            _ if origin == Origin::Untyped => ColumnKind::Text,
            // JSON says which is which, so nothing needs to become a text.
            [true, false, true, false] if !oversized => ColumnKind::Any,
            _ => ColumnKind::Json,
        }
    }

    /// How many of `rows` rows have no value, given the column's type.
    pub(crate) fn nulls(&self, kind: ColumnKind, rows: u64) -> u64 {
        let texts = if kind == ColumnKind::Text { self.missing } else { 0 };
        rows - (self.filled + texts).min(rows)
    }

    /// Whether no two of its cells are equal; only known if it was watched.
    pub(crate) fn unique(&self) -> bool {
        self.uniqueness.as_ref().is_some_and(Uniqueness::is_proved)
    }

    /// Whether it is still watched for equal cells.
    pub(crate) fn is_watched(&self) -> bool {
        self.uniqueness.is_some()
    }

    /// About how many different values there are.
    pub(crate) fn distinct(&self) -> u64 {
        self.distinct.count().min(self.filled + self.missing)
    }

    /// How many cells hold a word for a missing value, such as `NA`, or only spaces.
    pub(crate) fn missing(&self) -> u64 {
        self.missing
    }

    /// The length of the shortest cell in bytes.
    pub(crate) fn shortest(&self) -> usize {
        self.shortest
    }

    /// The length of the longest cell in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// The first value, if it is short.
    pub(crate) fn example(&self) -> Option<&str> {
        self.example.as_deref()
    }

    /// Which form of date all of its texts have.
    pub(crate) fn dates(&self) -> Option<DateForm> {
        if self.seen == (Seen { texts: true, ..Seen::default() }) && self.missing == 0 {
            self.dates
        } else {
            None
        }
    }

    /// If the column would be one of numbers but for some texts: the line and beginning of the first of them.
    pub(crate) fn spoiled_by(&self) -> Option<(u64, &str)> {
        let numbers = self.seen.integers || self.seen.reals;
        let (line, text) = self.first_text.as_ref()?;
        numbers.then_some((*line, text.as_str()))
    }

    /// Whether there are whole numbers that no number type holds.
    pub(crate) fn too_wide(&self) -> bool {
        self.seen.oversized || self.seen.reals && self.seen.wide_integers
    }
}

/// Whether a file's format tells numbers, texts and truth values apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// JSON does.
    Typed,
    /// Delimited text does not.
    Untyped,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cells: &[Cell<'_>], expected: (ColumnKind, u64)) {
        let origin = if cells.iter().any(|cell| matches!(cell, Cell::Loose(_))) {
            Origin::Untyped
        } else {
            Origin::Typed
        };
        let mut facts = Facts::new(true);
        for (cell, line) in cells.iter().zip(2..) {
            facts.add(cell, line);
        }
        let kind = facts.kind(origin);
        assert_eq!((kind, facts.nulls(kind, cells.len() as u64)), expected, "{cells:?}");
    }

    fn check_loose(cells: &[&str], expected: (ColumnKind, u64)) {
        check(&cells.iter().map(|text| Cell::Loose(text)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_column_of_text_gets_the_narrowest_type_that_loses_nothing() {
        use ColumnKind::{Boolean, Integer, Json, Real, Text};
        check_loose(&["1", "2", "", "-3"], (Integer, 1));
        check_loose(&["1", "2.5"], (Real, 0));
        check_loose(&["9007199254740993", "2.5"], (Text, 0));
        check_loose(&["9007199254740993", "2"], (Integer, 0));
        check_loose(&["18446744073709551616", "2"], (Text, 0));
        check_loose(&["1", "2", "NA", "null", "-", " "], (Integer, 4));
        check_loose(&["1", "2", "NA", "x"], (Text, 0));
        check_loose(&["x", "", "NA"], (Text, 1));
        check_loose(&["NA", "NA"], (Text, 0));
        check_loose(&["", ""], (Text, 2));
        check_loose(&["true", "False", ""], (Boolean, 1));
        check_loose(&["true", "1"], (Text, 0));
        check_loose(&["02134", "12345"], (Text, 0));
        check_loose(&["{}", "[1]", ""], (Json, 1));
        check_loose(&["{}", "1"], (Text, 0));
        check_loose(&["yes", "no"], (Text, 0));
    }

    #[test]
    fn a_column_of_json_keeps_what_json_says() {
        use ColumnKind::{Any, Boolean, Integer, Json, Real, Text};
        let text = |text: &'static str| Cell::Text(text.into());
        check(&[Cell::Number("1"), Cell::Null], (Integer, 1));
        check(&[Cell::Number("1"), Cell::Number("12E5")], (Real, 0));
        check(&[Cell::Number("18446744073709551616")], (Text, 0));
        check(&[text("1"), text("02134"), text("")], (Text, 0));
        check(&[text("NA"), Cell::Number("1")], (Any, 0));
        check(&[text("NA"), Cell::Number("18446744073709551616")], (Json, 0));
        check(&[Cell::Boolean(true)], (Boolean, 0));
        check(&[Cell::Boolean(true), Cell::Number("1")], (Json, 0));
        check(&[Cell::Json("[]"), text("a")], (Json, 0));
        check(&[Cell::Null], (Text, 1));
    }

    #[test]
    fn the_first_text_among_numbers_is_remembered_with_its_line() {
        let mut facts = Facts::new(false);
        for (text, line) in ["1", "2", "02134", "x"].into_iter().zip(2..) {
            facts.add(&Cell::Loose(text), line);
        }
        assert_eq!(facts.spoiled_by(), Some((4, "02134")));
    }
}
