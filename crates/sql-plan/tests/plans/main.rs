//! Plans as users meet them: requests in, SQL and tags out, and the SQL run for real.

mod changes;
mod embeds;
mod filters;
mod fixture;
mod lists;
mod offsets;
mod pages;
mod parser;
mod queries;
mod rules;
mod tags;
mod writes;
