//! What a plan becomes besides listeners: a database, a store, and the routes over them.
//!
//! A new configuration keeps routes that have not changed, with what is stored for them, and makes all others anew. The
//! database stays.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use kasoku_cache_remote::{Misconfigured, Remote};
use kasoku_coherence::Sequence;
use kasoku_config::{Plan, RoutePlan, SourcePlan};
use kasoku_database::{Database, DatabaseError, Inspector};
use kasoku_observe::Observer;
use kasoku_pipeline::{InFlight, Pipeline, ProblemForm, Source};
use kasoku_policies::admit::Admit;
use kasoku_policies::cache::ResponseStore;
use kasoku_policies::identify::Identity;
use kasoku_policies::promise::Promised;
use kasoku_source_data::{ChangeTagger, KEY_PARAM};
use kasoku_sql_plan::{CursorKey, Schema};
use kasoku_units::SystemClock;
use parking_lot::Mutex;

use crate::assemble::{self, OfRoute, Shared};
use crate::dependencies::Dependencies;
use crate::forgetful::forget;
use crate::landmarks::Landmarks;
use crate::made_routes::{Basis, Kept, MadeRoute, Tagging};
use crate::router::{Route, Router, RouterError, Takes};
use crate::second_tier::Hearing;
use crate::sources::{Around, Placed, tables};
use crate::stage::{Keeping, Stage};
use crate::storage::{self, Progress};
use crate::switches::Levers;
use crate::warm::Warmth;

/// Why a plan cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error("{0}")]
    Database(#[from] DatabaseError),
    /// The second tier of the cache.
    #[error("{0}")]
    SecondTier(#[from] Misconfigured),
    /// A path.
    #[error(transparent)]
    Router(#[from] RouterError),
    /// A route does not fit what the database really holds.
    #[error("the route `{route}` cannot be served: {reason}")]
    Route {
        /// Its pattern.
        route: String,
        /// What does not fit.
        reason: String,
    },
}

/// The parts that outlive a configuration, and the one in force.
pub struct App {
    pub(crate) sequence: Arc<Sequence>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) database: Option<Arc<Database>>,
    pub(crate) cursors: Option<Arc<CursorKey>>,
    pub(crate) current: ArcSwap<Served>,
    /// How far the cache has been warmed.
    pub(crate) warmth: Warmth,
    pub(crate) stage: Stage,
    /// Stores of earlier configurations, as long as requests in progress use them.
    pub(crate) retired: Mutex<Vec<Weak<ResponseStore>>>,
    hearing: Arc<Hearing>,
    /// What is held of bodies on their way.
    pub(crate) in_flight: Arc<InFlight>,
    /// The number of the next route that is made.
    next_number: AtomicUsize,
}

/// One configuration, served.
pub(crate) struct Served {
    pub(crate) plan: Plan,
    pub(crate) store: Arc<ResponseStore>,
    pub(crate) levers: Arc<Levers>,
    /// What is shared with other nodes.
    pub(crate) second_tier: Option<Arc<Remote>>,
    /// How callers are identified.
    pub(crate) identity: Option<Arc<Identity>>,
    /// Counted from 1.
    pub(crate) number: u64,
    pub(crate) routes: Vec<Arc<MadeRoute>>,
    basis: Basis,
}

/// Puts a route's policies around its source.
type Assemble = fn(&RoutePlan, &OfRoute, &Shared, Arc<dyn Source>) -> Arc<dyn Pipeline>;

/// Routes that were made and are not yet in force.
pub(crate) struct Made {
    pub(crate) served: Served,
    /// There is one if changes have to be told in another way than before.
    pub(crate) tagger: Option<Arc<ChangeTagger>>,
    pub(crate) schema: Schema,
    pub(crate) router: Router,
}

impl App {
    /// Opens what the plan names and makes its routes. Blocks while the database is opened and filled.
    pub async fn start(
        plan: Plan,
        observer: Arc<dyn Observer>,
        progress: Progress<'_>,
    ) -> Result<(Arc<Self>, Router), StartError> {
        Self::start_with(plan, observer, progress, Stage::world()).await
    }

    /// As [`Self::start`], on a stage of its own.
    pub(crate) async fn start_with(
        plan: Plan,
        observer: Arc<dyn Observer>,
        progress: Progress<'_>,
        stage: Stage,
    ) -> Result<(Arc<Self>, Router), StartError> {
        let sequence = Arc::new(Sequence::new());
        let settings = plan.database.as_ref();
        let database = settings.map(|settings| storage::open(settings, &sequence, &observer, progress));
        let database = database.transpose()?.map(Arc::new);
        let cursors = database.as_ref().map(|database| storage::cursor_key(&plan, database));
        let cursors = cursors.transpose()?.map(Arc::new);
        let store = stage.store(&plan, &sequence);
        let nothing = Served::nothing(plan.clone(), store);
        let current = ArcSwap::from_pointee(nothing);
        let (retired, warmth) = (Mutex::default(), Warmth::default());
        let hearing = Arc::new(Hearing::default());
        let app = Arc::new(Self {
            sequence,
            observer,
            database,
            cursors,
            current,
            warmth,
            stage,
            retired,
            hearing,
            in_flight: Arc::default(),
            next_number: AtomicUsize::new(0),
        });
        app.hearing.begin(&app);
        let made = app.make(plan)?;
        let router = app.put_in_force(made).await?;
        Ok((app, router))
    }

    /// Makes the routes of a plan over the database that is open, but for those that are served already as they are.
    pub(crate) fn make(&self, mut plan: Plan) -> Result<Made, StartError> {
        let current = self.current.load_full();
        let keeps = self.stage.keeping == Keeping::EqualRoutes;
        let store = if keeps && plan.cache.memory_bytes == current.plan.cache.memory_bytes {
            Arc::clone(&current.store)
        } else {
            self.stage.store(&plan, &self.sequence)
        };
        let inspector = self.database.as_ref().map(|database| database.inspector()).transpose()?;
        let schema = inspector.as_ref().map(Inspector::schema).transpose()?.unwrap_or_default();
        let dependencies = Dependencies::of(&plan, &schema, inspector.as_ref())?;
        let second_tier = self.second_tier(&plan)?;
        let lease = self.database.as_ref().and_then(|database| database.lease());
        let identity = self.identity(&plan);
        let basis = Basis {
            identity: identity.clone(),
            store: Arc::clone(&store),
            second_tier: second_tier.clone(),
            audit_share: plan.cache.audit_share,
            tagging: self.database.as_ref().map(|_| Tagging::of(&plan, &schema)),
        };
        let shared = Shared {
            store: Arc::clone(&store),
            second_tier: second_tier.clone(),
            promised: self.server().and(lease.clone()).zip(self.cursors.clone()).map(|(lease, key)| {
                let landmarks: Arc<dyn Promised> = Arc::new(Landmarks { key, lease });
                landmarks
            }),
            lease,
            observer: Arc::clone(&self.observer),
            audit_share: plan.cache.audit_share,
            clock: Arc::clone(&self.stage.clock),
            in_flight: Arc::clone(&self.in_flight),
            identity: identity.clone(),
        };
        let (kept, mut routes) = (Kept::of(&current.routes, &current.basis, &basis), Vec::new());
        let tables = tables(&plan);
        for route in &mut plan.routes {
            if let Some(made) = kept.find(route).filter(|_| keeps) {
                route.name.index = made.plan.name.index;
                routes.push(Arc::clone(made));
                continue;
            }
            if keeps {
                route.name.index = self.next_number.fetch_add(1, Ordering::Relaxed);
            }
            let sources = self.sources(route, &schema, &dependencies, inspector.as_ref(), &tables)?;
            routes.push(Arc::new(self.assemble(route, sources, &shared)));
        }
        let patterns = routes.iter().flat_map(|made| made.patterns.clone()).collect();
        let problems = elsewhere(&plan);
        let router =
            Router::new(patterns, |source| assemble::assemble_elsewhere(&self.observer, problems, source))?;
        let router = crate::openapi::place(router, &plan, &self.observer, problems)?;
        let tells_anew = self.database.is_some() && !basis.tells_like(&current.basis);
        let tagger = tells_anew.then(|| {
            let forgetful = Arc::downgrade(&store);
            let tagger = ChangeTagger::new(dependencies.into_tables(), Arc::clone(&store) as _, move || {
                forget(&forgetful);
            });
            Arc::new(tagger.raising(self.database.as_ref().and_then(|database| database.floors())))
        });
        let (number, levers) = (current.number + 1, Arc::new(Levers::of(&routes)));
        let served = Served { plan, store, levers, second_tier, identity, number, routes, basis };
        Ok(Made { served, tagger, schema, router })
    }

    /// Puts the policies of a route around its sources.
    fn assemble(&self, route: &RoutePlan, sources: Vec<Placed>, shared: &Shared) -> MadeRoute {
        let own = OfRoute {
            admit: Arc::new(Admit::new(route.admit, &assemble::surroundings(route, shared))),
            lever: route.cache.is_some().then(Arc::default),
        };
        let (takes, assemble) = if matches!(route.source, SourcePlan::Origin(_)) {
            (Takes::All, assemble::assemble_origin as Assemble)
        } else {
            (Takes::Known, assemble::assemble as Assemble)
        };
        let (of_rows, rows) = (route.of_rows(), format!("/{{{KEY_PARAM}}}"));
        let patterns = sources.into_iter().map(|Placed { pattern, source, around }| {
            let assemble = match around {
                Around::Usual => assemble,
                Around::Transfer => assemble::assemble_transfer,
            };
            let route = if pattern.ends_with(&rows) { &of_rows } else { route };
            let pipeline = assemble(route, &own, shared, self.stage.source(source));
            Route { pattern, name: route.name.clone(), takes, pipeline }
        });
        MadeRoute { patterns: patterns.collect(), plan: route.clone(), lever: own.lever }
    }

    /// The second tier of a plan: the one that there is, if its settings have not changed.
    fn second_tier(&self, plan: &Plan) -> Result<Option<Arc<Remote>>, StartError> {
        let Some(settings) = &plan.cache.second_tier else { return Ok(None) };
        let current = self.current.load();
        let same = current.plan.cache.second_tier.as_ref() == Some(settings);
        if let Some(remote) = current.second_tier.as_ref().filter(|_| same) {
            return Ok(Some(Arc::clone(remote)));
        }
        let (clock, observer) = (Arc::new(SystemClock), Arc::clone(&self.observer));
        let hearing = Arc::clone(&self.hearing);
        Ok(Some(Arc::new(Remote::open(settings.clone(), clock, hearing, observer)?)))
    }

    /// Every store that requests may be answered from.
    pub(crate) fn stores(&self) -> Vec<Arc<ResponseStore>> {
        let retired: Vec<_> = self.retired.lock().iter().filter_map(Weak::upgrade).collect();
        std::iter::once(Arc::clone(&self.current.load().store)).chain(retired).collect()
    }

    /// The configuration in force.
    pub(crate) fn served(&self) -> Arc<Served> {
        self.current.load_full()
    }

    /// What is held of bodies on their way.
    pub(crate) fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }

    /// The database, if there is one.
    pub(crate) fn database(&self) -> Option<&Arc<Database>> {
        self.database.as_ref()
    }

    /// Finishes what is being written and closes the database. Blocks meanwhile.
    pub fn close(&self) {
        if let Some(database) = &self.database {
            database.close();
        }
    }
}

impl Served {
    /// A configuration that serves nothing yet.
    fn nothing(plan: Plan, store: Arc<ResponseStore>) -> Self {
        let basis = Basis::nothing(Arc::clone(&store));
        let (levers, routes) = (Arc::default(), Vec::new());
        Self { plan, store, levers, second_tier: None, identity: None, number: 0, routes, basis }
    }
}

/// How those are told of failures who ask for what no route serves: as callers of the routes are.
fn elsewhere(plan: &Plan) -> ProblemForm {
    let is_data = |route: &RoutePlan| matches!(route.source, SourcePlan::Table(_) | SourcePlan::Query(_));
    if plan.routes.iter().any(is_data) { ProblemForm::Coded } else { ProblemForm::Plain }
}
