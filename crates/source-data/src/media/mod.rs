//! Forms of answers: what a caller accepts (RFC 9110 §12.5.1), and rows in that form.
//!
//! Rows are always written as JSON first, and what another form needs is taken from that text. So what a value looks
//! like is decided in one place, and rows with rows inside them need nothing of their own here.

mod accept;
pub(crate) mod csv;
mod scan;

#[cfg(test)]
mod tests;

use http::header::ACCEPT;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use kasoku_pipeline::{PathParams, Request};
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::OutputColumn;

use crate::table::KEY_PARAM;

/// A form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    /// What the route answers by itself: an array, an object, or rows in an envelope.
    Json,
    /// An array, also where the route has an envelope.
    Array(Nulls),
    /// The one row; it is refused if there is none, or more than one.
    Object(Nulls),
    /// Lines after RFC 4180, the first with the names.
    Csv,
    /// How the database would read the rows, instead of the rows.
    Plan(PlanText),
}

/// The form of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanText {
    Plain,
    Json,
}

/// What becomes of members that are `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    Kept,
    Stripped,
}

/// The forms of a list. The first is for callers who do not mind.
pub(crate) const OF_ROWS: &[Media] = &[
    Media::Json,
    Media::Array(Nulls::Kept),
    Media::Array(Nulls::Stripped),
    Media::Object(Nulls::Kept),
    Media::Object(Nulls::Stripped),
    Media::Csv,
];

/// The forms of a list whose callers may see how it is read.
pub(crate) const OF_ROWS_AND_PLANS: &[Media] = &[
    Media::Json,
    Media::Array(Nulls::Kept),
    Media::Array(Nulls::Stripped),
    Media::Object(Nulls::Kept),
    Media::Object(Nulls::Stripped),
    Media::Csv,
    Media::Plan(PlanText::Plain),
    Media::Plan(PlanText::Json),
];

/// The forms of one row.
pub(crate) const OF_ROW: &[Media] =
    &[Media::Json, Media::Object(Nulls::Kept), Media::Object(Nulls::Stripped), Media::Csv];

/// The forms of what is at a path: of one row, if it ends in a key.
pub(crate) fn of_path(params: &PathParams) -> &'static [Media] {
    if params.get(KEY_PARAM).is_some() { OF_ROW } else { OF_ROWS }
}

/// The schema that tables are in, for clients that name one. There is no other.
const SCHEMA: &[u8] = b"public";
const ACCEPT_PROFILE: HeaderName = HeaderName::from_static("accept-profile");
const CONTENT_PROFILE: HeaderName = HeaderName::from_static("content-profile");

/// Chooses the form of an answer and leaves it in the request in one spelling: none at all for the first. Refuses what
/// none of these forms serves, and schemas that are not there.
pub(crate) fn negotiate(request: &mut Request, offers: &[Media]) -> Result<(), Problem> {
    let reads = request.method == Method::GET;
    let mut accepts = false;
    // Comparing with the names that are there costs less than look-ups, which hash.
    for (name, value) in &request.headers {
        if *name == ACCEPT {
            accepts = true;
        } else if *name == if reads { ACCEPT_PROFILE } else { CONTENT_PROFILE } {
            require_schema(value)?;
        }
    }
    if accepts {
        let chosen = Media::of(&request.headers, offers)?;
        request.headers.remove(ACCEPT);
        if chosen != Media::Json {
            request.headers.insert(ACCEPT, HeaderValue::from_static(chosen.name()));
        }
    }
    Ok(())
}

/// Whether a request, whose form was negotiated, is for a plan.
pub(crate) fn asks_for_plan(headers: &HeaderMap, offers: &[Media]) -> bool {
    offers.len() > OF_ROWS.len() && matches!(Media::of(headers, offers), Ok(Media::Plan(_)))
}

fn require_schema(named: &HeaderValue) -> Result<(), Problem> {
    if named.as_bytes() == SCHEMA {
        return Ok(());
    }
    Err(Problem::new(Kind::NotAcceptable)
        .code("PGRST106")
        .detail("there is no such schema")
        .hint("the only schema is `public`, and it need not be named")
        .member("allowed", vec!["public"]))
}

impl Media {
    /// The form that the caller likes best, out of `offers`.
    pub(crate) fn of(headers: &HeaderMap, offers: &[Self]) -> Result<Self, Problem> {
        accept::choose(headers, offers).ok_or_else(|| {
            Problem::new(Kind::NotAcceptable)
                .detail("this route answers in none of the media types that `Accept` names")
                .member("allowed", offers.iter().map(|offer| offer.name()).collect::<Vec<_>>())
        })
    }

    /// Its media type.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Array(Nulls::Kept) => "application/vnd.pgrst.array+json",
            Self::Array(Nulls::Stripped) => "application/vnd.pgrst.array+json;nulls=stripped",
            Self::Object(Nulls::Kept) => "application/vnd.pgrst.object+json",
            Self::Object(Nulls::Stripped) => "application/vnd.pgrst.object+json;nulls=stripped",
            Self::Csv => "text/csv",
            Self::Plan(PlanText::Plain) => "application/vnd.pgrst.plan+text",
            Self::Plan(PlanText::Json) => "application/vnd.pgrst.plan+json",
        }
    }

    /// `Content-Type` of an answer in it.
    pub(crate) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            // Outside of JSON, text is in what it says (RFC 4180 §3).
            Self::Csv => "text/csv; charset=utf-8",
            other => other.name(),
        })
    }

    /// Rows in this form; `array` has them as JSON.
    pub(crate) fn of_rows(self, array: Vec<u8>, columns: &[OutputColumn]) -> Result<Vec<u8>, Problem> {
        match self {
            Self::Json | Self::Array(Nulls::Kept) | Self::Plan(_) => Ok(array),
            Self::Array(Nulls::Stripped) => Ok(scan::without_nulls(&array)),
            Self::Csv => Ok(csv::of_rows(scan::elements(&array), columns)),
            Self::Object(_) => {
                let mut rows = scan::elements(&array);
                match (rows.next(), rows.count()) {
                    (Some(row), 0) => Ok(self.of_row(row.to_vec(), columns)),
                    (first, more) => Err(not_one(usize::from(first.is_some()) + more)),
                }
            }
        }
    }

    /// One row in this form; `object` has it as JSON.
    pub(crate) fn of_row(self, object: Vec<u8>, columns: &[OutputColumn]) -> Vec<u8> {
        match self {
            Self::Json | Self::Array(Nulls::Kept) | Self::Object(Nulls::Kept) | Self::Plan(_) => object,
            Self::Array(Nulls::Stripped) | Self::Object(Nulls::Stripped) => scan::without_nulls(&object),
            Self::Csv => csv::of_rows(std::iter::once(&object[..]), columns),
        }
    }
}

/// An object was asked for, and there is not one row.
fn not_one(rows: usize) -> Problem {
    Problem::new(Kind::NotAcceptable)
        .code("PGRST116")
        .detail("one row was asked for, and the result does not have exactly one")
        .details(format!("The result contains {rows} rows"))
        .member("rows", rows)
}
