//! Who may use the admin listener.
//!
//! With a token, whoever brings it. Without one, the listener is on loopback, and what must be kept out is a web
//! page in a browser on this machine: by a name that was rebound to 127.0.0.1 (so the `Host` must be an address
//! or `localhost`), or by a form or script of another site (so `Origin` and `Sec-Fetch-Site` must not be one's).

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use kasoku_config::Secret;
use kasoku_problem::{Kind, Problem};
use subtle::ConstantTimeEq;

use super::refuse;

/// The rule for a listener.
pub(super) struct Guard {
    token: Option<Secret>,
}

impl Guard {
    pub(super) fn new(token: Option<Secret>) -> Self {
        Self { token }
    }

    fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
        match &self.token {
            Some(token) if !brings(headers, token.reveal()) => {
                let challenge = HeaderValue::from_static("Bearer realm=\"kasoku admin\"");
                return Err(Problem::new(Kind::Unauthenticated).header(header::WWW_AUTHENTICATE, challenge));
            }
            None if !names_this_machine(headers) => {
                let detail = "the `Host` field must be an address or `localhost`";
                return Err(Problem::new(Kind::Forbidden).detail(detail));
            }
            Some(_) | None => {}
        }
        let is_read = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        if !is_read && is_cross_site(headers) {
            return Err(Problem::new(Kind::Forbidden).detail("a page of another site may not do this"));
        }
        Ok(())
    }
}

/// Lets a request through, or answers it.
pub(super) async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    match guard.check(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => refuse(problem),
    }
}

/// Whether the token was brought. How much of it was right cannot be told from the time that this takes.
fn brings(headers: &HeaderMap, token: &str) -> bool {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.as_bytes().split_at_checked(7))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "))
        .is_some_and(|(_, brought)| brought.ct_eq(token.as_bytes()).into())
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let Ok(authority) = host.parse::<axum::http::uri::Authority>() else {
        return false;
    };
    let name = authority.host();
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

/// Whether a browser says that another site's page sent this. Tools that are no browsers say neither.
fn is_cross_site(headers: &HeaderMap) -> bool {
    let foreign_fetch = headers
        .get("sec-fetch-site")
        .is_some_and(|site| site.as_bytes() != b"same-origin" && site.as_bytes() != b"none");
    let host = headers.get(header::HOST).map(HeaderValue::as_bytes);
    let foreign_origin = headers.get(header::ORIGIN).is_some_and(|origin| {
        let origin = origin.as_bytes();
        let authority = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
        authority.is_none() || authority != host
    });
    foreign_fetch || foreign_origin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(token: Option<&str>, method: &Method, fields: &[(&'static str, &str)], expected: Option<Kind>) {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.insert(*name, value.parse().unwrap());
        }
        let refused = Guard::new(token.map(Secret::new)).check(method, &headers).err();
        assert_eq!(refused.map(|problem| problem.kind()), expected, "{method} {fields:?}");
    }

    #[test]
    fn a_token_must_be_brought_whole_where_one_is_set() {
        let token = Some("s3cret");
        check(token, &Method::GET, &[("authorization", "Bearer s3cret")], None);
        check(token, &Method::GET, &[("authorization", "bearer s3cret")], None);
        for wrong in ["Bearer s3cre", "Bearer s3cret2", "Basic s3cret", "Bearer", ""] {
            check(token, &Method::GET, &[("authorization", wrong)], Some(Kind::Unauthenticated));
        }
        check(token, &Method::GET, &[("host", "127.0.0.1")], Some(Kind::Unauthenticated));
    }

    #[test]
    fn without_a_token_only_addresses_and_localhost_are_names_of_this_machine() {
        for host in ["127.0.0.1:9090", "localhost:9090", "LOCALHOST", "[::1]:9090"] {
            check(None, &Method::GET, &[("host", host)], None);
        }
        for host in ["evil.example:9090", "127.0.0.1.evil.example", "localhost.evil.example", ""] {
            check(None, &Method::GET, &[("host", host)], Some(Kind::Forbidden));
        }
        check(None, &Method::GET, &[], Some(Kind::Forbidden));
    }

    #[test]
    fn pages_of_other_sites_may_not_write() {
        let host = ("host", "127.0.0.1:9090");
        check(None, &Method::POST, &[host], None);
        check(None, &Method::POST, &[host, ("origin", "http://127.0.0.1:9090")], None);
        check(None, &Method::POST, &[host, ("sec-fetch-site", "same-origin")], None);
        for origin in ["http://evil.example", "null", "http://127.0.0.1:8080", "http://127.0.0.1:90900"] {
            check(None, &Method::POST, &[host, ("origin", origin)], Some(Kind::Forbidden));
            check(None, &Method::GET, &[host, ("origin", origin)], None);
        }
        check(None, &Method::PUT, &[host, ("sec-fetch-site", "cross-site")], Some(Kind::Forbidden));
        check(None, &Method::PUT, &[host, ("sec-fetch-site", "same-site")], Some(Kind::Forbidden));
    }
}
