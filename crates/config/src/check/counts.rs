//! Which totals lists give.

use kasoku_sql_plan::{CountRule, Counts};

use crate::written::{Count, CountName, CountOrName};

/// The totals of a list, as its route allows them.
pub(super) fn counts(written: Option<&CountOrName>) -> Counts {
    let count = match written {
        None => Count::default(),
        Some(CountOrName::Name(name)) => Count { default: *name, ..Count::default() },
        Some(CountOrName::Count(count)) => count.clone(),
    };
    let rule = |name: &CountName| match name {
        CountName::None => CountRule::None,
        CountName::Estimated => CountRule::Estimated,
        CountName::Capped => CountRule::Capped,
        CountName::Exact => CountRule::Exact,
    };
    let default = rule(&count.default);
    let mut allowed = vec![default];
    for rule in count.allowed.iter().map(rule) {
        if !allowed.contains(&rule) {
            allowed.push(rule);
        }
    }
    Counts { default, allowed, cap: count.cap }
}
