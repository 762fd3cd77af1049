//! `POST /api/cache/purge`: exactly one of `key`, `prefix`, `tag` and `all`, in the query or in a JSON body.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use kasoku_problem::{Kind, Problem};
use serde::Deserialize;
use serde_json::json;

use super::{Desk, PurgeOrder, Selection, refuse};

/// An order as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    key: Option<String>,
    prefix: Option<String>,
    tag: Option<String>,
    all: bool,
    soft: bool,
}

pub(super) async fn purge(
    State(desk): State<Arc<Desk>>,
    query: Result<Query<Written>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let order = match body {
        Ok(body) if body.is_empty() => match query {
            Ok(Query(written)) => written.checked(),
            Err(rejection) => Err(invalid(Kind::InvalidParameter, &rejection.body_text())),
        },
        Ok(body) => serde_json::from_slice::<Written>(&body)
            .map_err(|error| invalid(Kind::InvalidBody, &error.to_string()))
            .and_then(Written::checked),
        Err(_) => Err(Problem::new(Kind::BodyTooLarge)),
    };
    let removed = match order {
        Ok(order) => desk.state.purge.purge(order).await,
        Err(problem) => Err(problem),
    };
    match removed {
        Ok(removed) => Json(json!({ "removed": removed })).into_response(),
        Err(problem) => refuse(problem),
    }
}

impl Written {
    fn checked(self) -> Result<PurgeOrder, Problem> {
        let named = [
            self.key.map(Selection::Key),
            self.prefix.map(Selection::Prefix),
            self.tag.map(Selection::Tag),
            self.all.then_some(Selection::All),
        ];
        let mut named = named.into_iter().flatten();
        match (named.next(), named.next()) {
            (Some(selection), None) => Ok(PurgeOrder { selection, soft: self.soft }),
            _ => Err(invalid(Kind::InvalidParameter, "")),
        }
    }
}

fn invalid(kind: Kind, reason: &str) -> Problem {
    let mut detail =
        String::from("name exactly one of `key`, `prefix`, `tag` and `all`, and `soft` if wanted");
    if !reason.is_empty() {
        detail = format!("{detail}: {reason}");
    }
    Problem::new(kind).detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&Selection, bool)>) {
        let order = serde_json::from_str::<Written>(text).ok().and_then(|written| written.checked().ok());
        let order = order.as_ref();
        assert_eq!(order.map(|order| (&order.selection, order.soft)), expected, "{text}");
    }

    #[test]
    fn an_order_names_exactly_one_thing() {
        check(r#"{"all":true}"#, Some((&Selection::All, false)));
        check(r#"{"tag":"items","soft":true}"#, Some((&Selection::Tag("items".into()), true)));
        check(r#"{"key":"/a?b"}"#, Some((&Selection::Key("/a?b".into()), false)));
        check(r#"{"prefix":"/a"}"#, Some((&Selection::Prefix("/a".into()), false)));
        for wrong in
            ["{}", r#"{"all":false}"#, r#"{"tag":"a","key":"b"}"#, r#"{"al":true}"#, r#"{"tag":1}"#, ""]
        {
            check(wrong, None);
        }
    }
}
