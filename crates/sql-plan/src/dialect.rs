//! What differs between databases in the SQL that is written for them.

use crate::grammar::pattern::{Case, Pattern};

/// The SQL of one database.
#[derive(Debug)]
pub struct Dialect {
    /// The database, in words.
    pub(crate) name: &'static str,
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
    /// Behind a column that holds truth: that it is true, that it is not, that it is false, that it is not.
    pub(crate) truth: [&'static str; 4],
    /// Gives the number of a table's rows by the database's statistics; the parameter is the table's name.
    pub(crate) statistics: &'static str,
    /// Whether the name in `statistics` is an identifier with its quotes.
    pub(crate) statistics_quoted: bool,
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
        name: "SQLite",
        identifier_quote: '"',
        placeholder: '?',
        nulls_smallest: true,
        unindexed: "+",
        row_identity: &["rowid", "_rowid_", "oid"],
        truth: [" is 1", " is not 1", " is 0", " is not 0"],
        statistics: "select max(cast(stat as integer)) from sqlite_stat1 where tbl = ?1 collate nocase",
        statistics_quoted: false,
        exact_pattern: PatternForm { before: " glob ", after: "", text: |pattern| pattern.glob() },
        folded_pattern: PatternForm {
            before: " like ",
            after: " escape '\\'",
            text: |pattern| pattern.like(),
        },
    };

    /// PostgreSQL 14 or later.
    pub const POSTGRES: &'static Dialect = &Dialect {
        name: "PostgreSQL",
        identifier_quote: '"',
        placeholder: '$',
        nulls_smallest: false,
        unindexed: "",
        row_identity: &[],
        truth: [" is true", " is not true", " is false", " is not false"],
        // -1 stands for a table that was never analysed.
        statistics: "select nullif(reltuples, -1)::bigint from pg_class where oid = to_regclass($1)",
        statistics_quoted: true,
        exact_pattern: PatternForm {
            before: " like ",
            after: " escape '\\'",
            text: |pattern| pattern.like(),
        },
        folded_pattern: PatternForm {
            before: " ilike ",
            after: " escape '\\'",
            text: |pattern| pattern.like(),
        },
    };

    /// The database, in words.
    pub fn name(&self) -> &'static str {
        self.name
    }

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
