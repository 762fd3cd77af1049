//! What a source would do for a request, told without doing it.

use std::sync::Arc;

use http::{HeaderMap, Method, Uri};
use kasoku_coherence::Tag;

/// See the module. Nothing is asked, read or written to know it.
#[derive(Debug, Clone, Default)]
pub enum Foresight {
    /// The source cannot tell.
    #[default]
    Unknown,
    /// It would send this.
    Ask {
        /// The method.
        method: Method,
        /// The target, as the other server is to see it.
        target: Uri,
        /// The fields.
        headers: HeaderMap,
    },
    /// It would run this statement.
    Read {
        /// The statement's text, which belongs to the operator and to no caller.
        sql: Arc<str>,
        /// The values, as text, in the statement's order.
        values: Vec<String>,
        /// What the answer would depend on, each with a name for people.
        tags: Vec<(Tag, String)>,
        /// The tables by whose names the answer could be purged.
        purged_by: Vec<(Tag, String)>,
    },
}
