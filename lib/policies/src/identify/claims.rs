//! What a token must claim (RFC 7519 §4.1), and the caller that follows from it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kasoku_pipeline::{Caller, CallerKind};
use serde_json::{Map, Value};

use super::reason::Reason;

/// What a token must claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRules {
    /// Who must have issued it; `iss` is one of these. Empty accepts any.
    pub issuers: Vec<String>,
    /// For whom it must be; `aud` has one of these. Empty accepts any.
    pub audiences: Vec<String>,
    /// The claim that is the caller's id.
    pub subject: String,
    /// The claim that has the caller's roles, as an array or with blanks between.
    pub roles: String,
    /// How far clocks may be apart.
    pub leeway: Duration,
}

/// Claims that are kept of a caller.
const CLAIMS_MAX: usize = 128;
/// Levels of objects that claims are looked for in.
const DEPTH_MAX: usize = 4;

impl ClaimRules {
    /// The caller that these claims are about, and how long from now they hold.
    pub(super) fn caller(
        &self,
        claims: &Map<String, Value>,
        now: SystemTime,
    ) -> Result<(Caller, Duration), Reason> {
        let left = self.in_time(claims, now)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if !self.issuers.is_empty()
            && !text("iss").is_some_and(|iss| self.issuers.iter().any(|one| one == iss))
        {
            return Err(Reason::Issuer);
        }
        if !self.audiences.is_empty() && !self.is_for_us(claims.get("aud")) {
            return Err(Reason::Audience);
        }
        let id = member(claims, &self.subject).and_then(scalar).filter(|id| !id.is_empty());
        let mut caller = Caller::new(CallerKind::Token, &id.ok_or(Reason::NoSubject)?);
        caller = match member(claims, &self.roles) {
            Some(Value::String(words)) => caller.with_roles(words.split_ascii_whitespace()),
            Some(Value::Array(roles)) => caller.with_roles(roles.iter().filter_map(Value::as_str)),
            _ => caller,
        };
        let mut left_over = CLAIMS_MAX;
        // Names as they are come before those that lie within objects.
        for depth in 0..DEPTH_MAX {
            caller = known(caller, claims, "", depth, &mut left_over);
        }
        Ok((caller, left))
    }

    fn in_time(&self, claims: &Map<String, Value>, now: SystemTime) -> Result<Duration, Reason> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let leeway = self.leeway.as_secs_f64();
        // RFC 7519 §2: a NumericDate is a number, and no text that looks like one.
        let date = |name: &str, wrong| match claims.get(name) {
            None => Ok(None),
            Some(value) => value.as_f64().filter(|date| date.is_finite()).map(Some).ok_or(wrong),
        };
        let expires = date("exp", Reason::NoExpiry)?.ok_or(Reason::NoExpiry)? + leeway;
        if expires <= now {
            return Err(Reason::Expired);
        }
        if date("nbf", Reason::NotYet)?.is_some_and(|begins| begins - leeway > now) {
            return Err(Reason::NotYet);
        }
        if date("iat", Reason::IssuedLater)?.is_some_and(|issued| issued - leeway > now) {
            return Err(Reason::IssuedLater);
        }
        Ok(Duration::try_from_secs_f64(expires - now).unwrap_or(Duration::MAX))
    }

    fn is_for_us(&self, audience: Option<&Value>) -> bool {
        let ours =
            |value: &Value| value.as_str().is_some_and(|one| self.audiences.iter().any(|our| our == one));
        match audience {
            Some(Value::Array(all)) => all.iter().any(ours),
            Some(one) => ours(one),
            None => false,
        }
    }
}

/// A claim by its name, or by a way through objects with points between.
fn member<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        member(claims.get(first)?.as_object()?, rest)
    })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Adds the claims at one depth, with points between the names on the way.
fn known(
    mut caller: Caller,
    claims: &Map<String, Value>,
    before: &str,
    depth: usize,
    left: &mut usize,
) -> Caller {
    for (name, value) in claims {
        let name = format!("{before}{name}");
        match value {
            Value::Object(inner) if depth > 0 => {
                caller = known(caller, inner, &format!("{name}."), depth - 1, left);
            }
            value if depth == 0 && *left > 0 => {
                if let Some(text) = scalar(value) {
                    *left -= 1;
                    caller = caller.with_claim(&name, &text);
                }
            }
            _ => {}
        }
    }
    caller
}
