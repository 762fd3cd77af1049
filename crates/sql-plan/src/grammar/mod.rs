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
mod within;

use kasoku_problem::Problem;

use crate::branch::Scope;
use crate::columns::Columns;
use crate::fault::{echo, invalid, invalid_name, unknown_parameter};
use crate::rules::PageRules;
use filter::{FilterReader, Node};
use order::AskedTerm;
use scan::Scanner;
use select::{Join, Selection};
use within::WithinReader;

/// What a request asks for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) selection: Option<Selection>,
    /// All of them must hold.
    pub(crate) nodes: Vec<Node>,
    pub(crate) order: Option<Vec<AskedTerm>>,
    pub(crate) limit: Option<u32>,
    /// Rows to pass over.
    pub(crate) offset: Option<u32>,
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
    writes: bool,
}

impl Parameters {
    pub(crate) const LIST: Self = Self {
        reserved: &[
            "select", "fields", "order", "limit", "offset", "cursor", "and", "or", "not.and", "not.or",
        ],
        filters: true,
        writes: false,
    };
    pub(crate) const ONE: Self = Self { reserved: &["select", "fields"], filters: false, writes: false };
    pub(crate) const PUT: Self = Self { writes: true, ..Self::ONE };
    pub(crate) const INSERT: Self =
        Self { reserved: &["select", "fields", "columns"], filters: false, writes: true };
    pub(crate) const UPSERT: Self =
        Self { reserved: &["select", "fields", "columns", "on_conflict"], filters: false, writes: true };
    pub(crate) const CHANGE: Self = Self {
        reserved: &["select", "fields", "columns", "order", "limit", "and", "or", "not.and", "not.or"],
        filters: true,
        writes: true,
    };
    pub(crate) const EACH: Self = Self::INSERT;
    pub(crate) const LOAD: Self = Self { reserved: &["columns"], filters: false, writes: true };
    pub(crate) const LOAD_OVER: Self =
        Self { reserved: &["columns", "on_conflict"], filters: false, writes: true };
}

impl Parameters {
    /// Whether they are those of a list.
    fn of_list(self) -> bool {
        self.reserved.contains(&"cursor")
    }

    /// Whether they are those of one row that is read, or of a write: each says which rows it is about.
    fn select(self, selection: &Selection) -> Result<(), Problem> {
        if selection.grouped && !self.of_list() {
            return Err(invalid("select", "only what a list reads can be summed up"));
        }
        if self.writes && selection.embeds.iter().any(|embed| embed.join != Join::Left) {
            return Err(invalid(
                "select",
                "a write answers with the rows that it wrote, whatever is embedded in them",
            ));
        }
        Ok(())
    }
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
    scope: Scope<'_>,
    page: PageRules,
    accepted: Parameters,
    query: Option<&str>,
) -> Result<Asked, Problem> {
    let columns = scope.columns;
    let mut asked = Asked::default();
    let mut deferred = Vec::new();
    let mut filters = FilterReader::new(columns);
    for pair in query_string::parameters(query)? {
        let (name, text) = pair?;
        let name = name.as_ref();
        if accepted.reserved.contains(&name) {
            if filter::group_name(name).is_some() {
                filters.group(name, &text)?;
            } else {
                reserved(&mut asked, scope, page, name, &text)?;
            }
        } else {
            match columns.filterable(name).filter(|_| accepted.filters) {
                Some(place) if !RESERVED_PARAMETERS.contains(&name) => filters.column(place, name, &text)?,
                None if accepted.filters && name.contains("->") => match filters.within_column(name, &text) {
                    Some(read) => read?,
                    None if names_embed(scope, name) => deferred.push((name.to_owned(), text.into_owned())),
                    None => return Err(unknown(scope, accepted, name)),
                },
                _ if names_embed(scope, name) => deferred.push((name.to_owned(), text.into_owned())),
                _ => return Err(unknown(scope, accepted, name)),
            }
        }
    }
    if asked.selection.as_ref().is_some_and(|selection| !selection.embeds.is_empty()) || !deferred.is_empty()
    {
        let reader = WithinReader { accepted, filters_left: filters.left(), deferred: &deferred };
        reader.read(scope, asked.selection.as_mut())?;
    }
    asked.nodes = filters.nodes;
    if let Some(selection) = &asked.selection {
        accepted.select(selection)?;
    }
    Ok(asked)
}

/// Whether a parameter may be about an embed: what its name begins with can only be said once `select` is read.
fn names_embed(scope: Scope<'_>, name: &str) -> bool {
    !scope.branches.is_empty() && !RESERVED_PARAMETERS.contains(&name)
}

fn reserved(
    asked: &mut Asked,
    scope: Scope<'_>,
    page: PageRules,
    name: &str,
    text: &str,
) -> Result<(), Problem> {
    let columns = scope.columns;
    let twice = match name {
        "select" | "fields" => {
            let earlier = asked.selection.is_some();
            asked.selection = select::read(scope, name, text)?;
            earlier
        }
        "order" => asked.order.replace(order::read(scope, name, text)?).is_some(),
        "limit" => asked.limit.replace(limit(page, text)?).is_some(),
        "offset" => asked.offset.replace(offset(page, text)?).is_some(),
        "cursor" => asked.cursor.replace(text.to_owned()).is_some(),
        "columns" => asked.columns.replace(names(columns, name, text)?).is_some(),
        "on_conflict" => asked.on_conflict.replace(names(columns, name, text)?).is_some(),
        other => unreachable!("`{other}` is in no table of accepted parameters"),
    };
    if twice { Err(invalid(name, format!("`{name}` is given more than once"))) } else { Ok(()) }
}

fn limit(page: PageRules, text: &str) -> Result<u32, Problem> {
    number(text).filter(|limit| *limit <= page.most).ok_or_else(|| {
        invalid("limit", format!("`{}` is not a number from 0 to {}", echo(text), page.most))
            .member("most", page.most)
    })
}

/// Every list begins at 0, so clients that page by offset may always say so.
fn offset(page: PageRules, text: &str) -> Result<u32, Problem> {
    let offset = number(text).filter(|offset| *offset <= page.offset_most);
    offset.ok_or_else(|| invalid("offset", not_by_offset(page, text)).member("most", page.offset_most))
}

/// Why a list does not begin there.
pub(crate) fn not_by_offset(page: PageRules, text: &str) -> String {
    match page.offset_most {
        0 => "this list is not paged by offset, which reads all that it passes over; \
              follow the `next` link, or give its `cursor`"
            .to_owned(),
        most => format!(
            "`{}` is not a number from 0 to {most}; beyond it, follow the `next` link, or give its `cursor`",
            echo(text)
        ),
    }
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
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

fn unknown(scope: Scope<'_>, accepted: Parameters, name: &str) -> Problem {
    let filters = scope.columns.filterable_names().filter(|_| accepted.filters);
    unknown_parameter(name, accepted.reserved.iter().copied().chain(filters))
}
