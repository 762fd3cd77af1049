//! The server as it would run, on a clock that stands still and with sources that ask nobody.
//!
//! Routes, policies and stores are made by the code that makes them for serving; only the time and the sources are
//! others, and the database is empty and private. So what comes out is what would come out.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::{HeaderMap, StatusCode, Version};
use kasoku_cache_store::Fence;
use kasoku_config::{EngineSettings, Plan, RoutePlan};
use kasoku_database::WatchMode;
use kasoku_observe::{Observation, Observer};
use kasoku_pipeline::{CacheFacts, Pipeline, Request};
use kasoku_policies::Surroundings;
use kasoku_policies::cache::ResponseStore;
use kasoku_problem::{Kind, Problem};
use kasoku_units::{Clock, SystemClock};
use parking_lot::Mutex;

use super::question::Question;
use super::stand_in::{Answers, Asked, Script, StandIn};
use crate::app::{App, Made, StartError};
use crate::listen::{Chosen, choose, upgrade};
use crate::stage::{Keeping, Stage};

/// From where requests are rehearsed.
const PEER: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

/// Turns that work in the background gets: all of it is done in a few, as nothing here waits for anything.
const TURNS: usize = 32;

/// See the module.
pub(super) struct Rehearsal {
    app: Arc<App>,
    plan: Plan,
    script: Arc<Script>,
    clock: Arc<StillClock>,
    noted: Arc<Noted>,
}

/// One run, from an empty store.
pub(super) struct Run<'a> {
    rehearsal: &'a Rehearsal,
    made: Made,
}

/// An answer, as its caller would see it.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) facts: CacheFacts,
    /// The problem that it tells of.
    pub(super) kind: Option<Kind>,
    /// And in words.
    pub(super) detail: Option<String>,
}

/// What a question comes to before it is answered.
pub(super) enum Way {
    /// The server's own answer.
    Health,
    /// A pipeline, and the request as it goes in.
    Pipeline(Arc<dyn Pipeline>, Box<Request>),
}

impl Rehearsal {
    /// Makes everything that a plan names, but for what is outside of this process.
    pub(super) async fn new(mut plan: Plan, now: Option<SystemTime>) -> Result<Self, StartError> {
        plan.cache.second_tier = None;
        plan.cache.audit_share = 0.0;
        if let Some(database) = &mut plan.database {
            database.seed = None;
            match &mut database.engine {
                EngineSettings::Sqlite(sqlite) => {
                    sqlite.readers = 1;
                    if database.migrations.is_empty() {
                        sqlite.read_only = true;
                    } else {
                        sqlite.path = None;
                    }
                }
                // There is no empty copy of a server: it is asked as it is, and nothing is applied to it.
                EngineSettings::Postgres(postgres) => {
                    database.migrations.clear();
                    postgres.read_only = true;
                    postgres.watch = WatchMode::Off;
                    (postgres.shared, postgres.exclusive) = (1, 1);
                }
            }
        }
        let script = Arc::new(Script::default());
        let clock = Arc::new(StillClock::new(now.unwrap_or_else(|| SystemClock.wall())));
        let noted = Arc::new(Noted::default());
        let around = {
            let script = Arc::clone(&script);
            Arc::new(move |real| Arc::new(StandIn { real, script: Arc::clone(&script) }) as _)
        };
        let clock_of_stage = Arc::clone(&clock) as _;
        let stage = Stage { fence: Fence::Whole, around, clock: clock_of_stage, keeping: Keeping::Nothing };
        let observer = Arc::clone(&noted) as Arc<dyn Observer>;
        let (app, _) = App::start_with(plan.clone(), observer, &mut |_, _| {}, stage).await?;
        Ok(Self { app, plan, script, clock, noted })
    }

    /// Begins a run whose sources answer so.
    pub(super) fn run(&self, answers: Answers) -> Result<Run<'_>, StartError> {
        let made = self.app.make(self.plan.clone())?;
        self.clock.begin();
        self.script.set(answers);
        self.script.take_asked();
        Ok(Run { rehearsal: self, made })
    }

    /// What policies of a route are told.
    pub(super) fn surroundings(&self, route: &RoutePlan) -> Surroundings {
        Surroundings {
            route: route.name.clone(),
            observer: Arc::clone(&self.noted) as _,
            clock: Arc::clone(&self.clock) as _,
            in_flight: Arc::default(),
        }
    }

    /// Closes what was opened.
    pub(super) fn close(&self) {
        self.app.close();
    }
}

impl Run<'_> {
    /// The way of a question, up to where policies begin.
    pub(super) fn way(&self, question: &Question) -> Way {
        let (mut head, ()) = http::Request::new(()).into_parts();
        (head.method, head.uri) = (question.method.clone(), question.target.clone());
        head.headers = question.headers.clone();
        let chosen = choose(&self.made.router, &self.rehearsal.plan.server.limits, &mut head);
        let (pipeline, params) = match chosen {
            Chosen::Health => return Way::Health,
            Chosen::Malformed(pipeline) => {
                return Way::Pipeline(pipeline, Box::new(Request::new(head.method, head.uri)));
            }
            Chosen::Pipeline(pipeline, params) => (pipeline, params),
        };
        let mut request = Request::new(head.method, head.uri);
        request.scheme = question.scheme.clone();
        request.upgrade = upgrade(Version::HTTP_11, &head.headers);
        (request.headers, request.params, request.peer) = (head.headers, params, Some(PEER.into()));
        Way::Pipeline(pipeline, Box::new(request))
    }

    /// Asks, and reads the answer to its end. `None` if the server answers by itself.
    pub(super) async fn ask(&self, question: &Question) -> Option<Seen> {
        let Way::Pipeline(pipeline, request) = self.way(question) else { return None };
        let response = match pipeline.run(*request).await {
            Ok(response) => response.into_fields(),
            // Rescue lets none through.
            Err(failure) => {
                return Some(Seen {
                    status: failure.problem.kind().status(),
                    headers: HeaderMap::new(),
                    facts: failure.cache,
                    kind: Some(failure.problem.kind()),
                    detail: None,
                });
            }
        };
        let seen = Seen {
            status: response.status,
            headers: response.headers,
            facts: response.cache,
            kind: response.problem.as_ref().map(Problem::kind),
            detail: response.problem.as_ref().and_then(Problem::detail_text).map(str::to_owned),
        };
        response.body.drain().await;
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        Some(seen)
    }

    /// Lets time pass.
    pub(super) fn wait(&self, time: Duration) {
        self.rehearsal.clock.advance(time);
    }

    /// Has sources answer so from now on.
    pub(super) fn answer(&self, answers: Answers) {
        self.rehearsal.script.set(answers);
    }

    /// What came as far as a source since this was last asked.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.rehearsal.script.take_asked()
    }

    /// The route that took on the last request, as a place in the plan.
    pub(super) fn route(&self) -> Option<usize> {
        *self.rehearsal.noted.route.lock()
    }

    pub(super) fn store(&self) -> &Arc<ResponseStore> {
        &self.made.served.store
    }
}

/// A clock that stands still until it is moved, and can begin anew.
struct StillClock {
    start: (Instant, SystemTime),
    moved: Mutex<Duration>,
}

impl StillClock {
    fn new(wall: SystemTime) -> Self {
        Self { start: (SystemClock.now(), wall), moved: Mutex::default() }
    }

    fn begin(&self) {
        *self.moved.lock() = Duration::ZERO;
    }

    fn advance(&self, by: Duration) {
        *self.moved.lock() += by;
    }
}

impl Clock for StillClock {
    fn now(&self) -> Instant {
        self.start.0 + *self.moved.lock()
    }

    fn wall(&self) -> SystemTime {
        self.start.1 + *self.moved.lock()
    }
}

/// Notes which route answered last.
#[derive(Default)]
struct Noted {
    route: Mutex<Option<usize>>,
}

impl Observer for Noted {
    fn observe(&self, observation: &Observation<'_>) {
        if let Observation::Answered(answered) = observation {
            *self.route.lock() = answered.route.map(|route| route.index);
        }
    }
}
