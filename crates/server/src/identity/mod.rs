//! How callers are identified, made of what the configuration says of it.

mod remote_keys;

use std::sync::Arc;

use kasoku_config::{IdentitySettings, KeysFrom, Plan, TokenSettings};
use kasoku_observe::Observer;
use kasoku_policies::identify::{FixedKeys, Identity, KeySet, KeySource, TokenRules};
use kasoku_units::Clock;

use self::remote_keys::RemoteKeys;
use crate::app::App;
use crate::stage::Keeping;

impl App {
    /// How a plan identifies callers: as it is done, if its settings have not changed.
    pub(crate) fn identity(&self, plan: &Plan) -> Option<Arc<Identity>> {
        let settings = plan.identity.as_ref()?;
        let current = self.current.load();
        let same = current.plan.identity.as_ref() == Some(settings);
        if let Some(identity) = current.identity.as_ref().filter(|_| same) {
            return Some(Arc::clone(identity));
        }
        let asks = self.stage.keeping == Keeping::EqualRoutes;
        Some(self::identity(settings, &self.stage.clock, &self.observer, asks))
    }
}

/// Makes it. `asks` says whether issuers may be asked for their keys.
fn identity(
    settings: &IdentitySettings,
    clock: &Arc<dyn Clock>,
    observer: &Arc<dyn Observer>,
    asks: bool,
) -> Arc<Identity> {
    let tokens = settings.tokens.as_ref().map(|tokens| TokenRules {
        claims: tokens.claims.clone(),
        algorithms: tokens.algorithms.clone(),
        keys: keys(tokens, observer, asks),
        remembered_max: tokens.remembered_max,
    });
    Arc::new(Identity::new(tokens, None, Arc::clone(clock)))
}

fn keys(settings: &TokenSettings, observer: &Arc<dyn Observer>, asks: bool) -> Arc<dyn KeySource> {
    let set = match &settings.keys {
        KeysFrom::Url(url) => return RemoteKeys::of(url, observer, asks),
        KeysFrom::Secret(secret) => KeySet::of_secret(secret.reveal().as_bytes(), &settings.algorithms),
        KeysFrom::Document(document) => KeySet::of_document(document).expect("the document was checked"),
    };
    Arc::new(FixedKeys(Arc::new(set)))
}
