//! How SQLite would run a statement, read from `EXPLAIN QUERY PLAN`.

use rusqlite::{Connection, OptionalExtension};

use super::quoted;
use crate::inspect::{PlanFacts, PlanStep, StepAccess};

pub(in crate::sqlite) fn explain(raw: &Connection, sql: &str) -> rusqlite::Result<PlanFacts> {
    let mut statement = raw.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    // What triggers do, if it is shown, begins with a line without a text.
    let lines =
        statement.raw_query().mapped(|row| row.get(3)).collect::<rusqlite::Result<Vec<Option<String>>>>()?;
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    let mut facts = PlanFacts { steps: Vec::new(), sorts: false, materializes: false, lines: Vec::new() };
    for line in &lines {
        facts.sorts |= line.contains("USE TEMP B-TREE");
        facts.materializes |= line.starts_with("MATERIALIZE")
            || line.starts_with("RECURSIVE STEP")
            || line.contains("USING AUTOMATIC");
        facts.steps.extend(step(raw, line)?);
    }
    facts.lines = lines;
    Ok(facts)
}

/// Reads `SEARCH items AS i USING INDEX by_category (category=? AND price>?)` and its kin.
fn step(raw: &Connection, line: &str) -> rusqlite::Result<Option<PlanStep>> {
    let (searches, rest) = match line.split_once(' ') {
        Some(("SEARCH", rest)) => (true, rest),
        Some(("SCAN", rest)) if rest != "CONSTANT ROW" => (false, rest),
        _ => return Ok(None),
    };
    let (table, how) = rest.split_once(" USING ").unwrap_or((rest, ""));
    let table = table.split_once(" VIRTUAL TABLE").map_or(table, |(name, _)| name).to_owned();
    let (target, terms) = how.split_once(" (").unwrap_or((how, ""));
    let terms = terms.rsplit_once(')').map_or(terms, |(terms, _)| terms);
    let (mut equal, mut bounded, mut skips) = (Vec::new(), false, false);
    for term in terms.split(" AND ").filter(|term| !term.is_empty()) {
        match term.strip_suffix("=?") {
            Some(column) => equal.push(column.to_owned()),
            None if term.starts_with("ANY(") => skips = true,
            None => bounded = true,
        }
    }
    let index = target.rsplit_once("INDEX ").map(|(_, name)| name.to_owned());
    let key_width = match &index {
        Some(name) => unique_width(raw, name)?,
        None if target.contains("INTEGER PRIMARY KEY") => Some(1),
        None if target.contains("PRIMARY KEY") => key_width(raw, &table)?,
        None => None,
    };
    let access = match (searches, key_width) {
        (true, Some(width)) if equal.len() >= width && !bounded && !skips => StepAccess::Point,
        (true, _) if skips => StepAccess::Walk,
        (true, _) => StepAccess::Range,
        (false, _) if index.is_some() => StepAccess::Walk,
        (false, _) => StepAccess::Scan,
    };
    Ok(Some(PlanStep { table, access, index, equal, bounded }))
}

/// How many columns a unique index has; `None` if it is not unique.
fn unique_width(raw: &Connection, index: &str) -> rusqlite::Result<Option<usize>> {
    let owner: Option<String> = raw
        .query_row("SELECT tbl_name FROM sqlite_schema WHERE type = 'index' AND name = ?1", [index], |row| {
            row.get(0)
        })
        .optional()?;
    let Some(owner) = owner else { return Ok(None) };
    let unique: bool = raw.query_row(
        "SELECT \"unique\" FROM pragma_index_list(?1) WHERE name = ?2",
        [owner.as_str(), index],
        |row| row.get(0),
    )?;
    if !unique {
        return Ok(None);
    }
    let width: i64 =
        raw.query_row("SELECT count(*) FROM pragma_index_info(?1)", [index], |row| row.get(0))?;
    Ok(usize::try_from(width).ok())
}

/// How many columns the primary key of a table without a rowid has; `None` if the name is an alias.
fn key_width(raw: &Connection, table: &str) -> rusqlite::Result<Option<usize>> {
    let sql = format!("PRAGMA main.table_info({})", quoted(table));
    let mut statement = raw.prepare(&sql)?;
    let places =
        statement.query_map([], |row| row.get::<_, i64>(5))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let width = places.into_iter().filter(|place| *place > 0).count();
    Ok((width > 0).then_some(width))
}
