//! One operation of a batch: read strictly, planned as the request that it stands for, and answered as one.

use http::header::{HeaderName, HeaderValue, IF_MATCH};
use http::{Method, Uri};
use kasoku_database::WriteTransaction;
use kasoku_http_caching::conditions::Conditions;
use kasoku_pipeline::{PathParams, Request};
use kasoku_problem::{Kind, Problem};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json};

use super::{Done, Target, WriteError, reference};
use crate::media::Media;
use crate::prefer::{PREFER, Preferences};
use crate::table::KEY_PARAM;
use crate::write::job::Guards;
use crate::write::plan;

/// What an operation may say.
const MEMBERS: [&str; 6] = ["id", "method", "path", "prefer", "if_match", "body"];

/// The longest name of an operation.
const ID_BYTES_MAX: usize = 64;

/// One operation.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) id: Option<String>,
    /// The place of the route that it is sent to.
    pub(super) target: usize,
    method: Method,
    /// Path and query, in which references stand in braces.
    path: String,
    fields: Vec<(HeaderName, HeaderValue)>,
    body: Json,
}

/// Reads the operations of a body.
pub(super) fn read(body: Json, most: usize, targets: &[Target]) -> Result<Vec<Operation>, Problem> {
    let Json::Object(mut members) = body else {
        return Err(invalid("the body of a batch is an object with `operations`"));
    };
    let Some(Json::Array(operations)) = members.remove("operations") else {
        return Err(invalid("`operations` must be an array"));
    };
    if let Some(other) = members.keys().next() {
        return Err(invalid(&format!(
            "a batch has no `{}`, only `operations`",
            crate::body::beginning(other)
        )));
    }
    if operations.is_empty() || operations.len() > most {
        let detail =
            format!("a batch has from 1 to {most} operations, and this one has {}", operations.len());
        return Err(Problem::new(Kind::Unprocessable).detail(detail).member("most", most));
    }
    let mut read: Vec<Operation> = Vec::with_capacity(operations.len());
    for (number, operation) in operations.into_iter().enumerate() {
        let operation = one(operation, targets).map_err(|problem| numbered(number, None, problem))?;
        if operation.id.is_some() && read.iter().any(|earlier| earlier.id == operation.id) {
            let problem = Problem::new(Kind::Unprocessable).detail("an earlier operation has the same `id`");
            return Err(numbered(number, operation.id.as_deref(), problem));
        }
        read.push(operation);
    }
    Ok(read)
}

impl Operation {
    /// Carries it out. `known` has the answers of those before it.
    pub(super) fn run(
        &self,
        target: &Target,
        known: &Map<String, Json>,
        transaction: &mut WriteTransaction<'_>,
    ) -> Result<Box<Done>, WriteError> {
        let refused = WriteError::Refused;
        let path = reference::in_path(&self.path, known).map_err(refused)?;
        let body = reference::in_body(&self.body, known).map_err(refused)?;
        let uri: Uri = path.parse().map_err(|_| refused(invalid("the path is no path of a request")))?;
        let mut request = Request::new(self.method.clone(), uri);
        request.headers.extend(self.fields.iter().cloned());
        if let Some(key) = key_in(&target.path, request.uri.path()) {
            let key = percent_decode_str(key).decode_utf8();
            let key = key.map_err(|_| refused(invalid("the path's percent-encoding is no UTF-8")))?;
            request.params = PathParams::one(KEY_PARAM.into(), &key);
        }
        let preferences = Preferences::of(&request.headers).map_err(refused)?;
        if preferences.end.is_some() {
            return Err(refused(invalid("`tx` is said of the whole batch, and not of an operation")));
        }
        let conditions = Conditions::take(&mut request.headers);
        let guards = Guards { idempotent: None, conditions };
        let job = plan::job(&target.table, &request, &body, (preferences, Media::Json), guards);
        job.map_err(refused)?.run(transaction)
    }

    /// Writes what it was answered with.
    pub(super) fn write_done(&self, done: &Done, out: &mut Vec<u8>) {
        self.begin(done.written.status.as_u16(), out);
        let header = |value: &Option<HeaderValue>| {
            value.as_ref().and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let fields = [
            ("location", done.written.location.clone()),
            ("etag", header(&done.etag)),
            ("content_range", header(&done.counted)),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                out.extend_from_slice(format!(",\"{name}\":{}", Json::from(value)).as_bytes());
            }
        }
        if !done.written.body.is_empty() {
            out.extend_from_slice(b",\"body\":");
            out.extend_from_slice(&done.written.body);
        }
        out.push(b'}');
    }

    /// Writes why it was not done.
    pub(super) fn write_failed(&self, problem: &Problem, request_id: &str, out: &mut Vec<u8>) {
        self.begin(problem.kind().status().as_u16(), out);
        out.extend_from_slice(b",\"problem\":");
        out.extend_from_slice(&problem.coded_document(request_id));
        out.push(b'}');
    }

    /// The problem of the whole batch that this operation's is.
    pub(super) fn at_fault(&self, number: usize, problem: Problem) -> Problem {
        numbered(number, self.id.as_deref(), problem)
    }

    fn begin(&self, status: u16, out: &mut Vec<u8>) {
        let id =
            self.id.as_ref().map_or_else(String::new, |id| format!("\"id\":{},", Json::from(id.as_str())));
        out.extend_from_slice(format!("{{{id}\"status\":{status}").as_bytes());
    }
}

/// Adds which operation it is about; nothing of the batch was kept.
fn numbered(number: usize, id: Option<&str>, problem: Problem) -> Problem {
    let name = id.map_or_else(String::new, |id| format!(" (`{id}`)"));
    let what = problem.detail_text().unwrap_or_else(|| problem.kind().title()).to_owned();
    let detail = format!("operation {number}{name}: {what}; nothing of the batch was kept");
    let problem = problem.detail(detail).member("operation", number);
    match id {
        Some(id) => problem.member("id", id),
        None => problem,
    }
}

fn one(operation: Json, targets: &[Target]) -> Result<Operation, Problem> {
    let Json::Object(mut members) = operation else { return Err(invalid("it is not an object")) };
    if let Some(other) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        let detail = format!("an operation has no `{}`", crate::body::beginning(other));
        return Err(invalid(&detail).member("allowed", MEMBERS.as_slice()));
    }
    let mut text = |name: &str| match members.remove(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(invalid(&format!("`{name}` must be a string"))),
    };
    let (id, method, path) = (text("id")?, text("method")?, text("path")?);
    let (prefer, if_match) = (text("prefer")?, text("if_match")?);
    if id.as_ref().is_some_and(|id| id.is_empty() || id.len() > ID_BYTES_MAX || id.contains(['/', '~'])) {
        return Err(invalid(&format!("an `id` has from 1 to {ID_BYTES_MAX} bytes, without `/` and `~`")));
    }
    let path = path.ok_or_else(|| invalid("`path` is missing"))?;
    let method = method.ok_or_else(|| invalid("`method` is missing"))?;
    let plain = path.split(['?', '#']).next().unwrap_or_default();
    let found =
        targets.iter().position(|target| plain == target.path || key_in(&target.path, plain).is_some());
    let Some(target) = found else {
        let allowed: Vec<&str> = targets.iter().map(|target| target.path.as_str()).collect();
        let detail = "this batch sends nothing to that path";
        return Err(Problem::new(Kind::NotFound).detail(detail).member("allowed", allowed));
    };
    let methods = &targets[target].methods[usize::from(plain != targets[target].path)];
    let writes = methods.iter().filter(|known| **known != Method::GET);
    let Some(method) = writes.clone().find(|known| known.as_str() == method).cloned() else {
        let allowed: Vec<&str> = writes.map(Method::as_str).collect();
        let detail = format!("`{}` is no way to write there", crate::body::beginning(&method));
        return Err(Problem::new(Kind::MethodNotAllowed).detail(detail).member("allowed", allowed));
    };
    let mut fields = Vec::new();
    for (name, value) in [(PREFER, prefer), (IF_MATCH, if_match)] {
        if let Some(value) = value {
            let value = HeaderValue::try_from(value);
            fields.push((name, value.map_err(|_| invalid("a field has characters that no field can have"))?));
        }
    }
    let body = members.remove("body");
    if body.is_some() && method == Method::DELETE {
        return Err(invalid("a DELETE has no `body`"));
    }
    Ok(Operation { id, target, method, path, fields, body: body.unwrap_or(Json::Null) })
}

/// The key in the path of a row below a list.
fn key_in<'p>(list: &str, path: &'p str) -> Option<&'p str> {
    let key = path.strip_prefix(list.trim_end_matches('/'))?.strip_prefix('/')?;
    let inside = reference::without(key);
    (!key.is_empty() && !inside.contains('/')).then_some(key)
}

fn invalid(detail: &str) -> Problem {
    Problem::new(Kind::Unprocessable).detail(detail.to_owned())
}
