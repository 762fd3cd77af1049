//! Answers from tables and queries.
