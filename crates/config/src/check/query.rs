//! Routes that answer from a declared query: its parameters, and what it reads.

use kasoku_sql_plan::{ColumnKind, QueryParam, QueryRules, Value};
use serde_json::Value as Json;

use super::paths::params;
use super::{Check, Known};
use crate::describe::Fault;
use crate::diagnostic::{Finding, Place, did_you_mean};
use crate::tree::KeyPath;
use crate::written::{ParamOrType, ParamType, Route};

/// Rows of an answer, unless the route says otherwise.
const ROWS_MOST: u32 = 1_000;

/// What a `query` route serves, and what in it changes by itself.
pub(super) fn rules(
    check: &mut Check<'_>,
    at: &KeyPath,
    sql: &str,
    written: &Route,
    known: &Known,
) -> Option<(QueryRules, Option<String>)> {
    let here = at.key("query");
    let facts = match known.description.as_ref()?.query(sql) {
        Ok(facts) => facts,
        Err(Fault::Sql { message, offset }) => {
            let place = offset.and_then(|offset| inside(check, &here, sql, offset));
            let place = place.unwrap_or_else(|| check.tree.at(&here).place.clone());
            check.findings.add(&here, place, Finding::error("the query cannot be prepared").label(message));
            return None;
        }
        Err(Fault::File { message, .. }) => {
            check.value(&here, Finding::error("the query cannot be prepared").label(message));
            return None;
        }
    };
    if !facts.reads_only {
        check.value(&here, Finding::error("a `query` route only reads").label("expected one `select`"));
        return None;
    }
    let twice = |(at, name): &(usize, &String)| facts.columns[..*at].contains(name);
    if let Some((_, name)) = facts.columns.iter().enumerate().find(twice) {
        let finding = Finding::error(format!("two columns of the query are called `{name}`"));
        check.value(
            &here,
            finding.label("would be one member of the answer").hint("name one of them with `as`"),
        );
    }
    let params = parameters(check, at, &facts.params, written);
    unused(check, at, &facts.params, written);
    let rules = QueryRules {
        sql: sql.to_owned(),
        params,
        one: written.one.unwrap_or(false),
        rows_most: written.rows.unwrap_or(ROWS_MOST),
    };
    Some((rules, facts.volatile))
}

/// The parameters of the query in the order of first use.
fn parameters(
    check: &mut Check<'_>,
    at: &KeyPath,
    used: &[Option<String>],
    written: &Route,
) -> Vec<QueryParam> {
    let mut found: Vec<QueryParam> = Vec::with_capacity(used.len());
    for name in used {
        let Some(name) = name.as_deref().and_then(|name| name.strip_prefix(':')) else {
            let finding = Finding::error("a parameter of the query has no name");
            check.value(&at.key("query"), finding.label("expected `:name` for each parameter"));
            continue;
        };
        let declared = written.params.as_ref().and_then(|params| params.get(name));
        let (kind, default) = match declared {
            None => (ParamType::Text, None),
            Some(ParamOrType::Type(kind)) => (*kind, None),
            Some(ParamOrType::Param(param)) => (param.kind, param.default.as_ref()),
        };
        let in_path = params(&written.path).iter().any(|param| param.name == name);
        let here = at.key("params").key(name).key("default");
        if in_path && default.is_some() {
            let finding = Finding::error(format!("`{name}` is in the path and needs no default"));
            check.key(&here, finding.label("the path always has it"));
        }
        let default = default.and_then(|default| typed(check, &here, default, kind));
        found.push(QueryParam { name: name.to_owned(), kind: column_kind(kind), default });
    }
    found
}

/// Parameters of the path and of `params` that the query does not have.
fn unused(check: &mut Check<'_>, at: &KeyPath, used: &[Option<String>], written: &Route) {
    let used: Vec<&str> = used.iter().flatten().filter_map(|name| name.strip_prefix(':')).collect();
    for param in params(&written.path).iter().filter(|param| !used.contains(&param.name.as_str())) {
        let finding = Finding::error(format!("the query does not use the path's `{}`", param.name))
            .label("would give the same answer for each value")
            .hint(format!("use it as `:{}`", param.name));
        check.value(&at.key("path"), finding);
    }
    for name in
        written.params.iter().flat_map(|params| params.keys()).filter(|name| !used.contains(&name.as_str()))
    {
        let finding = Finding::error(format!("the query has no parameter `{name}`"))
            .label("not used")
            .hint_if(did_you_mean(name, used.iter().copied()));
        check.key(&at.key("params").key(name), finding);
    }
}

fn column_kind(kind: ParamType) -> ColumnKind {
    match kind {
        ParamType::Text => ColumnKind::Text,
        ParamType::Integer => ColumnKind::Integer,
        ParamType::Real => ColumnKind::Real,
        ParamType::Boolean => ColumnKind::Boolean,
    }
}

fn typed(check: &mut Check<'_>, at: &KeyPath, default: &Json, kind: ParamType) -> Option<Value> {
    let (value, expected) = match kind {
        ParamType::Text => (default.as_str().map(|text| Value::Text(text.to_owned())), "a string"),
        ParamType::Integer => (default.as_i64().map(Value::Integer), "a whole number"),
        ParamType::Real => (default.as_f64().map(Value::Real), "a number"),
        ParamType::Boolean => {
            (default.as_bool().map(|answer| Value::Integer(answer.into())), "`true` or `false`")
        }
    };
    if value.is_none() {
        let finding = Finding::error("the default is not of the parameter's type");
        let hint = "say the type, as in `{ type = \"integer\", default = 10 }`";
        check.value(at, finding.label(format!("expected {expected}")).hint(hint));
    }
    value
}

/// The word at a byte of the query, as a place in the file. Where the query is written with escapes, its bytes are
/// not those of the file, and there is none.
fn inside(check: &Check<'_>, at: &KeyPath, sql: &str, offset: usize) -> Option<Place> {
    let place = &check.tree.at(at).place;
    let written = check.findings.quoted(place)?;
    let start = place.span.start + written.find(sql)? + offset;
    let rest = sql.get(offset..)?;
    let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let first = rest.chars().next()?.len_utf8();
    Some(Place { text: place.text, span: start..start + word.max(first) })
}
