//! A plan as PostgreSQL tells it in JSON, in words that all engines share.

use kasoku_sql_plan::proof::{Index, Planned, Reach, SortWork, Step};
use serde_json::Value;

/// The number of parameters of a statement: `$1`, `$2`, ….
pub(super) fn params(sql: &str) -> usize {
    let mut most = 0;
    let mut quote = None;
    let bytes = sql.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match (quote, byte) {
            (Some(end), _) if *byte == end => quote = None,
            (None, b'\'' | b'"') => quote = Some(*byte),
            (None, b'$') => {
                let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit());
                let number = digits.fold(0_usize, |number, byte| {
                    number.saturating_mul(10).saturating_add(usize::from(byte - b'0'))
                });
                most = most.max(number.min(1_000));
            }
            _ => {}
        }
    }
    most
}

/// A statement without the `limit $9` that it ends in, if that is its last parameter. Of a limit that is not known the
/// planner believes that it is a tenth of all rows.
pub(super) fn without_limit(sql: &str) -> &str {
    let rest = sql.strip_suffix(&format!(" limit ${}", params(sql)));
    rest.filter(|rest| params(rest) + 1 == params(sql)).unwrap_or(sql)
}

/// Reads the answer of `explain (format json)`.
pub(super) fn read(explained: &str, indexes: &[Index]) -> Option<Planned> {
    let explained: Value = serde_json::from_str(explained).ok()?;
    let mut planned = Planned { steps: Vec::new(), sort: SortWork::None, lines: Vec::new() };
    walk(explained.get(0)?.get("Plan")?, indexes, 0, &mut planned);
    Some(planned)
}

fn walk(node: &Value, indexes: &[Index], depth: usize, planned: &mut Planned) {
    let text = |name: &str| node.get(name).and_then(Value::as_str);
    let kind = text("Node Type").unwrap_or_default();
    planned.lines.push(line(node, kind, depth));
    match kind {
        "Sort" => planned.sort = SortWork::All,
        "Incremental Sort" => planned.sort = planned.sort.max(SortWork::Ties),
        "Seq Scan" | "Index Scan" | "Index Only Scan" | "Bitmap Heap Scan" | "Sample Scan" | "Tid Scan" => {
            let table = text("Alias").or_else(|| text("Relation Name")).unwrap_or_default();
            planned.steps.push(step(table, node, indexes));
        }
        _ => {}
    }
    // What a bitmap is made of belongs to the scan that reads it.
    if kind != "Bitmap Heap Scan" {
        for inner in node.get("Plans").and_then(Value::as_array).into_iter().flatten() {
            walk(inner, indexes, depth + 1, planned);
        }
    }
}

fn step(table: &str, node: &Value, indexes: &[Index]) -> Step {
    let searched = searched(node);
    let text = |name: &str| searched.get(name).and_then(Value::as_str);
    let name = text("Index Name").map(str::to_owned);
    let index = name.as_ref().and_then(|name| indexes.iter().find(|index| index.name == *name));
    let tests: Vec<(Vec<String>, bool)> =
        parts(text("Index Cond").unwrap_or_default()).iter().filter_map(|part| test(part)).collect();
    let mut equal = Vec::new();
    let mut bounded = None;
    for column in index.into_iter().flat_map(|index| &index.columns) {
        let Some(name) = &column.name else { break };
        if tests.iter().any(|(tested, is_exact)| *is_exact && tested.contains(name)) {
            equal.push(name.clone());
        } else {
            // Of several columns that lie behind a row, those that are held to a value say nothing.
            let open =
                |tested: &Vec<String>| tested.iter().find(|tested| !equal.contains(tested)) == Some(name);
            bounded = tests.iter().any(|(tested, is_exact)| !is_exact && open(tested)).then(|| name.clone());
            break;
        }
    }
    // A search in another kind of index, whose columns have no order, holds what it names.
    if equal.is_empty() && bounded.is_none() {
        equal.extend(
            tests.iter().flat_map(|(names, _)| names.clone()).filter(|_| {
                index.is_some_and(|index| index.columns.iter().all(|column| column.name.is_none()))
            }),
        );
    }
    let reach = match index {
        Some(index) if index.unique && equal.len() == index.columns.len() => Reach::Point,
        Some(_) if !equal.is_empty() || bounded.is_some() => Reach::Part,
        _ => Reach::All,
    };
    Step { table: table.to_owned(), reach, index: name, equal, bounded }
}

/// The node with the index: the scan itself, or the one bitmap that it reads.
fn searched(node: &Value) -> &Value {
    match node.get("Plans").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) if only.get("Index Name").is_some() => only,
        _ => node,
    }
}

/// The columns that a part of a condition tests, and whether they are held to a value: `(category = $1)`,
/// `(i.price >= $2)`, `(ROW(price, id) < ROW($1, $2))`, `((name)::text = $1)`, `(due IS NULL)`, `(id = ANY ($1))`.
fn test(part: &str) -> Option<(Vec<String>, bool)> {
    let part = unwrapped(part);
    if let Some(rest) = part.strip_prefix("ROW(") {
        let names = rest.split(')').next()?.split(',').map(|name| column(name.trim()));
        return Some((names.collect::<Option<_>>()?, false));
    }
    let end = operator_at(part)?;
    let (left, operator) = (part[..end].trim(), part[end..].trim_start());
    let exact = operator.starts_with("= ") || operator.eq_ignore_ascii_case("is null");
    Some((vec![column(left)?], exact))
}

/// Where the column of a part ends: at the first blank outside of quotes and brackets.
fn operator_at(part: &str) -> Option<usize> {
    let (mut depth, mut quoted) = (0_usize, false);
    for (at, letter) in part.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            ' ' if !quoted && depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// A column without its table, its cast and its quotes; nothing for an expression.
fn column(text: &str) -> Option<String> {
    let text = unwrapped(text.split("::").next()?.trim());
    let last = match text.rfind('"') {
        Some(end) if end + 1 == text.len() => {
            let start = text[..end].rfind('"')?;
            return Some(text[start + 1..end].to_owned());
        }
        _ => text.rsplit('.').next()?,
    };
    let is_name = !last.is_empty()
        && last.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '$');
    is_name.then(|| last.to_owned())
}

/// The parts of a condition that must all hold.
fn parts(condition: &str) -> Vec<&str> {
    let inner = unwrapped(condition);
    let (mut depth, mut quoted, mut start) = (0_usize, None, 0);
    let mut parts = Vec::new();
    for (at, letter) in inner.char_indices() {
        match (quoted, letter) {
            (Some(end), _) if letter == end => quoted = None,
            (None, '"' | '\'') => quoted = Some(letter),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ' ') if depth == 0 && inner[at..].starts_with(" AND ") => {
                parts.push(&inner[start..at]);
                start = at + 5;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

/// Without brackets that hold all of it.
fn unwrapped(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { return text };
    let mut depth = 0_usize;
    for letter in inner.chars() {
        match letter {
            '(' => depth += 1,
            ')' if depth == 0 => return text,
            ')' => depth -= 1,
            _ => {}
        }
    }
    inner.trim()
}

fn line(node: &Value, kind: &str, depth: usize) -> String {
    let text = |name: &str| node.get(name).and_then(Value::as_str);
    let mut line = format!("{}{kind}", "  ".repeat(depth.min(8)));
    for (word, name) in
        [(" using ", "Index Name"), (" on ", "Relation Name"), (": ", "Index Cond"), (", filter ", "Filter")]
    {
        if let Some(text) = text(name) {
            line.push_str(word);
            line.push_str(text);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_an_index_are_read() {
        let cases: &[(&str, &[(&str, bool)])] = &[
            ("(id = $1)", &[("id", true)]),
            ("((category = $1) AND (price <= $2))", &[("category", true), ("price", false)]),
            ("(ROW(price, id) < ROW($2, $3))", &[("price,id", false)]),
            ("((i.shelf = s.id) AND (i.gone_at IS NULL))", &[("shelf", true), ("gone_at", true)]),
            ("(id = ANY ($1))", &[("id", true)]),
            ("(((name)::text = $1) AND (price IS NOT NULL))", &[("name", true), ("price", false)]),
            ("(\"Odd (name\" = 'a AND b'::text)", &[("Odd (name", true)]),
            ("(lower(name) = $1)", &[]),
            ("", &[]),
        ];
        for (condition, expected) in cases {
            let read = parts(condition).into_iter().filter_map(test);
            let read: Vec<(String, bool)> = read.map(|(names, exact)| (names.join(","), exact)).collect();
            let read: Vec<(&str, bool)> = read.iter().map(|(name, exact)| (name.as_str(), *exact)).collect();
            assert_eq!(read, *expected, "{condition}");
        }
    }

    #[test]
    fn a_limit_at_the_end_is_left_out_where_nothing_else_is_bound_by_its_number() {
        for (sql, expected) in [
            ("select a from t where b = $1 order by a limit $2", "select a from t where b = $1 order by a"),
            ("select a from t where b = $2 limit $2", "select a from t where b = $2 limit $2"),
            ("select a from t where b = $2 limit $1", "select a from t where b = $2 limit $1"),
            ("select a from t limit 5", "select a from t limit 5"),
            ("select a from t where b = $3 limit $4", "select a from t where b = $3"),
        ] {
            assert_eq!(without_limit(sql), expected);
        }
    }

    #[test]
    fn parameters_are_counted_outside_of_quotes() {
        for (sql, expected) in [
            ("select 1", 0),
            ("select $1, $12", 12),
            ("select '$9', \"$8\", $2", 2),
            ("select $", 0),
            ("select $99999999999999999999", 1_000),
        ] {
            assert_eq!(params(sql), expected, "{sql}");
        }
    }
}
