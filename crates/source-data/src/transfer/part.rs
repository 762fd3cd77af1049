//! What is read of a list at a time: some rows, in a statement of their own.
//!
//! A part is as many rows as have about [`BYTES_AIM`] together, judged by the part before; and whatever rows are like,
//! reading ends at [`BYTES_MOST`]. So what an export holds depends neither on how many rows there are nor on how large
//! they are, but for a single one.

use std::sync::Arc;
use std::time::Instant;

use kasoku_database::{DatabaseError, ReadTransaction, Rows, Statement};
use kasoku_problem::Problem;
use kasoku_sql_plan::{CursorKey, ListPlan, Value, Walk};

use crate::lanes::Planned;
use crate::nested::{Embedded, Excess, Sheet};
use crate::render;
use crate::table::Table;

/// Bytes that a part should have.
const BYTES_AIM: usize = 128 << 10;
/// Bytes after which no row is added to a part.
const BYTES_MOST: usize = 512 << 10;
/// Rows of the first part, of which nothing is known.
const ROWS_FIRST: u32 = 64;
/// How many times as many rows a part may have as the one before.
const GROWTH: u32 = 4;

/// Rows of a list.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// The rows as JSON, one behind the other.
    text: Vec<u8>,
    ends: Vec<usize>,
    /// As many values for each row as the sort has terms.
    positions: Vec<Value>,
    /// Whether there are more rows than these.
    pub(super) goes_on: bool,
    sheet: Option<Sheet>,
    excess: Option<Excess>,
}

/// Reads a list part by part.
pub(super) struct Reader {
    table: Arc<Table>,
    walk: Walk,
    /// Rows that are still to come at the most.
    left: u64,
    /// Rows of the next part.
    rows: u32,
    rows_most: u32,
    until: Option<Instant>,
}

impl Reader {
    pub(super) fn new(table: &Arc<Table>, walk: Walk, rows_most: u32, until: Option<Instant>) -> Self {
        let left = walk.rows_most().map_or(u64::MAX, u64::from);
        let rows = ROWS_FIRST.min(rows_most);
        Self { table: Arc::clone(table), walk, left, rows, rows_most, until }
    }

    /// The next part, and how it was planned. Behind the last one there is none to be asked for.
    pub(super) async fn next(&mut self) -> Result<(Part, Arc<ListPlan>), Problem> {
        loop {
            let rows = u32::try_from(self.left).map_or(self.rows, |left| left.min(self.rows));
            let plan = Arc::new(self.table.planner.next_rows(&mut self.walk, rows, &self.table.cursors)?);
            let mut part = self.read(&plan).await?;
            match part.excess.take() {
                // What is embedded in fewer rows is less.
                Some(Excess::Total(_)) if part.rows() > 1 => {
                    self.rows_most = rows.min(part.rows() as u32) / 2;
                    self.rows = self.rows_most;
                    continue;
                }
                Some(excess) => return Err(excess.into()),
                None => {}
            }
            self.left -= part.rows() as u64;
            part.goes_on &= self.left > 0 && part.rows() > 0;
            if part.goes_on {
                self.walk.go_on(part.cursor(part.rows() - 1, &plan, &self.table.cursors)?);
                let each = (part.text.len() / part.rows()).max(1);
                let fitting = u32::try_from(BYTES_AIM / each).unwrap_or(u32::MAX);
                self.rows = fitting.min(self.rows.saturating_mul(GROWTH)).clamp(1, self.rows_most);
            }
            return Ok((part, plan));
        }
    }

    async fn read(&self, plan: &Arc<ListPlan>) -> Result<Part, Problem> {
        let (reading, lanes) = (Arc::clone(plan), &self.table.lanes);
        let part = if plan.nest.is_none() && plan.follow_up(0).is_none() {
            let read = move |rows: &mut Rows<'_>| {
                let mut part = Part::default();
                part.add(rows, &reading)?;
                Ok(part)
            };
            lanes
                .read_apart(&statement(&plan.statement), plan.statement.params.clone(), self.until, read)
                .await
        } else {
            let most = u64::from(self.table.planner.embed_rows_most());
            let read = move |transaction: &mut ReadTransaction<'_>| Part::gather(transaction, &reading, most);
            lanes.read_many_apart(self.until, read).await
        };
        part.map_err(DatabaseError::problem_of_asking)
    }
}

impl Part {
    /// How many rows it has.
    pub(super) fn rows(&self) -> usize {
        self.ends.len()
    }

    /// A row as JSON.
    pub(super) fn row(&self, row: usize) -> &[u8] {
        let begin = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[begin..self.ends[row]]
    }

    /// How many bytes its rows have as JSON.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The cursor of what comes behind a row.
    pub(super) fn cursor(&self, row: usize, plan: &ListPlan, cursors: &CursorKey) -> Result<String, Problem> {
        let terms = plan.positions().len();
        plan.behind(self.positions[row * terms..(row + 1) * terms].to_vec(), cursors)
    }

    fn gather(
        transaction: &mut ReadTransaction<'_>,
        plan: &ListPlan,
        embed_rows_most: u64,
    ) -> Result<Self, DatabaseError> {
        let mut part = Self { sheet: plan.nest.as_ref().map(Sheet::of), ..Self::default() };
        transaction
            .query(&statement(&plan.statement), &plan.statement.params, |rows| part.add(rows, plan))?;
        if !part.goes_on
            && let Some(rest) = plan.follow_up(part.ends.len())
        {
            transaction.query(&statement(&rest), &rest.params, |rows| part.add(rows, plan))?;
        }
        if let (Some(nest), Some(sheet)) = (&plan.nest, part.sheet.take()) {
            match Embedded::read(transaction, nest, &sheet, sheet.len(), embed_rows_most)? {
                Err(excess) => part.excess = Some(excess),
                Ok(embedded) => {
                    for (row, end) in part.ends.iter_mut().enumerate() {
                        embedded.write(&mut part.text, nest, &sheet, row);
                        *end = part.text.len();
                    }
                }
            }
        }
        Ok(part)
    }

    fn add(&mut self, rows: &mut Rows<'_>, plan: &ListPlan) -> Result<(), DatabaseError> {
        while let Some(row) = rows.next()? {
            let bytes = self.sheet.as_ref().map_or(self.text.len(), Sheet::bytes);
            if self.ends.len() == plan.limit as usize || bytes >= BYTES_MOST {
                self.goes_on = true;
                return Ok(());
            }
            match &mut self.sheet {
                Some(sheet) => sheet.add(row),
                None => render::row(&mut self.text, &plan.columns, row),
            }
            self.ends.push(self.text.len());
            self.positions.extend(plan.positions().iter().map(|place| row.get(*place).to_value()));
        }
        self.goes_on |= rows.is_cut();
        Ok(())
    }
}

fn statement(planned: &Planned) -> Statement {
    Statement::new(Arc::clone(&planned.name), Arc::clone(&planned.sql)).about_bytes(BYTES_MOST as u64)
}
