//! Plans: what a request becomes before any database sees it.
//!
//! A [`TablePlanner`] is made once for each route; it turns requests into statements, the columns of their rows,
//! and the tags of the answer.

mod caller;
pub(crate) mod condition;
mod count;
mod groups;
mod key;
mod list;
mod list_text;
mod nest;
mod shapes;
pub(crate) mod shown;
mod sorts;
mod table;
mod walk;
mod window;

use std::sync::Arc;

use kasoku_coherence::Tag;

use crate::Value;
pub use crate::columns::OutputColumn;
use crate::sql::Written;
pub use count::{CountPlan, Total};
pub use list::{ListPlan, Page};
pub use nest::{EmbedPlan, Member, Nest, SumOfNone, UnfitKey};
pub(crate) use sorts::{identity, sorts};
pub use table::TablePlanner;
pub use walk::Walk;
pub use window::RowRange;

/// A statement with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Names the shape, for statistics: the same text has the same name, also after a restart.
    pub name: Arc<str>,
    /// The text, a function of the request's shape alone.
    pub sql: Arc<str>,
    /// The values of `?1`, `?2`, ….
    pub params: Vec<Value>,
}

impl Statement {
    pub(crate) fn new(written: &Written, params: Vec<Value>) -> Self {
        Self { name: Arc::clone(&written.name), sql: Arc::clone(&written.sql), params }
    }
}

/// How to answer one row by its key.
#[derive(Debug, Clone)]
pub struct OnePlan {
    /// Gives one row or none.
    pub statement: Statement,
    /// The columns of the row.
    pub columns: Arc<[OutputColumn]>,
    /// What the answer, also that there is no such row, depends on, apart from what is embedded in it.
    pub tags: Vec<Tag>,
    /// What is embedded in the row, which then has further values behind those of `columns`.
    pub nest: Option<Nest>,
}
