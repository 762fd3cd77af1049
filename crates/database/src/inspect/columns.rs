//! The columns of a result.

use kasoku_sql_plan::ColumnKind;

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultColumn {
    /// Its name.
    pub name: String,
    /// How its values are read: by the column that it comes from, else whatever each row holds.
    pub kind: ColumnKind,
    /// The table and column that it comes from, if it is not computed.
    pub origin: Option<(String, String)>,
}
