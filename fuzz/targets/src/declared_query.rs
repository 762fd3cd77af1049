//! The SQL of declared queries, and requests to them.
//!
//! The first line is a request's query string, the rest the text of a query.

use kasoku_sql_plan::{ColumnKind, Dialect, QueryParam, QueryPlanner, QueryRules, read_query};

use crate::parts::{lines, text};
use crate::shop::SCHEMA;

/// Takes any bytes.
pub fn run(input: &[u8]) {
    let [query, sql] = lines(input);
    let sql = text(sql).into_owned();
    for dialect in [Dialect::SQLITE, Dialect::POSTGRES] {
        plan(&text(query), &sql, dialect);
    }
}

fn plan(query: &str, sql: &str, dialect: &'static Dialect) {
    let Ok(read) = read_query(sql, dialect) else { return };
    let _ = read.narrow(&SCHEMA);
    let params = read.params.iter().map(|name| QueryParam {
        name: name.clone(),
        kind: ColumnKind::Any,
        default: None,
        caller: None,
    });
    let rules = QueryRules {
        sql: sql.to_owned(),
        params: params.collect(),
        one: false,
        rows_most: 10,
        columns: Vec::new(),
    };
    let Ok(planner) = QueryPlanner::new("query", &rules, &SCHEMA, dialect, &["things"]) else { return };
    let _ = planner.plan(&[], Some(query));
}
