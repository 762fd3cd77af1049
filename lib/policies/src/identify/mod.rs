//! Learns who asks, and refuses who may not.
//!
//! A caller shows a signed token (RFC 7519) in `Authorization: Bearer`, or an API key there or in `X-Api-Key`. Tokens are
//! accepted by the keys, algorithms and claims of [`TokenRules`] and by nothing that they say of themselves: a header
//! names an algorithm and a key among those that the configuration allows, or it is refused. A token that was verified is
//! remembered by its digest, so that who asks often is not verified each time.
//!
//! What is learned travels in [`caller`](kasoku_pipeline::RequestFields::caller). What is wrong with credentials is in
//! the problem's cause, for operators; callers are told in the words of RFC 6750 §3.1 and no more, the same for
//! whatever is wrong.
//!
//! It stands behind `deadline`, because it may wait for an issuer's keys. Verifying takes no lock
//! but to read, and what is remembered is bounded.

mod algorithm;
mod api_keys;
mod claims;
mod keys;
mod pem;
mod reason;
mod remembered;
mod requires;
#[cfg(test)]
mod tests;
mod token;
mod tokens;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue};
use kasoku_pipeline::{Caller, Next, Outcome, Policy, Request};
use kasoku_problem::{Kind, Problem};
use kasoku_units::Clock;

pub use algorithm::Algorithm;
pub use api_keys::{ApiKeyRules, KEY_BYTES};
pub use claims::ClaimRules;
pub use keys::{DOCUMENT_BYTES_MAX, FixedKeys, KEYS_MAX, KeyFault, KeySet, KeySource};
pub use reason::Reason;
pub use requires::{Requirement, Requires};
pub use token::TOKEN_BYTES_MAX;
pub use tokens::TokenRules;

use requires::Verdict;
use token::Token;
use tokens::{Tokens, Unverified};

/// Where an API key may stand besides `Authorization`.
pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// How callers of all routes are identified.
pub struct Identity {
    tokens: Option<Tokens>,
    api_keys: Option<ApiKeyRules>,
    clock: Arc<dyn Clock>,
}

/// See the module.
pub struct Identify {
    identity: Arc<Identity>,
    requires: Requires,
}

/// What a request shows.
enum Credentials<'a> {
    /// Nothing that is meant for us.
    None,
    Token(&'a str),
    ApiKey(&'a str),
    /// More than one, or what is none.
    Malformed,
}

impl Identity {
    /// By tokens, API keys or both.
    pub fn new(tokens: Option<TokenRules>, api_keys: Option<ApiKeyRules>, clock: Arc<dyn Clock>) -> Self {
        Self { tokens: tokens.map(Tokens::new), api_keys, clock }
    }

    /// Who shows these credentials; `None` where there are none.
    async fn identify(&self, request: &mut Request) -> Result<Option<Arc<Caller>>, Problem> {
        let now = request.seen.unwrap_or_else(|| self.clock.now());
        let credentials = self.credentials(&request.headers);
        let known = match &credentials {
            Credentials::None => return Ok(None),
            Credentials::Malformed => return Err(self.malformed()),
            Credentials::Token(text) => self.tokens.as_ref().and_then(|tokens| tokens.known(text, now)),
            Credentials::ApiKey(key) => self.api_keys.as_ref().and_then(|keys| keys.known(key)),
        };
        if known.is_some() {
            return Ok(known);
        }
        // Boxed, so that callers who are known do not carry the room for it.
        let caller = Box::pin(self.verify(&credentials, now)).await?;
        request.seen = None;
        Ok(Some(caller))
    }

    async fn verify(
        &self,
        credentials: &Credentials<'_>,
        now: std::time::Instant,
    ) -> Result<Arc<Caller>, Problem> {
        match (credentials, &self.tokens, &self.api_keys) {
            (Credentials::Token(text), Some(tokens), _) => {
                tokens.caller(text, (now, self.clock.wall())).await.map_err(|unverified| match unverified {
                    Unverified::Refused(reason) => refused(reason),
                    Unverified::NoKeys => Problem::new(Kind::Unavailable).retry_after(Duration::from_secs(1)),
                })
            }
            (Credentials::ApiKey(_), _, Some(_)) => Err(refused(Reason::ApiKey)),
            _ => Err(refused(Reason::NoTokens)),
        }
    }

    fn malformed(&self) -> Problem {
        let detail = match self.api_keys {
            Some(_) => "credentials have to be shown once: in `Authorization: Bearer`, or in `X-Api-Key`",
            None => "credentials have to be shown once, in `Authorization: Bearer`",
        };
        challenge(Problem::new(Kind::Malformed).detail(detail), "invalid_request")
    }

    fn credentials<'a>(&self, headers: &'a HeaderMap) -> Credentials<'a> {
        let mut fields = headers.get_all(AUTHORIZATION).iter();
        let (authorization, further) = (fields.next(), fields.next());
        let mut keys = headers.get_all(API_KEY).iter().filter(|_| self.api_keys.is_some());
        let (key, further_key) = (keys.next(), keys.next());
        // RFC 6750 §3.1: of several it would be a guess which one is meant.
        if further.is_some() || further_key.is_some() {
            return Credentials::Malformed;
        }
        let bearer = authorization.map(bearer);
        match (bearer, key.map(HeaderValue::to_str)) {
            (Some(Bearer::Text(_) | Bearer::Unreadable), Some(_))
            | (Some(Bearer::Unreadable), _)
            | (_, Some(Err(_))) => Credentials::Malformed,
            (Some(Bearer::Text(text)), None) if self.api_keys.is_some() && !Token::has_form(text) => {
                Credentials::ApiKey(text)
            }
            (Some(Bearer::Text(text)), None) => Credentials::Token(text),
            (None | Some(Bearer::OtherScheme), Some(Ok(key))) => Credentials::ApiKey(key.trim()),
            (None | Some(Bearer::OtherScheme), None) => Credentials::None,
        }
    }
}

impl Identify {
    /// For a route that requires this.
    pub fn new(identity: &Arc<Identity>, requires: Requires) -> Self {
        Self { identity: Arc::clone(identity), requires }
    }
}

impl Policy for Identify {
    async fn around<N: Next>(&self, mut request: Request, next: &Arc<N>) -> Outcome {
        let caller = self.identity.identify(&mut request).await?;
        match self.requires.of(&request.method).judge(caller.as_deref()) {
            Verdict::Admitted => {}
            Verdict::Unknown => return Err(unknown().into()),
            Verdict::LacksRole => return Err(lacks_role().into()),
        }
        request.caller = caller;
        next.run(request).await
    }
}

/// What an `Authorization` field is to us.
enum Bearer<'a> {
    Text(&'a str),
    OtherScheme,
    Unreadable,
}

fn bearer(field: &HeaderValue) -> Bearer<'_> {
    let Ok(text) = field.to_str() else { return Bearer::Unreadable };
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Bearer::OtherScheme;
    }
    let token = rest.trim_matches(' ');
    // RFC 6750 §2.1: a b64token, which has no blanks.
    let is_one = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if is_one { Bearer::Text(token) } else { Bearer::Unreadable }
}

/// RFC 6750 §3: who shows nothing is told how to, and of no error.
fn unknown() -> Problem {
    challenge(Problem::new(Kind::Unauthenticated), "")
}

fn refused(reason: Reason) -> Problem {
    let problem = Problem::new(Kind::Unauthenticated).detail("the credentials are not accepted");
    challenge(problem.cause(reason), "invalid_token")
}

fn lacks_role() -> Problem {
    challenge(
        Problem::new(Kind::Forbidden).detail("this takes a role that you do not have"),
        "insufficient_scope",
    )
}

fn challenge(problem: Problem, error: &str) -> Problem {
    let text: Cow<'static, str> = match error {
        "" => Cow::Borrowed("Bearer"),
        error => Cow::Owned(format!("Bearer error=\"{error}\"")),
    };
    let value = HeaderValue::try_from(&*text).expect("a scheme, and a word in quotes");
    problem.header(WWW_AUTHENTICATE, value)
}
