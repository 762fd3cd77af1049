//! What a route allows: the checked settings of `table` and `query` routes.
//!
//! Names have been checked against the [`Schema`] before a value of these types exists.

use crate::relation::Relation;
use crate::row_rule;
use crate::schema::Schema;

/// What a `table` route serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRules {
    /// The table.
    pub table: String,
    /// The columns that may be read; never empty.
    pub select: Vec<String>,
    /// The columns that may be filtered by.
    pub filter: Vec<String>,
    /// Columns that may also be filtered by the plain form `?category=books`; a subset of `filter`.
    pub plain: Vec<String>,
    /// The sorts that may be asked for, each also in reverse; the first is the default. Never empty: a table with
    /// a key sorts by it.
    pub order: Vec<Sort>,
    /// How many rows a page has.
    pub page: PageRules,
    /// Which totals may be asked for.
    pub counts: Counts,
    /// What may be written.
    pub write: WriteRules,
    /// `Some("items")`: lists are `{"items": […], "next_cursor": …}`; else a plain array.
    pub envelope: Option<String>,
    /// `Some("deleted_at")`: a delete sets this column, and rows where it is set do not exist for the route.
    pub soft_delete: Option<String>,
    /// What rows of other tables may be answered inside of these.
    pub embeds: Vec<EmbedRules>,
    /// Rows of all embeds of one answer together, at the most; more is an error, never cut silently.
    pub embed_rows_most: u32,
    /// What may be summed up.
    pub aggregate: AggregateRules,
    /// `Some("user_id = :caller.id")`: rows for which it does not hold do not exist for the caller.
    pub row_rule: Option<String>,
}

/// Rows of a related table that may be answered inside of a table's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedRules {
    /// What requests call it.
    pub name: String,
    /// How the rows are related.
    pub relation: Relation,
    /// What is served of the related table. `page.most` are the rows inside of one row; counts, writes, the
    /// envelope and plain filters mean nothing here.
    pub rules: TableRules,
}

/// Which columns `count()`, `sum()`, `avg()`, `min()` and `max()` may be asked of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AggregateRules {
    /// No aggregates.
    #[default]
    None,
    /// All that may be read.
    Shown,
    /// These, and the number of rows.
    Columns(Vec<String>),
}

impl TableRules {
    /// The names under which the rules of this table and of all that it embeds ask for what is known of a caller.
    pub fn asked_of_caller(&self, schema: &Schema) -> Vec<String> {
        let own = schema.table(&self.table).and_then(|table| row_rule::of(self, table));
        let mut names: Vec<String> = own.iter().flat_map(|rule| rule.names()).map(str::to_owned).collect();
        names.extend(self.embeds.iter().flat_map(|embed| embed.rules.asked_of_caller(schema)));
        names.sort();
        names.dedup();
        names
    }

    /// The columns of other tables, by table, that answers with embeds are named by: changes must bring their values.
    pub fn embedded(&self, schema: &Schema) -> Vec<(String, Vec<String>)> {
        let mut found = Vec::new();
        for embed in &self.embeds {
            found.extend(embed.relation.watched(schema));
            found.extend(embed.rules.embedded(schema));
        }
        found
    }
}

/// A declared sort: one or more terms, to which the key is added where they are not unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort(pub Vec<OrderTerm>);

/// A column to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderTerm {
    /// The column; `author(name)` is one of the only row that an embed has.
    pub column: String,
    /// Largest first.
    pub descending: bool,
}

/// How many rows a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRules {
    /// If the request does not say.
    pub default: u32,
    /// At the most; more is refused with a 400, never cut silently.
    pub most: u32,
    /// Rows that `offset` may pass over, at the most; 0 leaves cursors alone to lead from page to page.
    pub offset_most: u32,
}

/// Totals of a list: which one is given unasked, and which may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Without `Prefer: count=…`.
    pub default: CountRule,
    /// What `Prefer: count=…` may ask for.
    pub allowed: Vec<CountRule>,
    /// Where a capped count stops counting.
    pub cap: u64,
}

/// A way to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CountRule {
    /// No total.
    None,
    /// From the database's statistics; may be far off.
    Estimated,
    /// Exact up to a cap, "at least" beyond it.
    Capped,
    /// Exact, however long it takes.
    Exact,
}

/// What may be written through a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each method is allowed or not by itself")]
pub struct WriteRules {
    /// `POST`.
    pub insert: bool,
    /// `PATCH`.
    pub update: bool,
    /// `PATCH` of the list with an array of rows, each of which carries its key.
    pub update_each: bool,
    /// `PUT` of one row by key, and `POST` with `Prefer: resolution=merge-duplicates`.
    pub upsert: bool,
    /// `DELETE`.
    pub delete: bool,
    /// Rows in one request, at the most.
    pub rows_most: u32,
}

/// What a `query` route serves.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryRules {
    /// One `select`, with `:name` for parameters.
    pub sql: String,
    /// The parameters, from path patterns or the query string, in the order of first use.
    pub params: Vec<QueryParam>,
    /// Answer one object, and 404 without a row, instead of an array.
    pub one: bool,
    /// Rows at the most; more is an error of the route, never cut silently.
    pub rows_most: u32,
    /// The columns of its result, as the database describes them.
    pub columns: Vec<(String, crate::ColumnKind)>,
}

/// A parameter of a declared query.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryParam {
    /// Its name, without the colon.
    pub name: String,
    /// How its text is read.
    pub kind: crate::ColumnKind,
    /// Used where the request has none; without it, a missing parameter is a 400.
    pub default: Option<crate::Value>,
    /// Not given by the request: what is known of the caller under this name, or NULL.
    pub caller: Option<String>,
}
