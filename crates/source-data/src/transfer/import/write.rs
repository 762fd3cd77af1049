//! Rows into the table, several to a statement; where those fail, one by one, so that the row at fault has a name.

use std::sync::Arc;

use kasoku_database::{DatabaseError, Statement, WriteTransaction};
use kasoku_sql_plan::{Load, LoadRow};

use super::report::Report;
use super::rows::Numbered;
use crate::table::Table;

/// Rows that are tried together. Fewer go by the next smaller number, so that there are few texts.
const TOGETHER: [usize; 3] = [64, 8, 1];

/// Writes the rows of one import.
#[derive(Clone)]
pub(super) struct RowWriter {
    pub(super) table: Arc<Table>,
    pub(super) load: Arc<Load>,
    /// Whether nothing is kept if anything is refused: then it is over once the report is full.
    pub(super) all: bool,
}

impl RowWriter {
    /// Writes rows, and reports what became of them.
    ///
    /// # Errors
    /// It is no row's fault: the transaction cannot go on.
    pub(super) fn write(
        &self,
        transaction: &mut WriteTransaction<'_>,
        rows: &[Numbered<LoadRow>],
        report: &mut Report,
    ) -> Result<(), DatabaseError> {
        report.received += rows.len() as u64;
        let mut rest = rows;
        while let Some(first) = rest.first() {
            let most = self.table.planner.load_rows_most(&first.what, TOGETHER[0]);
            let alike = rest.iter().take(most).take_while(|row| row.what.is_like(&first.what)).count();
            let count = TOGETHER.into_iter().find(|count| *count <= alike).unwrap_or(1);
            let (group, behind) = rest.split_at(count);
            self.group(transaction, group, report)?;
            if self.all && report.is_full() {
                return Ok(());
            }
            rest = behind;
        }
        Ok(())
    }

    fn group(
        &self,
        transaction: &mut WriteTransaction<'_>,
        group: &[Numbered<LoadRow>],
        report: &mut Report,
    ) -> Result<(), DatabaseError> {
        if group.len() > 1 {
            match transaction.attempt(|transaction| self.run(transaction, group)) {
                Ok(written) => {
                    report.written += written;
                    return Ok(());
                }
                // Of rows that are the same, a server refuses the statement and not one of them.
                Err(error) if is_of_the_row(&error) || matches!(error, DatabaseError::Sql { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        for row in group {
            let one = std::slice::from_ref(row);
            match transaction.attempt(|transaction| self.run(transaction, one)) {
                Ok(written) => report.written += written,
                Err(error) if is_of_the_row(&error) => {
                    let shows = |column: &str| self.table.shown.iter().any(|shown| shown == column);
                    report.refuse(row.row, row.line, &error.problem(shows));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn run(
        &self,
        transaction: &mut WriteTransaction<'_>,
        rows: &[Numbered<LoadRow>],
    ) -> Result<u64, DatabaseError> {
        // In this process a statement of one row costs next to nothing.
        let together = if self.table.lanes.database().reads_in_place() { 1 } else { rows.len() };
        let mut written = 0;
        for part in rows.chunks(together) {
            let part: Vec<&LoadRow> = part.iter().map(|row| &row.what).collect();
            let planned = self.table.planner.load_statement(&self.load, &part);
            written += transaction.execute(&Statement::new(planned.name, planned.sql), &planned.params)?;
        }
        Ok(written)
    }
}

/// Whether an error says something about the row, and nothing about the database.
fn is_of_the_row(error: &DatabaseError) -> bool {
    matches!(error, DatabaseError::Constraint { .. } | DatabaseError::TooLarge)
}
