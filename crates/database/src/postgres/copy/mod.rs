//! An empty copy of a schema on a PostgreSQL server: a schema of its own, in a transaction that is never committed.
//!
//! What the planner would rather do is switched off as far as it can be, so that what is left in a plan is what no index
//! saves. Statements are planned for any value, as declared ones are.

mod plan;

use kasoku_sql_plan::proof::{Index, IndexColumn, Planned, Reference};
use tokio_postgres::SimpleQueryMessage;

use super::background::Background;
use super::connect::{Connector, Failed};
use super::held::Held;
use super::settings::PostgresSettings;
use crate::copy::Leaning;
use crate::error::DatabaseError;
use crate::migrate::Migration;

/// The name of the copy. It is seen by nobody else.
const SCHEMA: &str = "_kasoku_proof";

/// Nobody who works with the database waits for a check longer than this. A table without rows is taken for one of a few
/// pages, of which all plans cost about the same; so what each row costs is made dear, and the plan that reads the fewest
/// wins.
const SETUP: &str = "begin; set local lock_timeout = '2s'; set local statement_timeout = '60s'; \
    set local plan_cache_mode = force_generic_plan; set local cpu_tuple_cost = 1000; \
    set local cpu_index_tuple_cost = 100; set local enable_seqscan = off; set local enable_sort = off; \
    set local enable_bitmapscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off; \
    set local enable_material = off; set local jit = off; set local max_parallel_workers_per_gather = 0";

/// An empty copy of a schema.
pub(crate) struct Copy {
    held: Held,
    background: Background,
    /// The schema that references are read from: the copy of a database's tables has none.
    referring: String,
    indexes: Vec<Index>,
}

impl Copy {
    pub(crate) fn of_server(settings: &PostgresSettings, files: &[Migration]) -> Result<Self, DatabaseError> {
        let connector = Connector::new(&std::sync::Arc::new(settings.clone()))?;
        let background = Background::start()?;
        let held = Held::open_elsewhere(background.handle(), &connector)?;
        let referring =
            if files.is_empty() { text(&held, "select current_schema()")? } else { SCHEMA.to_owned() };
        let mut copy = Self { held, background, referring, indexes: Vec::new() };
        copy.held.run(SETUP)?;
        if files.is_empty() {
            copy.copy_tables()?;
        } else {
            copy.apply(files)?;
        }
        copy.learn()?;
        Ok(copy)
    }

    /// How a statement would be run.
    pub(crate) fn plan(&self, sql: &str, leaning: &Leaning<'_>) -> Result<Planned, DatabaseError> {
        let sql = if leaning.sorts { plan::without_limit(sql) } else { sql };
        let params = vec!["null"; plan::params(sql)].join(", ");
        let call = if params.is_empty() { String::new() } else { format!("({params})") };
        let sort = if leaning.sorts { "on" } else { "off" };
        let without = self.indexes.iter().filter(|index| leaning.without.contains(&index.name));
        let drop: String = without.map(dropped).collect();
        // A statement that cannot be planned must not end the transaction. All in one go: there are thousands. The text
        // may end in a comment.
        let asked = format!(
            "savepoint plan; set local enable_sort = {sort}; {drop}\
             prepare _kasoku_planned as {sql}\n; explain (format json) execute _kasoku_planned{call}; \
             deallocate _kasoku_planned; rollback to savepoint plan; release savepoint plan"
        );
        let explained = text(&self.held, &asked).map_err(|error| self.back(error))?;
        plan::read(&explained, &self.indexes)
            .ok_or_else(|| DatabaseError::Io("the server's plan cannot be read".into()))
    }

    pub(crate) fn indexes(&self) -> &[Index] {
        &self.indexes
    }

    pub(crate) fn references(&self) -> Result<Vec<Reference>, DatabaseError> {
        let sql = format!(
            "select c.conrelid, t.relname, string_agg(a.attname, chr(31) order by k.place), p.relname, c.confdeltype \
             from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_class p on p.oid = c.confrelid \
             join pg_namespace n on n.oid = t.relnamespace \
             cross join unnest(c.conkey) with ordinality as k(number, place) \
             join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number \
             where c.contype = 'f' and n.nspname = '{}' \
             group by c.oid, c.conrelid, t.relname, p.relname, c.confdeltype order by t.relname, c.oid",
            self.referring.replace('\'', "''")
        );
        let reference = |row: Vec<String>| Reference {
            table: row[1].clone(),
            columns: row[2].split('\u{1f}').map(str::to_owned).collect(),
            parent: row[3].clone(),
            cascades: row[4] == "c",
        };
        Ok(rows(&self.held, &sql)?.into_iter().map(reference).collect())
    }

    pub(crate) fn change(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.held.run(sql)?;
        self.learn()
    }

    /// Applies schema files to the copy. Extensions keep the places that they have.
    fn apply(&self, files: &[Migration]) -> Result<(), DatabaseError> {
        let extensions = text(
            &self.held,
            "select coalesce(string_agg(distinct ', ' || quote_ident(n.nspname), ''), '') from pg_extension e \
             join pg_namespace n on n.oid = e.extnamespace where n.nspname <> 'pg_catalog'",
        )?;
        self.held.run(&format!("create schema {SCHEMA}; set local search_path = {SCHEMA}{extensions}"))?;
        files.iter().try_for_each(|file| self.held.run(&file.sql))
    }

    /// Copies the tables, keys, indexes and views of the database.
    fn copy_tables(&self) -> Result<(), DatabaseError> {
        let from = self.referring.replace('\'', "''");
        let made = format!(
            "select text from ( \
             select 1 as step, c.oid, format('create table {SCHEMA}.%I (like %I.%I including all excluding indexes)', \
             c.relname, n.nspname, c.relname) as text from pg_class c join pg_namespace n on n.oid = c.relnamespace \
             where n.nspname = '{from}' and c.relkind in ('r', 'p') \
             union all select 2, k.oid, format('alter table {SCHEMA}.%I add constraint %I %s', c.relname, k.conname, \
             pg_get_constraintdef(k.oid)) from pg_constraint k join pg_class c on c.oid = k.conrelid \
             join pg_namespace n on n.oid = c.relnamespace where n.nspname = '{from}' and k.contype in ('p', 'u', 'x') \
             union all select 3, i.indexrelid, replace(pg_get_indexdef(i.indexrelid), \
             format(' ON %I.%I ', n.nspname, c.relname), format(' ON {SCHEMA}.%I ', c.relname)) \
             from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace \
             where n.nspname = '{from}' and c.relkind in ('r', 'p') \
             and not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')) \
             union all select 4, c.oid, format('create view {SCHEMA}.%I as %s', c.relname, pg_get_viewdef(c.oid)) \
             from pg_class c join pg_namespace n on n.oid = c.relnamespace \
             where n.nspname = '{from}' and c.relkind = 'v') as made order by step, oid"
        );
        let made = rows(&self.held, &made)?;
        self.held.run(&format!(
            "create schema {SCHEMA}; set local search_path = {SCHEMA}, {}",
            quoted(&self.referring)
        ))?;
        made.iter().try_for_each(|row| self.held.run(&row[0]))
    }

    fn learn(&mut self) -> Result<(), DatabaseError> {
        let sql = format!(
            "select t.relname, c.relname, i.indisunique, \
             exists (select 1 from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')), \
             coalesce(pg_get_expr(i.indpred, i.indrelid), ''), m.amname, k.place, coalesce(a.attname, ''), \
             i.indoption[k.place - 1] \
             from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid \
             join pg_namespace n on n.oid = t.relnamespace join pg_am m on m.oid = c.relam \
             cross join generate_series(1, i.indnkeyatts) as k(place) \
             left join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[k.place - 1] and a.attnum > 0 \
             where n.nspname = '{SCHEMA}' order by t.relname, c.oid, k.place"
        );
        let mut found: Vec<Index> = Vec::new();
        for row in rows(&self.held, &sql)? {
            let option: u8 = row[8].parse().unwrap_or(0);
            // Only a tree gives an order.
            let name = Some(row[7].clone()).filter(|name| !name.is_empty() && row[5] == "btree");
            let column = IndexColumn { name, descending: option & 1 != 0, nulls_first: option & 2 != 0 };
            if row[6] == "1" {
                found.push(Index {
                    name: row[1].clone(),
                    table: row[0].clone(),
                    columns: Vec::new(),
                    unique: row[2] == "t",
                    owned: row[3] == "t",
                    condition: Some(row[4].clone()).filter(|condition| !condition.is_empty()),
                });
            }
            if let Some(index) = found.last_mut() {
                index.columns.push(column);
            }
        }
        self.indexes = found;
        Ok(())
    }

    /// Goes on after a statement that failed.
    fn back(&self, error: DatabaseError) -> DatabaseError {
        // The first error is the one to tell.
        let _second = self.held.run("rollback to savepoint plan; release savepoint plan");
        error
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // The server rolls back by itself when the connection ends.
        let _ended = self.held.run("rollback");
        self.background.close();
    }
}

/// Takes an index away, with what it is for.
fn dropped(index: &Index) -> String {
    let (name, table) = (quoted(&index.name), quoted(&index.table));
    if index.owned {
        format!("alter table {table} drop constraint {name} cascade; ")
    } else {
        format!("drop index {name} cascade; ")
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn text(held: &Held, sql: &str) -> Result<String, DatabaseError> {
    let rows = rows(held, sql)?;
    Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()).unwrap_or_default())
}

/// The rows of a statement, as texts; NULL is empty.
fn rows(held: &Held, sql: &str) -> Result<Vec<Vec<String>>, DatabaseError> {
    let answered = held.wait(held.session.client().simple_query(sql));
    let messages = answered.map_err(|error| held.failed(Failed::of(&error)))?;
    let row = |message: SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|place| row.get(place).unwrap_or_default().to_owned()).collect())
        }
        _ => None,
    };
    Ok(messages.into_iter().filter_map(row).collect())
}
