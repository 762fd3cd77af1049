//! Routes that carry out several writes together: which routes they write to.

use kasoku_source_data::BatchRules;

use super::Check;
use crate::diagnostic::{Finding, did_you_mean};
use crate::tree::KeyPath;
use crate::written::{Requires, RequiresOrWho, Route, Written};

/// Operations in one request, unless the route says otherwise.
const OPERATIONS: u32 = 100;

/// Whether who may send a batch may do all that a route lets be written: callers are asked for once, at the batch.
fn suffices(batch: Option<&RequiresOrWho>, route: Option<&RequiresOrWho>) -> bool {
    let of_route = match route {
        None => return true,
        Some(RequiresOrWho::Who(who)) => who.all(),
        Some(RequiresOrWho::Requires(Requires {
            write,
            post: None,
            put: None,
            patch: None,
            delete: None,
            ..
        })) => write.all(),
        Some(RequiresOrWho::Requires(_)) => return false,
    };
    let of_batch = match batch {
        None => &[],
        Some(RequiresOrWho::Who(who)) => who.all(),
        Some(RequiresOrWho::Requires(by)) => by.post.as_ref().unwrap_or(&by.write).all(),
    };
    matches!(of_route, [one] if one == "anyone") || of_route == of_batch
}

/// What a `batch` route writes to.
pub(super) fn rules(
    check: &mut Check<'_>,
    route: &KeyPath,
    written: &Route,
    all: &Written,
) -> Option<BatchRules> {
    let at = route.key("batch");
    let routes = written.batch.as_ref()?;
    if routes.is_empty() {
        let finding = Finding::error("a batch writes to one route at the least");
        check.value(&at, finding.label("expected paths of `table` routes"));
    }
    if written.path.contains('{') {
        let finding = Finding::error("the path of a `batch` route has no parameters");
        check.value(&route.key("path"), finding.label("expected a path such as \"/_batch\""));
    }
    for (index, path) in routes.iter().enumerate() {
        let here = at.index(index);
        if routes[..index].contains(path) {
            check.value(&here, Finding::error(format!("`{path}` is there already")));
            continue;
        }
        let Some(found) = all.route.iter().find(|route| route.path == *path) else {
            let paths =
                all.route.iter().filter(|route| route.table.is_some()).map(|route| route.path.as_str());
            let finding = Finding::error(format!("no route has the path `{path}`"));
            check.value(
                &here,
                finding.label("expected the path of a `table` route").hint_if(did_you_mean(path, paths)),
            );
            continue;
        };
        if found.table.is_none() || found.write.is_none() {
            let finding = Finding::error(format!("nothing can be written to `{path}`"));
            let label = if found.table.is_none() { "is no `table` route" } else { "has no `write`" };
            check.value(&here, finding.label(label));
        }
        if found.row_rule.is_some() {
            let finding =
                Finding::error(format!("rows of `{path}` belong to callers, which a batch does not heed"));
            check.value(&here, finding.label("has `where`"));
        }
        if !suffices(written.requires.as_ref(), found.requires.as_ref()) {
            let finding = Finding::error(format!("`{path}` requires other callers than this batch does"));
            let label = "expected the same `requires` for all writes, here and there";
            check.value(&here, finding.label(label));
        }
    }
    Some(BatchRules {
        routes: routes.clone(),
        operations_most: written.operations.unwrap_or(OPERATIONS) as usize,
    })
}
