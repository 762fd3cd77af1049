//! Declared queries: one `select`, checked when the server starts, run as it is written.
//!
//! Nothing is rewritten but the names of parameters, where the database takes numbers only. Which tables a query reads, and whether it calls volatile functions, the database says
//! itself; here is read which parameters it takes, and whether one of them narrows what it depends on.

mod read;

use std::borrow::Cow;
use std::sync::Arc;

use kasoku_coherence::Tag;
use kasoku_problem::Problem;

use crate::Value;
use crate::convert::value_of_text;
use crate::dialect::Dialect;
use crate::fault::{echo, invalid, unknown_parameter};
use crate::grammar::query_string;
use crate::named;
use crate::plan::Statement;
use crate::rules::{QueryParam, QueryRules};
use crate::schema::Schema;
use crate::sql::SqlText;
use crate::tags::{TagRules, table_tag};
pub use read::{Narrow, QueryFault, ReadQuery, read_query};

/// Turns the requests of one `query` route into statements.
#[derive(Debug)]
pub struct QueryPlanner {
    name: Arc<str>,
    sql: Arc<str>,
    params: Vec<QueryParam>,
    /// The rows that the query depends on, if a parameter says which.
    narrow: Option<Narrow>,
    tables: Vec<Tag>,
    rows: Option<Arc<TagRules>>,
}

/// How to answer a query.
#[derive(Debug, Clone)]
pub struct QueryPlan {
    /// The query and its values.
    pub statement: Statement,
    /// What the answer depends on.
    pub tags: Vec<Tag>,
}

impl QueryPlanner {
    /// Settles a route. `name` is the statement's, for statistics; `tables` are all tables that the query reads, as
    /// the database reports them.
    pub fn new(
        name: &str,
        rules: &QueryRules,
        schema: &Schema,
        dialect: &'static Dialect,
        tables: &[&str],
    ) -> Result<Self, QueryFault> {
        let read = read_query(&rules.sql, dialect)?;
        for param in &read.params {
            if rules.params.iter().all(|declared| declared.name != *param) {
                return Err(QueryFault::Undeclared(param.clone()));
            }
        }
        // Values are bound by place, and a place is given at the first use.
        let mut params = rules.params.clone();
        for param in &params {
            if !read.params.contains(&param.name) {
                return Err(QueryFault::Unused(param.name.clone()));
            }
        }
        params.sort_by_key(|param| read.params.iter().position(|used| *used == param.name));
        let narrow = read
            .narrow(schema)
            .filter(|narrow| matches!(tables, [table] if table.eq_ignore_ascii_case(&narrow.table)));
        let sql = if dialect.names_parameters {
            Cow::Borrowed(rules.sql.as_str())
        } else {
            Cow::Owned(named::numbered(&rules.sql, |_| true).text)
        };
        let written = SqlText::new(dialect, &sql).finish(name, "query");
        Ok(Self {
            name: written.name,
            sql: written.sql,
            params,
            narrow,
            tables: tables.iter().map(|table| table_tag(table)).collect(),
            rows: None,
        })
    }

    /// The column that a parameter narrows the query to; to be given to [`TagRules::new`] of its table.
    pub fn narrowed(&self) -> Option<&Narrow> {
        self.narrow.as_ref()
    }

    /// Lets answers be named by rows of the narrowed table, whose rules these are.
    #[must_use]
    pub fn with_tag_rules(mut self, rules: Arc<TagRules>) -> Self {
        self.rows = Some(rules);
        self
    }

    /// Plans a request: values come from the path's parameters, then from the query string.
    pub fn plan(&self, path: &[(&str, &str)], query: Option<&str>) -> Result<QueryPlan, Problem> {
        self.plan_for(path, query, |_| None)
    }

    /// The names under which the query asks for what is known of its caller.
    pub fn asked_of_caller(&self) -> Vec<&str> {
        self.params.iter().filter_map(|param| param.caller.as_deref()).collect()
    }

    /// The same for a caller of whom this is known. What is not known, or no value of the parameter, is NULL.
    pub fn plan_for<'c>(
        &self,
        path: &[(&str, &str)],
        query: Option<&str>,
        known: impl Fn(&str) -> Option<&'c str>,
    ) -> Result<QueryPlan, Problem> {
        let mut given: Vec<Option<Cow<'_, str>>> = self
            .params
            .iter()
            .map(|param| path.iter().find(|(name, _)| *name == param.name && param.caller.is_none()))
            .map(|found| found.map(|(_, text)| Cow::Borrowed(*text)))
            .collect();
        for pair in query_string::parameters(query)? {
            let (name, text) = pair?;
            let is_it = |param: &QueryParam| param.name == name && param.caller.is_none();
            let Some(place) = self.params.iter().position(is_it) else {
                let given = self.params.iter().filter(|param| param.caller.is_none());
                return Err(unknown_parameter(&name, given.map(|param| param.name.as_str())));
            };
            if given[place].replace(text).is_some() {
                return Err(invalid(&name, format!("`{name}` is given more than once")));
            }
        }
        let values = self.params.iter().zip(given).map(|(param, text)| match (text, &param.caller) {
            (_, Some(name)) => {
                let text = known(name);
                Ok(text.and_then(|text| value_of_text(param.kind, text).ok()).unwrap_or(Value::Null))
            }
            (Some(text), None) => value_of_text(param.kind, &text).map_err(|expected| {
                invalid(
                    &param.name,
                    format!("`{}` is not {expected}, which `{}` takes", echo(&text), param.name),
                )
                .code("22P02")
            }),
            (None, None) => param
                .default
                .clone()
                .ok_or_else(|| invalid(&param.name, format!("the parameter `{}` is missing", param.name))),
        });
        let params = values.collect::<Result<Vec<_>, _>>()?;
        let tags = self.tags(&params);
        let statement = Statement { name: Arc::clone(&self.name), sql: Arc::clone(&self.sql), params };
        Ok(QueryPlan { statement, tags })
    }

    /// The tags of a plan in words. `tables` are those that the query reads.
    pub fn tag_names(&self, plan: &QueryPlan, tables: &[String]) -> Vec<String> {
        let name = |tag: &Tag| {
            if let Some(table) = tables.iter().find(|table| table_tag(table) == *tag) {
                return format!("all rows of {}", table.to_ascii_lowercase());
            }
            let named = self.rows.as_ref().map(|rules| rules.names(&[], &[*tag], &plan.statement.params));
            named.unwrap_or_default().concat()
        };
        plan.tags.iter().map(name).collect()
    }

    fn tags(&self, params: &[Value]) -> Vec<Tag> {
        let row = self.narrow.as_ref().zip(self.rows.as_ref()).and_then(|(narrow, rules)| {
            let place = self.params.iter().position(|param| param.name == narrow.param)?;
            rules.equal(narrow.place, &params[place])
        });
        row.map_or_else(|| self.tables.clone(), |tag| vec![tag])
    }
}
