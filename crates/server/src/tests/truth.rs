//! The checker of truth must notice a store without its fence, and must have nothing to say about one with it.
//!
//! Everything is as in the product, from the socket to the database, but for the fence and for the time that a
//! source takes between reading and answering: changes come in between more often than they would.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::Method;
use kasoku_cache_store::Fence;
use kasoku_config::{Overrides, ProcessEnvironment, load};
use kasoku_observe::{Observer, Silent};
use kasoku_pipeline::{BoxFuture, Outcome, Promises, Request, Source};
use kasoku_testkit::Client;
use kasoku_testkit::truth::{self, Findings, Load};
use tokio::sync::oneshot;

use crate::admin::AdminState;
use crate::app::App;
use crate::metrics::Metrics;
use crate::server::Server;
use crate::stage::Stage;

/// A source that has read and does not answer yet.
struct Slow(Arc<dyn Source>);

impl Source for Slow {
    fn promises(&self) -> &Promises {
        self.0.promises()
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let reads = request.method == Method::GET;
            let outcome = self.0.answer(request).await;
            if reads {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            outcome
        })
    }
}

async fn check(fence: Fence) -> Findings {
    let files = truth::app("");
    let overrides =
        Overrides { listen: Some("127.0.0.1:0".into()), admin: Some("false".into()), ..Overrides::default() };
    let plan = load(files.path(), &overrides, &ProcessEnvironment).expect("the plan is good").plan;
    let observer: Arc<dyn Observer> = Arc::new(Silent);
    let (server, admin) = (plan.server.clone(), plan.admin.clone());
    let stage = Stage { fence, around: Arc::new(|source| Arc::new(Slow(source))), ..Stage::world() };
    let started = App::start_with(plan, Arc::clone(&observer), &mut |_, _| {}, stage).await;
    let (app, router) = started.expect("the app starts");
    let state = AdminState {
        vitals: Arc::clone(&app) as _,
        purge: Arc::clone(&app) as _,
        switches: Arc::clone(&app) as _,
        metrics: Metrics::new(),
    };
    let router = Arc::new(ArcSwap::from_pointee(router));
    let bound = Server::bind(&server, &admin, router, state, observer).expect("a port is free");
    let client = Client::new(bound.addresses().public);
    let (end, ended) = oneshot::channel::<()>();
    let running = tokio::spawn(bound.run(async { drop(ended.await) }));
    let load = Load { rows: 6, writers: 4, readers: 12, operations: 12_000 };
    let findings = truth::check(&client, "/rows", "/totals", load).await;
    drop(end);
    running.await.expect("it does not panic").expect("it ends well");
    app.close();
    assert!(findings.hits > 0, "a cache that never answers proves nothing: {findings:?}");
    findings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_has_nothing_to_say_about_a_whole_fence() {
    assert_eq!(check(Fence::Whole).await.violations, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_notices_a_store_that_forgets_what_changed_while_a_fill_was_made() {
    let findings = check(Fence::Forgetful).await;
    assert_ne!(findings.violations, [""; 0], "{findings:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_notices_a_store_without_a_fence() {
    let findings = check(Fence::Down).await;
    assert_ne!(findings.violations, [""; 0], "{findings:?}");
}
