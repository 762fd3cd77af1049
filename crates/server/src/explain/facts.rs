//! What an explanation consists of: facts that are printed for people, or as JSON.

use serde::Serialize;

/// What would happen to a request, and why.
#[derive(Debug, Default, Serialize)]
pub struct Explanation {
    /// The request.
    pub request: Asked,
    /// The route that takes it on.
    pub route: Option<Route>,
    /// The pattern of the route that comes nearest, if none takes it on.
    pub nearest: Option<String>,
    /// What becomes of its method.
    pub method: Method,
    /// What bounds it.
    pub limits: Option<Limits>,
    /// Whether and how its answers are cached.
    pub cache: Cache,
    /// What answers are stored under.
    pub key: Vec<Named>,
    /// What becomes of each field.
    pub fields: Vec<Field>,
    /// What the source is asked.
    pub forward: Option<Forward>,
    /// Why it is answered without its source.
    pub refused: Option<Refused>,
    /// What becomes of the answer.
    pub answer: Option<Answer>,
    /// What a successful answer to it removes from the cache.
    pub invalidates: Vec<String>,
}

impl Explanation {
    /// Whether anything takes the request on.
    pub fn is_served(&self) -> bool {
        self.route.is_some() || self.refused.is_none()
    }
}

/// A request.
#[derive(Debug, Default, Serialize)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The path and query.
    pub target: String,
    /// The host.
    pub host: String,
}

/// A route.
#[derive(Debug, Serialize)]
pub struct Route {
    /// Its pattern.
    pub path: String,
    /// Its place in the configuration, counted from 1.
    pub number: usize,
    /// The kind of its source.
    pub source: &'static str,
    /// What its source is.
    pub of: String,
}

/// What becomes of a method.
#[derive(Debug, Default, Serialize)]
pub struct Method {
    /// `read`, `write`, `described` or `refused`.
    pub treatment: &'static str,
    /// In a sentence.
    pub because: &'static str,
}

/// What bounds a request.
#[derive(Debug, Serialize)]
pub struct Limits {
    /// By when there is an answer.
    pub deadline: String,
    /// Requests in progress at once.
    pub concurrent: u32,
    /// Requests that may wait for their turn.
    pub queue: u32,
    /// How long one may wait.
    pub wait: String,
    /// Bytes of the request's body.
    pub body: String,
}

/// Whether and how answers are cached.
#[derive(Debug, Default, Serialize)]
pub struct Cache {
    /// `declared`, `rfc9111` or `off`.
    pub by: &'static str,
    /// What decides, in a sentence.
    pub because: String,
    /// Settings that matter, by name.
    pub settings: Vec<Named>,
}

/// Something with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// The name.
    pub name: String,
    /// What it is; nothing if it is not there.
    pub value: Option<String>,
}

/// A field of a request.
#[derive(Debug, Serialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value; credentials are covered.
    pub value: String,
    /// What becomes of it, in a word.
    pub treatment: &'static str,
    /// In a sentence.
    pub because: &'static str,
    /// What that follows from.
    pub clause: &'static str,
}

/// What a source is asked.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Forward {
    /// A request.
    Request {
        /// The method.
        method: String,
        /// The target.
        target: String,
        /// The fields.
        fields: Vec<Named>,
    },
    /// A statement.
    Statement {
        /// The text.
        sql: String,
        /// The values.
        values: Vec<String>,
    },
}

/// Why a request is answered without its source.
#[derive(Debug, Serialize)]
pub struct Refused {
    /// What its caller gets.
    pub outcome: Outcome,
    /// What it says.
    pub title: String,
    /// And in more words.
    pub detail: Option<String>,
}

/// What becomes of an answer.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Whether it is supposed that the source has one, as none was given.
    pub supposed: bool,
    /// What its caller gets.
    pub first: Outcome,
    /// Whether it is stored.
    pub stored: bool,
    /// Why it is not.
    pub because: Option<Because>,
    /// How it may be reused, if it is stored.
    pub freshness: Option<Freshness>,
    /// Fields of the request that are part of the key because of `Vary`.
    pub varies_by: Vec<String>,
    /// What it depends on, or is called.
    pub depends_on: Vec<String>,
    /// What removes it.
    pub removed_by: Vec<String>,
    /// What the same request gets later.
    pub then: Vec<Later>,
}

/// What decides.
#[derive(Debug, Clone, Serialize)]
pub struct Because {
    /// In a word.
    pub reason: &'static str,
    /// By which clause or setting.
    pub clause: &'static str,
    /// In a sentence.
    pub sentence: &'static str,
}

/// What a caller gets.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The status.
    pub status: u16,
    /// `X-Cache`.
    pub x_cache: String,
    /// `Cache-Status`.
    pub cache_status: String,
    /// What decides.
    pub because: Option<Because>,
}

/// How a stored answer may be reused.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is something that the answer said or did not")]
pub struct Freshness {
    /// How old it may get and still be fresh.
    pub lifetime_s: u64,
    /// Where that is from.
    pub source: &'static str,
    /// The clause or setting.
    pub clause: &'static str,
    /// The field whose directives hold.
    pub field: Option<String>,
    /// How old it was on arrival.
    pub age_s: u64,
    /// When it gets stale, counted from its arrival.
    pub stale_after_s: u64,
    /// How long it is given while it is asked for anew.
    pub stale_while_revalidate_s: u64,
    /// How long it stands in for an error.
    pub stale_if_error_s: u64,
    /// How long it stands in for silence.
    pub stale_if_unreachable_s: u64,
    /// Whether it must not be given stale.
    pub must_revalidate: bool,
    /// Whether it is asked about each time.
    pub no_cache: bool,
    /// Whether a reload leaves it be.
    pub immutable: bool,
    /// Whether it is given to callers with credentials.
    pub for_credentials: bool,
    /// Fields that are not stored.
    pub withheld: Vec<String>,
}

/// What the same request gets later.
#[derive(Debug, Serialize)]
pub struct Later {
    /// When, counted from the first answer.
    pub after_s: u64,
    /// What is special about that time.
    pub when: &'static str,
    /// What its caller gets.
    pub outcome: Outcome,
    /// Fields by which the source is asked whether the stored answer still holds.
    pub asks_by: Vec<String>,
    /// What its caller gets if the source cannot be reached.
    pub if_unreachable: Outcome,
}
