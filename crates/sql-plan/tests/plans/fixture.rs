//! A shop's table, its route, and a database to run plans on.

use std::sync::Arc;

use kasoku_sql_plan::{
    AggregateRules, Column, ColumnKind, CountRule, Counts, CursorKey, Dialect, ListPlan, Page, PageRules,
    Schema, Statement, Table, TablePlanner, TableRules, TagRules, Value, WriteRules, parse_sort,
};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{Value as Stored, ValueRef};
use rusqlite::{Connection, params_from_iter};

pub(crate) const CREATE_ITEMS: &str = "create table items (
    id integer primary key, title text not null, price integer, category text, stock integer not null default 0,
    live boolean, score real, made numeric, note json, photo blob, loose, deleted_at text, secret text)";

pub(crate) fn column(name: &str, kind: ColumnKind, nullable: bool) -> Column {
    Column { name: name.into(), kind, nullable, optional: nullable, generated: false, exact_equality: true }
}

pub(crate) fn items() -> Table {
    let mut columns = vec![
        column("id", ColumnKind::Integer, false),
        column("title", ColumnKind::Text, false),
        column("price", ColumnKind::Integer, true),
        column("category", ColumnKind::Text, true),
        column("stock", ColumnKind::Integer, false),
        column("live", ColumnKind::Boolean, true),
        column("score", ColumnKind::Real, true),
        column("made", ColumnKind::Number, true),
        column("note", ColumnKind::Json, true),
        column("photo", ColumnKind::Blob, true),
        column("loose", ColumnKind::Any, true),
        column("deleted_at", ColumnKind::Text, true),
        column("secret", ColumnKind::Text, true),
    ];
    columns[0].optional = true;
    columns[4].optional = true;
    Table {
        name: "items".into(),
        view: false,
        columns,
        key: vec![0],
        unique: Vec::new(),
        partial: Vec::new(),
        foreign_keys: Vec::new(),
    }
}

pub(crate) fn schema() -> Schema {
    Schema { tables: vec![items()] }
}

pub(crate) fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) fn rules() -> TableRules {
    let shown =
        ["id", "title", "price", "category", "stock", "live", "score", "made", "note", "photo", "loose"];
    let mut filter = vec!["category", "live"];
    filter.extend(shown.iter().filter(|name| !["category", "live"].contains(name)));
    TableRules {
        table: "items".into(),
        select: names(&shown),
        filter: names(&filter),
        plain: names(&["category"]),
        order: ["-id", "price", "-price,title", "stock,title", "-score,-id", "title,id"]
            .map(|sort| parse_sort(sort).unwrap())
            .into(),
        page: PageRules { default: 20, most: 100, offset_most: 0 },
        counts: Counts {
            default: CountRule::None,
            allowed: vec![CountRule::Exact, CountRule::Capped, CountRule::Estimated],
            cap: 1000,
        },
        write: WriteRules {
            insert: true,
            update: true,
            update_each: true,
            upsert: true,
            delete: true,
            rows_most: 3,
        },
        envelope: None,
        soft_delete: None,
        embeds: Vec::new(),
        embed_rows_most: 1000,
        aggregate: AggregateRules::None,
        row_rule: None,
    }
}

pub(crate) fn planner_of(schema: &Schema, rules: &TableRules) -> TablePlanner {
    planner_in(Dialect::SQLITE, schema, rules)
}

pub(crate) fn planner_in(dialect: &'static Dialect, schema: &Schema, rules: &TableRules) -> TablePlanner {
    let table = schema.table(&rules.table).unwrap();
    let tags = Arc::new(TagRules::new(table, &[rules], &[]));
    TablePlanner::new("/v1/items", schema, rules, dialect, &|_| Arc::clone(&tags)).unwrap()
}

/// Gives a connection the function that the product's connections have.
pub(crate) fn regexp(database: &Connection) {
    let matches = |context: &rusqlite::functions::Context<'_>| {
        let pattern: String = context.get(0)?;
        let text: Option<String> = context.get(1)?;
        Ok(text.map(|text| regex::Regex::new(&pattern).unwrap().is_match(&text)))
    };
    database.create_scalar_function("regexp", 2, FunctionFlags::SQLITE_DETERMINISTIC, matches).unwrap();
}

pub(crate) fn planner() -> TablePlanner {
    planner_of(&schema(), &rules())
}

pub(crate) fn cursors() -> CursorKey {
    CursorKey::derive(b"a secret of tests")
}

pub(crate) fn list(planner: &TablePlanner, query: &str) -> ListPlan {
    planner.list(Some(query), None, &cursors()).unwrap_or_else(|problem| panic!("{query}: {problem}"))
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

pub(crate) fn stored(value: &Value) -> Stored {
    match value.clone() {
        Value::Null => Stored::Null,
        Value::Integer(number) => Stored::Integer(number),
        Value::Real(number) => Stored::Real(number),
        Value::Text(text) => Stored::Text(text),
        Value::Blob(bytes) => Stored::Blob(bytes),
    }
}

/// Runs a statement; its rows.
pub(crate) fn run(database: &Connection, statement: &Statement) -> Vec<Vec<Value>> {
    let mut prepared =
        database.prepare_cached(&statement.sql).unwrap_or_else(|fault| panic!("{fault}: {}", statement.sql));
    let width = prepared.column_count();
    let read = |value: ValueRef<'_>| match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => Value::Text(String::from_utf8(bytes.to_vec()).unwrap()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    };
    let rows = prepared.query_map(params_from_iter(statement.params.iter().map(stored)), |row| {
        (0..width).map(|place| row.get_ref(place).map(read)).collect::<Result<Vec<_>, _>>()
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Runs a list's statements; the page's rows and its neighbours.
pub(crate) fn run_list(database: &Connection, plan: &ListPlan) -> (Vec<Vec<Value>>, Page) {
    let mut rows = run(database, &plan.statement);
    if let Some(rest) = plan.follow_up(rows.len()) {
        rows.extend(run(database, &rest));
    }
    let page = plan.page(&mut rows, |row, place| row[place].clone(), &cursors()).unwrap();
    (rows, page)
}

/// The lines of `explain query plan`.
pub(crate) fn explain(database: &Connection, statement: &Statement) -> String {
    let explained =
        Statement { sql: format!("explain query plan {}", statement.sql).into(), ..statement.clone() };
    let lines = run(database, &explained).into_iter().map(|row| match &row[3] {
        Value::Text(line) => line.clone(),
        other => panic!("{other:?}"),
    });
    lines.collect::<Vec<_>>().join("; ")
}
