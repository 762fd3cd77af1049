//! Problems that a request's parameters and rows can have, each with the members that name the place.

use kasoku_problem::{Kind, Problem};

use crate::limits::ECHO_BYTES_MAX;
use crate::spelling::nearest;

/// A parameter that the request may not have.
pub(crate) fn unknown_parameter<'a>(name: &str, allowed: impl Iterator<Item = &'a str> + Clone) -> Problem {
    let detail = with_hint(format!("there is no parameter `{}`", echo(name)), name, allowed.clone());
    Problem::new(Kind::UnknownParameter)
        .detail(detail)
        .member("parameter", echo(name))
        .member("allowed", allowed.collect::<Vec<_>>())
}

/// A parameter with a value that cannot be used.
pub(crate) fn invalid(parameter: &str, detail: impl Into<String>) -> Problem {
    Problem::new(Kind::InvalidParameter).detail(detail.into()).member("parameter", echo(parameter))
}

/// A parameter with a name in its value that is not one of those allowed there.
pub(crate) fn invalid_name<'a>(
    parameter: &str,
    what: &str,
    name: &str,
    allowed: impl Iterator<Item = &'a str> + Clone,
) -> Problem {
    let detail = with_hint(format!("there is no {what} `{}`", echo(name)), name, allowed.clone());
    let problem = invalid(parameter, detail).member("allowed", allowed.collect::<Vec<_>>());
    match (parameter, what.starts_with("column")) {
        ("columns" | "on_conflict", true) => problem.code("PGRST204"),
        (_, true) => problem.code("42703"),
        (_, false) => problem,
    }
}

/// A value in a body that cannot be used.
pub(crate) fn unprocessable(row: usize, column: Option<&str>, detail: impl Into<String>) -> Problem {
    let problem = Problem::new(Kind::Unprocessable).detail(detail.into()).member("row", row);
    match column {
        Some(column) => problem.member("column", echo(column)),
        None => problem,
    }
}

/// A caller's text, cut to a length that a problem may repeat.
pub(crate) fn echo(text: &str) -> String {
    if text.len() <= ECHO_BYTES_MAX {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(ECHO_BYTES_MAX);
    format!("{}…", &text[..end])
}

/// Adds the nearest valid name to a detail.
pub(crate) fn with_hint<'a>(detail: String, name: &str, allowed: impl Iterator<Item = &'a str>) -> String {
    match nearest(name, allowed) {
        Some(near) => format!("{detail}; did you mean `{near}`?"),
        None => detail,
    }
}
