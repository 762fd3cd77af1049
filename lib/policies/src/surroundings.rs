//! What every policy of a route is told besides its own rules.

use std::sync::Arc;

use kasoku_observe::{Observation, Observer, RouteName, Silent};
use kasoku_pipeline::InFlight;
use kasoku_units::{Clock, SystemClock};

/// The route that a policy works for, who watches it, and what time it is.
#[derive(Clone)]
pub struct Surroundings {
    /// The route's place and pattern.
    pub route: RouteName,
    /// Sees what happens.
    pub observer: Arc<dyn Observer>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The budget of all bodies in flight.
    pub in_flight: Arc<InFlight>,
}

impl Surroundings {
    /// A route with this pattern, watched by nobody, on the system's clock. Routes that share a store need
    /// different `index`es, because it is part of the key.
    pub fn quiet(index: usize, pattern: &str) -> Self {
        Self {
            route: RouteName { index, pattern: pattern.into() },
            observer: Arc::new(Silent),
            clock: Arc::new(SystemClock),
            in_flight: Arc::default(),
        }
    }

    pub(crate) fn observe(&self, observation: &Observation<'_>) {
        self.observer.observe(observation);
    }
}
