//! The texts of statements that write, and what of them is part of a shape.

use kasoku_problem::Problem;

use crate::columns::Columns;
use crate::fault::invalid;
use crate::grammar::filter::Node;
use crate::grammar::select::Shown;
use crate::keyset::{Seek, Segment, Term};
use crate::plan::{Nest, TablePlanner, condition, shown};
use crate::schema::Unique;
use crate::sql::SqlText;

/// Columns that a write returns.
pub(super) struct Returned {
    pub(super) shown: Vec<Shown>,
    /// Places of the key's columns among them.
    pub(super) key: Vec<usize>,
    /// What is embedded in them.
    pub(super) nest: Option<Nest>,
}

impl Returned {
    pub(super) fn shape(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.shown.len() as u16).to_le_bytes());
        self.shown.iter().for_each(|shown| shown.shape(out));
    }
}

/// What an update or delete does.
#[derive(Clone, Copy)]
pub(super) enum Change<'a> {
    Set(&'a [usize]),
    Hide(usize),
    Delete,
}

impl Change<'_> {
    pub(super) fn columns(&self) -> &[usize] {
        match self {
            Change::Set(places) => places,
            Change::Hide(place) => std::slice::from_ref(place),
            Change::Delete => &[],
        }
    }

    pub(super) fn what(self) -> &'static str {
        match self {
            Change::Set(_) => "update",
            Change::Hide(_) | Change::Delete => "delete",
        }
    }

    pub(super) fn shape(&self) -> Vec<u8> {
        let mut shape = vec![if matches!(self, Change::Set(_)) { b'u' } else { b'd' }];
        push_places(self.columns(), &mut shape);
        shape
    }
}

/// What happens to a row that is there already; `target` says by which columns it is known.
pub(super) enum OnConflict {
    Fail,
    Ignore {
        target: Unique,
    },
    /// Sets the columns that are given, or all.
    Set {
        target: Unique,
        all: bool,
    },
}

impl OnConflict {
    /// Whether a row that is there is changed.
    pub(super) fn sets(&self) -> bool {
        matches!(self, Self::Set { .. })
    }

    pub(super) fn what(&self) -> &'static str {
        match self {
            OnConflict::Fail => "insert",
            OnConflict::Ignore { .. } => "insert-new",
            OnConflict::Set { all: false, .. } => "upsert",
            OnConflict::Set { all: true, .. } => "put",
        }
    }

    pub(super) fn shape(&self, out: &mut Vec<u8>) {
        match self {
            OnConflict::Fail => out.push(0),
            OnConflict::Ignore { target } => {
                out.push(1);
                push_unique(target, out);
            }
            OnConflict::Set { target, all } => {
                out.push(2 + u8::from(*all));
                push_unique(target, out);
            }
        }
    }

    /// Writes the clause. A row that was hidden is there again afterwards, or the answer would show a row that no
    /// read finds. Where there is nothing to set, a column of the target is set to itself, so that the row is
    /// returned. A row that is not the caller's by the rule is left as it is, and not returned.
    pub(super) fn write(
        &self,
        planner: &TablePlanner,
        given: &[usize],
        rule: Option<(&[Node], &Columns)>,
        sql: &mut SqlText,
    ) {
        let (target, set) = match self {
            OnConflict::Fail => return,
            OnConflict::Ignore { target } => (target, None),
            OnConflict::Set { target, all } => (target, Some(*all)),
        };
        let quoted = |place: &usize| &*planner.columns.field(*place).quoted;
        sql.push(" on conflict (").list(target.columns.iter().map(quoted)).push(")");
        if let Some(condition) = &target.condition {
            sql.push(" where ").push(condition);
        }
        sql.push(" do ");
        let Some(all) = set else {
            sql.push("nothing");
            return;
        };
        let fields = planner.columns.fields().iter();
        let mut places: Vec<usize> = fields
            .filter(|field| field.writable && !target.columns.contains(&field.place))
            .map(|field| field.place)
            .filter(|place| all || given.contains(place))
            .collect();
        if places.is_empty() {
            places.push(target.columns[0]);
        }
        sql.push("update set ");
        for (at, place) in places.iter().enumerate() {
            sql.push(if at > 0 { ", " } else { "" })
                .push(quoted(place))
                .push(" = excluded.")
                .push(quoted(place));
        }
        if let Some(hidden) = &planner.soft_delete {
            sql.push(", ").push(quoted(hidden)).push(" = null");
        }
        if let Some((nodes, columns)) = rule {
            sql.push(" where ");
            condition::write_joined(nodes, columns, sql);
        }
    }
}

impl TablePlanner {
    /// The key or index of these columns; of several, one that holds for all rows.
    pub(super) fn unique_columns(&self, places: &[usize]) -> Result<Unique, Problem> {
        let same = |columns: &[usize]| {
            columns.len() == places.len() && columns.iter().all(|place| places.contains(place))
        };
        if same(&self.key) {
            return Ok(Unique::whole(&self.key));
        }
        self.unique.iter().find(|unique| same(&unique.columns)).cloned().ok_or_else(|| {
            invalid("on_conflict", "these columns are neither the key nor those of a unique index")
        })
    }

    /// The condition that a row is among the first of those that the filters leave, in this order.
    pub(super) fn write_first_of(&self, nodes: &[Node], terms: &[Term], sql: &mut SqlText) {
        let several = self.identity.len() > 1;
        sql.condition().push(if several { "(" } else { "" });
        sql.list(self.identity.iter().map(AsRef::as_ref)).push(if several { ")" } else { "" });
        sql.push(" in (select ")
            .list(self.identity.iter().map(AsRef::as_ref))
            .push(" from ")
            .push(&self.quoted);
        sql.inner(|sql| {
            self.write_existing(sql);
            condition::write(nodes, &self.columns, sql);
            Seek { terms, segment: Segment::Whole, after: None }.write_order(sql);
        });
        sql.push(" limit ");
        sql.param();
        sql.push(")");
    }

    pub(super) fn write_insert(&self, places: &[usize], sql: &mut SqlText) {
        sql.push(&self.quoted);
        if places.is_empty() {
            sql.push(" default values");
            return;
        }
        sql.push(" (")
            .list(places.iter().map(|place| &*self.columns.field(*place).quoted))
            .push(") values (");
        for place in 0..places.len() {
            sql.push(if place > 0 { ", " } else { "" });
            sql.param();
        }
        sql.push(")");
    }

    pub(super) fn write_set(&self, places: &[usize], sql: &mut SqlText) {
        for (at, place) in places.iter().enumerate() {
            sql.push(if at == 0 { " set " } else { ", " })
                .push(&self.columns.field(*place).quoted)
                .push(" = ");
            sql.param();
        }
    }

    /// What is returned, and behind it whether the row is as the rule wants it.
    pub(super) fn write_returning(&self, returned: &Returned, rule: &[Node], sql: &mut SqlText) {
        sql.push(" returning ");
        shown::write_all(&returned.shown, &self.columns, sql);
        if !rule.is_empty() {
            sql.push(", case when ");
            condition::write_joined(rule, &self.columns, sql);
            sql.push(" then 1 else 0 end");
        }
    }
}

pub(super) fn push_places(places: &[usize], out: &mut Vec<u8>) {
    out.extend_from_slice(&(places.len() as u16).to_le_bytes());
    out.extend(places.iter().flat_map(|place| (*place as u16).to_le_bytes()));
}

fn push_unique(unique: &Unique, out: &mut Vec<u8>) {
    push_places(&unique.columns, out);
    let condition = unique.condition.as_deref().unwrap_or_default();
    out.extend_from_slice(&(condition.len() as u32).to_le_bytes());
    out.extend_from_slice(condition.as_bytes());
}
