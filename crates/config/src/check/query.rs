//! Routes that answer from a declared query: its parameters, and what it reads.

use std::collections::BTreeMap;

use kasoku_sql_plan::named::caller_params;
use kasoku_sql_plan::{ColumnKind, QueryFault, QueryParam, QueryRules, Schema, Value, read_query};
use serde_json::Value as Json;

use super::paths::params;
use super::{Check, Known};
use crate::describe::{Fault, QueryFacts};
use crate::diagnostic::{Finding, Place, did_you_mean, nearest};
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
    let description = known.description.as_ref()?;
    let asked = match caller_params(sql) {
        Ok(asked) => asked,
        Err(name) => {
            let finding = Finding::error(format!("`:{name}` would be taken for what is known of the caller"));
            check.value(&here, finding.label("expected another name"));
            return None;
        }
    };
    // No byte has moved, so that places in it are those in the file.
    let sql = asked.text.as_str();
    let read = read_query(sql, description.dialect());
    if let Err(fault @ (QueryFault::Statements(_) | QueryFault::NotSelect | QueryFault::Writes)) = &read {
        check.value(&here, Finding::error(fault.to_string()).label("expected one `select`"));
        return None;
    }
    let facts = match description.query(sql) {
        Ok(facts) => facts,
        Err(fault) => {
            cannot_be_prepared(check, &here, sql, &fault, &description.schema);
            return None;
        }
    };
    let used = match read {
        Ok(read) => read.params,
        Err(fault) => {
            let finding = match fault {
                QueryFault::Syntax(reason) => Finding::error("the query cannot be understood").label(reason),
                fault => Finding::error(fault.to_string()).label("expected `:name` for each parameter"),
            };
            check.value(&here, finding);
            return None;
        }
    };
    if !facts.reads_only {
        check.value(&here, Finding::error("a `query` route only reads").label("expected one `select`"));
        return None;
    }
    distinct_columns(check, &here, &facts);
    let rules = QueryRules {
        sql: sql.to_owned(),
        params: parameters(check, at, &used, written, &asked.parts),
        one: written.one.unwrap_or(false),
        rows_most: written.rows.unwrap_or(ROWS_MOST),
        columns: facts.columns,
    };
    unused(check, at, &used, written);
    Some((rules, facts.volatile))
}

/// Says that a function changes by itself, at its place in the query.
pub(super) fn volatile(check: &mut Check<'_>, at: &KeyPath, sql: &str, function: &str) {
    let name = function.split('(').next().unwrap_or(function);
    let place = sql.to_ascii_lowercase().find(name).and_then(|offset| inside(check, at, sql, offset));
    let finding = Finding::error(format!("`{function}` changes by itself, and no write tells when"))
        .label("answers with it cannot be kept without a lifetime")
        .hint("say how old they may be, as in `cache = { fresh = \"10s\" }`, or write `cache = false`");
    check.place_or_value(at, place, finding);
}

fn cannot_be_prepared(check: &mut Check<'_>, at: &KeyPath, sql: &str, fault: &Fault, schema: &Schema) {
    let (Fault::Sql { message, .. } | Fault::File { message, .. }) = fault;
    let unknown = ["no such table: ", "no such column: ", "no such function: ", "ambiguous column name: "]
        .into_iter()
        .find_map(|prefix| Some((prefix, message.strip_prefix(prefix)?)));
    let offset = match (fault, unknown) {
        (Fault::Sql { offset: Some(offset), .. }, _) => Some(*offset),
        (_, Some((_, name))) => sql.find(name),
        _ => None,
    };
    let hint = unknown.and_then(|(prefix, name)| {
        let name = name.rsplit('.').next().unwrap_or(name);
        let tables = schema.tables.iter();
        let near = match prefix {
            "no such table: " => nearest(name, tables.map(|table| table.name.as_str())),
            "no such column: " => {
                nearest(name, tables.flat_map(|table| &table.columns).map(|column| column.name.as_str()))
            }
            _ => None,
        };
        near.map(|near| format!("did you mean `{near}`?"))
    });
    let place = offset.and_then(|offset| inside(check, at, sql, offset));
    let finding = Finding::error("the query cannot be prepared").label(message.clone()).hint_if(hint);
    check.place_or_value(at, place, finding);
}

fn distinct_columns(check: &mut Check<'_>, at: &KeyPath, facts: &QueryFacts) {
    let names: Vec<&String> = facts.columns.iter().map(|(name, _)| name).collect();
    let twice = |(at, name): &(usize, &&String)| names[..*at].contains(name);
    if let Some((_, name)) = names.iter().enumerate().find(twice) {
        let finding = Finding::error(format!("two columns of the query are called `{name}`"));
        check
            .value(at, finding.label("would be one member of the answer").hint("name one of them with `as`"));
    }
}

/// The parameters of the query in the order of first use.
fn parameters(
    check: &mut Check<'_>,
    at: &KeyPath,
    used: &[String],
    written: &Route,
    of_caller: &BTreeMap<String, String>,
) -> Vec<QueryParam> {
    let in_path = params(&written.path);
    let mut found: Vec<QueryParam> = Vec::with_capacity(used.len());
    for name in used {
        let declared = written.params.as_ref().and_then(|params| params.get(name));
        let (kind, default) = match declared {
            None => (ParamType::Text, None),
            Some(ParamOrType::Type(kind)) => (*kind, None),
            Some(ParamOrType::Param(param)) => (param.kind, param.default.as_ref()),
        };
        let here = at.key("params").key(name).key("default");
        if default.is_some() && in_path.iter().any(|param| param.name == *name) {
            let finding = Finding::error(format!("`{name}` is in the path and needs no default"));
            check.key(&here, finding.label("the path always has it"));
        }
        let caller = of_caller.get(name).cloned();
        if default.is_some() && caller.is_some() {
            let finding = Finding::error(format!("`{name}` is known of the caller, or NULL"));
            check.key(&here, finding.label("has no default"));
        }
        let default = default.and_then(|default| typed(check, &here, default, kind));
        found.push(QueryParam { name: name.clone(), kind: column_kind(kind), default, caller });
    }
    found
}

/// Parameters of the path and of `params` that the query does not have.
fn unused(check: &mut Check<'_>, at: &KeyPath, used: &[String], written: &Route) {
    for param in params(&written.path).iter().filter(|param| !used.contains(&param.name)) {
        let finding = Finding::error(format!("the query does not use the path's `{}`", param.name))
            .label("would give the same answer for each value")
            .hint(format!("use it as `:{}`", param.name));
        check.value(&at.key("path"), finding);
    }
    for name in written.params.iter().flat_map(|params| params.keys()).filter(|name| !used.contains(name)) {
        let finding = Finding::error(format!("the query has no parameter `{name}`"))
            .label("not used")
            .hint_if(did_you_mean(name, used.iter().map(String::as_str)));
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
    let start = place.span.start + check.findings.quoted(place)?.find(sql)? + offset;
    let rest = sql.get(offset..)?;
    let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let first = rest.chars().next()?.len_utf8();
    Some(Place { text: place.text, span: start..start + word.max(first) })
}
