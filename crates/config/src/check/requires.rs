//! What routes require of their callers, and whether they can.

use http::Method;
use kasoku_policies::identify::{Requirement, Requires};

use super::Check;
use crate::diagnostic::Finding;
use crate::plan::SourcePlan;
use crate::tree::KeyPath;
use crate::written::{OneOrMore, RequiresOrWho, Route, Written};

/// Longer names of roles are surely a slip.
const ROLE_BYTES_MAX: usize = 256;

/// What a route requires; `None` where it does not ask who its caller is. `asks` says that it does in other ways.
pub(super) fn rules(
    check: &mut Check<'_>,
    at: &KeyPath,
    written: &Route,
    all: &Written,
    (source, asks): (Option<&SourcePlan>, bool),
) -> Option<Requires> {
    let here = at.key("requires");
    let requires = match &written.requires {
        None if asks => Requires::all(Requirement::Caller),
        None => {
            unguarded(check, at, all, source);
            return None;
        }
        Some(RequiresOrWho::Who(who)) => Requires::all(requirement(check, &here, who)),
        Some(RequiresOrWho::Requires(by)) => {
            let methods = [
                (Method::POST, "post", &by.post),
                (Method::PUT, "put", &by.put),
                (Method::PATCH, "patch", &by.patch),
                (Method::DELETE, "delete", &by.delete),
            ];
            let mut named = Vec::new();
            for (method, name, who) in methods {
                if let Some(who) = who {
                    named.push((method, requirement(check, &here.key(name), who)));
                }
            }
            Requires {
                read: requirement(check, &here.key("read"), &by.read),
                write: requirement(check, &here.key("write"), &by.write),
                methods: named,
            }
        }
    };
    if all.identity.is_none() && !check.damaged(&KeyPath::root().key("identity")) {
        let place = if written.requires.is_some() { here } else { at.key("where") };
        let finding = Finding::error("the route asks who its caller is, and nobody is identified")
            .label("needs to know the caller")
            .hint("add `[identity.jwt]` with `secret = \"env:JWT_SECRET\"`, or with `keys`");
        check.value(&place, finding);
        return None;
    }
    Some(requires)
}

fn requirement(check: &mut Check<'_>, at: &KeyPath, who: &OneOrMore) -> Requirement {
    let names = who.all();
    match names {
        [one] if one == "anyone" => return Requirement::Anyone,
        [one] if one == "caller" => return Requirement::Caller,
        [] => {
            let finding = Finding::error("nobody could use this");
            check.value(at, finding.label("expected \"anyone\", \"caller\" or roles"));
        }
        _ => {}
    }
    for name in names {
        let is_word = !name.is_empty()
            && name.len() <= ROLE_BYTES_MAX
            && !name.contains(|letter: char| letter.is_whitespace() || letter.is_control());
        if !is_word {
            let finding = Finding::error(format!("`{name}` cannot be a role"));
            check.value(at, finding.label("expected a word, such as \"editor\""));
        } else if matches!(name.as_str(), "anyone" | "caller") {
            let finding = Finding::error(format!("`{name}` is no role, and stands alone"));
            check.value(at, finding.label(format!("expected \"{name}\" by itself, or roles")));
        }
    }
    Requirement::AnyRole(names.iter().map(|name| name.as_str().into()).collect())
}

/// Warns of a route that anybody may change, where it is known who callers are.
fn unguarded(check: &mut Check<'_>, at: &KeyPath, all: &Written, source: Option<&SourcePlan>) {
    let Some(SourcePlan::Table(rules)) = source.filter(|_| all.identity.is_some()) else { return };
    let write = rules.write;
    if write.insert || write.update || write.update_each || write.upsert || write.delete {
        let finding = Finding::warning("anybody may write through this route")
            .label("callers are identified elsewhere, and not here")
            .hint("say who may, as in `requires = { read = \"anyone\", write = \"editor\" }`; \"anyone\" says that it is meant so");
        check.key(&at.key("write"), finding);
    }
}
