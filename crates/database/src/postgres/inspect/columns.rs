//! The columns of a statement's result.

use super::Inspector;
use super::kind::Described;
use crate::error::DatabaseError;
use crate::inspect::ResultColumn;
use crate::postgres::native::is_understood;

const ORIGINS: &str = "
    select o.place, c.relname::text, a.attname::text
    from unnest($1::oid[], $2::int2[]) with ordinality as o(relation, number, place)
    join pg_class c on c.oid = o.relation
    join pg_attribute a on a.attrelid = o.relation and a.attnum = o.number";

pub(super) fn columns(inspector: &Inspector, sql: &str) -> Result<Vec<ResultColumn>, DatabaseError> {
    let prepared = inspector.prepare(sql)?;
    if let Some(column) = prepared.columns().iter().find(|column| !is_understood(column.type_())) {
        let (name, kind) = (column.name(), column.type_().name());
        let message =
            format!("`{name}` is of type `{kind}`, which the server alone can show; cast it to text");
        return Err(DatabaseError::Sql { code: "42804".into(), message: message.into(), offset: None });
    }
    let mut columns: Vec<ResultColumn> = prepared
        .columns()
        .iter()
        .map(|column| ResultColumn {
            name: column.name().to_owned(),
            kind: Described::of(column.type_()).kind(),
            origin: None,
        })
        .collect();
    let relations: Vec<u32> =
        prepared.columns().iter().map(|column| column.table_oid().unwrap_or_default()).collect();
    let numbers: Vec<i16> =
        prepared.columns().iter().map(|column| column.column_id().unwrap_or_default()).collect();
    for row in inspector.query(ORIGINS, &[&relations, &numbers])? {
        let place: i64 = row.get(0);
        if let Some(column) = usize::try_from(place - 1).ok().and_then(|place| columns.get_mut(place)) {
            column.origin = Some((row.get(1), row.get(2)));
        }
    }
    Ok(columns)
}
