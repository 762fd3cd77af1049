//! How the rows of two tables are related, as foreign keys say it.
//!
//! A relation is seen from the table whose rows others are put into. It leads to one row, where the table refers to
//! the other or the other to it by unique columns; or to many, where the other refers to it, or a third table refers
//! to both and its key is made of both references.

use crate::schema::{ForeignKey, Schema, Table};
use crate::spelling::nearest;

/// A way from a row of one table to rows of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The other table.
    pub table: String,
    /// Whether it leads to any number of rows, or to one at the most.
    pub many: bool,
    /// Columns of the first table, as places in it.
    pub near: Vec<usize>,
    /// Columns of the other table that have the same values, or those of the table between.
    pub far: Vec<usize>,
    /// The table between, if there is one.
    pub through: Option<Through>,
    /// What tells it from others between the same tables: the column that refers, or the table between.
    pub by: String,
    /// The names of its constraints.
    pub constraints: Vec<String>,
}

/// A table whose rows relate rows of two others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Through {
    /// Its name.
    pub table: String,
    /// Its columns that refer to the first table.
    pub near: Vec<usize>,
    /// Its columns that refer to the other.
    pub far: Vec<usize>,
}

/// Why a name stands for no relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelationFault {
    /// Nothing of that name is related.
    Unknown {
        /// The related name that comes nearest.
        nearest: Option<String>,
        /// All names that are related.
        related: Vec<String>,
    },
    /// Several are; `by` must say which.
    Ambiguous {
        /// What `by` can be.
        by: Vec<String>,
    },
    /// There are relations to that table, and none by this.
    NotBy {
        /// What `by` can be.
        by: Vec<String>,
    },
    /// The table refers to itself, so the column leads to one row and to many; `many` must say which.
    BothWays,
}

impl Relation {
    /// All relations of a table.
    pub fn all(schema: &Schema, table: &Table) -> Vec<Self> {
        let mut found = Vec::new();
        found.extend(table.foreign_keys.iter().map(|key| to_one(table, key)));
        for other in &schema.tables {
            let back = other.foreign_keys.iter().filter(|key| key.table.eq_ignore_ascii_case(&table.name));
            found.extend(back.clone().map(|key| back_to(other, key)));
            for near in back {
                let far = other.foreign_keys.iter().filter(|far| *far != near);
                found.extend(far.filter_map(|far| through(other, near, far)));
            }
        }
        found
    }

    /// The relation that a route calls by this name: the other table's, or the column's that refers, with its `_id`
    /// or without. `other` says which table it is, if the name does not; `by` tells relations to one table apart, and
    /// `many` the two of a table that refers to itself.
    ///
    /// # Errors
    /// None has the name, or several have.
    pub fn find(
        schema: &Schema,
        table: &Table,
        name: &str,
        other: Option<&str>,
        by: Option<&str>,
        many: Option<bool>,
    ) -> Result<Self, RelationFault> {
        let mut all = Self::all(schema, table);
        all.retain(|one| many.is_none_or(|many| one.many == many));
        let wanted = other.unwrap_or(name);
        let mut named: Vec<&Self> = all.iter().filter(|one| is(&one.table, wanted)).collect();
        if named.is_empty() && other.is_none() {
            named = all.iter().filter(|one| one.is_called(wanted)).collect();
        }
        if let (true, None, Some(by)) = (named.is_empty(), other, by) {
            named = all.iter().filter(|one| one.is_by(by)).collect();
        }
        let ways = |relations: &[&Self]| relations.iter().map(|one| one.by.clone()).collect::<Vec<_>>();
        let Some(by) = by else {
            // A table that lies between two others is rarely what is meant where there is a shorter way.
            let direct: Vec<&Self> = named.iter().copied().filter(|one| one.through.is_none()).collect();
            let meant = if direct.is_empty() { &named } else { &direct };
            return match meant[..] {
                [] => Err(unknown(&all, wanted)),
                [one] => Ok(one.clone()),
                _ if meant.iter().all(|one| one.by == meant[0].by) => Err(RelationFault::BothWays),
                _ => Err(RelationFault::Ambiguous { by: ways(&named) }),
            };
        };
        let chosen: Vec<&Self> = named.iter().copied().filter(|one| one.is_by(by)).collect();
        match chosen[..] {
            [one] => Ok(one.clone()),
            [] if named.is_empty() => Err(unknown(&all, wanted)),
            [] => Err(RelationFault::NotBy { by: ways(&named) }),
            _ if chosen.iter().all(|one| one.by == chosen[0].by) => Err(RelationFault::BothWays),
            _ => Err(RelationFault::Ambiguous { by: ways(&chosen) }),
        }
    }

    /// Whether a hint means it: a column that refers, a table between, or the name of a constraint.
    pub(crate) fn is_by(&self, hint: &str) -> bool {
        is(&self.by, hint) || self.constraints.iter().any(|name| is(name, hint))
    }

    /// Whether its column has this name.
    fn is_called(&self, name: &str) -> bool {
        !self.many && self.through.is_none() && {
            let short = self.by.strip_suffix("_id").unwrap_or(&self.by);
            is(&self.by, name) || is(short, name)
        }
    }

    /// The columns, by table, whose equality names answers with these rows.
    pub(crate) fn watched(&self, schema: &Schema) -> Vec<(String, Vec<String>)> {
        let names = |table: &str, places: &[usize]| {
            let table = schema.table(table)?;
            // A row is named by its key anyway.
            if table.key == places {
                return None;
            }
            Some(places.iter().map(|place| table.columns[*place].name.clone()).collect::<Vec<_>>())
        };
        let of = |table: &String, places| (table.clone(), names(table, places).unwrap_or_default());
        let between = self.through.as_ref().map(|through| of(&through.table, &through.near[..]));
        std::iter::once(of(&self.table, &self.far[..])).chain(between).collect()
    }
}

fn to_one(table: &Table, key: &ForeignKey) -> Relation {
    Relation {
        table: key.table.clone(),
        many: false,
        near: key.columns.clone(),
        far: key.referred.clone(),
        through: None,
        by: names(table, &key.columns),
        constraints: vec![key.name.clone()],
    }
}

fn back_to(other: &Table, key: &ForeignKey) -> Relation {
    let unique =
        |places: &Vec<usize>| !places.is_empty() && places.iter().all(|place| key.columns.contains(place));
    Relation {
        table: other.name.clone(),
        many: !std::iter::once(&other.key).chain(&other.unique).any(unique),
        near: key.referred.clone(),
        far: key.columns.clone(),
        through: None,
        by: names(other, &key.columns),
        constraints: vec![key.name.clone()],
    }
}

/// A relation by a table between, if its key is made of both references: then it relates, and is hardly more.
fn through(between: &Table, near: &ForeignKey, far: &ForeignKey) -> Option<Relation> {
    let in_key = |place: &usize| between.key.contains(place);
    if !near.columns.iter().chain(&far.columns).all(in_key) {
        return None;
    }
    Some(Relation {
        table: far.table.clone(),
        many: true,
        near: near.referred.clone(),
        far: far.referred.clone(),
        through: Some(Through {
            table: between.name.clone(),
            near: near.columns.clone(),
            far: far.columns.clone(),
        }),
        by: between.name.clone(),
        constraints: vec![near.name.clone(), far.name.clone()],
    })
}

fn unknown(all: &[Relation], wanted: &str) -> RelationFault {
    let mut related: Vec<String> = all.iter().map(|one| one.table.clone()).collect();
    related.sort();
    related.dedup();
    let near = nearest(wanted, related.iter().map(String::as_str)).map(str::to_owned);
    RelationFault::Unknown { nearest: near, related }
}

fn names(table: &Table, places: &[usize]) -> String {
    let names: Vec<&str> = places.iter().map(|place| table.columns[*place].name.as_str()).collect();
    names.join(",")
}

fn is(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}
