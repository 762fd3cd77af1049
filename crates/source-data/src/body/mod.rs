//! Bodies of writes: JSON, a form, or lines of text. Whatever it was, it comes out as JSON.

mod form;
pub(crate) mod json;
pub(crate) mod lines;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use kasoku_pipeline::RequestBody;
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::TablePlanner;
use serde_json::Value;

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Json,
    /// `application/x-www-form-urlencoded`: one row.
    Form,
    /// `text/csv`: rows.
    Lines,
}

/// The media types that are read.
const READ: [&str; 3] = ["application/json", "application/x-www-form-urlencoded", "text/csv"];

/// Reads the body of a write: its bytes and what they say. Texts are taken as their columns hold them.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: RequestBody,
    planner: &TablePlanner,
) -> Result<(Bytes, Value), Problem> {
    let sent = Sent::of(headers)?;
    require_plain(headers)?;
    let bytes = body.read().await?;
    let typed = |column: &str, text: &str| planner.json_of_text(column, text);
    let value = match sent {
        Sent::Json => json::parse(&bytes),
        Sent::Form => form::parse(&bytes, typed),
        Sent::Lines => lines::parse(&bytes, planner.rows_most(), typed),
    }?;
    Ok((bytes, value))
}

/// Reads a body that must be JSON: its bytes and what they say.
pub(crate) async fn read_json(headers: &HeaderMap, body: RequestBody) -> Result<(Bytes, Value), Problem> {
    if Sent::of(headers)? != Sent::Json {
        let problem = Problem::new(Kind::UnsupportedMediaType).detail("this route reads application/json");
        return Err(problem.member("allowed", vec!["application/json"]));
    }
    require_plain(headers)?;
    let bytes = body.read().await?;
    let value = json::parse(&bytes)?;
    Ok((bytes, value))
}

impl Sent {
    /// By the media type (RFC 6839 §3.1 for the suffix).
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let given =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match &*media_type {
            "application/json" => Ok(Self::Json),
            "application/x-www-form-urlencoded" => Ok(Self::Form),
            "text/csv" => Ok(Self::Lines),
            other if other.starts_with("application/") && other.ends_with("+json") => Ok(Self::Json),
            other => {
                let problem = Problem::new(Kind::UnsupportedMediaType).member("allowed", READ.as_slice());
                let reads = format!("this route reads {}", READ.join(", "));
                Err(match other {
                    "" => problem.detail(format!("the body needs a `Content-Type`; {reads}")),
                    _ => problem.detail(reads),
                })
            }
        }
    }
}

/// Coded bodies are not decoded, and saying so beats calling them bad JSON (RFC 9110 §15.5.16).
pub(crate) fn require_plain(headers: &HeaderMap) -> Result<(), Problem> {
    let coded = headers.get_all(header::CONTENT_ENCODING).iter().any(|value| {
        let codings = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        codings.into_iter().any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
    });
    if !coded {
        return Ok(());
    }
    Err(Problem::new(Kind::UnsupportedMediaType)
        .detail("this route reads bodies without a `Content-Encoding`")
        .header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")))
}

/// As much of a caller's text as a problem repeats.
pub(crate) fn beginning(text: &str) -> &str {
    const BYTES_MAX: usize = 80;
    &text[..text.floor_char_boundary(BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coded_bodies_are_refused_by_name() {
        for (given, accepted) in [
            (None, true),
            (Some("identity"), true),
            (Some(""), true),
            (Some("gzip"), false),
            (Some("identity, br"), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(given) = given {
                headers.insert(header::CONTENT_ENCODING, given.parse().unwrap());
            }
            let refusal = require_plain(&headers).err().map(|problem| problem.kind());
            assert_eq!(refusal, (!accepted).then_some(Kind::UnsupportedMediaType), "{given:?}");
        }
    }

    #[test]
    fn the_media_type_says_what_a_body_is() {
        for (given, accepted) in [
            (Some("application/json"), Some(Sent::Json)),
            (Some("Application/JSON; charset=utf-8"), Some(Sent::Json)),
            (Some("application/vnd.shop+json"), Some(Sent::Json)),
            (Some("text/json"), None),
            (Some("application/x-www-form-urlencoded"), Some(Sent::Form)),
            (Some("text/CSV; header=present"), Some(Sent::Lines)),
            (Some("multipart/form-data"), None),
            (None, None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(given) = given {
                headers.insert(header::CONTENT_TYPE, given.parse().unwrap());
            }
            assert_eq!(Sent::of(&headers).ok(), accepted, "{given:?}");
        }
    }
}
