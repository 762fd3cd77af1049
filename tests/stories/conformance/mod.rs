//! What the clauses of HTTP caching demand, each tried in a row of a table on the real binary before a scripted origin.
//!
//! One file is one section. Rows are tried side by side, each with a path and a script of its own. No row measures how
//! long anything takes: an answer that is to be stale comes with an `Age`, and only where time itself is the subject
//! does a row let some of it pass.

mod age;
mod cache_status;
mod directives;
mod expires;
mod framing;
mod freshness;
mod groups;
mod head;
mod heuristic;
mod invalidation;
mod parts;
mod requests;
mod row;
mod sharing;
mod stale;
mod stand;
mod targeted;
mod updating;
mod validation;
mod vary;
