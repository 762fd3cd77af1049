//! `${NAME}` in strings: values of the environment, put in after parsing, so that no value can become syntax.

use super::{Damage, KeyPath, Node, Value};
use crate::diagnostic::{Finding, Findings, did_you_mean};
use crate::environment::{Environment, read_variable};

/// Replaces each `${NAME}` by the environment's value; `$${` stands for `${` itself.
pub(crate) fn interpolate(
    node: &mut Node,
    environment: &dyn Environment,
    damage: &mut Damage,
    findings: &mut Findings,
) {
    walk(node, &KeyPath::root(), environment, damage, findings);
}

fn walk(
    node: &mut Node,
    path: &KeyPath,
    environment: &dyn Environment,
    damage: &mut Damage,
    findings: &mut Findings,
) {
    let place = node.place.clone();
    match &mut node.value {
        Value::String(text) if text.contains("${") => match expand(text, environment, findings) {
            Ok(expanded) => *text = expanded,
            Err(finding) => {
                damage.note(path);
                findings.add(path, place, finding);
            }
        },
        Value::Array(nodes) => {
            for (index, node) in nodes.iter_mut().enumerate() {
                walk(node, &path.index(index), environment, damage, findings);
            }
        }
        Value::Table(table) => {
            for (name, entry) in table {
                walk(&mut entry.node, &path.key(name), environment, damage, findings);
            }
        }
        _ => {}
    }
}

fn expand(text: &str, environment: &dyn Environment, findings: &mut Findings) -> Result<String, Finding> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, behind) = (&rest[..at], &rest[at + 2..]);
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = behind;
            continue;
        }
        let Some((name, after)) = behind.split_once('}') else {
            return Err(Finding::error("a `${` is never closed")
                .label("expected `}` behind the name of an environment variable")
                .hint("write `$${` for the characters themselves"));
        };
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(Finding::error(format!("`{name}` is not the name of an environment variable"))
                .label("expected letters, digits and `_` between `${` and `}`")
                .hint("write `$${` for the characters themselves"));
        }
        let value = match read_variable(environment, name) {
            Ok(Some(value)) => value,
            Ok(None) => return Err(unset(name, environment)),
            Err(error) => {
                return Err(Finding::error(error.to_string()).label("its value was to be put in here"));
            }
        };
        findings.hide(&value);
        out.push_str(before);
        out.push_str(&value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// A variable that was asked for and is not there.
pub(crate) fn unset(name: &str, environment: &dyn Environment) -> Finding {
    let names = environment.names();
    let near = did_you_mean(name, names.iter().map(String::as_str)).filter(|hint| hint.starts_with("did"));
    Finding::error(format!("the environment variable `{name}` is not set"))
        .label("its value was to be put in here")
        .hint_if(near.or_else(|| Some(format!("set it before the start, as in `{name}=… kasoku serve`"))))
}
