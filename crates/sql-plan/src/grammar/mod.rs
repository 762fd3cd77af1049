//! The grammar of requests: a query string in, what was asked for out.
//!
//! Names are held against the route's columns and values are read by their kinds here; what SQL comes of it is not
//! known here.

pub(crate) mod braces;
pub(crate) mod filter;
pub(crate) mod order;
pub(crate) mod path;
pub(crate) mod pattern;
pub(crate) mod query_string;
mod regex;
pub(crate) mod scan;
pub(crate) mod select;

use kasoku_problem::Problem;

use crate::columns::Columns;
use crate::fault::{echo, invalid, invalid_name, unknown_parameter};
use crate::rules::PageRules;
use filter::{FilterReader, Node};
use order::AskedTerm;
use scan::Scanner;
use select::Selection;

/// What a request asks for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) selection: Option<Selection>,
    /// All of them must hold.
    pub(crate) nodes: Vec<Node>,
    pub(crate) order: Option<Vec<AskedTerm>>,
    pub(crate) limit: Option<u32>,
    pub(crate) cursor: Option<String>,
    /// `columns`: the only members of a body's rows that count.
    pub(crate) columns: Option<Vec<usize>>,
    /// `on_conflict`: the unique columns by which rows are the same.
    pub(crate) on_conflict: Option<Vec<usize>>,
}

/// Which parameters a request may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameters {
    reserved: &'static [&'static str],
    filters: bool,
}

impl Parameters {
    pub(crate) const LIST: Self = Self {
        reserved: &["select", "fields", "order", "limit", "cursor", "and", "or", "not.and", "not.or"],
        filters: true,
    };
    pub(crate) const ONE: Self = Self { reserved: &["select", "fields"], filters: false };
    pub(crate) const INSERT: Self = Self { reserved: &["select", "fields", "columns"], filters: false };
    pub(crate) const UPSERT: Self =
        Self { reserved: &["select", "fields", "columns", "on_conflict"], filters: false };
    pub(crate) const CHANGE: Self =
        Self { reserved: &["select", "fields", "and", "or", "not.and", "not.or"], filters: true };
}

/// Parameters that no column can be named by; a filter by such a column stands in `and=(…)`.
pub const RESERVED_PARAMETERS: &[&str] = &[
    "select",
    "fields",
    "order",
    "limit",
    "cursor",
    "offset",
    "and",
    "or",
    "not.and",
    "not.or",
    "columns",
    "on_conflict",
];

/// Reads a query string.
pub(crate) fn read(
    columns: &Columns,
    page: PageRules,
    accepted: Parameters,
    query: Option<&str>,
) -> Result<Asked, Problem> {
    let mut asked = Asked::default();
    let mut filters = FilterReader::new(columns);
    for pair in query_string::parameters(query)? {
        let (name, text) = pair?;
        let name = name.as_ref();
        if accepted.reserved.contains(&name) {
            if filter::group_name(name).is_some() {
                filters.group(name, &text)?;
            } else {
                reserved(&mut asked, columns, page, name, &text)?;
            }
        } else if name == "offset" && accepted.reserved.contains(&"cursor") {
            offset(&text)?;
        } else {
            match columns.filterable(name).filter(|_| accepted.filters) {
                Some(place) if !RESERVED_PARAMETERS.contains(&name) => filters.column(place, name, &text)?,
                None if accepted.filters && name.contains("->") => match filters.within_column(name, &text) {
                    Some(read) => read?,
                    None => return Err(unknown(columns, accepted, name)),
                },
                _ => return Err(unknown(columns, accepted, name)),
            }
        }
    }
    asked.nodes = filters.nodes;
    Ok(asked)
}

fn reserved(
    asked: &mut Asked,
    columns: &Columns,
    page: PageRules,
    name: &str,
    text: &str,
) -> Result<(), Problem> {
    let twice = match name {
        "select" | "fields" => {
            let earlier = asked.selection.is_some();
            asked.selection = select::read(columns, name, text)?;
            earlier
        }
        "order" => asked.order.replace(order::read(columns, text)?).is_some(),
        "limit" => asked.limit.replace(limit(page, text)?).is_some(),
        "cursor" => asked.cursor.replace(text.to_owned()).is_some(),
        "columns" => asked.columns.replace(names(columns, name, text)?).is_some(),
        "on_conflict" => asked.on_conflict.replace(names(columns, name, text)?).is_some(),
        other => unreachable!("`{other}` is in no table of accepted parameters"),
    };
    if twice { Err(invalid(name, format!("`{name}` is given more than once"))) } else { Ok(()) }
}

fn limit(page: PageRules, text: &str) -> Result<u32, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let limit = if digits { text.parse().ok() } else { None };
    limit.filter(|limit| (1..=page.most).contains(limit)).ok_or_else(|| {
        invalid("limit", format!("`{}` is not a number from 1 to {}", echo(text), page.most))
            .member("most", page.most)
    })
}

/// Clients that page by offset begin with 0, which is where every list begins; there is no other offset.
fn offset(text: &str) -> Result<(), Problem> {
    if text == "0" {
        return Ok(());
    }
    let detail = "lists are not paged by offset; follow the `next` link, or give its `cursor`";
    Err(invalid("offset", detail).member("allowed", ["cursor", "limit"].as_slice()))
}

/// Names of columns with commas between.
fn names(columns: &Columns, parameter: &str, text: &str) -> Result<Vec<usize>, Problem> {
    let mut places = Vec::new();
    let mut scanner = Scanner::new(text);
    loop {
        scanner.skip_spaces();
        let name = scanner.name(b",");
        let place = columns
            .selectable(name.trim_end())
            .ok_or_else(|| invalid_name(parameter, "column", &name, columns.selectable_names()))?;
        if !places.contains(&place) {
            places.push(place);
        }
        if scanner.at_end() {
            return Ok(places);
        }
        scanner.eat(",");
    }
}

fn unknown(columns: &Columns, accepted: Parameters, name: &str) -> Problem {
    let filters = columns.filterable_names().filter(|_| accepted.filters);
    unknown_parameter(name, accepted.reserved.iter().copied().chain(filters))
}
