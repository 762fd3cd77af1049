//! What rows inside of others depend on.

use std::sync::Arc;

use kasoku_coherence::Tag;

use crate::branch::Branch;
use crate::limits::EMBED_TAGS_MAX;
use crate::tags::purge_tag;
use crate::{ColumnKind, TagRules, Value};

/// How an embed's rows are named.
#[derive(Debug, Clone)]
pub(super) struct EmbedTags {
    rows: Named,
    /// The rows of a table between.
    between: Option<Named>,
    /// Tags that every such answer carries.
    pub(super) purges: Vec<Tag>,
}

/// Rows of a table that have given values.
#[derive(Debug, Clone)]
struct Named {
    table: Arc<str>,
    rules: Arc<TagRules>,
    columns: Vec<usize>,
    kinds: Vec<ColumnKind>,
    /// Whether the columns are the key.
    is_key: bool,
}

impl EmbedTags {
    pub(super) fn of_branch(branch: &Branch, grouped: bool) -> Self {
        let relation = &branch.relation;
        let kinds = relation.far.iter().map(|place| branch.columns.field(*place).kind);
        let kinds: Vec<ColumnKind> = kinds.collect();
        let rows = Named {
            table: relation.table.as_str().into(),
            rules: Arc::clone(&branch.tags),
            columns: if grouped && relation.through.is_some() { Vec::new() } else { relation.far.clone() },
            kinds: kinds.clone(),
            is_key: relation.far == branch.key,
        };
        let between = relation.through.as_ref().zip(branch.between.as_ref());
        let between = between.map(|(through, between)| Named {
            table: through.table.as_str().into(),
            rules: Arc::clone(&between.tags),
            columns: through.near.clone(),
            kinds,
            is_key: false,
        });
        let purges = std::iter::once(&rows).chain(&between).map(|named| purge_tag(&named.table)).collect();
        Self { rows, between, purges }
    }

    /// Adds the tags of rows that belong to these keys. Where a table lies between, its rows are named by the keys, and
    /// the embedded ones by what it says of them, unless some of that was left unread.
    pub(super) fn of(&self, keys: &[Vec<Value>], fars: &[Vec<Value>], limited: bool, out: &mut Vec<Tag>) {
        match &self.between {
            None => self.rows.with(keys, out),
            Some(between) => {
                between.with(keys, out);
                if limited {
                    out.extend_from_slice(self.rows.rules.whole());
                } else {
                    self.rows.with(fars, out);
                }
            }
        }
    }

    /// The tables and the tags that stand for all of their rows.
    pub(super) fn tables(&self) -> impl Iterator<Item = (&[Tag], &str)> {
        std::iter::once(&self.rows).chain(&self.between).map(|named| (named.rules.whole(), &*named.table))
    }
}

impl Named {
    /// Adds the tags of rows with these values: one for each, or the table's where they are many or in doubt.
    fn with(&self, values: &[Vec<Value>], out: &mut Vec<Tag>) {
        let before = out.len();
        let all = values.len() <= EMBED_TAGS_MAX && values.iter().all(|values| self.one(values, out));
        if !all || self.columns.is_empty() {
            out.truncate(before);
            out.extend_from_slice(self.rules.whole());
        }
    }

    /// Whether one tag names the rows with these values; any of the columns is enough.
    fn one(&self, values: &[Value], out: &mut Vec<Tag>) -> bool {
        if self.is_key {
            self.rules.row(&self.kinds, values, out);
            return true;
        }
        let mut tags =
            self.columns.iter().zip(values).filter_map(|(place, value)| self.rules.equal(*place, value));
        let tag = tags.next();
        out.extend(tag);
        tag.is_some()
    }
}
