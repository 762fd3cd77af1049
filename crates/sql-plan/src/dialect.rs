//! What differs between databases in the SQL that is written for them.

use crate::grammar::pattern::{Case, Pattern};

/// The SQL of one database.
#[derive(Debug)]
pub struct Dialect {
    /// Around an identifier; doubled within it.
    pub(crate) identifier_quote: char,
    /// Before the number of a parameter.
    pub(crate) placeholder: char,
    /// Whether NULL sorts before everything else in ascending order, so that an index gives that order.
    pub(crate) nulls_smallest: bool,
    /// Before a column, hides it from the planner's choice of indexes without changing its value or collation.
    pub(crate) unindexed: &'static str,
    /// Names of the hidden column that tells rows of a table without a key apart; empty if there is none.
    pub(crate) row_identity: &'static [&'static str],
    /// How a pattern that minds case is matched.
    pub(crate) exact_pattern: PatternForm,
    /// How a pattern that folds case is matched.
    pub(crate) folded_pattern: PatternForm,
}

/// How a pattern is matched.
#[derive(Debug)]
pub(crate) struct PatternForm {
    /// Before the pattern's parameter.
    pub(crate) before: &'static str,
    /// After it.
    pub(crate) after: &'static str,
    /// The text that is bound.
    pub(crate) text: fn(&Pattern<'_>) -> String,
}

impl Dialect {
    /// SQLite 3.39 or later. Its `like` folds ASCII case, so a pattern that minds case is a `glob`, which also never
    /// depends on `pragma case_sensitive_like`.
    pub const SQLITE: &'static Dialect = &Dialect {
        identifier_quote: '"',
        placeholder: '?',
        nulls_smallest: true,
        unindexed: "+",
        row_identity: &["rowid", "_rowid_", "oid"],
        exact_pattern: PatternForm { before: " glob ", after: "", text: |pattern| pattern.glob() },
        folded_pattern: PatternForm {
            before: " like ",
            after: " escape '\\'",
            text: |pattern| pattern.like(),
        },
    };

    /// Writes an identifier, quoted.
    pub(crate) fn quote(&self, name: &str) -> String {
        let quote = self.identifier_quote;
        let mut quoted = String::with_capacity(name.len() + 2);
        quoted.push(quote);
        for letter in name.chars() {
            if letter == quote {
                quoted.push(quote);
            }
            quoted.push(letter);
        }
        quoted.push(quote);
        quoted
    }

    pub(crate) fn pattern(&self, case: Case) -> &PatternForm {
        match case {
            Case::Exact => &self.exact_pattern,
            Case::Folded => &self.folded_pattern,
        }
    }
}
