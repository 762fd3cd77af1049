//! From a request's path to the pipeline that answers it.
//!
//! Paths are matched as they were sent; what a parameter matched is percent-decoded once, and never again below.
//! A router is immutable: reload makes a new one and swaps it, and requests in flight end under the one that they
//! started with. It knows nothing of methods, sockets or configuration, and nothing in it can panic on a path.

mod other_slash;
mod pattern;
mod whole;

use std::sync::Arc;

use http::header::{self, HeaderValue};
use kasoku_observe::RouteName;
use kasoku_pipeline::{BoxFuture, Outcome, PathParams, Pipeline, Promises, Request, Source};
use kasoku_problem::{Kind, Problem};
use other_slash::{OtherSlash, other_slash};
use pattern::{param_names, tail_from};
use percent_encoding::percent_decode_str;
use whole::Whole;

/// The path that the server answers itself, on every public listener.
pub const HEALTH_PATH: &str = "/health";

/// One pattern and what answers there.
#[derive(Clone)]
pub struct Route {
    /// As in `/v1/items/{id}` or `/legacy/{*rest}`.
    pub pattern: String,
    /// The route as observers know it; several patterns may share one.
    pub name: RouteName,
    /// Which requests it takes on.
    pub takes: Takes,
    /// What answers.
    pub pipeline: Arc<dyn Pipeline>,
}

/// Which requests a route takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Methods that this server knows, at paths that are text.
    Known,
    /// Whatever comes: methods and paths are the source's to judge, and nothing is decoded.
    All,
}

/// All routes of a plan, and the answers to what is no route's.
pub struct Router {
    tree: matchit::Router<Entry>,
    names: Vec<RouteName>,
    refusals: Vec<Arc<dyn Pipeline>>,
    redirect: Arc<dyn Pipeline>,
    whole: Arc<dyn Pipeline>,
}

/// What a path leads to.
pub enum Routed<'a> {
    /// A route's pipeline, and what the pattern's parameters matched.
    Pipeline(&'a Arc<dyn Pipeline>, PathParams),
    /// The pipeline of a route that takes on whatever comes.
    Open(&'a Arc<dyn Pipeline>),
    /// [`HEALTH_PATH`].
    Health,
    /// No route's; a pipeline that says so, or speaks for the server as a whole.
    Elsewhere(&'a Arc<dyn Pipeline>),
}

/// Why a request is refused before any route sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No pattern matches the path.
    NoRoute,
    /// A percent-encoding in the path is no UTF-8, or hides a NUL.
    BadPath,
    /// HTTP/1.1 and HTTP/2 need exactly one host (RFC 9112 §3.2).
    NoHost,
    /// More than one host, or one that is none.
    BadHost,
    /// The target names one host and the `Host` field another.
    HostMismatch,
    /// The target is neither a path nor a URL of HTTP (RFC 9112 §3.2).
    BadTarget,
    /// The target is longer than the server reads.
    TargetTooLong,
    /// More header fields than the server reads.
    TooManyFields,
    /// A transfer coding that the server does not decode (RFC 9112 §6.1).
    CodingUnknown,
    /// An expectation that nobody here can meet (RFC 9110 §10.1.1).
    ExpectationUnknown,
    /// A field's value begins or ends with a blank (RFC 9113 §8.2.1).
    BlankAround,
    /// A method that the server knows and never serves: `TRACE` and `CONNECT`.
    MethodRefused,
    /// A method that the server does not know (RFC 9110 §9.1).
    MethodUnknown,
}

/// Why a router could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RouterError {
    /// Two patterns match the same paths, or one is malformed.
    #[error("the path `{pattern}` cannot be routed: {reason}")]
    Pattern {
        /// The pattern at fault.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A path that the server answers itself.
    #[error("the path `{HEALTH_PATH}` is answered by the server itself")]
    Reserved,
}

struct Entry {
    params: Vec<Arc<str>>,
    /// Where in a path begins what the pattern's only parameter matches, if nothing follows it.
    tail_from: Option<usize>,
    takes: Takes,
    pipeline: Arc<dyn Pipeline>,
}

impl Router {
    /// Makes a router. `around` puts the policies that every answer needs (at the least `observe` and `rescue`)
    /// around the sources that answer what is no route's.
    pub fn new(
        routes: Vec<Route>,
        around: impl Fn(Arc<dyn Source>) -> Arc<dyn Pipeline>,
    ) -> Result<Self, RouterError> {
        let mut tree = matchit::Router::new();
        let mut names: Vec<RouteName> = Vec::new();
        for route in routes {
            if route.pattern == HEALTH_PATH {
                return Err(RouterError::Reserved);
            }
            let params = param_names(&route.pattern);
            let tail_from = tail_from(&route.pattern).filter(|_| params.len() == 1);
            let entry = Entry { params, tail_from, takes: route.takes, pipeline: route.pipeline };
            tree.insert(route.pattern.clone(), entry).map_err(|error| RouterError::Pattern {
                pattern: route.pattern,
                reason: error.to_string(),
            })?;
            if !names.contains(&route.name) {
                names.push(route.name);
            }
        }
        let refusals =
            Refusal::ALL.iter().map(|refusal| around(Arc::new(Refuse(refusal.problem())))).collect();
        let (redirect, whole) = (around(Arc::new(OtherSlash)), around(Arc::new(Whole)));
        Ok(Self { tree, names, refusals, redirect, whole })
    }

    /// The same with a path that answers for the server itself, and is no route's.
    pub fn with(mut self, path: &str, pipeline: Arc<dyn Pipeline>) -> Result<Self, RouterError> {
        let entry = Entry { params: Vec::new(), tail_from: None, takes: Takes::Known, pipeline };
        self.tree
            .insert(path, entry)
            .map_err(|error| RouterError::Pattern { pattern: path.to_owned(), reason: error.to_string() })?;
        Ok(self)
    }

    /// What answers at `path`.
    pub fn find(&self, path: &str) -> Routed<'_> {
        if path == HEALTH_PATH {
            return Routed::Health;
        }
        if path == "*" {
            return Routed::Elsewhere(&self.whole);
        }
        let Ok(found) = self.tree.at(path) else {
            let moved = other_slash(path).is_some_and(|other| self.tree.at(&other).is_ok());
            return Routed::Elsewhere(if moved { &self.redirect } else { self.refusal(Refusal::NoRoute) });
        };
        let entry = found.value;
        if entry.takes == Takes::All {
            return Routed::Open(&entry.pipeline);
        }
        if entry.params.is_empty() {
            return Routed::Pipeline(&entry.pipeline, PathParams::default());
        }
        if let ([name], Some(from)) = (&*entry.params, entry.tail_from)
            && let Some(raw) = path.get(from..)
            && !raw.contains('%')
        {
            return Routed::Pipeline(&entry.pipeline, PathParams::one(Arc::clone(name), raw));
        }
        let mut params = Vec::with_capacity(entry.params.len());
        for (name, (_, raw)) in entry.params.iter().zip(found.params.iter()) {
            match percent_decode_str(raw).decode_utf8() {
                Ok(value) if !value.contains('\0') => params.push((Arc::clone(name), value.into_owned())),
                _ => return Routed::Elsewhere(self.refusal(Refusal::BadPath)),
            }
        }
        Routed::Pipeline(&entry.pipeline, PathParams::new(params))
    }

    /// The pipeline that answers a request refused for this reason.
    pub fn refusal(&self, refusal: Refusal) -> &Arc<dyn Pipeline> {
        &self.refusals[refusal as usize]
    }

    /// The routes, in the order that they were given, each once.
    pub fn names(&self) -> &[RouteName] {
        &self.names
    }
}

impl Refusal {
    /// All of them, in the order of the enum.
    const ALL: [Self; 13] = [
        Self::NoRoute,
        Self::BadPath,
        Self::NoHost,
        Self::BadHost,
        Self::HostMismatch,
        Self::BadTarget,
        Self::TargetTooLong,
        Self::TooManyFields,
        Self::CodingUnknown,
        Self::ExpectationUnknown,
        Self::BlankAround,
        Self::MethodRefused,
        Self::MethodUnknown,
    ];

    fn problem(self) -> Problem {
        match self {
            Self::NoRoute => Problem::new(Kind::NotFound).detail("nothing is served at this path"),
            Self::BadPath => Problem::new(Kind::Malformed).detail("the path's percent-encoding is no UTF-8"),
            Self::NoHost => Problem::new(Kind::Malformed).detail("the `Host` field is missing"),
            Self::BadHost => Problem::new(Kind::Malformed).detail("the `Host` field must be one host"),
            Self::HostMismatch => Problem::new(Kind::Malformed).detail("target and `Host` name two hosts"),
            Self::BadTarget => Problem::new(Kind::Malformed).detail("the target is no path and no HTTP URL"),
            Self::TargetTooLong => Problem::new(Kind::TargetTooLong),
            Self::TooManyFields => Problem::new(Kind::HeadersTooLarge).detail("too many header fields"),
            Self::CodingUnknown => Problem::new(Kind::NotImplemented)
                .detail("the only transfer coding that is understood is `chunked`"),
            Self::ExpectationUnknown => {
                Problem::new(Kind::ExpectationFailed).detail("only `100-continue` is met")
            }
            Self::BlankAround => Problem::new(Kind::Malformed).detail("a field's value has blanks around it"),
            Self::MethodRefused => Problem::new(Kind::MethodNotAllowed).header(header::ALLOW, METHODS),
            Self::MethodUnknown => Problem::new(Kind::NotImplemented).header(header::ALLOW, METHODS),
        }
    }
}

/// The methods that any route can have.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");

/// Fails with the same problem each time.
struct Refuse(Problem);

impl Source for Refuse {
    fn promises(&self) -> &Promises {
        const { &Promises::none() }
    }

    fn answer(&self, _: Request) -> BoxFuture<'_, Outcome> {
        Box::pin(async { Err(self.0.clone().into()) })
    }
}

#[cfg(test)]
mod tests;
