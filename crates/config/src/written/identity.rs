//! How callers are identified, and what a route requires of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DurationText, SecretText};

/// How callers are identified: by signed tokens. Only routes that ask who their caller is, with `requires`, `where` or
/// `:caller.id`, look at what a request shows.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Identity {
    /// Signed tokens (JWT), in `Authorization: Bearer`.
    pub(crate) jwt: Option<Jwt>,
}

/// Signed tokens (JWT), in `Authorization: Bearer`. A token must have `exp`; `nbf` and `iat` must have come. It is
/// signed by one of the keys named here, with an algorithm of that key, whatever its header says.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Jwt {
    /// The secret that issuer and server share, for `HS256`, `HS384` and `HS512`: as many bytes as the hash has, or more.
    /// Either this or `keys`.
    #[schemars(example = &"env:JWT_SECRET")]
    pub(crate) secret: Option<SecretText>,

    /// The issuer's public keys: a file with a key in PEM form or with a JSON Web Key Set, or the URL of such a set.
    /// Either this or `secret`.
    #[schemars(example = &"jwt.pem", example = &"https://id.example.com/.well-known/jwks.json")]
    pub(crate) keys: Option<String>,

    /// The algorithms that are accepted, out of `HS256`, `HS384`, `HS512`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`,
    /// `PS512`, `ES256`, `ES384` and `EdDSA`. Without it, all that the keys are for; with a secret, `HS256`.
    #[schemars(example = ["RS256"])]
    pub(crate) algorithms: Option<Vec<String>>,

    /// Who issues them: `iss` must be one of these. Without it, anybody who has a key.
    #[schemars(example = &"https://id.example.com/")]
    pub(crate) issuer: Option<OneOrMore>,

    /// For whom they are: `aud` must have one of these. Without it, whoever they are for. Tokens for other services are
    /// accepted then, if they are signed by the same keys.
    #[schemars(example = &"shop")]
    pub(crate) audience: Option<OneOrMore>,

    /// The claim that is the caller's id, `:caller.id`.
    #[serde(default = "subject")]
    pub(crate) subject: String,

    /// The claim that has the caller's roles: an array of texts, or one text with blanks between. Points lead into
    /// objects.
    #[serde(default = "roles")]
    #[schemars(example = &"realm_access.roles", example = &"scope")]
    pub(crate) roles: String,

    /// How far the clocks of issuer and server may be apart.
    #[serde(default = "leeway")]
    pub(crate) leeway: DurationText,

    /// Callers that are remembered with their tokens, so that a signature is verified once and not with each request.
    #[serde(default = "remembered")]
    #[schemars(range(min = 16, max = 10_000_000))]
    pub(crate) remembered: u32,
}

/// A text, or several.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// Who may use a route: for all methods, or by method.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum RequiresOrWho {
    Who(OneOrMore),
    Requires(Requires),
}

/// Who may use a route, by method: `anyone`, `caller` for everybody who was identified, a role, or several roles of which
/// one is enough.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Requires {
    /// `GET` and `HEAD`.
    #[schemars(example = &"anyone")]
    pub(crate) read: OneOrMore,

    /// All methods that change something, but for those below.
    #[schemars(example = &"editor")]
    pub(crate) write: OneOrMore,

    /// `POST`.
    pub(crate) post: Option<OneOrMore>,

    /// `PUT`.
    pub(crate) put: Option<OneOrMore>,

    /// `PATCH`.
    pub(crate) patch: Option<OneOrMore>,

    /// `DELETE`.
    #[schemars(example = &"admin")]
    pub(crate) delete: Option<OneOrMore>,
}

impl OneOrMore {
    /// The texts.
    pub(crate) fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
    }
}

fn subject() -> String {
    "sub".to_owned()
}

fn roles() -> String {
    "roles".to_owned()
}

fn leeway() -> DurationText {
    DurationText::seconds(30)
}

fn remembered() -> u32 {
    10_000
}
