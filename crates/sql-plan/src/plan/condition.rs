//! Filters as SQL: their shape, their values, their text, each in the same order.

use crate::Value;
use crate::columns::{Columns, Field};
use crate::dialect::Dialect;
use crate::grammar::filter::{Check, Comparison, Is, Joined, Node, Test};
use crate::grammar::pattern::{Case, Pattern};
use crate::sql::SqlText;

/// Puts the filters of a request in one order, whatever order they were written in: one shape instead of many.
pub(crate) fn settle(nodes: &mut [Node]) {
    nodes.sort_by_cached_key(|node| match node {
        Node::Test(test) => (test.column, opcode(&test.check), test.negated),
        Node::Group { .. } => (usize::MAX, 0, false),
    });
}

/// Adds what of the filters decides their text.
pub(crate) fn shape(nodes: &[Node], out: &mut Vec<u8>) {
    out.push(nodes.len() as u8);
    for node in nodes {
        match node {
            Node::Test(test) => {
                out.push(opcode(&test.check) << 1 | u8::from(test.negated));
                out.extend_from_slice(&(test.column as u16).to_le_bytes());
                if let Check::In(values) = &test.check {
                    out.extend_from_slice(&(places_in_list(values.len()) as u16).to_le_bytes());
                }
            }
            Node::Group { joined, negated, nodes } => {
                out.push(GROUP | u8::from(*joined == Joined::Or) << 1 | u8::from(*negated));
                shape(nodes, out);
            }
        }
    }
}

/// Adds the values of the filters.
pub(crate) fn bind(nodes: &[Node], dialect: &Dialect, out: &mut Vec<Value>) {
    for node in nodes {
        match node {
            Node::Group { nodes, .. } => bind(nodes, dialect, out),
            Node::Test(test) => match &test.check {
                Check::Compare(_, value) => out.push(value.clone()),
                Check::In(values) => {
                    out.extend(values.iter().cloned());
                    let missing = places_in_list(values.len()) - values.len();
                    out.extend(values.last().into_iter().cycle().take(missing).cloned());
                }
                Check::Like(case, pattern) => {
                    out.push(Value::Text((dialect.pattern(*case).text)(&Pattern(pattern))));
                }
                Check::Is(_) => {}
            },
        }
    }
}

/// Writes the filters as conditions.
pub(crate) fn write(nodes: &[Node], columns: &Columns, sql: &mut SqlText) {
    for node in nodes {
        sql.condition();
        write_node(node, columns, sql);
    }
}

const GROUP: u8 = 0x80;

/// How many parameters a list of so many values has. The last value fills those that are left over, so that lists
/// of all lengths share ten texts.
fn places_in_list(values: usize) -> usize {
    if values == 0 { 0 } else { values.next_power_of_two() }
}

fn opcode(check: &Check) -> u8 {
    match check {
        Check::Compare(comparison, _) => *comparison as u8,
        Check::In(_) => 6,
        Check::Like(Case::Exact, _) => 7,
        Check::Like(Case::Folded, _) => 8,
        Check::Is(is) => 9 + *is as u8,
    }
}

fn write_node(node: &Node, columns: &Columns, sql: &mut SqlText) {
    match node {
        Node::Test(test) => write_test(test, columns.field(test.column), sql),
        Node::Group { joined, negated, nodes } => {
            sql.push(if *negated { "not (" } else { "(" });
            for (place, node) in nodes.iter().enumerate() {
                if place > 0 {
                    sql.push(match joined {
                        Joined::And => " and ",
                        Joined::Or => " or ",
                    });
                }
                write_node(node, columns, sql);
            }
            sql.push(")");
        }
    }
}

fn write_test(test: &Test, field: &Field, sql: &mut SqlText) {
    if let Check::Is(is) = test.check {
        return write_is(is, test.negated, field, sql);
    }
    if test.negated {
        sql.push("not (");
    }
    match &test.check {
        Check::Compare(comparison, _) => {
            sql.push(&field.quoted).push(operator(*comparison));
            sql.param();
        }
        Check::In(values) if values.is_empty() => {
            sql.push("1 = 0");
        }
        Check::In(values) => {
            sql.push(&field.quoted).push(" in (");
            for place in 0..places_in_list(values.len()) {
                sql.push(if place > 0 { ", " } else { "" });
                sql.param();
            }
            sql.push(")");
        }
        Check::Like(case, _) => {
            let form = sql.dialect.pattern(*case);
            sql.push(&field.quoted).push(form.before);
            sql.param();
            sql.push(form.after);
        }
        Check::Is(_) => unreachable!("written above"),
    }
    if test.negated {
        sql.push(")");
    }
}

fn write_is(is: Is, negated: bool, field: &Field, sql: &mut SqlText) {
    let [is_true, is_not_true, is_false, is_not_false] = sql.dialect.truth;
    sql.push(&field.quoted).push(match (is, negated) {
        (Is::Null, false) | (Is::NotNull, true) => " is null",
        (Is::NotNull, false) | (Is::Null, true) => " is not null",
        (Is::True, false) => is_true,
        (Is::True, true) => is_not_true,
        (Is::False, false) => is_false,
        (Is::False, true) => is_not_false,
    });
}

fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Eq => " = ",
        Comparison::Neq => " <> ",
        Comparison::Gt => " > ",
        Comparison::Gte => " >= ",
        Comparison::Lt => " < ",
        Comparison::Lte => " <= ",
    }
}
