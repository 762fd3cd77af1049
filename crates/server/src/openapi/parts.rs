//! What all routes have in common: problems, header fields, preferences.

use http::Method;
use kasoku_policies::identify::{Requirement, Requires};
use kasoku_problem::{Kind, MEDIA_TYPE};
use serde_json::{Map, Value, json};

/// Header fields of answers, each with what it says.
const HEADERS: [(&str, &str); 7] = [
    ("Cache-Status", "How the cache took part in the answer (RFC 9211), as in `kasoku; hit`"),
    ("ETag", "Names this form of the answer, for `If-None-Match` and `If-Match` (RFC 9110 §8.8.3)"),
    ("Last-Modified", "When it was changed last (RFC 9110 §8.8.2)"),
    ("Link", "The pages beside this one: `rel=\"next\"` and `rel=\"prev\"` (RFC 8288)"),
    ("Content-Range", "Which rows these are, and of how many: `0-19/134`, `0-19/*`"),
    ("Location", "The path of the row that was made"),
    ("Preference-Applied", "The preferences that were honoured (RFC 7240)"),
];

/// Header fields of requests, each with what it asks for.
const PARAMETERS: [(&str, &str, &str); 5] = [
    (
        "IfNoneMatch",
        "If-None-Match",
        "Answers 304 without a body if the answer has one of these tags (RFC 9110 §13.1.2)",
    ),
    ("IfMatch", "If-Match", "Writes only if the row has one of these tags (RFC 9110 §13.1.1)"),
    (
        "IdempotencyKey",
        "Idempotency-Key",
        "A repeated request with the same key gets the first answer, and writes nothing",
    ),
    ("Range", "Range", "Rows by their places, `0-24`, with `Range-Unit: items`; as `offset` and `limit`"),
    ("RangeUnit", "Range-Unit", "`items`, with `Range`"),
];

pub(super) fn schemas() -> Map<String, Value> {
    let types: Vec<String> =
        Kind::ALL.iter().map(|kind| format!("urn:problem-type:kasoku:{}", kind.slug())).collect();
    let problem = json!({
        "type": "object",
        "description": "Why a request failed (RFC 9457)",
        "required": ["type", "title", "status"],
        "properties": {
            "type": { "type": "string", "format": "uri", "examples": types },
            "title": { "type": "string" },
            "status": { "type": "integer", "minimum": 300, "maximum": 599 },
            "detail": { "type": "string", "description": "What is wrong with this request" },
            "parameter": { "type": "string", "description": "The parameter at fault" },
            "request_id": { "type": "string" },
            "code": { "type": "string", "description": "The same in PostgREST's or PostgreSQL's words" },
        },
    });
    Map::from_iter([("Problem".to_owned(), problem)])
}

pub(super) fn responses() -> Value {
    json!({
        "Problem": {
            "description": "The request failed",
            "content": { MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } } },
        },
        "NotModified": { "description": "The caller has the answer already", "headers": header_refs(&["ETag", "Cache-Status"]) },
    })
}

pub(super) fn headers() -> Value {
    let header = |(name, says): (&str, &str)| {
        (name.to_owned(), json!({ "description": says, "schema": { "type": "string" } }))
    };
    Value::Object(HEADERS.into_iter().map(header).collect())
}

pub(super) fn parameters() -> Value {
    let parameter = |(key, name, says): (&str, &str, &str)| {
        let parameter =
            json!({ "name": name, "in": "header", "description": says, "schema": { "type": "string" } });
        (key.to_owned(), parameter)
    };
    Value::Object(PARAMETERS.into_iter().map(parameter).collect())
}

/// How callers say who they are, where routes ask.
pub(super) fn security_schemes() -> Value {
    json!({
        "Token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
    })
}

/// Says of the operations at a path which of them ask who the caller is.
pub(super) fn guard(item: &mut Value, requires: &Requires) {
    for (name, operation) in item.as_object_mut().into_iter().flatten() {
        let method = Method::from_bytes(name.to_ascii_uppercase().as_bytes());
        let asks = method.is_ok_and(|method| *requires.of(&method) != Requirement::Anyone);
        if name == "parameters" || !asks {
            continue;
        }
        operation["security"] = json!([{ "Token": [] }]);
        for status in ["401", "403"] {
            operation["responses"][status] = response("Problem");
        }
    }
}

/// One of [`responses`].
pub(super) fn response(name: &str) -> Value {
    json!({ "$ref": format!("#/components/responses/{name}") })
}

/// One of [`parameters`].
pub(super) fn parameter(key: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{key}") })
}

/// Some of [`headers`], for an answer.
pub(super) fn header_refs(names: &[&str]) -> Value {
    let header =
        |name: &&str| ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
    Value::Object(names.iter().map(header).collect())
}
