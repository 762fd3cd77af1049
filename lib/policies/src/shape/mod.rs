//! Gives an answer the form that the caller asked for: conditions, coding, `HEAD`, `OPTIONS`.

/// How a route's answers are shaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShapeRules {
    /// Answers of at least this many bytes are compressed for callers that accept it; `None` never compresses.
    pub compress_above: Option<u64>,
}
