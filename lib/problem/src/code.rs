//! The codes that clients of data routes tell problems apart by.
//!
//! They are PostgREST's (`PGRST…`) and PostgreSQL's (SQLSTATE) where one of those names the same thing, since programs
//! know these; everything else is called by its kind's own name. Which engine stands behind a route makes no difference.

use crate::Kind;

/// The code of a problem whose source has not named a more precise one.
pub(crate) fn of_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Malformed | Kind::InvalidParameter => "PGRST100",
        Kind::UnknownParameter => "42703",
        Kind::InvalidBody | Kind::UnsupportedMediaType => "PGRST102",
        Kind::NotAcceptable => "PGRST107",
        Kind::RangeNotSatisfiable => "PGRST103",
        Kind::MethodNotAllowed => "PGRST117",
        Kind::NotFound => "PGRST205",
        Kind::Unauthenticated => "PGRST302",
        Kind::Forbidden => "42501",
        Kind::Unprocessable => "22023",
        Kind::Overloaded => "PGRST003",
        Kind::Unavailable => "PGRST000",
        Kind::DeadlineExceeded => "57014",
        Kind::InsufficientStorage => "53100",
        Kind::Internal => "XX000",
        _ => kind.slug(),
    }
}
