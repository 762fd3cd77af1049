//! Row rules: which rows of a table exist for a caller, as in `user_id = :caller.id`.
//!
//! A rule becomes filters beside those of a request, so that it takes part in everything that filters do: the text of
//! statements, which is the same for all callers, the values that are bound, the tags of an answer, the filters that a
//! cursor is good for. Rows that are written are held against it once more as they are afterwards.
//!
//! What is not known of a caller is NULL, which no comparison holds for.

mod read;

use kasoku_problem::{Kind, Problem};

use crate::Value;
use crate::branch::Branch;
use crate::columns::Columns;
use crate::convert::value_of_text;
use crate::grammar::filter::{Check, Class, Comparison, Is, Joined, Node, Operand, Subject, Test};
use crate::grammar::select::AskedEmbed;
use crate::schema::Table;
use crate::{ColumnKind, TableRules};

pub(crate) use read::{RowFault, equal_columns, read};

/// A rule, held against the table that it is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RowRule {
    /// All of them must hold.
    pub(crate) terms: Vec<Term>,
}

/// A part of a rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Term {
    Compare { column: usize, comparison: Comparison, with: Compared },
    In { column: usize, list: Vec<Compared> },
    Is { column: usize, is: Is },
    Group { joined: Joined, negated: bool, terms: Vec<Term> },
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Compared {
    /// What is known of the caller under this name.
    Caller(String),
    Fixed(Value),
}

/// What is known of a caller, as far as rules ask for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known(pub(crate) Vec<(String, String)>);

impl RowRule {
    /// The rule as filters, for a caller.
    pub(crate) fn nodes(&self, columns: &Columns, caller: &Known) -> Vec<Node> {
        self.terms.iter().map(|term| term.node(columns, caller)).collect()
    }

    /// The columns that must equal something, and what: a new row that leaves one out gets it.
    pub(crate) fn given(&self) -> impl Iterator<Item = (usize, &Compared)> {
        self.terms.iter().filter_map(|term| match term {
            Term::Compare { column, comparison: Comparison::Eq, with } => Some((*column, with)),
            _ => None,
        })
    }

    /// The names under which it asks for what is known of the caller.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        let mut open: Vec<&Term> = self.terms.iter().collect();
        while let Some(term) = open.pop() {
            let asked = match term {
                Term::Compare { with, .. } => std::slice::from_ref(with),
                Term::In { list, .. } => list,
                Term::Is { .. } => &[],
                Term::Group { terms, .. } => {
                    open.extend(terms);
                    &[]
                }
            };
            names.extend(asked.iter().filter_map(|compared| match compared {
                Compared::Caller(name) => Some(name.as_str()),
                Compared::Fixed(_) => None,
            }));
        }
        names
    }
}

impl Term {
    fn node(&self, columns: &Columns, caller: &Known) -> Node {
        let test = |column: usize, check| {
            Node::Test(Test { subject: Subject { column, path: None }, negated: false, check })
        };
        let operand = |column: usize, with: &Compared| Operand {
            value: with.value(columns.field(column).kind, caller),
            class: Class::Plain,
        };
        match self {
            Self::Compare { column, comparison, with } => {
                test(*column, Check::Compare(*comparison, operand(*column, with)))
            }
            Self::In { column, list } => {
                test(*column, Check::In(list.iter().map(|with| operand(*column, with)).collect()))
            }
            Self::Is { column, is } => test(*column, Check::Is(*is)),
            Self::Group { joined, negated, terms } => Node::Group {
                joined: *joined,
                negated: *negated,
                nodes: terms.iter().map(|term| term.node(columns, caller)).collect(),
            },
        }
    }
}

impl Compared {
    /// The value, in the terms of a column. A text that is none of its values equals none.
    pub(crate) fn value(&self, kind: ColumnKind, caller: &Known) -> Value {
        let name = match self {
            Self::Fixed(value) => return value.clone(),
            Self::Caller(name) => name,
        };
        let known = caller.0.iter().find(|(known, _)| known == name);
        let value = known.and_then(|(_, text)| Some((text, value_of_text(kind, text).ok()?)));
        match value {
            // `07` is another caller than `7`, and has none of its rows.
            Some((text, Value::Integer(number)))
                if kind != ColumnKind::Boolean && number.to_string() != *text =>
            {
                Value::Null
            }
            Some((_, Value::Real(_))) | None => Value::Null,
            Some((_, value)) => value,
        }
    }
}

/// The rule of a table, if it has one. It was found to be sound before.
pub(crate) fn of(rules: &TableRules, table: &Table) -> Option<RowRule> {
    read(rules.row_rule.as_ref()?, table).ok()
}

/// Adds to what is asked of embeds what their rules ask.
pub(crate) fn rule_embeds(embeds: &mut [AskedEmbed], branches: &[Branch], caller: &Known) {
    for embed in embeds {
        let branch = &branches[embed.branch];
        if let Some(rule) = &branch.rule {
            embed.nodes.splice(0..0, rule.nodes(&branch.columns, caller));
        }
        rule_embeds(&mut embed.selection.embeds, &branch.branches, caller);
    }
}

/// A row that a write would leave behind breaks the rule, or one that it would change is not the caller's. Which of both
/// is not said, nor whether there is such a row.
pub fn breaks_row_rule() -> Problem {
    Problem::new(Kind::Forbidden).detail("a row would not be one that you may write; nothing was written")
}
