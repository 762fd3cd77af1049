//! Proof that a route's statements find their rows by indexes, before the first request.
//!
//! Routes are declared, so the statements that they can produce are a finite set: [`of_table`] and [`of_query`] list it
//! as [`Shape`]s, by asking the route's own planner for requests like those of callers. A database plans each of them
//! on an empty copy of the schema; [`judge`] holds the plan against what the request needs, and says whether it is
//! proven, accepted by a rule that it names, or refused. For what is refused, [`wanted`] says which index would do,
//! and [`merge`] makes few out of many. Whether an index does help is for the database to say, which tries it.
//!
//! What is listed, and so what a proof is about: no filter; each filter alone by `eq`, `is`, `in` and, for numbers,
//! texts and times, ranges; each set that the route declares to go together, with one range at the most; each of these
//! with each declared sort, both ways, with NULLs at either end, on the first page, a later and an earlier one, behind
//! rows with and without NULLs; totals that may be asked for; rows by key; what is embedded, all
//! of it and some; changes by key and by filters; rows that refer
//! to what may be deleted. What is not listed is not claimed: other operators, `or`, sets that nobody declared.

mod allowance;
mod candidate;
mod changes;
mod embeds;
mod facts;
mod lists;
mod query;
mod redundant;
mod requests;
mod shape;
mod verdict;

pub use allowance::Allowance;
pub use candidate::{Offer, Wanted, merge, wanted};
pub use changes::of_references;
pub use facts::{Index, IndexColumn, Planned, Reach, Reference, SortWork, Step};
pub use lists::{Enumerated, STATEMENTS_MAX, of_table};
pub use query::of_query;
pub use redundant::{Redundancy, redundant};
pub use shape::{Access, Purpose, Shape};
pub use verdict::{Refusal, Verdict, judge};

/// What a route demands of its statements, and what it accepts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProofRules {
    /// How much is demanded.
    pub level: ProofLevel,
    /// Sets of filters that callers use together.
    pub together: Vec<Vec<String>>,
    /// Columns by which so few rows are found that they may be sorted, or sifted by other filters, afterwards.
    pub may_sort: Vec<String>,
    /// Columns for which a list may skip rows that do not match.
    pub may_skip: Vec<String>,
}

/// How much is demanded of a route's statements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProofLevel {
    /// A statement that is refused is an error.
    #[default]
    Require,
    /// A statement that is refused is a warning.
    Warn,
    /// Nothing is looked at.
    Off,
}
