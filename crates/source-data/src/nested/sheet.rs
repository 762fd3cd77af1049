//! Rows as the texts of their values, and the values by which other rows belong to them.

use kasoku_database::Row;
use kasoku_database::json::ExactNumbers;
use kasoku_sql_plan::{ColumnKind, Member, Nest, Value};

/// Rows of one level.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    /// The values to show as JSON, one behind the other.
    text: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    /// Places of the values to show in a row of the statement, and their kinds.
    shown: Vec<(usize, ColumnKind)>,
    /// Places of the values to keep.
    kept: Vec<usize>,
    values: Vec<Value>,
    rows: usize,
}

impl Sheet {
    /// A sheet for rows of this form.
    pub(crate) fn of(nest: &Nest) -> Self {
        Self::with(nest, &[])
    }

    /// The same, where values at these places are needed, too.
    pub(crate) fn with(nest: &Nest, further: &[usize]) -> Self {
        let shown = nest.members.iter().filter_map(|member| match member {
            Member::Column { place, output } => Some((*place, output.kind)),
            Member::Embed(_) => None,
        });
        let mut kept: Vec<usize> = Vec::new();
        for place in nest.embeds.iter().flat_map(|embed| &embed.near).chain(further) {
            if !kept.contains(place) {
                kept.push(*place);
            }
        }
        Self { shown: shown.collect(), kept, ..Self::default() }
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, row: Row<'_>) {
        for (place, kind) in &self.shown {
            row.write_json(*place, *kind, ExactNumbers::AsNumbers, &mut self.text);
            self.ends.push(self.text.len());
        }
        self.values.extend(self.kept.iter().map(|place| row.get(*place).to_value()));
        self.rows += 1;
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// How many bytes of text it has.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The JSON of the value that was shown at this place among those shown.
    pub(super) fn shown(&self, row: usize, place: usize) -> &[u8] {
        let at = row * self.shown.len() + place;
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[begin..self.ends[at]]
    }

    /// A value that was kept, by its place in the statement's row.
    pub(crate) fn value(&self, row: usize, place: usize) -> &Value {
        let kept = self.kept.iter().position(|kept| *kept == place).expect("only what was kept is asked for");
        &self.values[row * self.kept.len() + kept]
    }
}

/// Adds bytes that tell a value from others.
pub(super) fn identify(value: &Value, out: &mut Vec<u8>) {
    let (kind, bytes): (u8, &[u8]) = match value {
        Value::Null => (0, &[]),
        Value::Integer(number) => (1, &number.to_be_bytes()),
        Value::Real(number) => (2, &number.to_bits().to_be_bytes()),
        Value::Text(text) => (3, text.as_bytes()),
        Value::Blob(bytes) => (4, bytes),
    };
    out.push(kind);
    out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}
