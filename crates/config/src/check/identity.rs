//! The section `identity`: which credentials are accepted.

use std::time::Duration;

use http::Uri;
use kasoku_policies::identify::{Algorithm, ClaimRules, DOCUMENT_BYTES_MAX, KeySet};

use super::Check;
use super::server::kept_elsewhere;
use crate::diagnostic::{Finding, did_you_mean};
use crate::identity_plan::{IdentitySettings, KeysFrom, TokenSettings};
use crate::secret::Secret;
use crate::tree::KeyPath;
use crate::written::{Identity, Jwt, OneOrMore};

/// Clocks that are further apart are wrong.
const LEEWAY_MAX: Duration = Duration::from_mins(10);

/// How callers are identified.
pub(super) fn settings(check: &mut Check<'_>, written: &Identity) -> Option<IdentitySettings> {
    let at = KeyPath::root().key("identity");
    let Some(jwt) = &written.jwt else {
        let finding = Finding::error("nobody would be identified: [identity] names no credentials");
        check.key(&at, finding.label("expected `[identity.jwt]`"));
        return None;
    };
    let tokens = tokens(check, &at.key("jwt"), jwt)?;
    Some(IdentitySettings { tokens: Some(tokens) })
}

fn tokens(check: &mut Check<'_>, at: &KeyPath, written: &Jwt) -> Option<TokenSettings> {
    let named = algorithms(check, &at.key("algorithms"), written.algorithms.as_deref());
    let keys = match (&written.secret, &written.keys) {
        (Some(secret), None) => {
            let secret = kept_elsewhere(check, &at.key("secret"), secret)?;
            KeysFrom::Secret(Secret::new(secret))
        }
        (None, Some(text)) => public_keys(check, &at.key("keys"), text)?,
        (Some(_), Some(_)) => {
            let secret = check.key_place(&at.key("secret"));
            let finding = Finding::error("tokens would be verified by a secret and by public keys")
                .label("expected one of both")
                .see(secret, "the secret");
            check.key(&at.key("keys"), finding);
            return None;
        }
        (None, None) => {
            let finding = Finding::error("there is nothing to verify tokens with");
            let hint = "add `secret = \"env:JWT_SECRET\"`, or `keys` with the issuer's public keys";
            check.key(at, finding.label("expected `secret` or `keys`").hint(hint));
            return None;
        }
    };
    let algorithms = match (&keys, named?) {
        (KeysFrom::Secret(_), named) if named.is_empty() => vec![Algorithm::Hs256],
        (_, named) => named,
    };
    fits(check, at, &keys, &algorithms)?;
    if written.leeway.duration() > LEEWAY_MAX {
        let finding = Finding::error("`leeway` is out of range");
        check.value(&at.key("leeway"), finding.label("expected up to 10m"));
    }
    for (name, text) in [("subject", &written.subject), ("roles", &written.roles)] {
        if text.is_empty() {
            let finding = Finding::error(format!("`{name}` is empty"));
            check.value(&at.key(name), finding.label("expected the name of a claim"));
        }
    }
    if written.audience.is_none() {
        let finding = Finding::warning("tokens for any audience are accepted")
            .label("also those that were issued for other services")
            .hint("say for whom they are, as in `audience = \"shop\"`");
        check.key(at, finding);
    }
    let texts =
        |texts: &Option<OneOrMore>| texts.as_ref().map_or_else(Vec::new, |texts| texts.all().to_vec());
    Some(TokenSettings {
        keys,
        algorithms,
        claims: ClaimRules {
            issuers: texts(&written.issuer),
            audiences: texts(&written.audience),
            subject: written.subject.clone(),
            roles: written.roles.clone(),
            leeway: written.leeway.duration(),
        },
        remembered_max: written.remembered as usize,
    })
}

fn algorithms(check: &mut Check<'_>, at: &KeyPath, written: Option<&[String]>) -> Option<Vec<Algorithm>> {
    let names = Algorithm::ALL.map(|(name, _)| name);
    let mut found = Vec::new();
    let mut is_sound = true;
    for (index, name) in written.unwrap_or_default().iter().enumerate() {
        if let Some(algorithm) = Algorithm::named(name) {
            found.push(algorithm);
            continue;
        }
        is_sound = false;
        let finding = if name.eq_ignore_ascii_case("none") {
            Finding::error("a token that nobody signed is nobody's").label("`none` is never accepted")
        } else {
            Finding::error(format!("`{name}` is not an algorithm of tokens"))
                .label(format!("expected one of {}", names.join(", ")))
                .hint_if(did_you_mean(name, names))
        };
        check.value(&at.index(index), finding);
    }
    is_sound.then_some(found)
}

fn public_keys(check: &mut Check<'_>, at: &KeyPath, text: &str) -> Option<KeysFrom> {
    if text.contains("://") {
        let url = text.parse::<Uri>().ok().filter(|url| {
            matches!(url.scheme_str(), Some("http" | "https"))
                && url.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        });
        if url.is_none() {
            let finding = Finding::error("this is no URL of keys");
            check.value(at, finding.label("expected such as \"https://id.example.com/jwks.json\""));
        }
        let url = url?;
        let host = url.host().unwrap_or_default();
        let is_here = host == "localhost"
            || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if url.scheme_str() == Some("http") && !is_here {
            let finding = Finding::error("keys that come in the clear could be anybody's");
            check.value(at, finding.label("expected `https`"));
            return None;
        }
        return Some(KeysFrom::Url(url));
    }
    let path = check.path(text);
    let document = check.read(&path, at, "the file of keys", DOCUMENT_BYTES_MAX as u64)?;
    match KeySet::of_document(&document) {
        Ok(_) => Some(KeysFrom::Document(document)),
        Err(fault) => {
            let finding = Finding::error(format!("the file of keys cannot be used: {fault}"));
            check.value(at, finding.label("expected a public key or a JSON Web Key Set"));
            None
        }
    }
}

/// Whether the keys can be used with the algorithms.
fn fits(check: &mut Check<'_>, at: &KeyPath, keys: &KeysFrom, algorithms: &[Algorithm]) -> Option<()> {
    let found: Vec<Algorithm> = match keys {
        KeysFrom::Url(_) => {
            let is_secret = |algorithm: &&Algorithm| algorithm.secret_bytes_min().is_some();
            let Some(algorithm) = algorithms.iter().find(is_secret) else { return Some(()) };
            unfit(check, at, *algorithm);
            return None;
        }
        KeysFrom::Secret(secret) => {
            let set = KeySet::of_secret(secret.reveal().as_bytes(), algorithms);
            let length = secret.reveal().len();
            let least = algorithms.iter().filter_map(|algorithm| algorithm.secret_bytes_min()).max();
            if let Some(least) = least.filter(|least| length < *least) {
                let finding = Finding::error("the secret is too short for its algorithm")
                    .label(format!("has {length} bytes, expected {least} or more"))
                    .hint("`openssl rand -base64 48` makes a good one");
                check.value(&at.key("secret"), finding);
                return None;
            }
            set.algorithms().collect()
        }
        KeysFrom::Document(document) => KeySet::of_document(document).ok()?.algorithms().collect(),
    };
    if let Some(algorithm) = algorithms.iter().find(|algorithm| !found.contains(algorithm)) {
        unfit(check, at, *algorithm);
        return None;
    }
    Some(())
}

fn unfit(check: &mut Check<'_>, at: &KeyPath, algorithm: Algorithm) {
    let finding = Finding::error(format!("no key here is for `{}`", algorithm.name()));
    check.value(&at.key("algorithms"), finding.label("expected algorithms of the keys"));
}
