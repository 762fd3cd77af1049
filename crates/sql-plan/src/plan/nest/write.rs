//! The text of an embed's statement.

use super::presence_shape;
use super::related::{write_own_conditions, write_presence};
use crate::branch::Branch;
use crate::dialect::{Dialect, Parents};
use crate::grammar::filter::Node;
use crate::grammar::select::{AskedEmbed, Shown, What};
use crate::keyset::{Seek, Segment, Sorting};
use crate::plan::{condition, shown};
use crate::sql::{SqlText, Written};

/// What a text is made of.
pub(super) struct EmbedText<'a> {
    pub(super) branch: &'a Branch,
    /// What is read, with what is only read for embeds in it at the end.
    pub(super) shown: &'a [Shown],
    pub(super) nodes: &'a [Node],
    /// What is embedded in turn.
    pub(super) embeds: &'a [AskedEmbed],
    pub(super) sorting: Option<&'a Sorting>,
    pub(super) grouped: bool,
    /// Whether only some rows of each are wanted.
    pub(super) limited: bool,
}

/// The number of a row among those of one key. No column has such a name.
const NUMBER: &str = "\"- number -\"";

impl EmbedText<'_> {
    /// What decides the text. `path` tells the branch from others.
    pub(super) fn shape(&self, path: &[u8]) -> Vec<u8> {
        let mut key = Vec::with_capacity(64);
        key.push(path.len() as u8);
        key.extend_from_slice(path);
        key.push(u8::from(self.grouped) | u8::from(self.limited) << 1);
        key.extend_from_slice(&(self.shown.len() as u16).to_le_bytes());
        self.shown.iter().for_each(|shown| shown.shape(&mut key));
        condition::shape(self.nodes, &mut key);
        presence_shape(self.embeds, &mut key);
        if let Some(sorting) = self.sorting {
            key.extend_from_slice(&sorting.encoded);
        }
        key
    }

    pub(super) fn write(&self, dialect: &'static Dialect) -> Written {
        let mut sql = SqlText::new(dialect, "");
        // The keys come first, wherever they stand in the text.
        let keys = sql.reserve();
        sql.push(if self.limited { "select * from (select " } else { "select " });
        self.write_place(keys, &mut sql);
        if !self.shown.is_empty() {
            sql.push(", ");
        }
        shown::write_all(self.shown, &self.branch.columns, &mut sql);
        if let (Some(between), false, false) = (&self.branch.between, self.limited, self.grouped) {
            let far = &self.branch.relation.far;
            sql.push(", ").push(&self.branch.columns.field(far[0]).quoted);
            sql.push(", ").list(between.far.iter().map(|name| &**name));
        }
        if self.limited {
            sql.push(", row_number() over (partition by ");
            self.write_place(keys, &mut sql);
            self.write_order(&mut sql, " order by ");
            sql.push(") as ").push(NUMBER);
        }
        self.write_from(keys, &mut sql);
        if self.grouped {
            self.write_groups(&mut sql);
        } else if self.limited {
            sql.push(") _n where ").push(NUMBER).push(" > ");
            sql.param();
            sql.push(" and ").push(NUMBER).push(" <= ");
            sql.param();
            sql.push(" order by 1, ").push(NUMBER);
        } else {
            self.write_order(&mut sql, " order by 1, ");
        }
        sql.push(" limit ");
        sql.param();
        sql.finish(&self.branch.relation.table, "embed")
    }

    /// The columns that hold the keys of the rows around.
    fn matched(&self) -> Vec<&str> {
        if let Some(between) = &self.branch.between {
            return between.near.iter().map(|name| &**name).collect();
        }
        let far = self.branch.relation.far.iter();
        far.map(|place| &*self.branch.columns.field(*place).quoted).collect()
    }

    fn write_place(&self, keys: usize, sql: &mut SqlText) {
        let Parents { place: (before, between, after), .. } = sql.dialect.parents;
        sql.push(before);
        if let Some(between) = between {
            sql.param_again(keys);
            sql.push(between).push(self.matched()[0]);
        }
        sql.push(after);
    }

    /// Which rows belong to which key, and what else must hold of them.
    fn write_from(&self, keys: usize, sql: &mut SqlText) {
        let branch = self.branch;
        let Parents { from, equal, .. } = sql.dialect.parents;
        sql.push(" from ");
        if let Some((before, after)) = from {
            sql.push(before);
            sql.param_again(keys);
            sql.push(after);
        }
        let (quoted, alias) = match &branch.between {
            Some(between) => (&between.quoted, &between.alias),
            None => (&branch.quoted, &branch.alias),
        };
        sql.push(quoted).push(" ").push(alias);
        if from.is_some() {
            // Matched where the table is joined; further conditions follow there.
            sql.push(" on ");
            self.write_matches(keys, equal, sql);
        }
        if let Some(between) = &branch.between {
            // Which rows are related must be known of those that are left out, too.
            let word = if self.limited || self.grouped { " join " } else { " left join " };
            sql.push(word).push(&branch.quoted).push(" ").push(&branch.alias).push(" on ");
            for (place, (far, referred)) in between.far.iter().zip(&branch.relation.far).enumerate() {
                sql.push(if place > 0 { " and " } else { "" });
                sql.push(&branch.columns.field(*referred).quoted).push(" = ").push(far);
            }
            self.write_conditions(sql);
        }
        if from.is_none() {
            sql.push(" where ");
            self.write_matches(keys, equal, sql);
        }
        if branch.between.is_none() {
            self.write_conditions(sql);
        }
    }

    fn write_matches(&self, keys: usize, equal: (&str, &str, &str), sql: &mut SqlText) {
        let (before, after, part) = equal;
        let matched = self.matched();
        for (place, name) in matched.iter().enumerate() {
            sql.push(if place > 0 { " and " } else { "" }).push(name).push(before);
            if sql.dialect.parents.from.is_none() {
                sql.param_again(keys);
            }
            sql.push(after);
            if matched.len() > 1 {
                sql.push(part).push(&place.to_string());
            }
        }
    }

    fn write_conditions(&self, sql: &mut SqlText) {
        sql.continuing(|sql| {
            write_own_conditions(self.branch, self.nodes, sql);
            let near = |place: usize| self.branch.columns.field(place).quoted.to_string();
            write_presence(self.embeds, self.branch.scope(), &near, sql);
        });
    }

    fn write_order(&self, sql: &mut SqlText, begin: &str) {
        let Some(sorting) = self.sorting else {
            if !self.limited {
                sql.push(" order by 1");
            }
            return;
        };
        let seek = Seek { terms: &sorting.forward, segment: Segment::Whole, after: None };
        seek.write_order_as(begin, sql);
    }

    /// Groups are told apart, and sorted, by the columns beside the sums.
    fn write_groups(&self, sql: &mut SqlText) {
        let groups = self.shown.iter().enumerate().filter(|(_, shown)| matches!(shown.what, What::Column(_)));
        // The place of the key is the first column of all.
        let groups: Vec<String> =
            std::iter::once("1".to_owned()).chain(groups.map(|(place, _)| (place + 2).to_string())).collect();
        let groups = groups.join(", ");
        sql.push(" group by ").push(&groups).push(" order by ").push(&groups);
    }
}
