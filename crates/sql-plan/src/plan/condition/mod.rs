//! Filters as SQL: their shape, their values, their text, each in the same order.

mod text;

use crate::Value;
use crate::columns::Columns;
use crate::dialect::Dialect;
use crate::grammar::filter::{
    Check, Class, Comparison, Held, Hold, Is, Joined, Lie, Likeness, Node, Operand, Quantifier, Subject, Test,
};
use crate::grammar::path::End;
use crate::grammar::pattern::{Case, Pattern};
use crate::sql::SqlText;

/// Puts the filters of a request in one order, whatever order they were written in: one shape instead of many.
pub(crate) fn settle(nodes: &mut [Node]) {
    nodes.sort_by_cached_key(|node| match node {
        Node::Test(test) => (test.subject.column, opcode(&test.check), test.negated),
        Node::Group { .. } => (usize::MAX, 0, false),
    });
}

/// Adds what of the filters decides their text.
pub(crate) fn shape(nodes: &[Node], out: &mut Vec<u8>) {
    out.push(nodes.len() as u8);
    for node in nodes {
        match node {
            Node::Test(test) => {
                out.push(u8::from(test.negated) | shape_of_path(&test.subject) << 1);
                out.extend_from_slice(&(test.subject.column as u16).to_le_bytes());
                shape_of_check(&test.check, out);
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
            Node::Test(Test { subject, check, .. }) => {
                if let Some(path) = subject.path.as_ref().filter(|path| !path.steps.is_empty()) {
                    out.push(Value::Text((dialect.json.path)(path)));
                }
                bind_check(check, dialect, out);
            }
        }
    }
}

/// The columns that must be NULL for all of the filters to hold.
pub(crate) fn held_to_null(nodes: &[Node]) -> impl Iterator<Item = usize> {
    nodes.iter().filter_map(|node| match node {
        Node::Test(Test { subject, check: Check::Is(Is::Null), negated: false })
            if subject.path.is_none() =>
        {
            Some(subject.column)
        }
        _ => None,
    })
}

/// Writes the filters as conditions.
pub(crate) fn write(nodes: &[Node], columns: &Columns, sql: &mut SqlText) {
    for node in nodes {
        sql.condition();
        write_node(node, columns, sql);
    }
}

/// Writes the filters as one condition, wherever that stands.
pub(crate) fn write_joined(nodes: &[Node], columns: &Columns, sql: &mut SqlText) {
    for (place, node) in nodes.iter().enumerate() {
        sql.push(if place > 0 { " and " } else { "" });
        write_node(node, columns, sql);
    }
}

const GROUP: u8 = 0x80;

/// How many parameters a list of so many values has. The last value fills those that are left over, so that lists
/// of all lengths share ten texts.
fn places_in_list(values: usize) -> usize {
    if values == 0 { 0 } else { values.next_power_of_two() }
}

/// The items of a list, the last one as often as the list's places need it.
fn filled<T>(items: &[T]) -> impl Iterator<Item = &T> {
    let missing = places_in_list(items.len()) - items.len();
    items.iter().chain(items.last().into_iter().cycle().take(missing))
}

fn opcode(check: &Check) -> u8 {
    match check {
        Check::Compare(comparison, _) => *comparison as u8,
        Check::In(_) => 8,
        Check::Like(Likeness::Like(Case::Exact), _) => 9,
        Check::Like(Likeness::Like(Case::Folded), _) => 10,
        Check::Like(Likeness::Regex(Case::Exact), _) => 11,
        Check::Like(Likeness::Regex(Case::Folded), _) => 12,
        Check::Is(is) => 16 + *is as u8,
        Check::Hold(hold, _) => 24 + *hold as u8,
        Check::Lie(lie, _) => 32 + *lie as u8,
        Check::Search(search) => 40 + search.form as u8,
        Check::Each(Quantifier::Any, _) => 48,
        Check::Each(Quantifier::All, _) => 49,
    }
}

fn shape_of_path(subject: &Subject) -> u8 {
    subject.path.as_ref().map_or(0, |path| {
        let end = if path.end == End::Text { 2 } else { 1 };
        end + 2 * u8::from(path.steps.is_empty())
    })
}

fn shape_of_check(check: &Check, out: &mut Vec<u8>) {
    out.push(opcode(check));
    match check {
        Check::Compare(_, operand) => out.push(operand.class as u8),
        Check::In(operands) => {
            out.extend_from_slice(&(places_in_list(operands.len()) as u16).to_le_bytes());
        }
        Check::Each(_, checks) => {
            out.extend_from_slice(&(places_in_list(checks.len()) as u16).to_le_bytes());
            filled(checks).for_each(|check| shape_of_check(check, out));
        }
        Check::Hold(_, held) => out.push(match held {
            Held::Native(_) => 0,
            Held::Values(_) => 1,
            Held::Texts(_) => 2,
            Held::Members(_) => 3,
        }),
        Check::Search(search) => {
            let language = search.language.unwrap_or_default();
            out.push(language.len() as u8);
            out.extend_from_slice(language.as_bytes());
        }
        Check::Like(..) | Check::Is(_) | Check::Lie(..) => {}
    }
}

fn bind_check(check: &Check, dialect: &Dialect, out: &mut Vec<Value>) {
    match check {
        Check::Compare(_, operand) => out.push(bound(operand, dialect)),
        Check::In(operands) => out.extend(filled(operands).map(|operand| bound(operand, dialect))),
        Check::Each(_, checks) => filled(checks).for_each(|check| bind_check(check, dialect, out)),
        Check::Like(likeness, pattern) => {
            out.push(Value::Text((dialect.pattern(*likeness).text)(&Pattern(pattern))));
        }
        Check::Hold(_, Held::Native(text) | Held::Values(text) | Held::Texts(text) | Held::Members(text)) => {
            out.push(Value::Text(text.clone()));
        }
        Check::Lie(_, value) => out.push(value.clone()),
        Check::Search(search) => out.push(Value::Text(search.query.clone())),
        Check::Is(_) => {}
    }
}

fn bound(operand: &Operand, dialect: &Dialect) -> Value {
    match operand.class {
        Class::Plain => operand.value.clone(),
        _ => (dialect.json.operand)(operand),
    }
}

fn write_node(node: &Node, columns: &Columns, sql: &mut SqlText) {
    match node {
        Node::Test(test) => text::write(test, columns.field(test.subject.column), sql),
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

fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Eq => " = ",
        Comparison::Neq => " <> ",
        Comparison::Gt => " > ",
        Comparison::Gte => " >= ",
        Comparison::Lt => " < ",
        Comparison::Lte => " <= ",
        Comparison::Distinct => " is distinct from ",
    }
}

/// The operator of a database whose arrays and ranges hold each other.
fn hold_operator(hold: Hold) -> &'static str {
    match hold {
        Hold::Contains => " @> ",
        Hold::Contained => " <@ ",
        Hold::Overlaps => " && ",
    }
}

fn lie_operator(lie: Lie) -> &'static str {
    match lie {
        Lie::Left => " << ",
        Lie::Right => " >> ",
        Lie::NotRight => " &< ",
        Lie::NotLeft => " &> ",
        Lie::Beside => " -|- ",
    }
}

/// What stands behind a subject that `is` asks about.
fn truth(is: Is, negated: bool, dialect: &Dialect) -> &'static str {
    let [is_true, is_not_true, is_false, is_not_false] = dialect.truth;
    match (is, negated) {
        (Is::Null, false) | (Is::NotNull, true) => " is null",
        (Is::NotNull, false) | (Is::Null, true) => " is not null",
        (Is::True, false) => is_true,
        (Is::True, true) => is_not_true,
        (Is::False, false) => is_false,
        (Is::False, true) => is_not_false,
    }
}
