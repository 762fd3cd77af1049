//! How the server would run a statement, read from `explain`.
//!
//! The plan is the one for any values of the parameters, and made as if reading a whole table were dear: a table that
//! has no rows yet would tell nothing otherwise.

use serde_json::Value as Json;
use tokio_postgres::SimpleQueryMessage;

use kasoku_sql_plan::named;

use super::Inspector;
use crate::error::DatabaseError;
use crate::inspect::{PlanFacts, PlanStep, Reads, StepAccess, add};
use crate::postgres::connect::Failed;

/// The columns of an index, in order, and whether they tell rows apart.
struct Index {
    name: String,
    unique: bool,
    columns: Vec<String>,
}

const INDEXES: &str = "
    select c.relname::text, i.indisunique and i.indpred is null,
           array(select pg_get_indexdef(i.indexrelid, k, true) from generate_series(1, i.indnkeyatts) k)
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where c.relname = any($1) and c.relnamespace = current_schema()::regnamespace";

pub(super) fn explain(inspector: &Inspector, sql: &str) -> Result<PlanFacts, DatabaseError> {
    let params = inspector.prepare(sql)?.params().len();
    inspector.run("set local enable_seqscan = off")?;
    let [tree, lines] = planned(inspector, sql, params)?;
    let root = root(&tree)?;
    let mut nodes = Vec::new();
    gather(&root, &mut nodes);
    let names: Vec<&str> = nodes.iter().filter_map(|node| text(node, "Index Name")).collect();
    let indexes: Vec<Index> = inspector
        .query(INDEXES, &[&names])?
        .iter()
        .map(|row| Index { name: row.get(0), unique: row.get(1), columns: row.get(2) })
        .collect();
    let mut facts = PlanFacts { steps: Vec::new(), sorts: false, materializes: false, lines: Vec::new() };
    for node in nodes {
        match text(node, "Node Type").unwrap_or_default() {
            "Sort" | "Incremental Sort" => facts.sorts = true,
            "Aggregate" => {
                facts.sorts |= text(node, "Strategy").is_some_and(|how| how != "Plain" && how != "Sorted");
            }
            "Hash" | "Materialize" | "CTE Scan" | "Recursive Union" | "SetOp" => facts.materializes = true,
            _ => facts.steps.extend(step(node, &indexes)),
        }
    }
    facts.lines = lines.lines().map(str::to_owned).collect();
    Ok(facts)
}

/// How the server would run it as it is, for any values.
pub(super) fn lines(inspector: &Inspector, sql: &str) -> Result<Vec<String>, DatabaseError> {
    let params = inspector.prepare(sql)?.params().len();
    let [_, lines] = planned(inspector, sql, params)?;
    Ok(lines.lines().map(str::to_owned).collect())
}

/// What a statement that writes touches, from its plan.
pub(super) fn touched(inspector: &Inspector, sql: &str, params: usize) -> Result<Reads, DatabaseError> {
    let [tree, _] = planned(inspector, sql, params)?;
    let root = root(&tree)?;
    let mut nodes = Vec::new();
    gather(&root, &mut nodes);
    let mut reads = Reads::default();
    for node in nodes {
        let Some(table) = text(node, "Relation Name") else { continue };
        if text(node, "Node Type") == Some("ModifyTable") {
            add(&mut reads.writes, table);
        } else {
            reads.add_read(table, "");
        }
    }
    reads.sort();
    Ok(reads)
}

/// The plan as a tree, and as people read it.
fn planned(inspector: &Inspector, sql: &str, params: usize) -> Result<[String; 2], DatabaseError> {
    let numbered = named::numbered(sql, |_| true);
    let nulls = vec!["null"; params].join(", ");
    let given = if params == 0 { String::new() } else { format!("({nulls})") };
    let statements = named::statements(&numbered.text);
    let statement = statements.first().copied().unwrap_or_default();
    inspector.run(&format!(
        "set local plan_cache_mode = force_generic_plan; savepoint kasoku_plan; prepare kasoku_plan as {statement}"
    ))?;
    let explained = explained(inspector, "format json, verbose", &given).and_then(|tree| {
        let lines = self::explained(inspector, "costs off", &given)?;
        Ok([tree.concat(), lines.join("\n")])
    });
    if explained.is_err() && !inspector.held.is_lost() {
        inspector.run("rollback to kasoku_plan")?;
    }
    // It would outlive the transaction.
    inspector.run("deallocate kasoku_plan")?;
    explained
}

/// The lines that the server says of the prepared statement.
fn explained(inspector: &Inspector, how: &str, given: &str) -> Result<Vec<String>, DatabaseError> {
    let asked = format!("explain ({how}) execute kasoku_plan{given}");
    let said = inspector.held.wait(inspector.held.session.client().simple_query(&asked));
    let said = said.map_err(|error| inspector.held.failed(Failed::of(&error)))?;
    let line = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    Ok(said.iter().filter_map(line).collect())
}

fn root(tree: &str) -> Result<Json, DatabaseError> {
    let read: Option<Json> = serde_json::from_str(tree).ok();
    let root = read.and_then(|mut read| read.get_mut(0)?.get_mut("Plan").map(Json::take));
    root.ok_or_else(|| DatabaseError::Io("the server's plan cannot be read".into()))
}

/// All nodes of a plan, the outermost first.
fn gather<'p>(node: &'p Json, nodes: &mut Vec<&'p Json>) {
    nodes.push(node);
    for child in node.get("Plans").and_then(Json::as_array).into_iter().flatten() {
        gather(child, nodes);
    }
}

fn text<'p>(node: &'p Json, key: &str) -> Option<&'p str> {
    node.get(key).and_then(Json::as_str)
}

/// How one table is reached, if the node reads one.
fn step(node: &Json, indexes: &[Index]) -> Option<PlanStep> {
    let table = text(node, "Alias").filter(|_| text(node, "Relation Name").is_some())?.to_owned();
    let scan =
        |access| PlanStep { table: table.clone(), access, index: None, equal: Vec::new(), bounded: false };
    let reading = match text(node, "Node Type")? {
        "Index Scan" | "Index Only Scan" => node,
        "Bitmap Heap Scan" => match node.get("Plans").and_then(Json::as_array).map(Vec::as_slice) {
            Some([one]) if text(one, "Node Type") == Some("Bitmap Index Scan") => one,
            _ => return Some(scan(StepAccess::Range)),
        },
        "Tid Scan" => return Some(scan(StepAccess::Point)),
        "ModifyTable" => return None,
        _ => return Some(scan(StepAccess::Scan)),
    };
    let name = text(reading, "Index Name")?;
    let index = indexes.iter().find(|index| index.name == name);
    let columns: &[String] = index.map_or(&[], |index| &index.columns);
    let conditions = Conditions::read(text(reading, "Index Cond").unwrap_or_default());
    let equal: Vec<String> =
        columns.iter().take_while(|column| conditions.equal.contains(column)).cloned().collect();
    let bounded = columns.get(equal.len()).is_some_and(|next| conditions.bounded.contains(next));
    let unique = index.is_some_and(|index| index.unique);
    let access = if unique && equal.len() == columns.len() && !conditions.many {
        StepAccess::Point
    } else if equal.is_empty() && !bounded {
        StepAccess::Walk
    } else {
        StepAccess::Range
    };
    Some(PlanStep { table, access, index: Some(name.to_owned()), equal, bounded })
}

/// What an index is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Conditions {
    /// Columns that equal something.
    equal: Vec<String>,
    /// Columns that are compared with something.
    bounded: Vec<String>,
    /// Whether one may equal several things.
    many: bool,
}

impl Conditions {
    /// Reads `((items.category = $1) AND (ROW(items.price, items.id) > ROW($2, $3)))`.
    fn read(condition: &str) -> Self {
        let mut read = Self::default();
        for part in conjuncts(condition) {
            if let Some(columns) = part.strip_prefix("ROW(").and_then(|rest| rest.split_once(')')) {
                read.bounded.extend(columns.0.split(", ").map(column));
                continue;
            }
            let null = part.strip_suffix(" IS NULL").map(|left| (left, "=", ""));
            let words = || {
                part.split_once(' ').and_then(|(left, rest)| {
                    let (operator, right) = rest.split_once(' ')?;
                    Some((left, operator, right))
                })
            };
            let Some((left, operator, right)) = null.or_else(words) else { continue };
            if operator == "=" {
                read.many |= right.starts_with("ANY");
                read.equal.push(column(left));
            } else {
                read.bounded.push(column(left));
            }
        }
        read
    }
}

/// The parts of a condition that must all hold, without the brackets around them.
fn conjuncts(condition: &str) -> Vec<&str> {
    let inner = unwrapped(condition);
    let mut parts = Vec::new();
    let (mut depth, mut begin) = (0_usize, 0);
    for (at, sign) in inner.char_indices() {
        match sign {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            'A' if depth == 0 && inner[at..].starts_with("AND ") && inner[..at].ends_with(' ') => {
                parts.push(unwrapped(inner[begin..at].trim()));
                begin = at + "AND ".len();
            }
            _ => {}
        }
    }
    parts.push(unwrapped(inner[begin..].trim()));
    parts.retain(|part| !part.is_empty());
    parts
}

/// Takes away brackets that are around all of it.
fn unwrapped(text: &str) -> &str {
    let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) else { return text };
    let mut depth = 0_i32;
    let whole = inner.chars().all(|sign| {
        depth += i32::from(sign == '(') - i32::from(sign == ')');
        depth >= 0
    });
    if whole { inner } else { text }
}

/// The name of a column, without its table and what it is cast to: `(items.name)::text`.
fn column(term: &str) -> String {
    let term = term.split("::").next().unwrap_or(term);
    let name = unwrapped(term).rsplit('.').next().unwrap_or(term);
    name.trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_index_is_asked_for_is_read_from_the_servers_words() {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let check = |condition: &str, equal: &[&str], bounded: &[&str], many| {
            let read = Conditions::read(condition);
            assert_eq!(
                (read.equal, read.bounded, read.many),
                (owned(equal), owned(bounded), many),
                "{condition}"
            );
        };
        check("", &[], &[], false);
        check("(id = $1)", &["id"], &[], false);
        check("(((items.name)::text = ($1)::text) AND (items.price > $2))", &["name"], &["price"], false);
        check("(ROW(a, b.id) > ROW($1, $2))", &[], &["a", "id"], false);
        check("((id = ANY ($1)) AND (\"Kind\" IS NULL))", &["id", "Kind"], &[], true);
        check("(deleted_at IS NOT NULL)", &[], &["deleted_at"], false);
    }
}
