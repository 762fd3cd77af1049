//! The routes of a configuration as they are served, and which of them the next one keeps.
//!
//! A route is kept as a whole: its pipelines, with the connections to its origin, what it has learned and what is
//! stored for it. It is kept only if nothing that could change an answer has changed: its own settings, the store, what
//! is shared with other nodes, and, for a route over the database, the schema and every other such route, because from
//! all of them together follows by which tags changes are told. Any other route gets a number that no route has had.
//! Numbers are the beginning of keys, so that nothing that was stored under other settings can ever be found.

use std::sync::Arc;

use kasoku_cache_remote::Remote;
use kasoku_config::{Plan, RoutePlan, SourcePlan};
use kasoku_policies::cache::ResponseStore;
use kasoku_policies::identify::Identity;
use kasoku_policies::switch::Lever;
use kasoku_sql_plan::Schema;

use crate::router::Route;

/// A route that is served.
pub(crate) struct MadeRoute {
    pub(crate) plan: RoutePlan,
    /// Its patterns, each with its pipeline.
    pub(crate) patterns: Vec<Route>,
    /// There is one if it is cached.
    pub(crate) lever: Option<Arc<Lever>>,
}

/// What all routes of a configuration stand on.
pub(crate) struct Basis {
    /// How callers are identified.
    pub(crate) identity: Option<Arc<Identity>>,
    pub(crate) store: Arc<ResponseStore>,
    pub(crate) second_tier: Option<Arc<Remote>>,
    pub(crate) audit_share: f64,
    /// What the tags of changes follow from; `None` without a database.
    pub(crate) tagging: Option<Tagging>,
}

/// What the tags of changes follow from.
#[derive(PartialEq)]
pub(crate) struct Tagging {
    schema: Schema,
    sources: Vec<SourcePlan>,
}

/// Which routes of a new configuration are those of the one before.
pub(crate) struct Kept<'a> {
    /// None, if nothing at all is kept.
    before: &'a [Arc<MadeRoute>],
    tagging: bool,
    second_tier: bool,
    identity: bool,
}

impl Tagging {
    pub(crate) fn of(plan: &Plan, schema: &Schema) -> Self {
        let sources = plan.routes.iter().map(|route| &route.source).filter(|source| is_of_data(source));
        Self { schema: schema.clone(), sources: sources.cloned().collect() }
    }
}

impl Basis {
    /// That of no routes at all.
    pub(crate) fn nothing(store: Arc<ResponseStore>) -> Self {
        Self { identity: None, store, second_tier: None, audit_share: 0.0, tagging: None }
    }

    /// Whether changes are told by the same tags, and to the same store.
    pub(crate) fn tells_like(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.store, &other.store) && self.tagging.is_some() && self.tagging == other.tagging
    }
}

impl<'a> Kept<'a> {
    /// Of these routes, on the basis that they had and the one that there is now.
    pub(crate) fn of(before: &'a [Arc<MadeRoute>], old: &Basis, new: &Basis) -> Self {
        let second_tier = match (&old.second_tier, &new.second_tier) {
            (None, None) => true,
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            _ => false,
        };
        let any =
            Arc::ptr_eq(&old.store, &new.store) && old.audit_share.to_bits() == new.audit_share.to_bits();
        let before = if any { before } else { &[] };
        let identity = match (&old.identity, &new.identity) {
            (None, None) => true,
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            _ => false,
        };
        Self { before, tagging: new.tells_like(old), second_tier, identity }
    }

    /// The route as it is served already.
    pub(crate) fn find(&self, route: &RoutePlan) -> Option<&'a Arc<MadeRoute>> {
        let may_stay = match route.source {
            SourcePlan::Table(_) | SourcePlan::Query(_) | SourcePlan::Batch(_) => self.tagging,
            SourcePlan::Origin(_) => self.second_tier,
            // Nothing is stored for it, and its files may be others.
            SourcePlan::Files(_) => false,
        };
        let is_equal = |made: &&Arc<MadeRoute>| {
            let mut plan = route.clone();
            plan.name.index = made.plan.name.index;
            plan == made.plan
        };
        let knows_callers_alike = route.requires.is_none() || self.identity;
        self.before.iter().filter(|_| may_stay && knows_callers_alike).find(is_equal)
    }
}

/// Those of these routes that the others are not.
pub(crate) fn dropped<'a>(
    before: &'a [Arc<MadeRoute>],
    now: &'a [Arc<MadeRoute>],
) -> impl Iterator<Item = &'a Arc<MadeRoute>> {
    before.iter().filter(move |route| !now.iter().any(|other| Arc::ptr_eq(route, other)))
}

/// Whether a source answers from the database.
pub(crate) fn is_of_data(source: &SourcePlan) -> bool {
    matches!(source, SourcePlan::Table(_) | SourcePlan::Query(_))
}
