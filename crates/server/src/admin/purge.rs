//! `POST /api/cache/purge`: exactly one of `url`, `prefix`, `tag`, `group` and `all`, in the query or in a JSON body.

use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::Uri;
use axum::http::uri::Authority;
use axum::response::{IntoResponse, Response};
use kasoku_cache_remote::Published;
use kasoku_pipeline::BoxFuture;
use kasoku_problem::{Kind, Problem};
use serde::{Deserialize, Serialize};

use super::{Desk, refuse};

/// Removes stored answers.
pub trait Purge: Send + Sync + 'static {
    /// Removes what the order names, and says how far it reached.
    fn purge(&self, order: PurgeOrder) -> BoxFuture<'_, Result<Purged, Problem>>;
}

/// What is to be removed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurgeOrder {
    /// Which answers.
    pub selection: Selection,
    /// Soft: they stay, but stale, so that they can still stand in for a source that is down.
    pub soft: bool,
}

/// Which stored answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The answers to `GET` of one target, in all their variants.
    Url {
        /// The path, as callers send it.
        path: String,
        /// The query, as callers send it.
        query: Option<String>,
        /// In lower case; `None` is every host.
        host: Option<String>,
    },
    /// The answers to all targets whose path begins with this.
    Prefix {
        /// The beginning of the path.
        path: String,
        /// In lower case; `None` is every host.
        host: Option<String>,
    },
    /// The answers that depend on this table, or that an origin named so in `Surrogate-Key` or `Cache-Tag`.
    Tag(String),
    /// The answers that an origin put in this group (RFC 9875).
    Group {
        /// The group.
        name: String,
        /// The host that the group belongs to, in lower case.
        host: String,
    },
    /// All.
    All,
}

/// How far a purge reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Purged {
    /// Stored answers of this node.
    pub entries: u64,
    /// The nodes that share a second tier.
    pub nodes: Nodes,
}

/// Nodes that a purge reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Nodes {
    /// Those that have carried it out, this one among them.
    pub reached: u64,
    /// Those that there are; not known while the second tier is away, and then they are told when it is back.
    pub of: Option<u64>,
}

impl Nodes {
    /// What came of telling them.
    pub(crate) fn of(published: Published) -> Self {
        match published {
            Published::Reached { nodes, of, .. } => Self { reached: nodes, of: Some(of) },
            Published::Waiting => Self { reached: 1, of: None },
        }
    }
}

impl Purged {
    /// On this node, which is the only one.
    pub fn here(entries: u64) -> Self {
        Self { entries, nodes: Nodes { reached: 1, of: Some(1) } }
    }
}

/// An order as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    #[serde(alias = "key")]
    url: Option<String>,
    prefix: Option<String>,
    tag: Option<String>,
    group: Option<String>,
    all: bool,
    host: Option<String>,
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
    let purged = match order {
        Ok(order) => {
            let (what, how) =
                (order.selection.to_string(), if order.soft { "marked stale" } else { "removed" });
            desk.state.purge.purge(order).await.inspect(|purged| {
                tracing::info!(what, how, entries = purged.entries, "stored answers were purged");
            })
        }
        Err(problem) => Err(problem),
    };
    match purged {
        Ok(purged) => Json(purged).into_response(),
        Err(problem) => refuse(problem),
    }
}

/// As an operator would write it: `url /a?b at www.example.com`.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match self {
            Self::Url { path, query, host } => {
                write!(f, "url {path}")?;
                if let Some(query) = query {
                    write!(f, "?{query}")?;
                }
                host.as_ref()
            }
            Self::Prefix { path, host } => {
                write!(f, "prefix {path}")?;
                host.as_ref()
            }
            Self::Tag(name) => return write!(f, "tag {name}"),
            Self::Group { name, host } => {
                write!(f, "group {name}")?;
                Some(host)
            }
            Self::All => return f.write_str("all"),
        };
        host.map_or(Ok(()), |host| write!(f, " at {host}"))
    }
}

impl Written {
    fn checked(self) -> Result<PurgeOrder, Problem> {
        let wrong = |reason: &str| invalid(Kind::InvalidParameter, reason);
        let host = self.host.as_deref().map(host).transpose().map_err(|reason| wrong(&reason))?;
        let named = [
            self.url.map(|url| Target::read(&url, host.clone()).map(Target::whole)),
            self.prefix.map(|prefix| Target::read(&prefix, host.clone()).and_then(Target::beginning)),
            self.tag.map(|tag| name(tag, "tag").map(Selection::Tag)),
            self.group.map(|group| {
                let host = host.clone().ok_or("a group belongs to a host: name `host` too")?;
                Ok(Selection::Group { name: name(group, "group")?, host })
            }),
            self.all.then_some(Ok(Selection::All)),
        ];
        let mut named = named.into_iter().flatten();
        let (Some(selection), None) = (named.next(), named.next()) else { return Err(wrong("")) };
        let selection = selection.map_err(|reason| wrong(&reason))?;
        if host.is_some() && matches!(selection, Selection::Tag(_) | Selection::All) {
            return Err(wrong("`host` goes with `url`, `prefix` and `group`"));
        }
        Ok(PurgeOrder { selection, soft: self.soft })
    }
}

/// A target as an operator writes it: a path, or a whole URL.
struct Target {
    path: String,
    query: Option<String>,
    host: Option<String>,
}

impl Target {
    fn read(text: &str, host: Option<String>) -> Result<Self, String> {
        let expected = || format!("`{text}` is neither a path that begins with `/` nor a URL of HTTP");
        if text.contains('#') {
            return Err(format!("`{text}` has a fragment, which is never sent to a server"));
        }
        let uri: Uri = text.parse().map_err(|_| expected())?;
        let is_url = matches!(uri.scheme_str(), Some("http" | "https"));
        if !(is_url || uri.authority().is_none() && text.starts_with('/')) {
            return Err(expected());
        }
        let named = uri.authority().map(|authority| self::host(authority.as_str())).transpose()?;
        if let (Some(one), Some(other)) = (&host, &named)
            && one != other
        {
            return Err(format!("`{text}` names another host than `host` does"));
        }
        let query = uri.query().map(str::to_owned);
        Ok(Self { path: uri.path().to_owned(), query, host: named.or(host) })
    }

    fn whole(self) -> Selection {
        Selection::Url { path: self.path, query: self.query, host: self.host }
    }

    fn beginning(self) -> Result<Selection, String> {
        match self.query {
            None => Ok(Selection::Prefix { path: self.path, host: self.host }),
            Some(_) => Err("a prefix is the beginning of a path, without a query".into()),
        }
    }
}

/// A host with or without a port, in lower case (RFC 9110 §4.2.3).
fn host(text: &str) -> Result<String, String> {
    match text.parse::<Authority>() {
        Ok(authority) if !text.contains('@') && !authority.host().is_empty() => Ok(text.to_ascii_lowercase()),
        _ => Err(format!("`{text}` is not a host such as `www.example.com` or `127.0.0.1:8080`")),
    }
}

fn name(text: String, what: &str) -> Result<String, String> {
    if text.is_empty() { Err(format!("`{what}` is empty")) } else { Ok(text) }
}

fn invalid(kind: Kind, reason: &str) -> Problem {
    let mut detail = String::from(
        "name exactly one of `url`, `prefix`, `tag`, `group` and `all`, with `host` and `soft` if wanted",
    );
    if !reason.is_empty() {
        detail = format!("{reason} ({detail})");
    }
    Problem::new(kind).detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(Selection, bool), &str>) {
        let written = serde_json::from_str::<Written>(text).expect(text);
        match (written.checked(), expected) {
            (Ok(order), Ok((selection, soft))) => {
                assert_eq!(order, PurgeOrder { selection, soft }, "{text}");
            }
            (Err(problem), Err(reason)) => {
                let said = String::from_utf8(problem.document("test")).unwrap();
                assert!(said.contains(reason), "{text}: {said}");
            }
            (found, expected) => panic!("{text}: {found:?}, not {expected:?}"),
        }
    }

    fn url(path: &str, query: Option<&str>, host: Option<&str>) -> Selection {
        Selection::Url { path: path.into(), query: query.map(Into::into), host: host.map(Into::into) }
    }

    fn prefix(path: &str, host: Option<&str>) -> Selection {
        Selection::Prefix { path: path.into(), host: host.map(Into::into) }
    }

    #[test]
    fn an_order_names_exactly_one_thing() {
        check(r#"{"all":true}"#, Ok((Selection::All, false)));
        check(r#"{"tag":"items","soft":true}"#, Ok((Selection::Tag("items".into()), true)));
        check(r#"{"url":"/a?b"}"#, Ok((url("/a", Some("b"), None), false)));
        check(r#"{"key":"/a?"}"#, Ok((url("/a", Some(""), None), false)));
        check(r#"{"prefix":"/a"}"#, Ok((prefix("/a", None), false)));
        for wrong in ["{}", r#"{"all":false}"#, r#"{"tag":"a","url":"/b"}"#, r#"{"host":"a"}"#] {
            check(wrong, Err("name exactly one"));
        }
        for unreadable in [r#"{"al":true}"#, r#"{"tag":1}"#, ""] {
            assert!(serde_json::from_str::<Written>(unreadable).is_err(), "{unreadable}");
        }
    }

    #[test]
    fn a_host_is_named_beside_a_target_or_in_it() {
        check(
            r#"{"url":"http://A.Example:81/b?c"}"#,
            Ok((url("/b", Some("c"), Some("a.example:81")), false)),
        );
        check(r#"{"url":"/b","host":"A.example"}"#, Ok((url("/b", None, Some("a.example")), false)));
        check(r#"{"url":"https://a","host":"a"}"#, Ok((url("/", None, Some("a")), false)));
        check(r#"{"prefix":"https://a/b"}"#, Ok((prefix("/b", Some("a")), false)));
        let group = Selection::Group { name: "news".into(), host: "a".into() };
        check(r#"{"group":"news","host":"a"}"#, Ok((group, false)));
        check(r#"{"url":"https://a/","host":"b"}"#, Err("another host"));
        check(r#"{"group":"news"}"#, Err("belongs to a host"));
        check(r#"{"tag":"news","host":"a"}"#, Err("goes with"));
        check(r#"{"url":"/","host":"a/b"}"#, Err("is not a host"));
        check(r#"{"url":"/","host":"u@b"}"#, Err("is not a host"));
    }

    #[test]
    fn the_log_says_what_was_purged_as_an_operator_would() {
        let check = |selection: Selection, expected: &str| assert_eq!(selection.to_string(), expected);
        check(url("/a", Some("b"), Some("h:81")), "url /a?b at h:81");
        check(url("/a", Some(""), None), "url /a?");
        check(prefix("/a/", Some("h")), "prefix /a/ at h");
        check(Selection::Tag("items".into()), "tag items");
        check(Selection::Group { name: "news".into(), host: "h".into() }, "group news at h");
        check(Selection::All, "all");
    }

    #[test]
    fn targets_that_nobody_could_send_are_explained() {
        check(r#"{"url":"items"}"#, Err("neither a path"));
        check(r#"{"url":"ftp://a/b"}"#, Err("neither a path"));
        check(r#"{"url":"/a b"}"#, Err("neither a path"));
        check(r#"{"url":"/a#b"}"#, Err("fragment"));
        check(r#"{"prefix":""}"#, Err("neither a path"));
        check(r#"{"prefix":"/a?b"}"#, Err("without a query"));
        check(r#"{"tag":""}"#, Err("`tag` is empty"));
    }
}
