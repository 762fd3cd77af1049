//! An empty copy of a schema, on which statements are planned and indexes tried.

use std::collections::HashMap;
use std::path::Path;

use kasoku_sql_plan::proof::{Index, IndexColumn, Planned, Reach, Reference, SortWork, Step};
use rusqlite::config::DbConfig;

use super::inspect::{describe, plan};
use crate::error::DatabaseError;
use crate::inspect::{PlanFacts, PlanStep, StepAccess};
use crate::migrate::Migration;
use crate::settings::Settings;
use crate::sqlite::connection::{Access, Connection, Place};

/// An empty copy of a schema, in memory.
pub(crate) struct Copy {
    connection: Connection,
    /// By table, the columns of its key.
    keys: HashMap<String, Vec<String>>,
    indexes: Vec<Index>,
}

impl Copy {
    /// What these files make.
    pub(crate) fn of_migrations(files: &[Migration]) -> Result<Self, DatabaseError> {
        let mut copy = Self::empty()?;
        super::migrate::apply(copy.connection.raw_mut(), files)?;
        let raw = copy.connection.raw();
        // Schema files may fill tables and take statistics of them, which plans must not depend on.
        if raw.table_exists(None, "sqlite_stat1")? {
            raw.execute_batch("DELETE FROM sqlite_stat1; ANALYZE sqlite_schema")?;
        }
        copy.learn()?;
        Ok(copy)
    }

    /// What a file holds; the file is not touched.
    pub(crate) fn of_file(path: &Path) -> Result<Self, DatabaseError> {
        let mut copy = Self::empty()?;
        let place = Place { path: path.to_owned(), ..place() };
        let original = Connection::open(&place, Access::ReadOnly)?;
        // Tables of a virtual table are made with it.
        let mut made = original.raw().prepare(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND \
             name NOT IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow') \
             ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, rowid",
        )?;
        let texts = made.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        for text in texts {
            copy.connection.raw().execute_batch(&text)?;
        }
        copy.learn()?;
        Ok(copy)
    }

    /// How a statement would be run.
    pub(crate) fn plan(&self, sql: &str) -> Result<Planned, DatabaseError> {
        Ok(self.in_words(plan::explain(self.connection.raw(), sql)?))
    }

    /// Its indexes, those of keys and constraints too.
    pub(crate) fn indexes(&self) -> &[Index] {
        &self.indexes
    }

    /// Its references from table to table.
    pub(crate) fn references(&self) -> Result<Vec<Reference>, DatabaseError> {
        let raw = self.connection.raw();
        let mut found: Vec<Reference> = Vec::new();
        for table in describe::ordinary_tables(raw)? {
            let mut listed = raw.prepare(
                "SELECT id, \"table\", \"from\", on_delete FROM pragma_foreign_key_list(?1) ORDER BY id, seq",
            )?;
            let mut rows = listed.query([&table])?;
            let mut last = None;
            while let Some(row) = rows.next()? {
                let (id, parent, column): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
                if last == Some(id)
                    && let Some(reference) = found.last_mut()
                {
                    reference.columns.push(column);
                    continue;
                }
                last = Some(id);
                let cascades = row.get::<_, String>(3)?.eq_ignore_ascii_case("CASCADE");
                found.push(Reference { table: table.clone(), columns: vec![column], parent, cascades });
            }
        }
        Ok(found)
    }

    /// Makes or drops an index.
    pub(crate) fn change(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.connection.raw().execute_batch(sql)?;
        self.learn()
    }

    fn empty() -> Result<Self, DatabaseError> {
        let connection = Connection::open(&place(), Access::Scratch)?;
        // What triggers do is planned with the statement that sets them off.
        connection.raw().set_db_config(DbConfig::SQLITE_DBCONFIG_TRIGGER_EQP, true)?;
        Ok(Self { connection, keys: HashMap::new(), indexes: Vec::new() })
    }

    fn learn(&mut self) -> Result<(), DatabaseError> {
        let schema = describe::schema(self.connection.raw())?;
        let key = |table: &kasoku_sql_plan::Table| {
            let names = table.key.iter().map(|place| table.columns[*place].name.clone());
            (table.name.clone(), names.collect())
        };
        self.keys = schema.tables.iter().map(key).collect();
        self.indexes = indexes(self.connection.raw())?;
        Ok(())
    }

    fn in_words(&self, facts: PlanFacts) -> Planned {
        let of_sorts = |line: &&String| line.contains("USE TEMP B-TREE");
        let sort = match facts.lines.iter().find(of_sorts) {
            None => SortWork::None,
            // `FOR LAST TERM OF ORDER BY`, `FOR RIGHT PART OF ORDER BY`
            Some(_) if facts.lines.iter().filter(of_sorts).all(|line| line.contains(" OF ")) => {
                SortWork::Ties
            }
            Some(_) => SortWork::All,
        };
        let reached = |line: &&String| {
            line.starts_with("SEARCH ") || (line.starts_with("SCAN ") && *line != "SCAN CONSTANT ROW")
        };
        let lines = facts.lines.iter().filter(reached);
        let steps = facts.steps.into_iter().zip(lines).map(|(step, line)| self.step(step, line)).collect();
        Planned { steps, sort, lines: facts.lines.clone() }
    }

    fn step(&self, step: PlanStep, line: &str) -> Step {
        let PlanStep { table, access, index, equal, bounded } = step;
        let reach = match access {
            // An index that is made for one statement reads all of the table.
            _ if line.contains(" USING AUTOMATIC ") => Reach::All,
            StepAccess::Point => Reach::Point,
            StepAccess::Range => Reach::Part,
            StepAccess::Walk | StepAccess::Scan => Reach::All,
        };
        let of_index = index.as_ref().and_then(|name| self.indexes.iter().find(|index| index.name == *name));
        let named = |name: String| match of_index {
            Some(index) if name.eq_ignore_ascii_case("rowid") => {
                self.row_number(&index.table).unwrap_or(name)
            }
            None if name.eq_ignore_ascii_case("rowid") => self.row_number(&table).unwrap_or(name),
            _ => name,
        };
        let equal: Vec<String> = equal.into_iter().map(named).collect();
        let next = match (of_index, self.keys.get(&table)) {
            (Some(index), _) => index
                .columns
                .get(equal.len())
                .map_or_else(|| self.row_number(&index.table), |column| column.name.clone()),
            (None, Some(key)) => key.get(equal.len()).cloned(),
            (None, None) => None,
        };
        let bounded = if bounded { Some(next.unwrap_or_else(|| "rowid".to_owned())) } else { None };
        Step { table, reach, index, equal, bounded }
    }

    /// The column that is another name of the number of each row.
    fn row_number(&self, table: &str) -> Option<String> {
        match self.keys.get(table).map(Vec::as_slice) {
            Some([only]) => Some(only.clone()),
            _ => None,
        }
    }
}

fn place() -> Place {
    let page_cache_bytes = Settings::default().page_cache_bytes;
    Place {
        path: ":memory:".into(),
        page_cache_bytes,
        mapped_bytes: 0,
        durable: false,
        files: std::sync::Arc::default(),
    }
}

fn indexes(raw: &rusqlite::Connection) -> Result<Vec<Index>, DatabaseError> {
    let mut found = Vec::new();
    for table in describe::ordinary_tables(raw)? {
        let mut listed = raw.prepare(
            "SELECT l.name, l.\"unique\", l.origin, s.sql FROM pragma_index_list(?1) AS l \
             LEFT JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = l.name ORDER BY l.seq DESC",
        )?;
        let mut rows = listed.query([&table])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let (origin, sql): (String, Option<String>) = (row.get(2)?, row.get(3)?);
            found.push(Index {
                columns: columns(raw, &name)?,
                name,
                table: table.clone(),
                unique: row.get(1)?,
                owned: origin != "c",
                condition: sql.as_deref().and_then(condition),
            });
        }
    }
    Ok(found)
}

fn columns(raw: &rusqlite::Connection, index: &str) -> rusqlite::Result<Vec<IndexColumn>> {
    let mut listed = raw.prepare(
        "SELECT name, \"desc\", coll FROM pragma_index_xinfo(?1) WHERE \"key\" = 1 ORDER BY seqno",
    )?;
    let columns = listed.query_map([index], |row| {
        let descending = row.get(1)?;
        Ok(IndexColumn { name: row.get(0)?, descending, nulls_first: !descending })
    })?;
    columns.collect()
}

/// The condition in the text of a `CREATE INDEX`: what follows `where` behind the list of columns.
fn condition(sql: &str) -> Option<String> {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, letter) in sql.char_indices() {
        match (quote, letter) {
            (Some(end), _) if letter == end => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(letter),
            (None, '[') => quote = Some(']'),
            (None, '(') => depth += 1,
            (None, ')') if depth == 1 => {
                let rest = sql[at + 1..].trim();
                return rest
                    .get(..5)
                    .filter(|word| word.eq_ignore_ascii_case("where"))
                    .map(|_| rest[5..].trim().trim_end_matches(';').to_owned());
            }
            (None, ')') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}
