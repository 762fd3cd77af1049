//! What a database holds, from the server's catalogue: tables and views of the current schema, with those of their
//! columns whose values can be read.

use kasoku_sql_plan::{Column, ForeignKey, Schema, Table, Unique, named};
use tokio_postgres::Row;

use super::Inspector;
use super::kind::{Described, Group};
use crate::error::DatabaseError;
use crate::postgres::native::is_understood;

/// Ordinary and partitioned tables, views and stored views; not Kasoku's own, nor what extensions brought.
const TABLES: &str = "
    select c.oid, c.relname::text, c.relkind in ('v', 'm')
    from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
      and c.relname not like '\\_kasoku\\_%'
      and not exists (select from pg_depend d
                      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
    order by c.relname collate \"C\"";

/// Their columns, each with the type that its domains come down to.
const COLUMNS: &str = "
    with recursive mine as (
        select a.*, a.atttypid as at, false as domain_not_null, false as domain_default
        from pg_attribute a where a.attrelid = any($1) and a.attnum > 0 and not a.attisdropped
    ), typed as (
        select attrelid, attnum, at, domain_not_null, domain_default from mine
        union all
        select d.attrelid, d.attnum, t.typbasetype, d.domain_not_null or t.typnotnull,
               d.domain_default or t.typdefault is not null
        from typed d join pg_type t on t.oid = d.at where t.typtype = 'd'
    )
    select m.attrelid, m.attnum, m.attname::text, m.attnotnull or d.domain_not_null,
           m.atthasdef or d.domain_default, m.attgenerated::text, m.attidentity::text,
           t.typname::text, t.typnamespace = 'pg_catalog'::regnamespace, t.typtype::text,
           t.typcategory = 'A', coalesce(l.collisdeterministic, true)
    from mine m join typed d using (attrelid, attnum) join pg_type t on t.oid = d.at and t.typtype <> 'd'
    left join pg_collation l on l.oid = m.attcollation
    order by m.attrelid, m.attnum";

/// Their keys and unique indexes, with the condition of one that holds for some rows. One of expressions, or that is
/// checked at the end of the transaction, does not tell rows apart for a write.
const UNIQUE: &str = "
    select i.indrelid, i.indisprimary, (i.indkey::int2[])[0:i.indnkeyatts - 1], pg_get_expr(i.indpred, i.indrelid)
    from pg_index i
    where i.indrelid = any($1) and i.indisunique and i.indisvalid and i.indexprs is null
      and (i.indisprimary or i.indimmediate)
    order by i.indrelid";

/// Which of them refer to which, and by which columns.
const REFERENCES: &str = "
    select c.conrelid, c.confrelid, c.conname::text, c.conkey, c.confkey
    from pg_constraint c
    where c.contype = 'f' and c.conrelid = any($1) and c.confrelid = any($1)
    order by c.conrelid, c.conkey, c.conname";

/// A table that is being put together.
struct Found {
    oid: u32,
    table: Table,
    /// The server's numbers of the columns.
    numbers: Vec<i16>,
    /// Whether the driver is to be asked for the types of the columns.
    doubtful: bool,
}

pub(super) fn schema(inspector: &Inspector) -> Result<Schema, DatabaseError> {
    let mut found: Vec<Found> = inspector.query(TABLES, &[])?.iter().map(Found::of).collect();
    let oids: Vec<u32> = found.iter().map(|found| found.oid).collect();
    for row in inspector.query(COLUMNS, &[&oids])? {
        if let Some(found) = of(&mut found, &row) {
            let described = described(&row);
            found.doubtful |= !described.is_surely_understood();
            let column = column(&row, described, found.table.view);
            found.table.columns.push(column);
            found.numbers.push(row.get(1));
        }
    }
    for found in found.iter_mut().filter(|found| found.doubtful) {
        found.leave_out_what_is_not_understood(inspector)?;
    }
    for row in inspector.query(UNIQUE, &[&oids])? {
        let Some(found) = of(&mut found, &row) else { continue };
        let numbers: Vec<i16> = row.get(2);
        let condition: Option<&str> = row.get(3);
        match (found.places(&numbers), row.get(1), condition) {
            (Some(places), true, _) => found.table.key = places,
            (Some(places), false, None) => found.table.unique.push(places),
            (Some(columns), false, Some(condition)) => {
                found.table.partial.push(Unique { columns, condition: Some(condition.into()) });
            }
            (None, ..) => {}
        }
    }
    for row in inspector.query(REFERENCES, &[&oids])? {
        let Some(key) = foreign_key(&found, &row) else { continue };
        if let Some(found) = of(&mut found, &row) {
            found.table.foreign_keys.push(key);
        }
    }
    for found in &mut found {
        found.table.unique.sort();
        found.table.unique.dedup();
    }
    Ok(Schema { tables: found.into_iter().map(|found| found.table).collect() })
}

impl Found {
    fn of(row: &Row) -> Self {
        let table = Table {
            name: row.get(1),
            view: row.get(2),
            columns: Vec::new(),
            key: Vec::new(),
            unique: Vec::new(),
            partial: Vec::new(),
            foreign_keys: Vec::new(),
        };
        Self { oid: row.get(0), table, numbers: Vec::new(), doubtful: false }
    }

    /// Values of some types can be shown by the server alone; a view that casts them to text has columns of their own.
    fn leave_out_what_is_not_understood(&mut self, inspector: &Inspector) -> Result<(), DatabaseError> {
        let prepared = inspector.prepare(&format!("select * from {}", named::quoted(&self.table.name)))?;
        let mut kept = prepared.columns().iter().map(|column| is_understood(column.type_()));
        self.table.columns.retain(|_| kept.next().unwrap_or(true));
        let mut kept = prepared.columns().iter().map(|column| is_understood(column.type_()));
        self.numbers.retain(|_| kept.next().unwrap_or(true));
        Ok(())
    }

    /// The places of the columns with these numbers.
    fn places(&self, numbers: &[i16]) -> Option<Vec<usize>> {
        numbers.iter().map(|number| self.numbers.iter().position(|known| known == number)).collect()
    }
}

/// The table that a row is about.
fn of<'f>(found: &'f mut [Found], row: &Row) -> Option<&'f mut Found> {
    let oid: u32 = row.get(0);
    found.iter_mut().find(|found| found.oid == oid)
}

fn foreign_key(found: &[Found], row: &Row) -> Option<ForeignKey> {
    let by_oid = |place: usize| {
        let oid: u32 = row.get(place);
        found.iter().find(|found| found.oid == oid)
    };
    let (table, other) = (by_oid(0)?, by_oid(1)?);
    let (columns, referred): (Vec<i16>, Vec<i16>) = (row.get(3), row.get(4));
    Some(ForeignKey {
        name: row.get(2),
        columns: table.places(&columns)?,
        table: other.table.name.clone(),
        referred: other.places(&referred)?,
    })
}

/// The type of a column.
fn described(row: &Row) -> Described<'_> {
    let (kind, array): (&str, bool) = (row.get(9), row.get(10));
    let group = match kind {
        _ if array => Group::Array,
        "r" | "m" => Group::Range,
        "e" => Group::Enum,
        _ => Group::Other,
    };
    Described { name: row.get(7), own: row.get(8), group }
}

fn column(row: &Row, described: Described<'_>, view: bool) -> Column {
    let (generated, identity): (&str, &str) = (row.get(5), row.get(6));
    let (not_null, has_default, deterministic): (bool, bool, bool) = (row.get(3), row.get(4), row.get(11));
    Column {
        name: row.get(2),
        kind: described.kind(),
        nullable: !not_null,
        optional: !not_null || has_default || !identity.is_empty(),
        // One that is always numbered by the server takes no value, as one that is computed.
        generated: !generated.is_empty() || identity == "a",
        // What is computed when it is read is not told by changes.
        exact_equality: !view
            && deterministic
            && generated != "v"
            && described.equal_values_are_equal_texts(),
    }
}
