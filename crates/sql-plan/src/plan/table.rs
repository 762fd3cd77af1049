//! The planner of a `table` route: everything that can be settled before the first request.

use std::sync::Arc;

use kasoku_coherence::Tag;
use kasoku_problem::{Kind, Problem};

use super::shapes::Shapes;
use super::{OnePlan, OutputColumn, Statement, list::ListShape};
use crate::check::{RuleFaults, check};
use crate::columns::Columns;
use crate::convert::{json_of_text, value_of_text};
use crate::dialect::Dialect;
use crate::fault::echo;
use crate::grammar::scan::Scanner;
use crate::grammar::select::Selection;
use crate::grammar::{self, Parameters};
use crate::keyset::{Sorting, Term};
use crate::rules::{Counts, PageRules, Sort, TableRules, WriteRules};
use crate::schema::{Schema, Table, Unique};
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
    pub(crate) selected: Vec<u16>,
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
    one: Written,
    ones: Shapes<Written>,
    pub(super) lists: Shapes<ListShape>,
    pub(super) counters: Shapes<Written>,
    pub(crate) writers: Shapes<Written>,
}

impl TablePlanner {
    /// Settles a route. `route` names it among the others that share the cursors' key.
    ///
    /// # Errors
    /// What [`check`] finds: names that the schema does not have, and rules that could not be kept.
    pub fn new(
        route: &str,
        schema: &Schema,
        rules: &TableRules,
        dialect: &'static Dialect,
        tags: Arc<TagRules>,
    ) -> Result<Self, RuleFaults> {
        check(rules, schema, dialect)?;
        let table = schema.table(&rules.table).expect("the rules were checked");
        let columns = Columns::new(table, rules, dialect);
        let selected: Vec<u16> = columns.selectable_places().map(|place| place as u16).collect();
        let outputs =
            selected.iter().map(|place| columns.field(usize::from(*place)).output.clone()).collect();
        let place = |name: &String| table.column(name).map(|(place, _)| place);
        let mut planner = Self {
            dialect,
            route: route.into(),
            table: table.name.as_str().into(),
            quoted: dialect.quote(&table.name).into(),
            selected,
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
            sorts: sorts(table, &columns, &rules.order, dialect),
            columns,
            tags,
            one: Written { name: "".into(), sql: "".into() },
            ones: Shapes::new(),
            lists: Shapes::new(),
            counters: Shapes::new(),
            writers: Shapes::new(),
        };
        planner.one = planner.write_one(&planner.selected);
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
            Some(_) => grammar::read(&self.columns, self.page, Parameters::ONE, query)?.selection,
        };
        let Some(selection) = selection else {
            let columns = Arc::clone(&self.outputs);
            return Ok(OnePlan { statement: Statement::new(&self.one, key), columns, tags });
        };
        let shape: Vec<u8> = selection.places.iter().flat_map(|place| place.to_le_bytes()).collect();
        let written = self.ones.get_or_make(&shape, || self.write_one(&selection.places));
        let columns = self.outputs_of_selection(Some(&selection));
        Ok(OnePlan { statement: Statement::new(&written, key), columns, tags })
    }

    /// The tags of a plan in words. `values` are those of its statement.
    pub fn tag_names(&self, tags: &[Tag], values: &[Value]) -> Vec<String> {
        self.tags.names(&self.key_kinds, tags, values)
    }

    /// The route's rules for tags.
    pub fn tag_rules(&self) -> &Arc<TagRules> {
        &self.tags
    }

    /// The columns of an answer.
    pub(crate) fn outputs_of_selection(&self, selection: Option<&Selection>) -> Arc<[OutputColumn]> {
        match selection {
            None => Arc::clone(&self.outputs),
            Some(Selection { renamed: Some(renamed), .. }) => Arc::clone(renamed),
            Some(Selection { places, .. }) => self.outputs_of(places),
        }
    }

    /// These columns by their own names.
    pub(super) fn outputs_of(&self, places: &[u16]) -> Arc<[OutputColumn]> {
        if *places == *self.selected {
            return Arc::clone(&self.outputs);
        }
        places.iter().map(|place| self.columns.field(usize::from(*place)).output.clone()).collect()
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

    /// Begins a statement that reads these columns, and leaves out rows that are deleted.
    pub(super) fn begin_select<'a>(&'a self, columns: impl Iterator<Item = &'a str>) -> SqlText {
        let mut sql = SqlText::new(self.dialect, "select ");
        sql.list(columns).push(" from ").push(&self.quoted);
        self.write_existing(&mut sql);
        sql
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

    fn write_one(&self, places: &[u16]) -> Written {
        let names = places.iter().map(|place| &*self.columns.field(usize::from(*place)).quoted);
        let mut sql = self.begin_select(names);
        self.write_key(&mut sql);
        sql.finish(&self.table, "one")
    }
}

/// The columns that tell rows apart, as terms without a direction: those of the key, or of the first unique index
/// that has no NULLs; for want of both, the table's hidden row identity, after the key where that may be NULL.
pub(crate) fn identity(table: &Table, dialect: &Dialect) -> Option<Vec<Option<usize>>> {
    let valued = |places: &[usize]| places.iter().all(|place| !table.columns[*place].nullable);
    let mut known =
        std::iter::once(&table.key).chain(exactly_unique(table)).filter(|places| !places.is_empty());
    if let Some(places) = known.find(|places| valued(places)) {
        return Some(places.iter().copied().map(Some).collect());
    }
    row_identity(table, dialect)?;
    Some(table.key.iter().copied().map(Some).chain([None]).collect())
}

fn identity_as_sql(table: &Table, columns: &Columns, dialect: &Dialect) -> Vec<Box<str>> {
    let hidden = || row_identity(table, dialect).unwrap_or_default().into();
    let quoted =
        |place: Option<usize>| place.map_or_else(hidden, |place| columns.field(place).quoted.clone());
    identity(table, dialect).expect("the rules were checked").into_iter().map(quoted).collect()
}

/// The unique indexes that prove rows apart in a sort. An index may tell letters apart that its column's own order
/// takes for equal.
fn exactly_unique(table: &Table) -> impl Iterator<Item = &Vec<usize>> {
    let exact = |places: &&Vec<usize>| places.iter().all(|place| table.columns[*place].exact_equality);
    table.unique.iter().filter(exact)
}

/// The hidden column's name, unless the table is a view or columns of its own have all of its names.
fn row_identity(table: &Table, dialect: &Dialect) -> Option<&'static str> {
    let free = |name: &&&str| table.column(name).is_none();
    dialect.row_identity.iter().find(free).copied().filter(|_| !table.view)
}

fn sorts(table: &Table, columns: &Columns, declared: &[Sort], dialect: &Dialect) -> Vec<Arc<Sorting>> {
    let term = |column: Option<usize>, descending: bool| {
        let (sql, nullable) = match column {
            Some(place) => (columns.field(place).quoted.clone(), columns.field(place).nullable),
            None => (row_identity(table, dialect).unwrap_or_default().into(), false),
        };
        let nulls_first = Term::native_nulls_first(descending, dialect);
        Term { column, sql, nullable, descending, nulls_first }
    };
    let identity = identity(table, dialect).expect("the rules were checked");
    let complete = |sort: &Sort| {
        let places = sort.0.iter().filter_map(|asked| {
            table.column(&asked.column).map(|(place, _)| term(Some(place), asked.descending))
        });
        let mut terms: Vec<Term> = places.collect();
        let unique = |places: &Vec<usize>| {
            let has = |place: &usize| terms.iter().any(|term| term.column == Some(*place));
            !places.is_empty() && places.iter().all(|place| has(place) && !table.columns[*place].nullable)
        };
        if !unique(&table.key) && !exactly_unique(table).any(unique) {
            let descending = terms.last().is_some_and(|term| term.descending);
            for column in &identity {
                if terms.iter().all(|known| known.column != *column) {
                    terms.push(term(*column, descending));
                }
            }
        }
        let sorting = Sorting::new(terms, sort.0.len());
        let reversed = sorting.reversed();
        [Arc::new(sorting), Arc::new(reversed)]
    };
    declared.iter().flat_map(complete).collect()
}
