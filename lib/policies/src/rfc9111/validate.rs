//! Asking the origin by what is stored: validation, parts, and answers to `HEAD`.

use std::io;
use std::sync::Arc;

use http::header::{CONTENT_RANGE, ETAG};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Limited};
use kasoku_http_caching::partial::{Inserted as Merged, Parts};
use kasoku_http_caching::range::Span;
use kasoku_http_caching::reason::Reason;
use kasoku_http_caching::storing::Storing;
use kasoku_http_caching::validation::{self, HeadVerdict};
use kasoku_pipeline::{Body, Next, Outcome, Request, Response};
use kasoku_problem::{Kind, Problem};

use super::arrival::{Asked, Came, repeats};
use super::fill::{HttpFill, for_callers, personal, refuse, supersedes};
use super::names::{date, fields_to_keep};
use super::shelf::{Candidate, Lookup};
use crate::cache::StoredResponse;

/// How the origin is asked.
pub(super) enum Asks {
    /// By what the request says.
    AsItIs(Lookup),
    /// Whether one of these still holds.
    Validates(Vec<Candidate>),
    /// For the rest of this one.
    Completes(Candidate),
}

impl Asks {
    pub(super) fn candidate(&self) -> Option<&Candidate> {
        match self {
            Self::AsItIs(Lookup::Found(candidate)) => Some(candidate),
            Self::Validates(candidates) if candidates.len() == 1 => candidates.first(),
            Self::Completes(candidate) => Some(candidate),
            Self::AsItIs(_) | Self::Validates(_) => None,
        }
    }
}

impl HttpFill {
    /// The rest of what is stored in part (§3.3): the caller, who wants the whole, is given it when all is there.
    pub(super) async fn complete<N: Next>(
        &self,
        asked: Asked,
        came: &Came,
        candidate: &Candidate,
        response: Response,
        next: &Arc<N>,
    ) -> Outcome {
        let fields = response.into_fields();
        let limited = Limited::new(fields.body, self.shelf.rules.body_bytes_max as usize).collect().await;
        let body = limited.map_err(|error| {
            Problem::new(Kind::BadUpstream)
                .detail("the rest of the answer did not come")
                .cause(io::Error::other(error))
        })?;
        let rest = Parts::of_response(fields.status, &fields.headers, body.to_bytes()).ok();
        let whole = candidate.facts().parts.clone().zip(rest).and_then(|(mut parts, rest)| {
            (parts.merge(rest) == Merged::Merged).then(|| parts.whole()).flatten()
        });
        let Some(pieces) = whole else {
            // What came does not fit what is there.
            self.shelf.remove(&candidate.key);
            return self.ask_plainly(asked, came, next).await;
        };
        let mut response = Response::ok(Body::from(pieces.concat()));
        response.headers.clone_from(candidate.stored.headers());
        validation::freshen(&mut response.headers, &fields.headers);
        response.headers.remove(CONTENT_RANGE);
        response.cache.forward_status = Some(fields.status.as_u16());
        Ok(self.take(asked, came, None, response))
    }

    /// Asks by what is stored, where the request does not ask by something of its own.
    pub(super) fn ask(&self, request: &mut Request, found: Lookup) -> Asks {
        let has_own = super::wants::has_any(&request.headers);
        match found {
            Lookup::Found(candidate) if has_own => Asks::AsItIs(Lookup::Found(candidate)),
            Lookup::Found(candidate) => {
                if let Some(parts) = &candidate.facts().parts {
                    request.headers.extend(completing(parts).unwrap_or_default());
                    return Asks::Completes(*candidate);
                }
                request
                    .headers
                    .extend(validation::conditions([candidate.stored.headers()], self.shelf.rules.dates));
                Asks::Validates(vec![*candidate])
            }
            Lookup::OtherVariants(first) if !has_own => {
                let variants = self.variants(&first);
                request.headers.extend(validation::conditions(
                    variants.iter().map(|one| one.stored.headers()),
                    self.shelf.rules.dates,
                ));
                Asks::Validates(variants)
            }
            other => Asks::AsItIs(other),
        }
    }

    /// The variants that are stored beside the one that was asked for (§4.1): the origin may choose one of them.
    fn variants(&self, first: &Arc<StoredResponse>) -> Vec<Candidate> {
        let Some(facts) = first.http() else { return Vec::new() };
        let now = self.shelf.surroundings.clock.now();
        let others = facts.tagged().into_iter().filter_map(|variant| self.shelf.again(&variant.key, now));
        let first = self.shelf.again(first.key(), now);
        let all = first.into_iter().chain(others);
        all.filter(|one| one.stored.headers().contains_key(ETAG)).collect()
    }

    /// A 304: to this cache's own question, or to the caller's.
    pub(super) async fn not_modified<N: Next>(
        &self,
        mut asked: Asked,
        came: &Came,
        asks: Asks,
        response: Response,
        next: &Arc<N>,
    ) -> Outcome {
        let candidates = match asks {
            Asks::Validates(candidates) => candidates,
            // The caller asked, and is answered.
            Asks::AsItIs(_) | Asks::Completes(_) => return Ok(personal(response)),
        };
        let headers: Vec<&HeaderMap> = candidates.iter().map(|one| one.stored.headers()).collect();
        let selected = validation::selected(&response.headers, &headers);
        let mut freshened = None;
        for place in selected {
            freshened = Some(self.freshen(&mut asked, came, &candidates[place], &response.headers));
        }
        if let Some(response) = freshened {
            return Ok(response);
        }
        // RFC 9111 §4.3.4: none of what is stored is meant, so the answer is of no use.
        self.ask_plainly(asked, came, next).await
    }

    /// Asks once more, for the whole and on no condition.
    async fn ask_plainly<N: Next>(&self, asked: Asked, came: &Came, next: &Arc<N>) -> Outcome {
        let mut request = asked.request.again();
        super::wants::remove(&mut request.headers);
        let asked = Asked { request: request.again(), sent: came.arrived, ..asked };
        let response = next.run(request).await?;
        let came =
            Came { at: self.shelf.surroundings.clock.wall(), arrived: self.shelf.surroundings.clock.now() };
        if response.status == StatusCode::NOT_MODIFIED {
            return Ok(personal(response));
        }
        Ok(self.take(asked, &came, None, response))
    }

    /// Freshens a stored answer (§4.3.4) and answers with it.
    fn freshen(&self, asked: &mut Asked, came: &Came, candidate: &Candidate, update: &HeaderMap) -> Response {
        let mut headers = candidate.stored.headers().clone();
        headers.extend(candidate.facts().for_caches.clone());
        let mut update = update.clone();
        date(&mut update, came.at);
        validation::freshen(&mut headers, &update);
        let status = candidate.stored.status();
        let mut response = Response::new(status, Body::Full(candidate.stored.body().clone()));
        response.headers.clone_from(&headers);
        response.tags = Arc::clone(candidate.stored.tags());
        response.cache.forward_status = Some(StatusCode::NOT_MODIFIED.as_u16());
        match self.judge(asked, came, status, &headers) {
            Storing::Store(_) if repeats(&self.shelf.views, &asked.request, &update, b"") => {
                refuse(&mut response, Reason::Repeats);
            }
            Storing::Store(freshness) => {
                fields_to_keep(&mut headers, &freshness);
                let body = candidate.stored.body().clone();
                let keep = asked.keep(came, status, headers.clone(), body.clone(), freshness.clone());
                let mut kept = self.shelf.freshen(candidate, keep);
                if !self.shelf.selects(candidate.facts().selecting.as_ref(), &asked.request.headers) {
                    // RFC 9110 §15.4.5: the origin would have answered this request with it as well, so it is the
                    // variant for what this request says; else its like would be asked for each time.
                    let keep = asked.keep(came, status, headers, body, freshness.clone());
                    kept = self.shelf.keep(&asked.primary, &asked.request, keep);
                }
                self.say(&mut response, kept, &freshness);
            }
            Storing::Refuse(refusal) => {
                let reason = Reason::NotStored(refusal);
                if supersedes(reason) {
                    self.shelf.remove(&candidate.key);
                }
                refuse(&mut response, reason);
            }
        }
        for_callers(&mut response.headers);
        response
    }

    /// The answer to a `HEAD` (§4.3.5).
    pub(super) fn head(
        &self,
        mut asked: Asked,
        came: &Came,
        candidate: Option<&Candidate>,
        response: Response,
    ) -> Response {
        if let Some(candidate) = candidate {
            let length = Some(candidate.stored.body().len() as u64);
            match validation::head(candidate.stored.headers(), length, response.status, &response.headers) {
                HeadVerdict::Freshens => drop(self.freshen(&mut asked, came, candidate, &response.headers)),
                HeadVerdict::Invalidates => self.shelf.remove(&candidate.key),
                HeadVerdict::Nothing => {}
            }
        }
        personal(response)
    }
}

/// What asks for all that is missing of a whole.
fn completing(parts: &Parts) -> Option<HeaderMap> {
    parts.completing(Span::whole(parts.complete_length())?)
}
