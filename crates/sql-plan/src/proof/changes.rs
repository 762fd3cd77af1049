//! The statements of a `table` route that write, as far as they have to find rows: changes by filters and by key, and
//! the rows that refer to what a change deletes.
//!
//! Inserts find nothing: what they conflict with is found by the unique index of the conflict.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::facts::Reference;
use super::lists::Lister;
use super::requests::{Class, Query, key_text};
use super::shape::{Access, Purpose, Shape};
use crate::Value;
use crate::dialect::Dialect;
use crate::plan::TablePlanner;
use crate::sql::SqlText;
use crate::write::{Target, WritePlan};

/// Values of a body, out of which each kind of column takes at least one.
fn bodies() -> [Json; 9] {
    let uuid = "00000000-0000-0000-0000-000000000000";
    [
        json!(1),
        json!("a"),
        json!(true),
        json!("AAAA"),
        json!("2024-01-01T00:00:00Z"),
        json!("2024-01-01"),
        json!("00:00:00"),
        json!(uuid),
        json!({}),
    ]
}

/// Changes of the rows that filters leave.
pub(super) fn by_filters(lister: &mut Lister<'_>, set: &[(usize, Class)], filters: &Query, access: &Access) {
    if set.is_empty() {
        return;
    }
    let writes = lister.planner.writes;
    if writes.update
        && let Some(plan) = update(lister.planner, Target::Filters, Some(&filters.text))
    {
        let request = filters.of("PATCH", lister.path);
        add(lister, &plan, &request, Purpose::Change, access);
    }
    if writes.delete
        && let Ok(plan) = lister.planner.delete(Target::Filters, Some(&filters.text), None, Value::Null)
    {
        let request = filters.of("DELETE", lister.path);
        add(lister, &plan, &request, Purpose::Change, access);
    }
}

/// Changes of a row.
pub(super) fn by_key(lister: &mut Lister<'_>) {
    let (writes, key) = (lister.planner.writes, key_text(lister.planner));
    let path = format!("{}/…", lister.path.trim_end_matches('/'));
    let access = lister.key_access();
    if writes.update
        && let Some(plan) = update(lister.planner, Target::Key(&key), None)
    {
        add(lister, &plan, &format!("PATCH {path}"), Purpose::Row, &access);
    }
    if writes.delete
        && let Ok(plan) = lister.planner.delete(Target::Key(&key), None, None, Value::Null)
    {
        add(lister, &plan, &format!("DELETE {path}"), Purpose::Row, &access);
    }
}

/// The searches that a `DELETE` of rows of a table sets off: each row that refers to one of them must be found, and
/// where it goes with it, those that refer to it in turn. `route` is the path of the `DELETE`.
pub fn of_references(
    route: &str,
    table: &str,
    references: &[Reference],
    dialect: &'static Dialect,
) -> Vec<Shape> {
    let mut shapes = Vec::new();
    let mut reached = vec![table.to_owned()];
    let mut at = 0;
    while at < reached.len() {
        let parent = reached[at].clone();
        for reference in references.iter().filter(|reference| reference.parent.eq_ignore_ascii_case(&parent))
        {
            let known = |shape: &Shape| {
                shape.access[0].table == reference.table && shape.access[0].equal == reference.columns
            };
            if !shapes.iter().any(known) {
                shapes.push(search(route, reference, dialect));
            }
            if reference.cascades && !reached.iter().any(|table| table.eq_ignore_ascii_case(&reference.table))
            {
                reached.push(reference.table.clone());
            }
        }
        at += 1;
    }
    shapes
}

fn search(route: &str, reference: &Reference, dialect: &'static Dialect) -> Shape {
    let mut sql = SqlText::new(dialect, "select 1 from ");
    sql.push(&dialect.quote(&reference.table));
    for column in &reference.columns {
        sql.condition().push(&dialect.quote(column)).push(" = ");
        sql.param();
    }
    Shape {
        request: format!("DELETE {}/…", route.trim_end_matches('/')),
        purpose: Purpose::Reference,
        sql: Arc::from(sql.text),
        access: vec![Access {
            table: reference.table.clone(),
            equal: reference.columns.clone(),
            ..Access::default()
        }],
        aliases: Vec::new(),
    }
}

/// A change of the first column that takes a value.
fn update(planner: &TablePlanner, target: Target<'_>, query: Option<&str>) -> Option<WritePlan> {
    let fields = planner.columns.fields().iter().filter(|field| field.writable);
    let rest = fields.clone().filter(|field| !planner.key.contains(&field.place));
    let values = bodies();
    rest.chain(fields).find_map(|field| {
        values.iter().find_map(|value| {
            let body = Json::Object([(field.name().to_owned(), value.clone())].into_iter().collect());
            planner.update(target, query, &body, None).ok()
        })
    })
}

fn add(lister: &mut Lister<'_>, plan: &WritePlan, request: &str, purpose: Purpose, access: &Access) {
    for statement in &plan.statements {
        lister.add(&statement.statement, request.to_owned(), purpose, access);
    }
}
