//! What differs between databases in the SQL that is written for them.

use crate::grammar::pattern::{Case, Pattern};

/// The SQL of one database.
#[derive(Debug)]
pub struct Dialect {
    /// Before the number of a parameter.
    pub(crate) placeholder: char,
    /// Whether NULL sorts before everything else in ascending order, so that an index gives that order.
    pub(crate) nulls_smallest: bool,
    /// Before a column, hides it from the planner's choice of indexes without changing its value or collation.
    pub(crate) unindexed: &'static str,
    /// Names of the hidden column that tells rows of a table without a key apart; empty if there is none.
    pub(crate) row_identity: &'static [&'static str],
}

impl Dialect {
    /// SQLite 3.39 or later.
    pub const SQLITE: &'static Dialect = &Dialect {
        placeholder: '?',
        nulls_smallest: true,
        unindexed: "+",
        row_identity: &["rowid", "_rowid_", "oid"],
    };

    /// Writes an identifier, quoted.
    pub(crate) fn quote(&self, name: &str) -> String {
        let mut quoted = String::with_capacity(name.len() + 2);
        quoted.push('"');
        for letter in name.chars() {
            if letter == '"' {
                quoted.push('"');
            }
            quoted.push(letter);
        }
        quoted.push('"');
        quoted
    }

    /// What comes before and after the parameter of a pattern. SQLite's `like` folds ASCII case, so a pattern that
    /// minds case is a `glob`, which also never depends on `pragma case_sensitive_like`.
    pub(crate) fn pattern_operator(&self, case: Case) -> (&'static str, &'static str) {
        match case {
            Case::Exact => (" glob ", ""),
            Case::Folded => (" like ", " escape '\\'"),
        }
    }

    /// The bound text of a pattern.
    pub(crate) fn pattern_text(&self, case: Case, pattern: &Pattern<'_>) -> String {
        match case {
            Case::Exact => pattern.glob(),
            Case::Folded => pattern.like(),
        }
    }
}
