//! The texts of lists, what decides them, and what their answers depend on.

use kasoku_coherence::Tag;

use super::list::ListShape;
use super::nest::{bind_presence, presence_shape, presence_tags};
use super::{TablePlanner, condition};
use crate::Value;
use crate::grammar::filter::Node;
use crate::grammar::select::{AskedEmbed, Shown};
use crate::keyset::{By, Seek, Sorting};
use crate::row_rule::RowRule;

/// What the text of a list is made of, beside its place in the sort.
pub(super) struct Read<'a> {
    pub(super) shown: &'a [Shown],
    pub(super) nodes: &'a [Node],
    pub(super) embeds: &'a [AskedEmbed],
    pub(super) grouped: bool,
    /// Whether rows before the page are passed over.
    pub(super) passes_over: bool,
}

impl TablePlanner {
    /// The shape and the values of what rows must satisfy.
    pub(super) fn filters_of_list(&self, nodes: &[Node], embeds: &[AskedEmbed]) -> (Vec<u8>, Vec<Value>) {
        let mut filters = Vec::with_capacity(16);
        condition::shape(nodes, &mut filters);
        presence_shape(embeds, &mut filters);
        let mut params = Vec::with_capacity(8);
        condition::bind(nodes, self.dialect, &mut params);
        bind_presence(embeds, self.scope(), self.dialect, &mut params);
        (filters, params)
    }

    /// What a list depends on, apart from what is embedded in it.
    pub(super) fn tags_of_list(&self, nodes: &[Node], embeds: &[AskedEmbed], sorting: &Sorting) -> Vec<Tag> {
        let mut tags = Vec::with_capacity(2);
        // What the caller has alone comes first: changes of others' rows then leave the list as it is.
        let ruled = self.rule.iter().flat_map(RowRule::given).map(|(place, _)| place);
        self.tags.list(ruled.chain(self.columns.filterable_places()), nodes, &mut tags);
        presence_tags(embeds, self.scope(), &mut tags);
        for term in &sorting.forward {
            if let By::Related(branch, _) = term.by {
                tags.extend_from_slice(self.branches[branch].tags.whole());
            }
        }
        tags
    }

    pub(super) fn write_list(&self, read: &Read<'_>, first: Seek<'_>, rest: Option<Seek<'_>>) -> ListShape {
        let mut further: Vec<&str> = Vec::new();
        let mut positions = Vec::with_capacity(first.terms.len());
        for term in first.terms {
            let is_it = |shown: &Shown| shown.plain().is_some_and(|place| term.by == By::Column(place));
            let shown = read.shown.iter().position(is_it);
            positions.push(shown.unwrap_or(read.shown.len() + further.len()));
            if shown.is_none() {
                further.push(&term.sql);
            }
        }
        let write = |seek: Seek<'_>, what| {
            let mut sql = self.begin_select(read.shown, &further);
            condition::write(read.nodes, &self.columns, &mut sql);
            self.write_presence(read.embeds, &mut sql);
            seek.write_condition(&mut sql);
            if read.grouped && !seek.terms.is_empty() {
                sql.push(" group by ").list(seek.terms.iter().map(|term| &*term.sql));
            }
            let nulls = condition::held_to_null(read.nodes).filter(|_| !read.grouped);
            seek.write_order_where_null(nulls.map(|place| &*self.columns.field(place).quoted), &mut sql);
            sql.push(" limit ");
            sql.param();
            if read.passes_over {
                sql.push(" offset ");
                sql.param();
            }
            sql.finish(&self.table, what)
        };
        let rest = rest.map(|rest| write(rest, "list-rest"));
        ListShape { first: write(first, "list"), rest, positions: positions.into() }
    }
}

/// What decides the text of a list.
pub(super) fn shape_of_list(
    shown: &[Shown],
    way: u8,
    sorting: &Sorting,
    first: &Seek<'_>,
    filters: &[u8],
) -> Vec<u8> {
    let mut key = Vec::with_capacity(64);
    key.extend_from_slice(&(shown.len() as u16).to_le_bytes());
    for shown in shown {
        shown.shape(&mut key);
    }
    key.push(way);
    key.extend_from_slice(&(sorting.encoded.len() as u16).to_le_bytes());
    key.extend_from_slice(&sorting.encoded);
    first.shape(&mut key);
    key.extend_from_slice(filters);
    key
}
