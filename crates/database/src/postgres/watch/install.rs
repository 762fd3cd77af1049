//! The triggers that write down who changed what, for all who ask.
//!
//! A table's statement triggers put what a statement changed into a table of changes, in the same transaction; so a
//! change is there exactly when what it tells of is visible. They see `COPY`, `MERGE`, cascades and upserts, whoever
//! writes. Rows are told by the columns that answers are tagged by. A column that is gone does not make a writer
//! fail: the whole table is told then.
//!
//! The table of changes is not logged. Should the server crash it is empty afterwards, and so is the table that holds
//! the epoch, by which every reader knows.

use std::fmt::Write as _;

use super::super::held::Held;
use crate::changes::WatchedTable;
use crate::error::DatabaseError;
use crate::watched::Watched;
use kasoku_sql_plan::named::quoted;

/// Rows of one statement that are told one by one; beyond them the whole table is.
pub(super) const ROWS_TOLD_MAX: usize = 256;

/// What all triggers share.
const BASE: &str = "
    create unlogged table if not exists _kasoku_change (
        xid xid8 not null default pg_current_xact_id(), relation text not null,
        before jsonb, after jsonb, whole boolean not null);
    create index if not exists _kasoku_change_by_xid on _kasoku_change (xid);
    create unlogged table if not exists _kasoku_epoch (epoch text not null);
    create table if not exists _kasoku_watched (relation text primary key, columns text[] not null);";

/// The tables whose changes are written down; none if nothing is installed.
pub(crate) fn installed(held: &Held) -> Result<Option<Vec<Watched>>, DatabaseError> {
    let there =
        "select to_regclass('_kasoku_change') is not null and to_regclass('_kasoku_watched') is not null";
    if !held
        .wait(held.session.client().query_one_scalar::<bool, _>(there, &[]))
        .map_err(|error| held.broken(&error))?
    {
        return Ok(None);
    }
    let rows = held
        .wait(held.session.client().query("select relation, columns from _kasoku_watched order by 1", &[]))
        .map_err(|error| held.broken(&error))?;
    Ok(Some(rows.iter().map(|row| Watched { table: row.get(0), columns: row.get(1) }).collect()))
}

/// Installs what is missing, or tells rows by fewer columns than asked. Says which tables it changed.
pub(crate) fn install(held: &Held, tables: &[WatchedTable]) -> Result<Vec<String>, DatabaseError> {
    held.run(&format!(
        "begin; set local lock_timeout = '10s'; select pg_advisory_xact_lock({LOCK}); {BASE}"
    ))?;
    let result = install_within(held, tables);
    match &result {
        Ok(_) => held.run("commit")?,
        // The first error says more than one about the end of the transaction.
        Err(_) => drop(held.run("rollback")),
    }
    result
}

/// Takes everything away that [`install`] has made.
pub(crate) fn remove(held: &Held) -> Result<(), DatabaseError> {
    let mut sql = format!("begin; select pg_advisory_xact_lock({LOCK}); ");
    let functions = "select p.oid::regprocedure::text from pg_proc p where p.proname like '\\_kasoku\\_note\\_%' \
                     and p.pronamespace = current_schema()::regnamespace";
    let rows = held.wait(held.session.client().query(functions, &[])).map_err(|error| held.broken(&error))?;
    for row in rows {
        // The triggers go with their function.
        write!(sql, "drop function {} cascade; ", row.get::<_, &str>(0)).expect("a String takes all text");
    }
    sql.push_str("drop table if exists _kasoku_change, _kasoku_epoch, _kasoku_watched; commit");
    held.run(&sql)
}

/// One installs at a time, also of several nodes that start together.
const LOCK: i64 = 0x6b61_736f_6b75;

fn install_within(held: &Held, tables: &[WatchedTable]) -> Result<Vec<String>, DatabaseError> {
    let client = held.session.client();
    let known = installed(held)?.unwrap_or_default();
    let schema: String = held
        .wait(client.query_one_scalar("select quote_ident(current_schema())", &[]))
        .map_err(|error| held.broken(&error))?;
    let mut changed = Vec::new();
    for table in tables {
        let before = known.iter().find(|known| known.table == table.table);
        let mut columns: Vec<String> = before.map(|known| known.columns.clone()).unwrap_or_default();
        columns
            .extend(table.columns.iter().filter(|name| !columns.contains(name)).cloned().collect::<Vec<_>>());
        if before.is_some_and(|known| known.columns == columns) {
            continue;
        }
        let family = "select format('%I.%I', n.nspname, c.relname), c.relkind::text from pg_partition_tree($1::text::regclass) t \
                      join pg_class c on c.oid = t.relid join pg_namespace n on n.oid = c.relnamespace \
                      union select format('%I.%I', n.nspname, c.relname), c.relkind::text from pg_class c \
                      join pg_namespace n on n.oid = c.relnamespace where c.oid = $1::text::regclass";
        let relations =
            held.wait(client.query(family, &[&quoted(&table.table)])).map_err(|error| held.broken(&error))?;
        let mut sql = function(&table.table, &columns, &schema);
        for relation in &relations {
            push_triggers(&mut sql, relation.get(0), &table.table);
        }
        held.run(&sql)?;
        let remember = "insert into _kasoku_watched (relation, columns) values ($1, $2) \
                        on conflict (relation) do update set columns = excluded.columns";
        held.wait(client.execute(remember, &[&table.table, &columns]))
            .map_err(|error| held.broken(&error))?;
        changed.push(table.table.clone());
    }
    Ok(changed)
}

/// A name that tells the functions of tables apart, whatever the tables are called.
fn function_name(table: &str) -> String {
    let digest = kasoku_coherence::Tag::named(table).0;
    format!("_kasoku_note_{digest:016x}")
}

/// Writes down what one statement changed in a table. It runs with the rights of who made it, so names are looked up in
/// the schema that it is made in, and a writer's temporary tables come last
/// (<https://www.postgresql.org/docs/current/sql-createfunction.html#SQL-CREATEFUNCTION-SECURITY>).
fn function(table: &str, columns: &[String], schema: &str) -> String {
    let mut fields = String::new();
    for (place, column) in columns.iter().enumerate() {
        let comma = if place > 0 { ", " } else { "" };
        write!(fields, "{comma}{}, r.{}", literal(column), quoted(column)).expect("a String takes all text");
    }
    let gather = |rows: &str| {
        format!(
            "select jsonb_agg(jsonb_build_object({fields})) from (select * from {rows} limit {}) r",
            ROWS_TOLD_MAX + 1
        )
    };
    let (old, new) = (gather("old_rows"), gather("new_rows"));
    let (name, relation) = (function_name(table), literal(table));
    format!(
        "create or replace function {name}() returns trigger language plpgsql security definer \
         set search_path = {schema}, pg_temp as $note$
declare before jsonb; after jsonb; whole boolean := tg_op = 'TRUNCATE';
begin
    if not whole then
        begin
            if tg_op <> 'INSERT' then before := ({old}); end if;
            if tg_op <> 'DELETE' then after := ({new}); end if;
        exception when undefined_column then whole := true;
        end;
        if before is null and after is null and not whole then return null; end if;
        if before = after then before := null; end if;
        if jsonb_array_length(before) > {ROWS_TOLD_MAX} or jsonb_array_length(after) > {ROWS_TOLD_MAX} then
            whole := true;
        end if;
        if whole then before := null; after := null; end if;
    end if;
    insert into _kasoku_change (relation, before, after, whole) values ({relation}, before, after, whole);
    return null;
end $note$; "
    )
}

fn push_triggers(sql: &mut String, relation: &str, table: &str) {
    let name = function_name(table);
    for (operation, referencing) in [
        ("insert", " referencing new table as new_rows"),
        ("update", " referencing old table as old_rows new table as new_rows"),
        ("delete", " referencing old table as old_rows"),
        ("truncate", ""),
    ] {
        // Also where changes are replayed from elsewhere.
        write!(
            sql,
            "drop trigger if exists _kasoku_{operation} on {relation}; \
             create trigger _kasoku_{operation} after {operation} on {relation}{referencing} \
             for each statement execute function {name}(); \
             alter table {relation} enable always trigger _kasoku_{operation}; "
        )
        .expect("a String takes all text");
    }
}

/// A text as a constant.
fn literal(text: &str) -> String {
    let plain = format!("'{}'", text.replace('\'', "''"));
    if text.contains('\\') { format!(" E{}", plain.replace('\\', "\\\\")) } else { plain }
}
