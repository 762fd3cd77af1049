//! How callers are identified, as it was checked.

use http::Uri;
use kasoku_policies::identify::{Algorithm, ClaimRules};

use crate::Secret;

/// How callers are identified.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentitySettings {
    /// By signed tokens.
    pub tokens: Option<TokenSettings>,
}

/// Which signed tokens are accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenSettings {
    /// What they are verified with.
    pub keys: KeysFrom,
    /// How they may be signed; empty accepts all that the keys are for.
    pub algorithms: Vec<Algorithm>,
    /// What they must claim.
    pub claims: ClaimRules,
    /// Callers that are remembered.
    pub remembered_max: usize,
}

/// Where keys of tokens come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysFrom {
    /// A secret that is shared with the issuer.
    Secret(Secret),
    /// A document with public keys, as it was read.
    Document(String),
    /// A set of public keys somewhere else.
    Url(Uri),
}
