//! Limits of what one request may ask for. Nothing that a caller sends is walked before it is held to these.

/// Bytes of a query string.
pub const QUERY_BYTES_MAX: usize = 16 * 1024;
/// Parameters of a query string.
pub const PARAMETERS_MAX: usize = 128;
/// Tests of columns in all filters of a request together.
pub const FILTERS_MAX: usize = 64;
/// Values of one `in` list.
pub const IN_VALUES_MAX: usize = 500;
/// Values of one `op(any).{…}` or `op(all).{…}`.
pub const EACH_VALUES_MAX: usize = 64;
/// Values of one list or document that an array or document must hold, or be held by.
pub const HELD_VALUES_MAX: usize = 256;
/// Steps of one way into a JSON document.
pub const PATH_STEPS_MAX: usize = 8;
/// Bytes of one step of a way into a JSON document.
pub const PATH_STEP_BYTES_MAX: usize = 128;
/// Bytes of one regular expression.
pub const REGEX_BYTES_MAX: usize = 512;
/// How deep `and(…)` and `or(…)` may be nested.
pub const DEPTH_MAX: usize = 8;
/// Columns that `select` may name, unless the route itself declares more.
pub const SELECT_MAX: usize = 256;
/// Embeds that `select` may name, at all levels together.
pub const EMBEDS_MAX: usize = 16;
/// How deep embeds may be nested.
pub const EMBED_DEPTH_MAX: usize = 4;
/// An answer with more embedding rows than this depends on all rows of the embedded table, instead of on those of
/// each row.
pub const EMBED_TAGS_MAX: usize = 128;
/// Bytes of a cursor's payload; a longer sort value cannot be paged by.
pub const CURSOR_BYTES_MAX: usize = 4 * 1024;
/// Shapes whose SQL a planner remembers; a further one is made anew each time or takes the place of another.
pub const SHAPES_MAX: usize = 1024;
/// An `in` list with more values is named by the table's tag instead of one tag for each value.
pub const IN_TAGS_MAX: usize = 16;
/// Bytes of a caller's text that a problem repeats.
pub(crate) const ECHO_BYTES_MAX: usize = 80;
