//! Indexes: those that are missing, tried until few are left that help; and those that are there for nothing.

use kasoku_database::DatabaseError;
use kasoku_sql_plan::proof::{Index, Offer, Wanted, merge, redundant, wanted};

use super::cases::{Case, Cases, Found};
use super::report::{SpareIndex, SpareReason};

/// How often indexes are added because others changed plans: an index that one statement needs may draw another away
/// from the order that it had.
const ROUNDS_MAX: usize = 4;

/// Makes the indexes that statements which are refused want, and gives those without which one of them is still
/// refused. They stay in the copy.
pub(super) fn offer(cases: &mut Cases<'_>) -> Result<Vec<Offer>, DatabaseError> {
    let mut left: Vec<Offer> = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let refused = cases.list.iter().filter(|case| case.is_judged() && case.then.is_refused());
        let wants = refused.flat_map(|case| wanted(&case.shape, &case.rules, cases.dialect));
        let is_there =
            |want: &Wanted| cases.copy.indexes().iter().any(|index| want.is_served_by(index, cases.dialect));
        let offers =
            merge(wants.filter(|want| !is_there(want)).collect(), cases.copy.indexes(), cases.dialect);
        if offers.is_empty() {
            break;
        }
        for offer in &offers {
            cases.copy.change(&offer.create)?;
        }
        let concerned = places(cases, |case| offers.iter().any(|offer| case.may_read(&offer.index.table)));
        left.extend(offers);
        replan(cases, &concerned)?;
    }
    // The shortest first: a longer one may do in its place.
    left.sort_by_key(|offer| offer.index.columns.len());
    let mut kept = Vec::new();
    for offer in left {
        let users = places(cases, |case| case.then.uses(&offer.index.name));
        cases.copy.change(&offer.undo)?;
        let without = cases.plan(&users)?;
        let is_missed = |(at, found): &(usize, Found)| {
            let case = &cases.list[*at];
            case.is_judged() && found.is_refused() && !case.then.is_refused()
        };
        if without.iter().any(is_missed) {
            cases.copy.change(&offer.create)?;
            kept.push(offer);
        } else {
            replan(cases, &users)?;
        }
    }
    cases.accept_sorts();
    kept.sort_by(|one, two| one.index.name.cmp(&two.index.name));
    Ok(kept)
}

/// Indexes that no statement reads, and those that another one replaces, with the offered ones in place. Each is
/// dropped from the copy to see whether a statement misses it.
pub(super) fn spare(cases: &mut Cases<'_>) -> Result<Vec<SpareIndex>, DatabaseError> {
    let mut spare = Vec::new();
    for twin in redundant(cases.copy.indexes()) {
        if !cases.copy.indexes().iter().any(|index| index.name == twin.by) {
            continue;
        }
        let users = places(cases, |case| case.then.uses(&twin.index));
        cases.copy.change("savepoint spare")?;
        cases.copy.change(&drop_index(cases, &twin.index))?;
        let missed = cases
            .plan(&users)?
            .iter()
            .any(|(at, found)| found.is_refused() && !cases.list[*at].then.is_refused());
        if missed {
            cases.copy.change("rollback to savepoint spare; release savepoint spare")?;
            continue;
        }
        cases.copy.change("release savepoint spare")?;
        replan(cases, &users)?;
        let by = Some(twin.by);
        let reason = if twin.duplicate { SpareReason::Duplicate } else { SpareReason::Beginning };
        let drop = drop_index(cases, &twin.index);
        spare.push(SpareIndex { name: twin.index, table: twin.table, reason, by, drop });
    }
    let unread = |index: &&Index| {
        let is_read = cases.list.iter().any(|case| case.then.uses(&index.name));
        !index.unique && !index.owned && !is_read
    };
    let unread = cases.copy.indexes().iter().filter(unread).map(|index| SpareIndex {
        name: index.name.clone(),
        table: index.table.clone(),
        reason: SpareReason::Unread,
        by: None,
        drop: drop_index(cases, &index.name),
    });
    spare.extend(unread);
    Ok(spare)
}

fn drop_index(cases: &Cases<'_>, name: &str) -> String {
    format!("drop index {};", cases.dialect.plain(name))
}

fn replan(cases: &mut Cases<'_>, which: &[usize]) -> Result<(), DatabaseError> {
    for (at, found) in cases.plan(which)? {
        cases.list[at].then = found;
    }
    Ok(())
}

fn places(cases: &Cases<'_>, is_meant: impl Fn(&Case) -> bool) -> Vec<usize> {
    (0..cases.list.len()).filter(|at| is_meant(&cases.list[*at])).collect()
}
