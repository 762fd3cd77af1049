//! The planner of a `table` route: everything that can be settled before the first request.

use std::sync::{Arc, OnceLock};

use kasoku_coherence::Tag;
use kasoku_problem::Problem;

use super::nest::{Nest, Nester, bind_presence, presence_shape, presence_tags, related_term, write_presence};
use super::shapes::Shapes;
use super::sorts::{identity_as_sql, sorts};
use super::{OnePlan, OutputColumn, Statement, condition, list::ListShape, shown};
use crate::branch::{Aggregates, Branch, Scope};
use crate::check::{RuleFaults, check};
use crate::columns::Columns;
use crate::convert::json_of_text;
use crate::dialect::Dialect;
use crate::grammar::Parameters;
use crate::grammar::filter::Node;
use crate::grammar::select::{AskedEmbed, Selection, Shown};
use crate::keyset::Sorting;
use crate::row_rule::{self, Known, RowRule};
use crate::rules::{Counts, PageRules, TableRules, WriteRules};
use crate::schema::{Schema, Unique};
use crate::sql::{SqlText, Written};
use crate::tags::TagRules;
use crate::{ColumnKind, Value};

/// Turns the requests of one `table` route into plans. A planner is for one caller; where no rule asks who that is, it is
/// for all.
#[derive(Debug, Clone)]
pub struct TablePlanner {
    pub(super) settled: Arc<Settled>,
    pub(super) caller: Arc<Known>,
}

/// What is the same for all callers.
#[derive(Debug)]
pub struct Settled {
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
    pub(super) key_kinds: Vec<ColumnKind>,
    /// The declared sorts, each followed by its reverse.
    pub(crate) sorts: Vec<Arc<Sorting>>,
    pub(super) tags: Arc<TagRules>,
    pub(crate) branches: Vec<Branch>,
    pub(crate) aggregates: Aggregates,
    /// Which rows there are for a caller.
    pub(crate) rule: Option<RowRule>,
    /// The columns with the table's name before them, where a rule stands beside other rows.
    pub(crate) qualified: Option<Columns>,
    /// What rules ask for of a caller.
    pub(super) asked_of_caller: Vec<String>,
    /// Rows of all embeds of one answer together, at the most.
    embed_rows_most: u32,
    nests: Shapes<Written>,
    one: OnceLock<Written>,
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
        let rule = row_rule::of(rules, table);
        let qualified = rule.as_ref().map(|_| Columns::aliased(table, rules, dialect, Some(&quoted)));
        let settled = Settled {
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
            rule,
            qualified,
            asked_of_caller: rules.asked_of_caller(schema),
            one: OnceLock::new(),
            ones: Shapes::new(),
            lists: Shapes::new(),
            counters: Shapes::new(),
            writers: Shapes::new(),
        };
        Ok(Self { settled: Arc::new(settled), caller: Arc::default() })
    }

    /// Plans `GET path/{key}`. The key is the path's segment, decoded; the values of a key of several columns have
    /// commas between them and may be quoted.
    pub fn one(&self, key: &str, query: Option<&str>) -> Result<OnePlan, Problem> {
        let key = self.key_values(key)?;
        let mut tags = Vec::with_capacity(1);
        self.tags.row(&self.key_kinds, &key, &mut tags);
        let selection = match query {
            None | Some("") => None,
            Some(_) => self.read(self.page, Parameters::ONE, query)?.selection,
        };
        let rule = self.rule_nodes();
        let Some(selection) = selection else {
            let all = || self.columns.selectable_places().map(Shown::column).collect::<Vec<_>>();
            let written = self.one.get_or_init(|| self.write_one(&all(), &rule, &[]));
            let (columns, mut params) = (Arc::clone(&self.outputs), key);
            condition::bind(&rule, self.dialect, &mut params);
            return Ok(OnePlan { statement: Statement::new(written, params), columns, tags, nest: None });
        };
        let mut shown = selection.shown.clone();
        let nest = self.nest(&selection, &mut shown)?;
        let mut shape = Vec::with_capacity(shown.len() * 3);
        for shown in &shown {
            shown.shape(&mut shape);
        }
        presence_shape(&selection.embeds, &mut shape);
        presence_tags(&selection.embeds, self.scope(), &mut tags);
        let written = self.ones.get_or_make(&shape, || self.write_one(&shown, &rule, &selection.embeds));
        let mut params = Vec::with_capacity(key.len());
        shown::bind(&shown, self.dialect, &mut params);
        params.extend(key);
        condition::bind(&rule, self.dialect, &mut params);
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

    fn write_one(&self, shown: &[Shown], rule: &[Node], embeds: &[AskedEmbed]) -> Written {
        let mut sql = self.begin_select(shown, &[]);
        self.write_key(&mut sql);
        condition::write(rule, &self.columns, &mut sql);
        self.write_presence(embeds, &mut sql);
        sql.finish(&self.table, "one")
    }
}
