//! How policies and a source become one pipeline.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::Either;
use http::Method;
use http::header::HeaderName;
use kasoku_coherence::Tag;
use kasoku_problem::Problem;

use crate::{BoxFuture, CallerPart, Foresight, Outcome, Request};

/// One policy: an async function around the rest of the pipeline.
pub trait Policy: Send + Sync + 'static {
    /// Handles a request; calls `next.run` at most once, or answers itself. Work that outlives the request, such
    /// as a refresh in the background, clones `next` and goes on with it.
    fn around<N: Next>(&self, request: Request, next: &Arc<N>) -> impl Future<Output = Outcome> + Send;
}

/// The rest of a pipeline, as a policy sees it.
pub trait Next: Send + Sync + 'static {
    /// Hands the request on.
    fn run(&self, request: Request) -> impl Future<Output = Outcome> + Send;
}

/// Where answers come from. A source knows its own domain and no policy.
pub trait Source: Send + Sync + 'static {
    /// What policies may assume before they ask.
    fn promises(&self) -> &Promises;

    /// Answers one request.
    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome>;

    /// Chooses the form of its answer by the fields that it varies by, and leaves one spelling of each choice in the
    /// request, so that requests for one form are equal requests. Called before the key is made; a form that it does
    /// not have is refused here.
    fn negotiate(&self, _request: &mut Request) -> Result<(), Problem> {
        Ok(())
    }

    /// What it would do for a request, for people who want to know before they ask. What is wrong with the request
    /// is told as it would be told to its caller.
    fn foresee(&self, _request: Request) -> Result<Foresight, Problem> {
        Ok(Foresight::Unknown)
    }
}

/// What policies may assume of a source.
#[derive(Debug, Clone, Default)]
pub struct Promises {
    /// The methods that it answers; others get a 405 with `Allow`. `HEAD` and `OPTIONS` need not be listed.
    pub methods: Vec<Method>,
    /// Request header fields by which it chooses what to answer: they are part of the key, and of `Vary`.
    pub vary: Vec<HeaderName>,
    /// What of the caller it chooses by what to answer: that is part of the key, too.
    pub by: Vec<CallerPart>,
    /// Coarse tags, such as tables: every change that can touch an answer names at least one of them.
    pub depends_on: Vec<Tag>,
    /// Answers may be streams, which are neither collapsed nor stored.
    pub streams: bool,
    /// How its callers are told of failures.
    pub problems: ProblemForm,
}

/// How callers are told of failures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProblemForm {
    /// As a problem document.
    #[default]
    Plain,
    /// As one that also has the members by which clients of data routes tell errors apart.
    Coded,
}

impl Promises {
    /// Nothing at all.
    pub const fn none() -> Self {
        Self {
            methods: Vec::new(),
            vary: Vec::new(),
            by: Vec::new(),
            depends_on: Vec::new(),
            streams: false,
            problems: ProblemForm::Plain,
        }
    }
}

/// A whole pipeline behind one pointer: what a router holds.
pub trait Pipeline: Send + Sync + 'static {
    /// Handles one request. The work holds the pipeline, so that it may be kept anywhere.
    fn start(self: Arc<Self>, request: Request) -> BoxFuture<'static, Outcome>;
}

impl dyn Pipeline {
    /// Handles one request.
    pub fn run(self: &Arc<Self>, request: Request) -> BoxFuture<'static, Outcome> {
        Arc::clone(self).start(request)
    }
}

impl<N: Next> Pipeline for N {
    fn start(self: Arc<Self>, request: Request) -> BoxFuture<'static, Outcome> {
        Box::pin(async move { Next::run(&*self, request).await })
    }
}

/// Begins a pipeline with its outermost policy.
pub fn first<P: Policy>(policy: P) -> First<P> {
    First(policy)
}

/// Policies in order, outermost first, that wait for their source.
pub trait Stack: Sized {
    /// The stack around a given rest.
    type Around<N: Next>: Next;

    /// Puts the stack around `rest`.
    fn around<N: Next>(self, rest: N) -> Self::Around<N>;

    /// Adds the next policy, inside of all before it.
    fn then<P: Policy>(self, policy: P) -> Then<Self, P> {
        Then(self, policy)
    }

    /// Ends the pipeline with its source.
    fn finally(self, source: Arc<dyn Source>) -> Arc<dyn Pipeline> {
        Arc::new(self.around(End(source)))
    }
}

/// See [`first`].
pub struct First<P>(P);

impl<P: Policy> Stack for First<P> {
    type Around<N: Next> = Link<P, N>;

    fn around<N: Next>(self, rest: N) -> Self::Around<N> {
        Link { policy: self.0, rest: Arc::new(rest) }
    }
}

/// See [`Stack::then`].
pub struct Then<S, P>(S, P);

impl<S: Stack, P: Policy> Stack for Then<S, P> {
    type Around<N: Next> = S::Around<Link<P, N>>;

    fn around<N: Next>(self, rest: N) -> Self::Around<N> {
        self.0.around(Link { policy: self.1, rest: Arc::new(rest) })
    }
}

/// A policy and the rest behind it. The rest is shared, so that a policy can go on with it in the background.
pub struct Link<P, N> {
    policy: P,
    rest: Arc<N>,
}

impl<P: Policy, N: Next> Next for Link<P, N> {
    fn run(&self, request: Request) -> impl Future<Output = Outcome> + Send {
        self.policy.around(request, &self.rest)
    }
}

struct End(Arc<dyn Source>);

impl Next for End {
    fn run(&self, request: Request) -> impl Future<Output = Outcome> + Send {
        self.0.answer(request)
    }
}

// The two below hand on the future that there is: an async function around it would keep request and result once more,
// and the sum of all policies' room is allocated for each request.

/// Configuration switches a policy off without changing a type.
impl<P: Policy> Policy for Option<P> {
    fn around<N: Next>(&self, request: Request, next: &Arc<N>) -> impl Future<Output = Outcome> + Send {
        match self {
            Some(policy) => Either::Left(policy.around(request, next)),
            None => Either::Right(next.run(request)),
        }
    }
}

/// One policy can stand in several pipelines, such as those of a route with two paths.
impl<P: Policy> Policy for Arc<P> {
    fn around<N: Next>(&self, request: Request, next: &Arc<N>) -> impl Future<Output = Outcome> + Send {
        P::around(self, request, next)
    }
}
