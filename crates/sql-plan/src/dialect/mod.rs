//! What differs between databases in the SQL that is written for them.

mod json;
mod parents;

use sqlparser::dialect::{PostgreSqlDialect, SQLiteDialect};

use crate::grammar::filter::Likeness;
use crate::grammar::pattern::{Case, Pattern};
pub(crate) use json::JsonForms;
pub(crate) use parents::Parents;

/// The SQL of one database.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about a database")]
pub struct Dialect {
    /// The database, in words.
    pub(crate) name: &'static str,
    /// Around an identifier; doubled within it.
    pub(crate) identifier_quote: char,
    /// Before the number of a parameter.
    pub(crate) placeholder: char,
    /// Whether parameters may have names, `:name`; else they are numbered before the database sees them.
    pub(crate) names_parameters: bool,
    /// The type of a column of bytes, and 32 random ones.
    pub(crate) bytes: [&'static str; 2],
    /// Reads declared queries.
    pub(crate) parser: &'static (dyn sqlparser::dialect::Dialect + Sync),
    /// Whether NULL sorts before everything else in ascending order, so that an index gives that order.
    pub(crate) nulls_smallest: bool,
    /// Whether an index can have its NULLs at either end.
    pub(crate) nulls_in_indexes: bool,
    /// Whether a column that must be NULL is known to be the same in all rows where an index's order is looked for.
    pub(crate) null_is_constant: bool,
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
    /// Whether documents are compared by what they say; else a whole column of them is its text.
    pub(crate) compares_documents: bool,
    /// Before a statement, gives the lines of its plan, in the column of this place.
    pub(crate) explain: (&'static str, usize),
    /// Whether there are `to_tsvector` and its kin.
    pub(crate) searches_text: bool,
    /// How documents are looked into.
    pub(crate) json: JsonForms,
    /// The types that values are cast to: text, whole numbers, numbers, truth.
    pub(crate) types: [&'static str; 4],
    /// How the rows are found that belong to many keys at once.
    pub(crate) parents: Parents,
    /// How a pattern that minds case is matched.
    pub(crate) exact_pattern: PatternForm,
    /// How a pattern that folds case is matched.
    pub(crate) folded_pattern: PatternForm,
    /// How a regular expression that minds case is matched.
    pub(crate) exact_regex: PatternForm,
    /// How a regular expression that folds case is matched.
    pub(crate) folded_regex: PatternForm,
}

/// How a pattern is matched.
#[derive(Debug)]
pub(crate) struct PatternForm {
    /// Before and behind what is matched.
    pub(crate) subject: [&'static str; 2],
    /// Before the pattern's parameter.
    pub(crate) before: &'static str,
    /// After it.
    pub(crate) after: &'static str,
    /// The text that is bound.
    pub(crate) text: fn(&Pattern<'_>) -> String,
}

/// What is text to callers and something else to the database, such as a time, is matched as text.
const AS_TEXT: [&str; 2] = ["cast(", " as text)"];

impl Dialect {
    /// SQLite 3.39 or later. Its `like` folds ASCII case, so a pattern that minds case is a `glob`, which also never
    /// depends on `pragma case_sensitive_like`.
    pub const SQLITE: &'static Dialect = &Dialect {
        name: "SQLite",
        identifier_quote: '"',
        placeholder: '?',
        names_parameters: true,
        bytes: ["blob", "randomblob(32)"],
        parser: &SQLiteDialect {},
        nulls_smallest: true,
        nulls_in_indexes: false,
        null_is_constant: true,
        unindexed: "+",
        row_identity: &["rowid", "_rowid_", "oid"],
        truth: [" is 1", " is not 1", " is 0", " is not 0"],
        statistics: "select max(cast(stat as integer)) from sqlite_stat1 where tbl = ?1 collate nocase",
        statistics_quoted: false,
        types: ["text", "integer", "real", "integer"],
        parents: Parents::SQLITE,
        compares_documents: false,
        explain: ("explain query plan ", 3),
        searches_text: false,
        json: JsonForms::SQLITE,
        exact_pattern: PatternForm {
            subject: ["", ""],
            before: " glob ",
            after: "",
            text: |pattern| pattern.glob(),
        },
        folded_pattern: PatternForm {
            subject: ["", ""],
            before: " like ",
            after: " escape '\\'",
            text: |pattern| pattern.like(),
        },
        // The database's connections bring the function.
        exact_regex: PatternForm {
            subject: AS_TEXT,
            before: " regexp ",
            after: "",
            text: |pattern| pattern.regex("(?s)"),
        },
        folded_regex: PatternForm {
            subject: AS_TEXT,
            before: " regexp ",
            after: "",
            text: |pattern| pattern.regex("(?si)"),
        },
    };

    /// PostgreSQL 14 or later.
    pub const POSTGRES: &'static Dialect = &Dialect {
        name: "PostgreSQL",
        identifier_quote: '"',
        placeholder: '$',
        names_parameters: false,
        // The two UUIDs are 244 bits by chance.
        bytes: ["bytea", "decode(replace(concat(gen_random_uuid(), gen_random_uuid()), '-', ''), 'hex')"],
        parser: &PostgreSqlDialect {},
        nulls_smallest: false,
        nulls_in_indexes: true,
        null_is_constant: false,
        unindexed: "",
        row_identity: &[],
        truth: [" is true", " is not true", " is false", " is not false"],
        // -1 stands for a table that was never analysed.
        statistics: "select nullif(reltuples, -1)::bigint from pg_class where oid = to_regclass($1)",
        statistics_quoted: true,
        compares_documents: true,
        explain: ("explain ", 0),
        searches_text: true,
        json: JsonForms::POSTGRES,
        types: ["text", "bigint", "double precision", "boolean"],
        parents: Parents::POSTGRES,
        exact_pattern: PatternForm {
            subject: AS_TEXT,
            before: " like ",
            after: " escape '\\'",
            text: |pattern| pattern.like(),
        },
        folded_pattern: PatternForm {
            subject: AS_TEXT,
            before: " ilike ",
            after: " escape '\\'",
            text: |pattern| pattern.like(),
        },
        exact_regex: PatternForm {
            subject: AS_TEXT,
            before: " ~ ",
            after: "",
            text: |pattern| pattern.regex(""),
        },
        folded_regex: PatternForm {
            subject: AS_TEXT,
            before: " ~* ",
            after: "",
            text: |pattern| pattern.regex(""),
        },
    };

    /// The database, in words.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The type of a column that holds bytes.
    pub fn bytes_type(&self) -> &'static str {
        self.bytes[0]
    }

    /// Gives 32 random bytes, new ones for each row.
    pub fn random_bytes(&self) -> &'static str {
        self.bytes[1]
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

    /// An identifier as people write it: quoted only where it must be.
    pub fn plain(&self, name: &str) -> String {
        let begins = name.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_');
        let letters = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        let keyword = RESERVED.split(' ').any(|word| word == name);
        if begins && name.chars().all(letters) && !keyword { name.to_owned() } else { self.quote(name) }
    }

    pub(crate) fn pattern(&self, likeness: Likeness) -> &PatternForm {
        match likeness {
            Likeness::Like(Case::Exact) => &self.exact_pattern,
            Likeness::Like(Case::Folded) => &self.folded_pattern,
            Likeness::Regex(Case::Exact) => &self.exact_regex,
            Likeness::Regex(Case::Folded) => &self.folded_regex,
        }
    }
}

/// Words that SQLite or PostgreSQL does not take as a name without quotes.
const RESERVED: &str = "add all alter analyse analyze and any array as asc asymmetric authorization autoincrement begin \
    between binary both by case cast check collate collation column commit concurrently conflict \
    constraint create cross current current_catalog current_date current_role current_schema \
    current_time current_timestamp current_user default deferrable delete desc distinct do drop else end \
    escape except exists false fetch filter for foreign freeze from full glob grant group having ilike \
    in index indexed initially inner insert intersect into is isnull join lateral leading left like \
    limit localtime localtimestamp match natural not nothing notnull null offset on only or order outer \
    over overlaps placing primary raise references regexp replace returning right rollback row select \
    session_user set similar some symmetric system_user table tablesample then to trailing transaction \
    true union unique update user using values variadic verbose when where window with";
