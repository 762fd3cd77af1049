//! Lists of what rows sum up to: their sort is that of the columns that tell the groups apart.

use std::sync::Arc;

use kasoku_problem::Problem;

use super::TablePlanner;
use crate::fault::invalid_name;
use crate::grammar::order::AskedTerm;
use crate::grammar::select::{Selection, Shown};
use crate::keyset::{By, Sorting, Term};

impl TablePlanner {
    /// Groups are sorted by the columns that tell them apart, those first that were asked for.
    pub(super) fn sorting_of_groups(
        &self,
        selection: &Selection,
        asked: Option<&[AskedTerm]>,
    ) -> Result<Arc<Sorting>, Problem> {
        let groups: Vec<usize> = selection.shown.iter().filter_map(Shown::plain).collect();
        let mut terms: Vec<Term> = Vec::with_capacity(groups.len());
        let mut add = |place: usize, descending: bool, nulls_first: Option<bool>| {
            let field = self.columns.field(place);
            let native = Term::native_nulls_first(descending, self.dialect);
            let nulls_first = nulls_first.filter(|_| field.nullable).unwrap_or(native);
            let sql = field.quoted.clone();
            terms.push(Term {
                by: By::Column(place),
                sql,
                nullable: field.nullable,
                descending,
                nulls_first,
            });
        };
        let asked = asked.unwrap_or_default();
        for term in asked {
            let By::Column(place) = term.by else { continue };
            if !groups.contains(&place) {
                let names = groups.iter().map(|place| self.columns.field(*place).name());
                let name = self.columns.field(place).name();
                return Err(invalid_name("order", "column that groups are made by", name, names));
            }
            add(place, term.descending, term.nulls_first);
        }
        for place in &groups {
            if !asked.iter().any(|term| term.by == By::Column(*place)) {
                add(*place, false, None);
            }
        }
        let declared = terms.len();
        Ok(Arc::new(Sorting::new(terms, declared)))
    }
}
