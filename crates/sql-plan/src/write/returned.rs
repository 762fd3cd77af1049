//! What a write answers with.

use kasoku_problem::Problem;

use super::text::Returned;
use crate::grammar::Asked;
use crate::grammar::select::Shown;
use crate::plan::TablePlanner;

impl TablePlanner {
    /// What a write returns: what was selected, and what of the key is missing from it.
    pub(super) fn returned(&self, asked: &Asked) -> Result<Returned, Problem> {
        let all = || self.columns.selectable_places().map(Shown::column).collect();
        let mut shown: Vec<Shown> =
            asked.selection.as_ref().map_or_else(all, |selection| selection.shown.clone());
        let nest = match &asked.selection {
            Some(selection) => self.nest(selection, &mut shown)?,
            None => None,
        };
        let mut key = Vec::with_capacity(self.key.len());
        for column in &self.key {
            let known = shown.iter().position(|shown| shown.plain() == Some(*column));
            key.push(known.unwrap_or(shown.len()));
            if known.is_none() {
                shown.push(Shown::column(*column));
            }
        }
        Ok(Returned { shown, key, nest })
    }
}
