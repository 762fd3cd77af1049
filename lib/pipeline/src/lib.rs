//! The seam between policies and sources: [`Request`], [`Response`], [`Policy`], [`Next`] and [`Source`].
//!
//! A [`Policy`] is an async function around *the rest*; a [`Source`] answers. [`first`]`(…).then(…).finally(…)`
//! joins them, outermost first, and boxes once per route. What a policy learns travels as named fields of
//! [`Request`] and [`Response`], never in an untyped map. This crate holds no policy and no source, and knows
//! nothing of sockets, configuration or time.
//!
//! ```
//! use std::sync::Arc;
//! use kasoku_pipeline::{first, Body, BoxFuture, Next, Outcome, Policy, Promises, Request, Response, Source, Stack};
//!
//! struct Greeting;
//!
//! impl Source for Greeting {
//!     fn promises(&self) -> &Promises {
//!         const { &Promises::none() }
//!     }
//!     fn answer(&self, _: Request) -> BoxFuture<'_, Outcome> {
//!         Box::pin(async { Ok(Response::ok(Body::from("hello"))) })
//!     }
//! }
//!
//! struct Shout;
//!
//! impl Policy for Shout {
//!     async fn around<N: Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
//!         let mut response = next.run(request).await?;
//!         response.headers.insert("x-shout", http::HeaderValue::from_static("yes"));
//!         Ok(response)
//!     }
//! }
//!
//! let pipeline = first(Shout).then(None::<Shout>).finally(Arc::new(Greeting));
//! # let answer = futures_util::future::FutureExt::now_or_never(pipeline.run(Request::get("/"))).unwrap().unwrap();
//! # assert_eq!(answer.headers["x-shout"], "yes");
//! ```

mod body;
mod cache_facts;
mod caller;
mod chain;
mod foresight;
mod forms;
mod in_flight;
mod path_params;
mod request;
mod response;
mod shared_body;
mod upgrade;

pub use body::{Body, BodyError, RequestBody};
pub use cache_facts::{CacheFacts, Forward, Verdict};
pub use caller::{Caller, CallerKind, CallerPart};
pub use chain::{Next, Pipeline, Policy, ProblemForm, Promises, Source, Stack, first};
pub use foresight::Foresight;
pub use forms::{CodedForm, Forms, KeptForm};
pub use in_flight::InFlight;
pub use path_params::PathParams;
pub use request::{Request, RequestFields, RequestId};
pub use response::{Failure, Response, ResponseFields};
pub use shared_body::{Joining, OnWhole, SharedBody};
pub use upgrade::{Duplex, Upgrade};

/// What comes back: an answer, or a failure that `rescue` turns into one.
pub type Outcome = Result<Response, Failure>;

/// A boxed future, as the erased seam returns it.
pub type BoxFuture<'a, T> = futures_util::future::BoxFuture<'a, T>;
