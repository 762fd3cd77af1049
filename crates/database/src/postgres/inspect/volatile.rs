//! Which functions make a result depend on more than the tables, and which may read any table.

use std::collections::BTreeSet;

use kasoku_sql_plan::named;

use super::Inspector;
use crate::error::DatabaseError;

const FUNCTIONS: &str = "
    select p.proname::text, p.pronamespace = 'pg_catalog'::regnamespace, p.provolatile::text, p.pronargs,
           l.lanname in ('c', 'internal'), p.prosrc
    from pg_proc p join pg_language l on l.oid = p.prolang where p.oid = any($1) order by p.proname collate \"C\"";

/// The server's own functions with arguments that do not change within a statement, and yet between two: of the
/// clock, and of the connection.
const OF_CLOCK_OR_CONNECTION: &[(&str, i16)] = &[("age", 1), ("current_setting", 1), ("current_setting", 2)];

/// Words in the text of a function that make its result change by itself.
const CHANGING_WORDS: &[&str] = &[
    "now",
    "random",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "current_user",
    "session_user",
    "current_setting",
];

/// Texts that stand for a time which passes.
const PASSING_TIMES: &[&str] = &["'now'", "'today'", "'tomorrow'", "'yesterday'"];

/// What the functions of a statement mean for its result.
#[derive(Debug, Default)]
pub(super) struct Called {
    pub(super) names: BTreeSet<String>,
    pub(super) volatile: BTreeSet<String>,
    /// Whether one may read any table.
    pub(super) reads_anything: bool,
}

impl Called {
    pub(super) fn of(inspector: &Inspector, functions: &BTreeSet<u32>) -> Result<Self, DatabaseError> {
        let functions: Vec<u32> = functions.iter().copied().collect();
        let mut called = Self::default();
        for row in inspector.query(FUNCTIONS, &[&functions])? {
            let (name, own, volatility): (&str, bool, &str) = (row.get(0), row.get(1), row.get(2));
            let (arguments, compiled, text): (i16, bool, &str) = (row.get(3), row.get(4), row.get(5));
            called.names.insert(name.to_owned());
            // What it reads, a function of the app's own tells nobody.
            let written = !own && !compiled;
            called.reads_anything |= written && volatility != "i";
            let changes = match volatility {
                "v" => true,
                "s" if written => named::words(text).any(|(_, word)| is_one_of(word, CHANGING_WORDS)),
                "s" => own && (arguments == 0 || OF_CLOCK_OR_CONNECTION.contains(&(name, arguments))),
                _ => false,
            };
            if changes {
                called.volatile.insert(format!("{name}()"));
            }
        }
        Ok(called)
    }
}

/// The texts of a statement that stand for a time which passes.
pub(super) fn passing_times(sql: &str) -> impl Iterator<Item = String> {
    named::words(sql).map(|(_, word)| word).filter(|word| is_one_of(word, PASSING_TIMES)).map(str::to_owned)
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}
