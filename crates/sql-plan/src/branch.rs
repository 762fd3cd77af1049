//! What a route lets be embedded, as requests name it: each related table with its columns and what is in it in turn.
//!
//! How a request's embeds become statements is not known here.

use std::sync::Arc;

use crate::columns::Columns;
use crate::dialect::Dialect;
use crate::keyset::Sorting;
use crate::plan::sorts;
use crate::relation::Relation;
use crate::row_rule::{self, RowRule};
use crate::rules::{AggregateRules, EmbedRules};
use crate::schema::Schema;
use crate::tags::TagRules;

/// A related table whose rows may be put into those of another.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) name: Box<str>,
    pub(crate) relation: Relation,
    /// The table's name as SQL.
    pub(crate) quoted: Box<str>,
    /// What the table is called in statements; its columns carry it.
    pub(crate) alias: Box<str>,
    pub(crate) columns: Columns,
    /// The declared sorts, each followed by its reverse.
    pub(crate) sorts: Vec<Arc<Sorting>>,
    /// Rows inside of one row, at the most.
    pub(crate) most: u32,
    /// The column that hides a row when it is set.
    pub(crate) soft_delete: Option<usize>,
    /// Which rows there are for a caller.
    pub(crate) rule: Option<RowRule>,
    pub(crate) aggregates: Aggregates,
    /// What may be embedded in turn.
    pub(crate) branches: Vec<Branch>,
    pub(crate) tags: Arc<TagRules>,
    /// Columns of the key, as places in the table.
    pub(crate) key: Vec<usize>,
    pub(crate) between: Option<Between>,
}

/// A table that relates rows of two others.
#[derive(Debug)]
pub(crate) struct Between {
    pub(crate) table: Box<str>,
    /// Its columns that refer to the first table.
    pub(crate) keys: Vec<Box<str>>,
    /// The table's name as SQL.
    pub(crate) quoted: Box<str>,
    /// Its columns that refer to the first table, as SQL.
    pub(crate) near: Vec<Box<str>>,
    /// Its columns that refer to the other.
    pub(crate) far: Vec<Box<str>>,
    pub(crate) alias: Box<str>,
    pub(crate) tags: Arc<TagRules>,
}

/// What may be summed up, as places in the table.
#[derive(Debug)]
pub(crate) enum Aggregates {
    None,
    Of(Vec<usize>),
}

/// What a request may name: columns, and what is embedded beside them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) columns: &'a Columns,
    pub(crate) branches: &'a [Branch],
    pub(crate) aggregates: &'a Aggregates,
}

/// Why no branch is meant.
pub(crate) enum Unmeant {
    Unknown,
    /// These could be.
    Ambiguous(Vec<usize>),
}

impl Branch {
    /// The branches of a route. The rules have been checked; `tags` gives those of a table.
    pub(crate) fn all(
        rules: &[EmbedRules],
        schema: &Schema,
        dialect: &'static Dialect,
        tags: &dyn Fn(&str) -> Arc<TagRules>,
    ) -> Vec<Self> {
        let mut count = 0;
        Self::level(rules, schema, dialect, tags, &mut count)
    }

    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope { columns: &self.columns, branches: &self.branches, aggregates: &self.aggregates }
    }

    fn level(
        rules: &[EmbedRules],
        schema: &Schema,
        dialect: &'static Dialect,
        tags: &dyn Fn(&str) -> Arc<TagRules>,
        count: &mut usize,
    ) -> Vec<Self> {
        let mut branches = Vec::with_capacity(rules.len());
        for embed in rules {
            *count += 1;
            let number = *count;
            let (rules, relation) = (&embed.rules, embed.relation.clone());
            let table = schema.table(&rules.table).expect("the rules were checked");
            let alias = format!("_e{number}");
            let columns = Columns::aliased(table, rules, dialect, Some(&alias));
            let hidden = rules.soft_delete.as_ref().and_then(|name| table.column(name));
            branches.push(Self {
                name: embed.name.as_str().into(),
                quoted: dialect.quote(&table.name).into(),
                sorts: sorts(table, &columns, &rules.order, dialect, &|_| None),
                most: rules.page.most,
                soft_delete: hidden.map(|(place, _)| place),
                rule: row_rule::of(rules, table),
                aggregates: Aggregates::new(&rules.aggregate, &columns),
                branches: Self::level(&rules.embeds, schema, dialect, tags, count),
                tags: tags(&table.name),
                key: table.key.clone(),
                between: between(&relation, schema, dialect, number, tags),
                relation,
                alias: alias.into(),
                columns,
            });
        }
        branches
    }
}

fn between(
    relation: &Relation,
    schema: &Schema,
    dialect: &'static Dialect,
    number: usize,
    tags: &dyn Fn(&str) -> Arc<TagRules>,
) -> Option<Between> {
    let through = relation.through.as_ref()?;
    let table = schema.table(&through.table).expect("the rules were checked");
    let alias = format!("_j{number}");
    let names = |places: &[usize]| {
        let name = |place: &usize| format!("{alias}.{}", dialect.quote(&table.columns[*place].name)).into();
        places.iter().map(name).collect()
    };
    Some(Between {
        table: table.name.as_str().into(),
        keys: through.near.iter().map(|place| table.columns[*place].name.as_str().into()).collect(),
        quoted: dialect.quote(&table.name).into(),
        near: names(&through.near),
        far: names(&through.far),
        tags: tags(&table.name),
        alias: alias.into(),
    })
}

impl Aggregates {
    pub(crate) fn new(rules: &AggregateRules, columns: &Columns) -> Self {
        match rules {
            AggregateRules::None => Self::None,
            AggregateRules::Shown => Self::Of(columns.selectable_places().collect()),
            AggregateRules::Columns(names) => {
                Self::Of(names.iter().filter_map(|name| columns.selectable(name)).collect())
            }
        }
    }
}

impl Scope<'_> {
    /// The branch that a request means by this name and hint. The name is its own, its table's, or that of the
    /// column or constraint that relates it.
    pub(crate) fn branch(&self, name: &str, hint: Option<&str>) -> Result<usize, Unmeant> {
        let hinted =
            |branch: &Branch| hint.is_none_or(|hint| branch.relation.is_by(hint) || &*branch.name == hint);
        let found = |of: &dyn Fn(&Branch) -> bool| -> Vec<usize> {
            let all = self.branches.iter().enumerate();
            all.filter(|(_, branch)| of(branch) && hinted(branch)).map(|(place, _)| place).collect()
        };
        let mut meant = found(&|branch| &*branch.name == name);
        if meant.is_empty() {
            meant = found(&|branch| branch.relation.table == name);
        }
        if meant.is_empty() {
            meant = found(&|branch| branch.relation.is_by(name));
        }
        match meant[..] {
            [] => Err(Unmeant::Unknown),
            [one] => Ok(one),
            _ => Err(Unmeant::Ambiguous(meant)),
        }
    }

    pub(crate) fn branch_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.branches.iter().map(|branch| &*branch.name)
    }
}
