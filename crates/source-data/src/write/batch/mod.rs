//! Several writes in one transaction: `POST` to a batch route with the operations in order.
//!
//! Each operation is what a request of its own would be to one of the routes that the batch names, and may do what that
//! may. It runs in a savepoint. Either all of them are kept or none, which is the default; or
//! (`Prefer: continue-on-error`) those that could be done. An operation can take values out of the answers of those before
//! it. What all of them wrote is told before the answer, as of any write.

mod operation;
mod reference;

use std::sync::Arc;

use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Method, StatusCode};
use kasoku_database::{DatabaseError, WriteTransaction};
use kasoku_pipeline::{BoxFuture, Outcome, ProblemForm, Promises, Request, RequestBody, Source};
use kasoku_problem::{Kind, Problem};
use serde_json::{Map, Value as Json};

use super::{Done, When, WriteError, calendar};
use crate::idempotency::{Idempotent, Known, Written};
use crate::media::Media;
use crate::prefer::{self, End, Preferences};
use crate::table::{ListSource, RowSource, Table};
use crate::{body, position};
use operation::Operation;

/// Which routes a batch writes to, and how much at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRules {
    /// The paths of `table` routes.
    pub routes: Vec<String>,
    /// Operations in one request, at the most.
    pub operations_most: usize,
}

/// Answers batches.
pub struct BatchSource {
    /// Its own path, which keeps idempotency keys of routes apart.
    route: String,
    targets: Arc<[Target]>,
    operations_most: usize,
    promises: Promises,
}

/// A route that operations are sent to.
pub(super) struct Target {
    path: String,
    table: Arc<Table>,
    /// The methods of its list, and of its rows.
    methods: [Vec<Method>; 2],
}

/// What a batch has done.
struct Ran {
    written: Written,
    when: When,
}

/// One job: the operations, and how they end.
struct Batch {
    targets: Arc<[Target]>,
    operations: Vec<Operation>,
    preferences: Preferences,
    idempotent: Option<Idempotent>,
    request_id: String,
}

impl BatchSource {
    /// A batch at this path, over the sources of these paths.
    pub fn new(
        route: &str,
        sources: Vec<(String, ListSource, Option<RowSource>)>,
        operations_most: usize,
    ) -> Self {
        let targets = sources.into_iter().map(|(path, list, row)| Target {
            path,
            table: Arc::clone(list.table()),
            methods: [
                list.promises().methods.clone(),
                row.map(|row| row.promises().methods.clone()).unwrap_or_default(),
            ],
        });
        Self {
            route: route.to_owned(),
            targets: targets.collect(),
            operations_most,
            promises: Promises {
                methods: vec![Method::POST],
                vary: Vec::new(),
                by: Vec::new(),
                depends_on: Vec::new(),
                streams: false,
                problems: ProblemForm::Coded,
            },
        }
    }

    async fn run(&self, mut request: Request) -> Outcome {
        let preferences = Preferences::of(&request.headers)?;
        let sent = std::mem::replace(&mut request.body, RequestBody::empty());
        let (bytes, json) = body::read_json(&request.headers, sent).await?;
        let operations = operation::read(json, self.operations_most, &self.targets)?;
        let Some(first) = self.targets.first() else { return Err(Kind::NotFound.into()) };
        let table = &first.table;
        let applied = preferences.applied_to_import();
        let preferred = applied.as_ref().map_or(&b""[..], HeaderValue::as_bytes);
        let parts = [b"POST", self.route.as_bytes(), preferred, b"", &bytes[..]];
        let now_s = calendar(table.lanes.clock()).0;
        let idempotent =
            Idempotent::of(&request.headers, (&self.route, request.caller.as_deref()), parts, now_s)?;
        let request_id = request.id.as_str().to_owned();
        let targets = Arc::clone(&self.targets);
        let batch = Batch { targets, operations, preferences, idempotent, request_id };
        let job = move |transaction: &mut WriteTransaction<'_>| batch.run(transaction);
        let (ran, commit) = match table.lanes.write(true, request.deadline, job).await {
            Ok((ran, commit)) => (ran, Some(commit)),
            Err(BatchError::RolledBack(written)) => (Ran { written, when: When::Now }, None),
            Err(BatchError::Refused(problem)) => return Err(problem.into()),
            Err(BatchError::Database(error)) => return Err(Problem::from(error).into()),
        };
        let mut response = ran.written.into_response(Media::Json, ran.when == When::Before);
        response.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(applied) = applied {
            response.headers.insert(prefer::PREFERENCE_APPLIED, applied);
        }
        if let Some(landmark) = commit.and_then(|commit| commit.landmark) {
            position::tell(&mut response, &request.headers, &table.cursors.seal_landmark(landmark));
        }
        Ok(response)
    }
}

impl Source for BatchSource {
    fn promises(&self) -> &Promises {
        &self.promises
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        Box::pin(self.run(request))
    }
}

/// Why nothing was kept.
enum BatchError {
    Database(DatabaseError),
    Refused(Problem),
    /// The caller preferred it so.
    RolledBack(Written),
}

impl Batch {
    fn run(&self, transaction: &mut WriteTransaction<'_>) -> Result<Ran, BatchError> {
        if let Some(idempotent) = &self.idempotent
            && let Known::Answered(written) = idempotent.look_up(transaction)?.map_err(BatchError::Refused)?
        {
            return Ok(Ran { written, when: When::Before });
        }
        let mut body = b"{\"results\":[".to_vec();
        // What the operations so far were answered with, by their names.
        let mut known = Map::new();
        for (number, operation) in self.operations.iter().enumerate() {
            if number > 0 {
                body.push(b',');
            }
            let target = &self.targets[operation.target];
            let ran = transaction.attempt(|transaction| operation.run(target, &known, transaction));
            let problem = match ran {
                Ok(done) => {
                    if let Some(id) = &operation.id {
                        let answer = serde_json::from_slice(&done.written.body).unwrap_or(Json::Null);
                        known.insert(id.clone(), answer);
                    }
                    operation.write_done(&done, &mut body);
                    continue;
                }
                Err(WriteError::Database(error)) if is_of_the_batch(&error) => return Err(error.into()),
                Err(WriteError::Database(error)) => {
                    error.problem(|column| target.table.shown.iter().any(|shown| shown == column))
                }
                Err(WriteError::Refused(problem)) => problem,
                Err(WriteError::RolledBack(_)) => Problem::new(Kind::Internal),
            };
            if !self.preferences.continues {
                return Err(BatchError::Refused(operation.at_fault(number, problem)));
            }
            operation.write_failed(&problem, &self.request_id, &mut body);
        }
        body.extend_from_slice(b"]}");
        let written = Written { status: StatusCode::OK, location: None, body };
        if let Some(idempotent) = &self.idempotent {
            idempotent.keep(transaction, &written)?;
        }
        match self.preferences.end.unwrap_or(End::Commit) {
            End::Commit => Ok(Ran { written, when: When::Now }),
            End::Rollback => Err(BatchError::RolledBack(written)),
        }
    }
}

/// Whether an error is no operation's own: the transaction cannot go on, or is to be run again.
fn is_of_the_batch(error: &DatabaseError) -> bool {
    !matches!(error, DatabaseError::Constraint { .. } | DatabaseError::TooLarge)
}

impl From<DatabaseError> for BatchError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}
