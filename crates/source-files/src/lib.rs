//! Answers from a folder.
//!
//! A request's path is read once (`path`), opened in such a way that it cannot leave the folder (`folder`), and
//! answered with validators, a media type, a stored coding where one lies beside the file, and byte ranges. Small
//! files are sent from memory; large ones are read piece by piece, as fast as the caller takes them.
//!
//! This crate must not know where the folder's name came from, nor any policy: conditions on whole answers, `HEAD`
//! and compression on the fly are somebody else's.

mod answer;
mod body;
mod folder;
mod kept;
mod lookup;
mod media_type;
mod path;
mod validator;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT_ENCODING, ALLOW, HeaderValue};
use http::{HeaderMap, Method};
use kasoku_http_caching::coding::negotiate;
use kasoku_pipeline::{BoxFuture, Failure, Outcome, Promises, Request, Source};
use kasoku_problem::{Kind, Problem};
use kasoku_units::{Clock, SystemClock};

use crate::answer::Question;
use crate::kept::KeptFiles;
use crate::lookup::Found;
use crate::path::Refusal;

/// A folder of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesRules {
    /// The folder.
    pub folder: PathBuf,
    /// Served for a path that ends in `/`.
    pub index: String,
    /// Served, with status 200, where nothing else is: for single-page applications. A path that ends in the name
    /// of a file with a known extension is not found all the same, so that a missing script is not a page.
    pub fallback: Option<String>,
    /// `Cache-Control: max-age` of its answers.
    pub max_age: Duration,
}

/// Answers from a folder.
///
/// What the last parameter of the route's pattern matched is looked for in the folder; a route without parameters
/// serves the folder's index.
pub struct FilesSource {
    shared: Arc<Shared>,
    promises: Promises,
}

struct Shared {
    rules: FilesRules,
    kept: KeptFiles,
    clock: Box<dyn Clock>,
}

impl FilesSource {
    /// A source that answers by these rules. The folder is opened anew for each request, so that it may be
    /// replaced, or a link to it turned, while requests are served.
    pub fn new(rules: FilesRules) -> Self {
        Self::with_clock(rules, SystemClock)
    }

    /// The same, with a clock of one's own. It tells whether a file has been left alone for long enough to trust
    /// its times.
    pub fn with_clock(rules: FilesRules, clock: impl Clock) -> Self {
        Self {
            shared: Arc::new(Shared { rules, kept: KeptFiles::default(), clock: Box::new(clock) }),
            promises: Promises {
                methods: vec![Method::GET],
                vary: vec![ACCEPT_ENCODING],
                streams: true,
                ..Promises::none()
            },
        }
    }

    async fn serve(&self, request: Request) -> Outcome {
        if request.method != Method::GET && request.method != Method::HEAD {
            let allowed = HeaderValue::from_static("GET, HEAD, OPTIONS");
            return Err(Problem::new(Kind::MethodNotAllowed).header(ALLOW, allowed).into());
        }
        let target = path::target(&request).map_err(refused)?;
        let wish = negotiate(&request.headers);
        let shared = Arc::clone(&self.shared);
        let search = move || lookup::find(&shared.rules, &shared.kept, &*shared.clock, &target, wish);
        let found = tokio::task::spawn_blocking(search).await.map_err(broken)?.map_err(unreadable)?;
        let no_conditions = HeaderMap::new();
        let question = Question {
            path: request.uri.path(),
            query: request.uri.query(),
            // RFC 9110 §14.2: a range means something with GET only.
            headers: if request.method == Method::GET { &request.headers } else { &no_conditions },
            max_age: self.shared.rules.max_age,
            now: self.shared.clock.wall(),
        };
        match found {
            Found::File(file) => answer::with_file(&question, *file),
            Found::FolderWithoutSlash => Ok(answer::with_slash(&question)),
            Found::Nothing => Err(Kind::NotFound.into()),
        }
    }
}

impl Source for FilesSource {
    fn promises(&self) -> &Promises {
        &self.promises
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        Box::pin(self.serve(request))
    }
}

fn refused(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Malformed(why) => Problem::new(Kind::Malformed).detail(why).into(),
        // Whether a hidden file exists is nobody's business.
        Refusal::Hidden | Refusal::Unmatched => Kind::NotFound.into(),
    }
}

/// The folder, not the path, is at fault: it is gone, or the process has no handles left.
fn unreadable(error: std::io::Error) -> Failure {
    Problem::new(Kind::Unavailable).cause(error).into()
}

fn broken(error: tokio::task::JoinError) -> Failure {
    Problem::new(Kind::Internal).cause(error).into()
}
