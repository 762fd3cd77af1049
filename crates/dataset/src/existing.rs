//! What an existing database holds, and which sorts its indexes give.

use std::path::Path;

use kasoku_database::{Inspector, StepAccess};
use kasoku_sql_plan::{ColumnKind, Table};

use crate::error::DatasetError;
use crate::schema_text::quoted;
use crate::shape::{ColumnShape, IndexShape, KeyShape, TableShape};
use crate::store;

/// Rows up to which a table is small: any sort of it is quick.
pub(crate) const ROWS_SMALL: u64 = 10_000;

/// Describes the tables and views of a database file, which is not touched.
///
/// Rows are counted up to ten thousand; `rows` is `None` for a table with more, and for a view.
pub fn describe(database: &Path) -> Result<Vec<TableShape>, DatasetError> {
    let database_error = |source| DatasetError::Database { path: database.to_owned(), source };
    let inspector = Inspector::of_file(database).map_err(database_error)?;
    let schema = inspector.schema().map_err(database_error)?;
    let tables: Vec<&Table> = schema.tables.iter().filter(|table| !table.view).collect();
    let mut counts = store::counts(database, &tables, ROWS_SMALL)?.into_iter();
    let mut shapes = Vec::with_capacity(schema.tables.len());
    for table in &schema.tables {
        let rows = if table.view { None } else { counts.next().flatten() };
        shapes.push(shape(&inspector, table, rows).map_err(database_error)?);
    }
    Ok(shapes)
}

fn shape(
    inspector: &Inspector,
    table: &Table,
    rows: Option<u64>,
) -> Result<TableShape, kasoku_database::DatabaseError> {
    let mut indexes = Vec::new();
    for (place, column) in table.columns.iter().enumerate() {
        if !table.view
            && table.key.first() != Some(&place)
            && is_sorted(inspector, &table.name, &column.name)?
        {
            indexes.push(IndexShape { column: place, reason: "indexed".into() });
        }
    }
    let columns = table.columns.iter().map(|column| ColumnShape {
        name: column.name.clone(),
        written: None,
        kind: column.kind,
        nullable: column.nullable,
        distinct: None,
        dates: None,
        example: None,
        why: None,
    });
    // Only tables with a key can be without a hidden row number.
    let key = match (table.key.is_empty(), table.view) {
        (false, _) => KeyShape::Columns(table.key.clone()),
        (true, false) => KeyShape::RowNumber,
        (true, true) => KeyShape::None,
    };
    Ok(TableShape {
        name: table.name.clone(),
        view: table.view,
        rows,
        columns: columns.collect(),
        key,
        indexes,
    })
}

/// Whether an index gives the rows in the order of a column.
fn is_sorted(
    inspector: &Inspector,
    table: &str,
    column: &str,
) -> Result<bool, kasoku_database::DatabaseError> {
    let sql = format!("select 1 from {} order by {} limit 1", quoted(table), quoted(column));
    let plan = inspector.explain(&sql)?;
    Ok(!plan.sorts && plan.steps.iter().all(|step| step.access != StepAccess::Scan))
}

/// Whether a list can be sorted by values of this kind.
pub(crate) fn is_sortable(kind: ColumnKind) -> bool {
    !matches!(kind, ColumnKind::Json | ColumnKind::Blob)
}
