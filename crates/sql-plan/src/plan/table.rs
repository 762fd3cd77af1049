//! The planner of a `table` route: everything that can be settled before the first request.

use std::sync::Arc;

use kasoku_coherence::Tag;
use kasoku_problem::{Kind, Problem};

use super::nest::{Nest, Nester, bind_presence, presence_shape, presence_tags, related_term, write_presence};
use super::shapes::Shapes;
use super::sorts::{identity_as_sql, sorts};
use super::{OnePlan, OutputColumn, Statement, list::ListShape, shown};
use crate::branch::{Aggregates, Branch, Scope};
use crate::check::{RuleFaults, check};
use crate::columns::Columns;
use crate::convert::{json_of_text, value_of_text};
use crate::dialect::Dialect;
use crate::fault::echo;
use crate::grammar::scan::Scanner;
use crate::grammar::select::{AskedEmbed, Selection, Shown};
use crate::grammar::{self, Parameters};
use crate::keyset::Sorting;
use crate::rules::{Counts, PageRules, TableRules, WriteRules};
use crate::schema::{Schema, Unique};
use crate::sql::{SqlText, Written};
use crate::tags::TagRules;
use crate::{ColumnKind, Value};

/// Turns the requests of one `table` route into plans.
#[derive(Debug)]
pub struct TablePlanner {
    pub(crate) dialect: &'static Dialect,
    /// Tells the route's cursors from those of others.
    pub(super) route: Arc<str>,
    pub(crate) table: Box<str>,
    /// The table's name as SQL.
    pub(crate) quoted: Box<str>,
    pub(crate) columns: Columns,
    /// What is answered if a request does not select.
    pub(crate) outputs: Arc<[OutputColumn]>,
    pub(crate) page: PageRules,
    pub(crate) counts: Counts,
    pub(crate) writes: WriteRules,
    /// The column that hides a row when it is set.
    pub(crate) soft_delete: Option<usize>,
    /// Columns of the key.
    pub(crate) key: Vec<usize>,
    pub(crate) unique: Vec<Unique>,
    /// The columns that tell rows apart, as SQL.
    pub(crate) identity: Vec<Box<str>>,
    key_kinds: Vec<ColumnKind>,
    /// The declared sorts, each followed by its reverse.
    pub(crate) sorts: Vec<Arc<Sorting>>,
    pub(super) tags: Arc<TagRules>,
    pub(crate) branches: Vec<Branch>,
    pub(crate) aggregates: Aggregates,
    /// Rows of all embeds of one answer together, at the most.
    embed_rows_most: u32,
    nests: Shapes<Written>,
    one: Written,
    ones: Shapes<Written>,
    pub(super) lists: Shapes<ListShape>,
    pub(super) counters: Shapes<Written>,
    pub(crate) writers: Shapes<Written>,
}

impl TablePlanner {
    /// Settles a route. `route` names it among the others that share the cursors' key, and `tags` gives the rules of
    /// its table and of all that are embedded.
    ///
    /// # Errors
    /// What [`check`] finds: names that the schema does not have, and rules that could not be kept.
    pub fn new(
        route: &str,
        schema: &Schema,
        rules: &TableRules,
        dialect: &'static Dialect,
        tags: &dyn Fn(&str) -> Arc<TagRules>,
    ) -> Result<Self, RuleFaults> {
        check(rules, schema, dialect)?;
        let table = schema.table(&rules.table).expect("the rules were checked");
        let columns = Columns::new(table, rules, dialect);
        let outputs = columns.selectable_places().map(|place| columns.field(place).output.clone()).collect();
        let place = |name: &String| table.column(name).map(|(place, _)| place);
        let quoted = dialect.quote(&table.name);
        let branches = Branch::all(&rules.embeds, schema, dialect, tags);
        let near = |place: usize| format!("{quoted}.{}", columns.field(place).quoted);
        let related = |text: &str| related_term(text, &branches, &near);
        let mut planner = Self {
            dialect,
            route: route.into(),
            table: table.name.as_str().into(),
            outputs,
            page: rules.page,
            counts: rules.counts.clone(),
            writes: rules.write,
            soft_delete: rules.soft_delete.as_ref().and_then(place),
            key: table.key.clone(),
            unique: table
                .unique
                .iter()
                .map(|columns| Unique::whole(columns))
                .chain(table.partial.iter().cloned())
                .collect(),
            identity: identity_as_sql(table, &columns, dialect),
            key_kinds: table.key.iter().map(|place| table.columns[*place].kind).collect(),
            sorts: sorts(table, &columns, &rules.order, dialect, &related),
            tags: tags(&table.name),
            aggregates: Aggregates::new(&rules.aggregate, &columns),
            embed_rows_most: rules.embed_rows_most,
            nests: Shapes::new(),
            quoted: quoted.into(),
            branches,
            columns,
            one: Written { name: "".into(), sql: "".into() },
            ones: Shapes::new(),
            lists: Shapes::new(),
            counters: Shapes::new(),
            writers: Shapes::new(),
        };
        let all: Vec<Shown> = planner.columns.selectable_places().map(Shown::column).collect();
        planner.one = planner.write_one(&all, &[]);
        Ok(planner)
    }

    /// Plans `GET path/{key}`. The key is the path's segment, decoded; the values of a key of several columns have
    /// commas between them and may be quoted.
    pub fn one(&self, key: &str, query: Option<&str>) -> Result<OnePlan, Problem> {
        let key = self.key_values(key)?;
        let mut tags = Vec::with_capacity(1);
        self.tags.row(&self.key_kinds, &key, &mut tags);
        let selection = match query {
            None | Some("") => None,
            Some(_) => grammar::read(self.scope(), self.page, Parameters::ONE, query)?.selection,
        };
        let Some(selection) = selection else {
            let columns = Arc::clone(&self.outputs);
            return Ok(OnePlan { statement: Statement::new(&self.one, key), columns, tags, nest: None });
        };
        let mut shown = selection.shown.clone();
        let nest = self.nest(&selection, &mut shown)?;
        let mut shape = Vec::with_capacity(shown.len() * 3);
        for shown in &shown {
            shown.shape(&mut shape);
        }
        presence_shape(&selection.embeds, &mut shape);
        presence_tags(&selection.embeds, self.scope(), &mut tags);
        let written = self.ones.get_or_make(&shape, || self.write_one(&shown, &selection.embeds));
        let mut params = Vec::with_capacity(key.len());
        shown::bind(&shown, self.dialect, &mut params);
        params.extend(key);
        bind_presence(&selection.embeds, self.scope(), self.dialect, &mut params);
        let columns = self.outputs_of_selection(Some(&selection));
        Ok(OnePlan { statement: Statement::new(&written, params), columns, tags, nest })
    }

    /// What embeds add to rows that have these values; values that they need besides are added.
    pub(crate) fn nest(
        &self,
        selection: &Selection,
        shown: &mut Vec<Shown>,
    ) -> Result<Option<Nest>, Problem> {
        if selection.embeds.is_empty() {
            return Ok(None);
        }
        let nester = Nester { dialect: self.dialect, texts: &self.nests };
        nester.nest(self.scope(), selection, 0, shown, &[]).map(Some)
    }

    /// What requests may name.
    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope { columns: &self.columns, branches: &self.branches, aggregates: &self.aggregates }
    }

    /// Rows of all embeds of one answer together, at the most.
    pub fn embed_rows_most(&self) -> u32 {
        self.embed_rows_most
    }

    /// The tags of a plan in words. `values` are those of its statement.
    pub fn tag_names(&self, tags: &[Tag], values: &[Value]) -> Vec<String> {
        self.tags.names(&self.key_kinds, tags, values)
    }

    /// The tags that stand for everything that an answer may depend on.
    pub fn depends_on(&self) -> Vec<Tag> {
        fn add(branches: &[Branch], out: &mut Vec<Tag>) {
            for branch in branches {
                out.extend_from_slice(branch.tags.whole());
                out.extend(branch.between.iter().flat_map(|between| between.tags.whole()));
                add(&branch.branches, out);
            }
        }
        let mut tags = self.tags.whole().to_vec();
        add(&self.branches, &mut tags);
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// The route's rules for tags.
    pub fn tag_rules(&self) -> &Arc<TagRules> {
        &self.tags
    }

    /// The columns of an answer.
    pub(crate) fn outputs_of_selection(&self, selection: Option<&Selection>) -> Arc<[OutputColumn]> {
        match selection {
            None => Arc::clone(&self.outputs),
            Some(selection) => selection.all_outputs().into(),
        }
    }

    /// Reads the key of a path. A text that is no value of the key's columns is the key of no row.
    pub(crate) fn key_values(&self, text: &str) -> Result<Vec<Value>, Problem> {
        let none = || Problem::new(Kind::NotFound).detail(format!("there is no row `{}`", echo(text)));
        let mut values = Vec::with_capacity(self.key.len());
        if let [kind] = self.key_kinds[..] {
            values.push(value_of_text(kind, text).map_err(|_| none())?);
            return Ok(values);
        }
        let mut scanner = Scanner::new(text);
        for (place, kind) in self.key_kinds.iter().enumerate() {
            if place > 0 && !scanner.eat(",") {
                return Err(none());
            }
            let part = scanner.name(b",");
            values.push(value_of_text(*kind, &part).map_err(|_| none())?);
        }
        if values.is_empty() || !scanner.at_end() { Err(none()) } else { Ok(values) }
    }

    /// Begins a statement that reads these values, and then these, as SQL; and leaves out rows that are deleted.
    pub(super) fn begin_select(&self, shown: &[Shown], further: &[&str]) -> SqlText {
        let mut sql = SqlText::new(self.dialect, "select ");
        shown::write_all(shown, &self.columns, &mut sql);
        for text in further {
            sql.push(if sql.text.len() > "select ".len() { ", " } else { "" }).push(text);
        }
        // What nothing is shown of is there or not.
        if shown.is_empty() && further.is_empty() {
            sql.push("1");
        }
        sql.push(" from ").push(&self.quoted);
        self.write_existing(&mut sql);
        sql
    }

    /// The conditions that related rows are there, or are not.
    pub(super) fn write_presence(&self, embeds: &[AskedEmbed], sql: &mut SqlText) {
        let near = |place: usize| format!("{}.{}", self.quoted, self.columns.field(place).quoted);
        write_presence(embeds, self.scope(), &near, sql);
    }

    /// The condition that a row is not deleted.
    pub(crate) fn write_existing(&self, sql: &mut SqlText) {
        if let Some(place) = self.soft_delete {
            sql.condition().push(&self.columns.field(place).quoted).push(" is null");
        }
    }

    /// How a statement would be run, as a statement with its lines, and the place of these in a row.
    pub fn explained(&self, statement: &Statement) -> (Statement, usize) {
        let (explain, place) = self.dialect.explain;
        let name = format!("{}-plan", statement.name).into();
        let sql = format!("{explain}{}", statement.sql).into();
        (Statement { name, sql, params: statement.params.clone() }, place)
    }

    /// A text, such as a form has, as what the body of a write would have for it in JSON.
    pub fn json_of_text(&self, column: &str, text: &str) -> serde_json::Value {
        match self.columns.selectable(column) {
            Some(place) => json_of_text(self.columns.field(place).kind, text),
            None => text.into(),
        }
    }

    /// Rows that a body may have.
    pub fn rows_most(&self) -> u32 {
        self.writes.rows_most
    }

    /// The conditions that the key's columns have the values of the next parameters.
    pub(crate) fn write_key(&self, sql: &mut SqlText) {
        for place in &self.key {
            sql.condition().push(&self.columns.field(*place).quoted).push(" = ");
            sql.param();
        }
    }

    fn write_one(&self, shown: &[Shown], embeds: &[AskedEmbed]) -> Written {
        let mut sql = self.begin_select(shown, &[]);
        self.write_key(&mut sql);
        self.write_presence(embeds, &mut sql);
        sql.finish(&self.table, "one")
    }
}
