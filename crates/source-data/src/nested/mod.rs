//! Rows inside of rows: what is embedded is read by one more statement for each embed, and put where it belongs.
//!
//! A row of any level is kept as the texts of its values, one behind the other. Once all levels are read, members are
//! written in the order in which they were selected, each text copied once.

mod sheet;
mod write;

use std::collections::HashMap;
use std::sync::Arc;

use kasoku_coherence::Tag;
use kasoku_database::{DatabaseError, ReadTransaction, Rows, Statement, WriteTransaction};
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::{EmbedPlan, Nest, Value};

use crate::lanes::Planned;
pub(crate) use sheet::Sheet;

/// What statements of one transaction run on.
pub(crate) trait Reads {
    /// Runs a statement.
    fn read<T>(
        &mut self,
        statement: &Statement,
        params: &[Value],
        read: impl FnOnce(&mut Rows<'_>) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError>;
}

/// Rows that belong to rows of the level above.
pub(crate) struct Branch {
    sheet: Sheet,
    /// For each row above, the group that belongs to it, if any row does.
    groups: Vec<Option<usize>>,
    /// The rows of each group.
    rows: Vec<Vec<usize>>,
    branches: Vec<Branch>,
}

/// What is read of all embeds of an answer.
pub(crate) struct Embedded {
    branches: Vec<Branch>,
    /// What the answer depends on for it.
    pub(crate) tags: Vec<Tag>,
}

/// Why embeds cannot be answered.
#[derive(Debug, Clone)]
pub(crate) enum Excess {
    /// All of them have more rows together than an answer may hold.
    Total(u64),
    /// One row has more of them than it may.
    Within { name: Arc<str>, most: u32 },
    /// A row is known by bytes.
    Unfit { name: Arc<str> },
}

impl Embedded {
    /// Reads what belongs to the first `count` rows of a sheet.
    pub(crate) fn read(
        reads: &mut impl Reads,
        nest: &Nest,
        sheet: &Sheet,
        count: usize,
        rows_most: u64,
    ) -> Result<Result<Self, Excess>, DatabaseError> {
        let mut reader = Reader { reads, left: rows_most, most: rows_most, tags: Vec::new() };
        Ok(match reader.level(nest, sheet, count) {
            Ok(branches) => {
                reader.tags.sort_unstable();
                reader.tags.dedup();
                Ok(Self { branches, tags: reader.tags })
            }
            Err(Stopped::Excess(excess)) => Err(excess),
            Err(Stopped::Database(error)) => return Err(error),
        })
    }

    /// Writes one row of the sheet as an object, with what is embedded in it.
    pub(crate) fn write(&self, out: &mut Vec<u8>, nest: &Nest, sheet: &Sheet, row: usize) {
        out.push(b'{');
        write::members(out, nest, sheet, row, &self.branches);
        out.push(b'}');
    }
}

/// Writes all rows of a sheet, with what is embedded in them and commas between.
pub(crate) fn append(
    reads: &mut impl Reads,
    nest: &Nest,
    sheet: &Sheet,
    rows_most: u64,
    out: &mut Vec<u8>,
) -> Result<Result<(), Excess>, DatabaseError> {
    let embedded = Embedded::read(reads, nest, sheet, sheet.len(), rows_most)?;
    Ok(embedded.map(|embedded| {
        for row in 0..sheet.len() {
            out.extend_from_slice(if row > 0 { b"," } else { b"" });
            embedded.write(out, nest, sheet, row);
        }
    }))
}

/// Reads the levels, the upper before the lower.
struct Reader<'r, R> {
    reads: &'r mut R,
    /// Rows that may still be read.
    left: u64,
    most: u64,
    tags: Vec<Tag>,
}

enum Stopped {
    Database(DatabaseError),
    Excess(Excess),
}

impl<R: Reads> Reader<'_, R> {
    fn level(&mut self, nest: &Nest, sheet: &Sheet, count: usize) -> Result<Vec<Branch>, Stopped> {
        nest.embeds.iter().map(|embed| self.branch(embed, sheet, count)).collect()
    }

    fn branch(&mut self, embed: &EmbedPlan, sheet: &Sheet, count: usize) -> Result<Branch, Stopped> {
        let (groups, keys) = keys(embed, sheet, count);
        self.tags.extend(embed.purge_tags());
        if keys.is_empty() {
            let (sheet, branches) = (Sheet::of(&embed.nest), Vec::new());
            return Ok(Branch { sheet, groups, rows: Vec::new(), branches });
        }
        let unfit = |_| Stopped::Excess(Excess::Unfit { name: Arc::clone(&embed.name) });
        let planned = embed.statement(&keys, self.left).map_err(unfit)?;
        let mut below = Sheet::of(&embed.nest);
        let (mut rows, mut fars) = (vec![Vec::new(); keys.len()], Vec::new());
        self.run(&planned, |found| {
            while let Some(row) = found.next()? {
                fars.push(embed.far.iter().map(|place| row.get(*place).to_value()).collect::<Vec<_>>());
                if embed.present.is_some_and(|place| row.get(place).is_null()) {
                    continue;
                }
                let group = row.get(0).as_integer().and_then(|place| usize::try_from(place).ok());
                if let Some(group) = group.and_then(|group| rows.get_mut(group)) {
                    group.push(below.len());
                    below.add(row);
                }
            }
            Ok(())
        })?;
        let read = fars.len() as u64;
        let Some(left) = self.left.checked_sub(read) else {
            return Err(Stopped::Excess(Excess::Total(self.most)));
        };
        self.left = left;
        if !embed.limited && embed.many && rows.iter().any(|rows| rows.len() > embed.most as usize) {
            let (name, most) = (Arc::clone(&embed.name), embed.most);
            return Err(Stopped::Excess(Excess::Within { name, most }));
        }
        fars.sort_by(compare);
        fars.dedup();
        fars.retain(|far| !far.is_empty() && !far.contains(&Value::Null));
        embed.tags(&keys, &fars, &mut self.tags);
        let branches = self.level(&embed.nest, &below, below.len())?;
        Ok(Branch { sheet: below, groups, rows, branches })
    }

    fn run(
        &mut self,
        planned: &Planned,
        read: impl FnOnce(&mut Rows<'_>) -> Result<(), DatabaseError>,
    ) -> Result<(), Stopped> {
        let statement = Statement::new(Arc::clone(&planned.name), Arc::clone(&planned.sql));
        self.reads.read(&statement, &planned.params, read).map_err(Stopped::Database)
    }
}

/// The keys that lead from the rows of a sheet to others, each once, and which of them is each row's. Where a part of
/// it is NULL, nothing belongs to the row.
fn keys(embed: &EmbedPlan, sheet: &Sheet, count: usize) -> (Vec<Option<usize>>, Vec<Vec<Value>>) {
    let (mut known, mut keys) = (HashMap::new(), Vec::new());
    let mut bytes = Vec::new();
    let key_of = |row: usize| {
        let key: Vec<Value> = embed.near.iter().map(|place| sheet.value(row, *place).clone()).collect();
        if key.contains(&Value::Null) {
            return None;
        }
        bytes.clear();
        for value in &key {
            sheet::identify(value, &mut bytes);
        }
        Some(*known.entry(bytes.clone()).or_insert_with(|| {
            keys.push(key);
            keys.len() - 1
        }))
    };
    let groups = (0..count).map(key_of).collect();
    (groups, keys)
}

fn compare(one: &Vec<Value>, other: &Vec<Value>) -> std::cmp::Ordering {
    let bytes = |values: &Vec<Value>| {
        let mut bytes = Vec::new();
        for value in values {
            sheet::identify(value, &mut bytes);
        }
        bytes
    };
    bytes(one).cmp(&bytes(other))
}

impl Reads for ReadTransaction<'_> {
    fn read<T>(
        &mut self,
        statement: &Statement,
        params: &[Value],
        read: impl FnOnce(&mut Rows<'_>) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        self.query(statement, params, read)
    }
}

impl Reads for WriteTransaction<'_> {
    fn read<T>(
        &mut self,
        statement: &Statement,
        params: &[Value],
        read: impl FnOnce(&mut Rows<'_>) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        self.query(statement, params, read)
    }
}

impl From<Excess> for Problem {
    fn from(excess: Excess) -> Self {
        let problem = |detail: String| Self::new(Kind::InvalidParameter).detail(detail);
        match excess {
            Excess::Total(most) => problem(format!(
                "more than {most} rows would be embedded; ask for fewer rows, or limit what is embedded in each"
            ))
            .member("parameter", "select")
            .member("most", most),
            Excess::Within { name, most } => {
                problem(format!("a row has more than {most} rows of `{name}`; say how many are wanted, as in `{name}.limit={most}`"))
                    .member("parameter", format!("{name}.limit"))
                    .member("most", most)
            }
            Excess::Unfit { name } => Self::new(Kind::Internal)
                .detail(format!("a row that `{name}` belongs to is known by bytes, by which none can be embedded")),
        }
    }
}
