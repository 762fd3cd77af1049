//! The pipeline of a route, written once: everything that a request meets before its source, outermost first.

use std::sync::Arc;

use kasoku_cache_remote::Remote;
use kasoku_coherence::Lease;
use kasoku_config::{CachePlan, RoutePlan, SourcePlan};
use kasoku_observe::Observer;
use kasoku_pipeline::{InFlight, Pipeline, ProblemForm, Promises, Source, Stack, first};
use kasoku_policies::Surroundings;
use kasoku_policies::admit::Admit;
use kasoku_policies::cache::{Cache, Fill, ResponseStore};
use kasoku_policies::collapse::Collapse;
use kasoku_policies::deadline::Deadline;
use kasoku_policies::identify::{Identify, Identity};
use kasoku_policies::loops::Loops;
use kasoku_policies::negotiate::Negotiate;
use kasoku_policies::observe::Observe;
use kasoku_policies::promise::{Promise, Promised};
use kasoku_policies::rescue::Rescue;
use kasoku_policies::rfc9111;
use kasoku_policies::shape::{Shape, ShapeRules, ShapeStored};
use kasoku_policies::switch::{Lever, Switch};
use kasoku_units::{Clock, SystemClock};

use crate::second_tier::TierOfRoute;

/// Bytes of such a text from which on it is compressed.
const DOCUMENT_COMPRESSED_ABOVE: u64 = 1_024;

/// What all routes of one configuration share.
pub(crate) struct Shared {
    pub(crate) store: Arc<ResponseStore>,
    pub(crate) second_tier: Option<Arc<Remote>>,
    /// How long what others may change in the database is reused without a word from them.
    pub(crate) lease: Option<Arc<Lease>>,
    /// What callers were told that they would see.
    pub(crate) promised: Option<Arc<dyn Promised>>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) audit_share: f64,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) in_flight: Arc<InFlight>,
    /// How callers are identified, if they are.
    pub(crate) identity: Option<Arc<Identity>>,
}

/// What the patterns of one route share.
pub(crate) struct OfRoute {
    /// A route with two patterns takes on so many requests at both together.
    pub(crate) admit: Arc<Admit>,
    /// There is one if it is cached.
    pub(crate) lever: Option<Arc<Lever>>,
}

/// Puts a route's policies around its source.
pub(crate) fn assemble(
    route: &RoutePlan,
    own: &OfRoute,
    shared: &Shared,
    source: Arc<dyn Source>,
) -> Arc<dyn Pipeline> {
    let here = surroundings(route, shared);
    let promises = source.promises();
    let declared = match &route.cache {
        Some(CachePlan::Declared(rules)) => Some(*rules),
        Some(CachePlan::Rfc9111(_)) | None => None,
    };
    // Others may change what is read from a database.
    let lease = matches!(route.source, SourcePlan::Table(_) | SourcePlan::Query(_))
        .then(|| shared.lease.clone())
        .flatten();
    let promised = lease.as_ref().and(shared.promised.clone());
    first(Observe::new(&here)) // names the request and sees every answer, refusals too
        .then(Rescue::new(&here).telling(promises.problems)) // the only place where a failure becomes an answer
        .then(Arc::clone(&own.admit)) // sheds what is too much
        .then(Deadline::new(route.deadline, &here)) // fixes the instant by which there must be an answer
        .then(identify(route, shared)) // learns who asks, and refuses who may not
        .then(Shape::new(route.shape, promises)) // methods, conditions, codings
        .then(Negotiate::new(&source)) // the form of the answer, in one spelling
        .then(promised.map(Promise::new)) // notes what the caller was told of and has to be shown
        .then(switch(own, &source)) // leads around the next three while they are switched off
        .then(
            declared
                .map(|rules| Cache::new(rules, promises, &shared.store, &here).audited(shared.audit_share))
                .map(|cache| cache.leased(lease)),
        )
        .then(declared.map(|_| Collapse::new(promises, Arc::clone(&shared.store) as _)))
        .then(declared.map(|rules| {
            let fill = Fill::new(rules, &shared.store, &here).varying(&promises.vary);
            fill.for_identified(route.requires.is_some())
        }))
        .finally(source)
}

/// The policies around an origin. It sees methods, conditions and ranges itself, so that nothing is shaped here but
/// what is stored.
pub(crate) fn assemble_origin(
    route: &RoutePlan,
    own: &OfRoute,
    shared: &Shared,
    source: Arc<dyn Source>,
) -> Arc<dyn Pipeline> {
    let here = surroundings(route, shared);
    let (cache, collapse, fill) = match &route.cache {
        Some(CachePlan::Rfc9111(rules)) => {
            let second_tier = shared.second_tier.as_ref().map(|remote| TierOfRoute::new(remote, route));
            let second_tier = second_tier.map(|tier| Arc::new(tier) as _);
            let (cache, fill, purges) = rfc9111::pair(rules.clone(), &shared.store, &here, second_tier);
            (Some(cache), Some(Collapse::new(&Promises::none(), purges)), Some(fill))
        }
        Some(CachePlan::Declared(_)) | None => (None, None, None),
    };
    let loops = match &route.source {
        SourcePlan::Origin(rules) => Some(Loops::new(&rules.pseudonym)),
        SourcePlan::Table(_) | SourcePlan::Query(_) | SourcePlan::Files(_) | SourcePlan::Batch(_) => None,
    };
    first(Observe::new(&here))
        .then(Rescue::new(&here))
        .then(Arc::clone(&own.admit))
        .then(Deadline::new(route.deadline, &here)) // of the answer's head; its body has timeouts of its own
        .then(identify(route, shared))
        .then(route.cache.as_ref().and_then(|_| ShapeStored::new(route.shape))) // codes what is stored plain
        .then(switch(own, &source))
        .then(cache) // reuses what is stored, as far as RFC 9111 allows
        .then(loops) // refuses what has been here before, which would wait for itself
        .then(collapse)
        .then(fill) // validates and stores
        .finally(source)
}

/// The policies around whole lists as files. Nothing of them is looked up or kept.
pub(crate) fn assemble_transfer(
    route: &RoutePlan,
    own: &OfRoute,
    shared: &Shared,
    source: Arc<dyn Source>,
) -> Arc<dyn Pipeline> {
    let here = surroundings(route, shared);
    let promises = source.promises();
    first(Observe::new(&here))
        .then(Rescue::new(&here).telling(promises.problems))
        .then(Arc::clone(&own.admit))
        .then(Deadline::new(route.transfers.deadline(), &here)) // its source has shorter ones for each part
        .then(identify(route, shared))
        .then(Shape::new(route.shape, promises))
        .then(Negotiate::new(&source))
        .finally(source)
}

fn identify(route: &RoutePlan, shared: &Shared) -> Option<Identify> {
    let identity = shared.identity.as_ref();
    route.requires.as_ref().map(|requires| {
        let identity = identity.expect("a plan whose routes require callers says how they are identified");
        Identify::new(identity, requires.clone())
    })
}

fn switch(own: &OfRoute, source: &Arc<dyn Source>) -> Option<Switch> {
    own.lever.as_ref().map(|lever| Switch::new(lever, source))
}

/// The policies around what answers for no route: there is nothing to protect and nothing to keep.
pub(crate) fn assemble_elsewhere(
    observer: &Arc<dyn Observer>,
    problems: ProblemForm,
    source: Arc<dyn Source>,
) -> Arc<dyn Pipeline> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let nowhere = Surroundings { observer: Arc::clone(observer), ..Surroundings::quiet(usize::MAX, "") };
    first(Observe::unmatched(Arc::clone(observer), clock))
        .then(Rescue::new(&nowhere).telling(problems))
        .finally(source)
}

/// The policies around a text of the server's own.
pub(crate) fn assemble_document(
    observer: &Arc<dyn Observer>,
    problems: ProblemForm,
    source: Arc<dyn Source>,
) -> Arc<dyn Pipeline> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let nowhere = Surroundings { observer: Arc::clone(observer), ..Surroundings::quiet(usize::MAX, "") };
    let rules = ShapeRules { compress_above: Some(DOCUMENT_COMPRESSED_ABOVE) };
    let shape = Shape::new(rules, source.promises());
    first(Observe::unmatched(Arc::clone(observer), clock))
        .then(Rescue::new(&nowhere).telling(problems))
        .then(shape)
        .finally(source)
}

/// What the policies of a route are told besides their own rules.
pub(crate) fn surroundings(route: &RoutePlan, shared: &Shared) -> Surroundings {
    Surroundings {
        route: route.name.clone(),
        observer: Arc::clone(&shared.observer),
        clock: Arc::clone(&shared.clock),
        in_flight: Arc::clone(&shared.in_flight),
    }
}
