//! Filters: `price=gte.10`, `or=(price.lt.5,and(stock.is.null,title.like.A*))`.

use std::borrow::Cow;

use kasoku_problem::Problem;

use super::pattern::Case;
use super::scan::Scanner;
use crate::columns::{Columns, Field};
use crate::convert::value_of_text;
use crate::fault::{echo, invalid, invalid_name};
use crate::limits::{DEPTH_MAX, FILTERS_MAX, IN_VALUES_MAX};
use crate::{ColumnKind, Value};

/// What rows must satisfy.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// A test of one column.
    Test(Test),
    /// Several nodes joined.
    Group { joined: Joined, negated: bool, nodes: Vec<Node> },
}

/// How the nodes of a group are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    And,
    Or,
}

/// A test of one column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Test {
    /// Its place in the table.
    pub(crate) column: usize,
    pub(crate) negated: bool,
    pub(crate) check: Check,
}

/// What a column's value is held against.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Check {
    Compare(Comparison, Value),
    In(Vec<Value>),
    /// The pattern as it was asked for.
    Like(Case, String),
    Is(Is),
}

/// The order in which two values may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
}

/// What `is` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Is {
    Null,
    NotNull,
    True,
    False,
}

const OPERATORS: [&str; 11] = ["eq", "neq", "gt", "gte", "lt", "lte", "like", "ilike", "in", "is", "not"];

/// Collects the filters of a request and holds them to the limits.
pub(crate) struct FilterReader<'c> {
    columns: &'c Columns,
    /// Tests that may still be added.
    left: usize,
    pub(crate) nodes: Vec<Node>,
}

impl<'c> FilterReader<'c> {
    pub(crate) fn new(columns: &'c Columns) -> Self {
        Self { columns, left: FILTERS_MAX, nodes: Vec::new() }
    }

    /// `price=gte.10`, or `category=books` where the plain form is declared.
    pub(crate) fn column(&mut self, place: usize, parameter: &str, text: &str) -> Result<(), Problem> {
        self.count(parameter)?;
        let field = self.columns.field(place);
        if field.plain && !begins_with_operator(text) {
            let check = Check::Compare(Comparison::Eq, value(field, parameter, text)?);
            self.nodes.push(Node::Test(Test { column: place, negated: false, check }));
            return Ok(());
        }
        let mut scanner = Scanner::new(text);
        self.nodes.push(test(field, parameter, &mut scanner, Within::Parameter).map(Node::Test)?);
        if scanner.at_end() { Ok(()) } else { Err(unexpected(parameter, &scanner)) }
    }

    /// `or=(…)`, `and=(…)`, `not.or=(…)`, `not.and=(…)`.
    pub(crate) fn group(&mut self, parameter: &str, text: &str) -> Result<(), Problem> {
        let (negated, joined) = group_name(parameter).expect("the caller read the name");
        let mut scanner = Scanner::new(text);
        let nodes = self.members(parameter, &mut scanner, 1)?;
        if !scanner.at_end() {
            return Err(unexpected(parameter, &scanner));
        }
        self.nodes.push(Node::Group { joined, negated, nodes });
        Ok(())
    }

    fn members(
        &mut self,
        parameter: &str,
        scanner: &mut Scanner<'_>,
        depth: usize,
    ) -> Result<Vec<Node>, Problem> {
        if depth > DEPTH_MAX {
            return Err(invalid(parameter, format!("groups are nested deeper than {DEPTH_MAX}")));
        }
        scanner.skip_spaces();
        if !scanner.eat("(") {
            return Err(invalid(parameter, "expected `(` and filters such as `price.gt.10`, then `)`"));
        }
        let mut nodes = Vec::new();
        loop {
            scanner.skip_spaces();
            nodes.push(self.member(parameter, scanner, depth)?);
            scanner.skip_spaces();
            if scanner.eat(")") {
                return Ok(nodes);
            }
            if !scanner.eat(",") {
                return Err(unexpected(parameter, scanner));
            }
        }
    }

    fn member(&mut self, parameter: &str, scanner: &mut Scanner<'_>, depth: usize) -> Result<Node, Problem> {
        for (name, negated, joined) in GROUPS {
            let begins =
                scanner.rest().strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('('));
            if begins {
                scanner.eat(name);
                let nodes = self.members(parameter, scanner, depth + 1)?;
                return Ok(Node::Group { joined, negated, nodes });
            }
        }
        self.count(parameter)?;
        let name = scanner.name(b".,()");
        let place = self.columns.filterable(&name).ok_or_else(|| {
            invalid_name(parameter, "column to filter by", &name, self.columns.filterable_names())
        })?;
        if !scanner.eat(".") {
            return Err(invalid(parameter, format!("expected `.` and an operator after `{}`", echo(&name))));
        }
        test(self.columns.field(place), parameter, scanner, Within::Group).map(Node::Test)
    }

    fn count(&mut self, parameter: &str) -> Result<(), Problem> {
        let left = self.left.checked_sub(1);
        self.left =
            left.ok_or_else(|| invalid(parameter, format!("there are more than {FILTERS_MAX} filters")))?;
        Ok(())
    }
}

/// Names of groups, longest first among those that begin alike.
const GROUPS: [(&str, bool, Joined); 4] = [
    ("not.and", true, Joined::And),
    ("not.or", true, Joined::Or),
    ("and", false, Joined::And),
    ("or", false, Joined::Or),
];

/// Whether a parameter of this name is a group: negated, and how it joins.
pub(crate) fn group_name(name: &str) -> Option<(bool, Joined)> {
    GROUPS.iter().find(|(group, ..)| *group == name).map(|(_, negated, joined)| (*negated, *joined))
}

/// Where a test stands: as a parameter's whole value, or among others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Parameter,
    Group,
}

fn begins_with_operator(text: &str) -> bool {
    text.split_once('.').is_some_and(|(operator, _)| OPERATORS.contains(&operator))
}

fn test(field: &Field, parameter: &str, scanner: &mut Scanner<'_>, within: Within) -> Result<Test, Problem> {
    let negated = scanner.eat("not.");
    let operator = scanner.until(b".,()");
    if !scanner.eat(".") {
        let detail = format!("expected `operator.value`, such as `eq.{}`", echo(operator));
        return Err(invalid(parameter, detail).member("allowed", OPERATORS.as_slice()));
    }
    let compare = |comparison, scanner: &mut Scanner<'_>| {
        let text = operand(scanner, within);
        value(field, parameter, &text).map(|value| Check::Compare(comparison, value))
    };
    let check = match operator {
        "eq" => compare(Comparison::Eq, scanner)?,
        "neq" => compare(Comparison::Neq, scanner)?,
        "gt" => compare(Comparison::Gt, scanner)?,
        "gte" => compare(Comparison::Gte, scanner)?,
        "lt" => compare(Comparison::Lt, scanner)?,
        "lte" => compare(Comparison::Lte, scanner)?,
        "like" => like(field, parameter, Case::Exact, operand(scanner, within))?,
        "ilike" => like(field, parameter, Case::Folded, operand(scanner, within))?,
        "in" => Check::In(list(field, parameter, scanner)?),
        "is" => Check::Is(is(field, parameter, &operand(scanner, within))?),
        _ => {
            let names = OPERATORS.iter().copied().filter(|name| *name != "not");
            return Err(invalid_name(parameter, "operator", operator, names));
        }
    };
    Ok(Test { column: field.place, negated, check })
}

/// The value of an operator: all of a parameter's rest, as it stands, or one value of a group.
fn operand<'a>(scanner: &mut Scanner<'a>, within: Within) -> Cow<'a, str> {
    match within {
        Within::Parameter => Cow::Borrowed(scanner.until(b"")),
        Within::Group => scanner.value(),
    }
}

fn value(field: &Field, parameter: &str, text: &str) -> Result<Value, Problem> {
    value_of_text(field.kind, text).map_err(|expected| {
        let null = if text == "null" { "; for NULL, ask `is.null`" } else { "" };
        let detail = format!("`{}` is not {expected}, which `{}` holds{null}", echo(text), field.name());
        invalid(parameter, detail)
    })
}

fn like(field: &Field, parameter: &str, case: Case, pattern: Cow<'_, str>) -> Result<Check, Problem> {
    match field.kind {
        ColumnKind::Text | ColumnKind::Json | ColumnKind::Any => Ok(Check::Like(case, pattern.into_owned())),
        _ => Err(invalid(parameter, format!("`{}` holds no text, so patterns cannot be used", field.name()))),
    }
}

fn list(field: &Field, parameter: &str, scanner: &mut Scanner<'_>) -> Result<Vec<Value>, Problem> {
    if !scanner.eat("(") {
        return Err(invalid(parameter, "expected a list such as `in.(1,2,3)`"));
    }
    let mut values = Vec::new();
    if scanner.eat(")") {
        return Ok(values);
    }
    loop {
        if values.len() == IN_VALUES_MAX {
            return Err(invalid(parameter, format!("the list has more than {IN_VALUES_MAX} values")));
        }
        let text = scanner.value();
        values.push(value(field, parameter, &text)?);
        if scanner.eat(")") {
            return Ok(values);
        }
        if !scanner.eat(",") {
            return Err(invalid(parameter, "the list is not closed by `)`"));
        }
    }
}

fn is(field: &Field, parameter: &str, text: &str) -> Result<Is, Problem> {
    let boolean = field.kind == ColumnKind::Boolean;
    match text {
        "null" => Ok(Is::Null),
        "not_null" => Ok(Is::NotNull),
        "true" if boolean => Ok(Is::True),
        "false" if boolean => Ok(Is::False),
        _ => {
            let allowed: &[&str] =
                if boolean { &["null", "not_null", "true", "false"] } else { &["null", "not_null"] };
            Err(invalid_name(parameter, "value of `is` here", text, allowed.iter().copied()))
        }
    }
}

fn unexpected(parameter: &str, scanner: &Scanner<'_>) -> Problem {
    let detail = match scanner.rest() {
        "" => "a group is not closed by `)`".to_owned(),
        rest => format!("expected `,` or `)` before `{}`", echo(rest)),
    };
    invalid(parameter, detail)
}
