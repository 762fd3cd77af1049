//! Filters: `price=gte.10`, `or=(price.lt.5,and(stock.is.null,title.like.A*))`.
//!
//! Here is what they are made of, and how groups nest; what stands behind a column's name is read in `operator`.

mod held;
mod operator;
mod search;
mod tree;
mod value;

use kasoku_problem::Problem;

use self::operator::{TestReader, Within, begins_with_operator};
use super::path::{self, JsonPath};
use super::scan::Scanner;
use crate::columns::Columns;
use crate::fault::{echo, invalid, invalid_name};
use crate::limits::{DEPTH_MAX, FILTERS_MAX};
pub(crate) use tree::{
    Check, Class, Comparison, Held, Hold, Is, Joined, Lie, Likeness, Node, Operand, Quantifier, Search,
    SearchForm, Subject, Test,
};

/// Collects the filters of a request and holds them to the limits.
pub(crate) struct FilterReader<'c> {
    columns: &'c Columns,
    /// Tests that may still be added.
    left: usize,
    pub(crate) nodes: Vec<Node>,
}

impl<'c> FilterReader<'c> {
    pub(crate) fn new(columns: &'c Columns) -> Self {
        Self::with(columns, FILTERS_MAX)
    }

    /// A reader of so many tests at the most.
    pub(crate) fn with(columns: &'c Columns, left: usize) -> Self {
        Self { columns, left, nodes: Vec::new() }
    }

    /// How many tests may still be added.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// `price=gte.10`, or `category=books` where the plain form is declared.
    pub(crate) fn column(&mut self, place: usize, parameter: &str, text: &str) -> Result<(), Problem> {
        self.count(parameter)?;
        let field = self.columns.field(place);
        if field.plain && !begins_with_operator(text) {
            self.nodes.push(Node::Test(self.reader(place, None, parameter)?.plain(text)?));
            return Ok(());
        }
        self.parameter(place, None, parameter, text)
    }

    /// `note->kind=eq.3`: a way into a column that may be filtered by. `None` if the parameter is nothing of the kind.
    pub(crate) fn within_column(&mut self, parameter: &str, text: &str) -> Option<Result<(), Problem>> {
        let mut scanner = Scanner::new(parameter);
        let name = scanner.name_before_arrow(b"");
        let place = self.columns.filterable(&name).filter(|_| scanner.rest().starts_with("->"))?;
        let path = path::read(parameter, &mut scanner, b"");
        Some(self.count(parameter).and(path).and_then(|path| self.parameter(place, path, parameter, text)))
    }

    fn parameter(
        &mut self,
        place: usize,
        path: Option<JsonPath>,
        parameter: &str,
        text: &str,
    ) -> Result<(), Problem> {
        let mut scanner = Scanner::new(text);
        let test = self.reader(place, path, parameter)?.test(&mut scanner, Within::Parameter)?;
        self.nodes.push(Node::Test(test));
        if scanner.at_end() { Ok(()) } else { Err(unexpected(parameter, &scanner)) }
    }

    fn reader<'p>(
        &self,
        place: usize,
        path: Option<JsonPath>,
        parameter: &'p str,
    ) -> Result<TestReader<'c, 'p>, Problem> {
        TestReader::new(self.columns.dialect, self.columns.field(place), path, parameter)
    }

    /// `or=(…)`, `and=(…)`, `not.or=(…)`, `not.and=(…)`.
    pub(crate) fn group(&mut self, parameter: &str, text: &str) -> Result<(), Problem> {
        self.group_named(parameter, parameter, text)
    }

    /// A group of this name, which stands in a parameter of another.
    pub(crate) fn group_named(&mut self, name: &str, parameter: &str, text: &str) -> Result<(), Problem> {
        let (negated, joined) = group_name(name).expect("the caller read the name");
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
        let name = scanner.name_before_arrow(b".,()");
        let place = self.columns.filterable(&name).ok_or_else(|| {
            invalid_name(parameter, "column to filter by", &name, self.columns.filterable_names())
        })?;
        let path = path::read(parameter, scanner, b".,()")?;
        if !scanner.eat(".") {
            return Err(invalid(parameter, format!("expected `.` and an operator after `{}`", echo(&name))));
        }
        self.reader(place, path, parameter)?.test(scanner, Within::Group).map(Node::Test)
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

fn unexpected(parameter: &str, scanner: &Scanner<'_>) -> Problem {
    let detail = match scanner.rest() {
        "" => "a group is not closed by `)`".to_owned(),
        rest => format!("expected `,` or `)` before `{}`", echo(rest)),
    };
    invalid(parameter, detail)
}
