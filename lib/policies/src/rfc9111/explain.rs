//! What the rules make of one request, and what is kept of its answer, for people who want to know why.
//!
//! Nothing is decided here: the views, the shelf and the table of treatments are those that serve.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use kasoku_http_caching::freshness::Freshness;
use kasoku_pipeline::Request;

use super::HttpCacheRules;
use super::fields::{Because, Treatment};
use super::shelf::{Lookup, Shelf};
use super::view::{self, Views};
use crate::Surroundings;
use crate::cache::{KeyPart, ResponseStore};

/// A field of a request and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldTreated {
    /// Its name.
    pub name: HeaderName,
    /// Its value.
    pub value: HeaderValue,
    /// What becomes of it.
    pub treatment: Treatment,
    /// What that follows from.
    pub because: Because,
}

/// What is kept of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// How it may be reused.
    pub freshness: Freshness,
    /// The fields whose values it was chosen by; empty if there are none.
    pub varies_by: Vec<HeaderName>,
    /// Whether only a part of the whole is kept.
    pub is_part: bool,
}

/// What becomes of each field of a request, in its order.
pub fn fields(rules: &HttpCacheRules, request: &Request) -> Vec<FieldTreated> {
    let treated = |(name, value): (&HeaderName, &HeaderValue)| {
        let (treatment, because) = rules.fields.treated(name, value);
        FieldTreated { name: name.clone(), value: value.clone(), treatment, because }
    };
    request.headers.iter().map(treated).collect()
}

/// The parts of the key that a request's answers are stored under, variants apart.
pub fn key(rules: &HttpCacheRules, route: usize, request: &Request) -> Vec<KeyPart> {
    let key = Views::new(route, &rules.fields).primary(request, request.uri.query());
    let mut parts = key.parts();
    let target = ["route", "method", "path", "query", "authority"];
    let mut named: Vec<KeyPart> =
        target.into_iter().zip(parts.by_ref()).map(|(name, part)| KeyPart::new(name, part)).collect();
    if view::is_query(&request.method)
        && let Some(digest) = request.body.bytes().and_then(|_| parts.next()).flatten()
    {
        let digest = digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        named.push(KeyPart::new("content", Some(digest.as_bytes())));
    }
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        named.push(KeyPart::new(&String::from_utf8_lossy(name.unwrap_or_default()), value));
    }
    named
}

/// What is kept of the answer to a request.
pub fn held(
    rules: &HttpCacheRules,
    store: &Arc<ResponseStore>,
    surroundings: &Surroundings,
    request: &Request,
) -> Option<Held> {
    let shelf = Shelf {
        views: Views::new(surroundings.route.index, &rules.fields),
        rules: rules.clone(),
        store: Arc::clone(store),
        surroundings: surroundings.clone(),
        second_tier: None,
        searches: super::searches::Searches::default(),
    };
    match shelf.find(&shelf.primary(request), request, surroundings.clock.now()) {
        Lookup::Found(candidate) => {
            let facts = candidate.facts();
            Some(Held {
                freshness: facts.freshness.clone(),
                varies_by: facts.selecting.as_ref().map(|one| one.names.clone()).unwrap_or_default(),
                is_part: facts.parts.is_some(),
            })
        }
        Lookup::OtherVariants(_) | Lookup::Changed | Lookup::Absent => None,
    }
}

impl Treatment {
    /// A word for machines.
    pub fn token(self) -> &'static str {
        self.words().0
    }

    /// A sentence for people.
    pub fn explain(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Hidden => ("hidden", "The origin does not see it, so no shared answer depends on it."),
            Self::Keyed => ("keyed", "The origin sees it, and it is part of the key."),
            Self::Shown => ("shown", "The origin sees it; it is part of the key if Vary names it."),
            Self::Coding => (
                "coding",
                "The origin sees the codings known here, in one order; part of the key if Vary names it.",
            ),
            Self::Directive => ("directive", "It is for caches: followed here, and said anew to the origin."),
            Self::Condition => ("condition", "It is evaluated here if a whole answer is at hand."),
            Self::Credentials => {
                ("credentials", "The origin sees it; its answer is shared only as RFC 9111 §3.5 allows.")
            }
            Self::Hop => ("hop", "It belongs to this connection or transfer; the next one has its own."),
        }
    }
}

impl Because {
    /// What decides.
    pub fn clause(self) -> &'static str {
        match self {
            Self::Show => "`cache.show`",
            Self::Hide => "`cache.hide`",
            Self::Value => "its value",
            Self::Name => "its name",
        }
    }
}
