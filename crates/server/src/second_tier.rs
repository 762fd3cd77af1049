//! The second tier of the cache, as the policies know it, over a server that several nodes share.
//!
//! Keys here begin with the place of their route, which another node's configuration may have elsewhere; on the way
//! they begin with a digest of the route's pattern and settings instead.

use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use kasoku_cache_remote::{Entry, Fill, Lease, Listener, Message, Mode, Reach, Remote, Stamp, Waited};
use kasoku_cache_store::Purge;
use kasoku_coherence::{Key, KeyBuilder, Tag, TagBuilder};
use kasoku_config::{CachePlan, RoutePlan, SourcePlan};
use kasoku_pipeline::BoxFuture;
use kasoku_policies::cache::{PATH_PART, ResponseStore};
use kasoku_policies::rfc9111::{Accepts, Gone, LookedUp, SecondTier, Shared, Ticket};

use crate::app::App;

/// How long a writer waits for other nodes to have heard of what its request invalidated.
const HEARD_WITHIN: Duration = Duration::from_millis(50);

/// The second tier for one route.
pub(crate) struct TierOfRoute {
    remote: Arc<Remote>,
    route: [u8; 8],
}

/// Applies what other nodes tell of to the stores of this one.
#[derive(Default)]
pub(crate) struct Hearing {
    app: OnceLock<Weak<App>>,
}

struct Right {
    remote: Arc<Remote>,
    route: [u8; 8],
    stamp: Stamp,
    /// With the key that it is for.
    lease: Option<(Key, Lease)>,
}

impl TierOfRoute {
    /// Nodes share what they store for a route if they all have the same settings for it: what was stored under
    /// others would be used for as long as those allow.
    pub(crate) fn new(remote: &Arc<Remote>, plan: &RoutePlan) -> Self {
        let mut route = TagBuilder::new("route").part(plan.name.pattern.as_bytes());
        if let Some(CachePlan::Rfc9111(rules)) = &plan.cache {
            route = route.part(format!("{rules:?}").as_bytes());
        }
        if let SourcePlan::Origin(rules) = &plan.source {
            for server in &rules.client.servers {
                route = route.part(server.to_string().as_bytes());
            }
            route = route.part(format!("{:?} {:?}", rules.host, rules.strip).as_bytes());
        }
        Self { remote: Arc::clone(remote), route: route.build().0.to_le_bytes() }
    }

    fn right(&self, lease: Option<(Key, Lease)>) -> Option<Box<dyn Ticket>> {
        let stamp = self.remote.stamp()?;
        let (remote, route) = (Arc::clone(&self.remote), self.route);
        Some(Box::new(Right { remote, route, stamp, lease }))
    }
}

impl SecondTier for TierOfRoute {
    fn look_up<'a>(
        &'a self,
        key: &'a Key,
        accepts: Accepts<'a>,
        deadline: Instant,
    ) -> BoxFuture<'a, LookedUp> {
        Box::pin(async move {
            let name = name(key, self.route);
            let accepts = |entry: &Entry| accepts(&shared(entry));
            match self.remote.wait(&name, accepts, deadline).await {
                Waited::Found(entry) => LookedUp::Found(shared(&entry)),
                Waited::Won(lease) => match self.right(Some((name, lease))) {
                    Some(ticket) => LookedUp::Fill(ticket),
                    None => LookedUp::Away,
                },
                Waited::TimedOut | Waited::Away(_) => LookedUp::Away,
            }
        })
    }

    fn ticket(&self) -> Option<Box<dyn Ticket>> {
        self.right(None)
    }

    fn is_out_of_touch(&self) -> bool {
        self.remote.is_out_of_touch()
    }

    fn purge(&self, what: Gone) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let reach = match what {
                Gone::Tags(tags) => Reach::Tags(tags),
                Gone::Everything => Reach::Everything,
            };
            self.remote.publish(reach, Mode::Hard, HEARD_WITHIN).await;
        })
    }
}

impl Ticket for Right {
    fn store(self: Box<Self>, key: Key, value: Bytes, tags: &[Tag], age: Duration, lifetime: Duration) {
        let name = name(&key, self.route);
        // A lease for the target as such is of no use to one of its variants, and is given back.
        let lease = self.lease.filter(|(leased, _)| *leased == name).map(|(_, lease)| lease);
        let fill = Fill { value, tags: tags.to_vec(), stamp: self.stamp, age, lifetime };
        drop(self.remote.store(name, fill, lease));
    }
}

fn shared(entry: &Entry) -> Shared {
    Shared { value: entry.value.clone(), age: entry.age, softened: entry.softened }
}

/// A key as all nodes call it.
fn name(key: &Key, route: [u8; 8]) -> Key {
    let named = KeyBuilder::new().part(&route);
    key.parts().skip(1).fold(named, KeyBuilder::optional).build()
}

impl Hearing {
    /// Says whose stores hear of it. Until then there are none.
    pub(crate) fn begin(&self, app: &Arc<App>) {
        drop(self.app.set(Arc::downgrade(app)));
    }

    fn stores(&self) -> Vec<Arc<ResponseStore>> {
        self.app.get().and_then(Weak::upgrade).map_or_else(Vec::new, |app| app.stores())
    }
}

impl Listener for Hearing {
    fn apply(&self, message: &Message) {
        // Routes have other names there, so that only paths mean the same; other prefixes and keys reach everything.
        let reach = match &message.reach {
            Reach::Prefix { part, .. } if *part as usize == PATH_PART => &message.reach,
            Reach::Prefix { .. } | Reach::Key(_) => &Reach::Everything,
            Reach::Tags(_) | Reach::Everything => &message.reach,
        };
        for store in self.stores() {
            kasoku_cache_tiers::purge(&store, reach, message.mode);
        }
    }

    fn gap(&self) {
        for store in self.stores() {
            store.purge_all(Purge::Hard);
        }
    }
}
