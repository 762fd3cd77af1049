//! What is done with a method, and `Allow`.

use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};
use kasoku_pipeline::{Body, Response};
use kasoku_problem::{Kind, Problem};

/// What is done with a request of some method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Treatment {
    /// `GET` and `HEAD`.
    Read,
    /// Handed on as it is.
    Other,
    /// `OPTIONS`, answered here.
    Describe,
    /// 405 for a method that is not offered here (RFC 9110 §15.5.6), 501 for one that nobody here knows
    /// (§15.6.2).
    Refuse(Kind),
}

/// The methods of a route.
pub(super) struct Methods {
    offered: Vec<Method>,
    allow: HeaderValue,
}

impl Methods {
    /// `HEAD` comes with `GET`, `OPTIONS` with anything.
    pub(super) fn new(promised: &[Method]) -> Self {
        let mut offered = promised.to_vec();
        if offered.contains(&Method::GET) && !offered.contains(&Method::HEAD) {
            offered.insert(
                1 + offered.iter().position(|method| method == Method::GET).unwrap_or(0),
                Method::HEAD,
            );
        }
        let described = (!offered.contains(&Method::OPTIONS)).then_some(Method::OPTIONS);
        let names: Vec<_> = offered.iter().chain(&described).map(Method::as_str).collect();
        let allow = HeaderValue::try_from(names.join(", ")).expect("methods are tokens");
        Self { offered, allow }
    }

    pub(super) fn treatment(&self, method: &Method) -> Treatment {
        match *method {
            _ if self.offered.contains(method) => match *method {
                Method::GET | Method::HEAD => Treatment::Read,
                _ => Treatment::Other,
            },
            Method::OPTIONS => Treatment::Describe,
            Method::GET
            | Method::HEAD
            | Method::POST
            | Method::PUT
            | Method::PATCH
            | Method::DELETE
            | Method::TRACE
            | Method::CONNECT => Treatment::Refuse(Kind::MethodNotAllowed),
            _ => Treatment::Refuse(Kind::NotImplemented),
        }
    }

    /// The answer to `OPTIONS`.
    pub(super) fn describe(&self) -> Response {
        let mut response = Response::new(StatusCode::NO_CONTENT, Body::Empty);
        response.headers.insert(ALLOW, self.allow.clone());
        response
    }

    /// The refusal of a method.
    pub(super) fn refuse(&self, kind: Kind) -> Problem {
        Problem::new(kind).header(ALLOW, self.allow.clone())
    }
}
