//! Refuses requests that this server has sent on before: origins that lead in a circle.
//!
//! It stands before `collapse`, where such a request would otherwise wait for itself until its deadline. What is stored
//! has been looked up by then, for that goes in no circle.

use std::sync::Arc;

use kasoku_http_caching::pseudonym::Pseudonym;
use kasoku_pipeline::{Next, Outcome, Policy, Request};
use kasoku_problem::Kind;

/// See the module.
#[derive(Debug)]
pub struct Loops {
    pseudonym: Pseudonym,
}

impl Loops {
    /// Refuses what a server with this name has sent on.
    pub fn new(pseudonym: &Pseudonym) -> Self {
        Self { pseudonym: pseudonym.clone() }
    }
}

impl Policy for Loops {
    async fn around<N: Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
        if self.pseudonym.has_sent(&request.headers) {
            return Err(Kind::LoopDetected.into());
        }
        next.run(request).await
    }
}

#[cfg(test)]
mod tests {
    use kasoku_http_caching::pseudonym::CDN_LOOP;
    use kasoku_pipeline::{BoxFuture, Promises, Response, Source, Stack, first};

    use super::*;

    struct Answers;

    impl Source for Answers {
        fn promises(&self) -> &Promises {
            const { &Promises::none() }
        }

        fn answer(&self, _: Request) -> BoxFuture<'_, Outcome> {
            Box::pin(async { Ok(Response::ok("asked".into())) })
        }
    }

    #[tokio::test]
    async fn what_comes_back_goes_no_further() {
        let pseudonym = Pseudonym::named("edge").unwrap();
        let pipeline = first(Loops::new(&pseudonym)).finally(Arc::new(Answers));
        let with = |by: &str| {
            let mut request = Request::get("/");
            request.headers.insert(CDN_LOOP, by.parse().unwrap());
            request
        };
        assert!(pipeline.run(with("other")).await.is_ok());
        let failure = pipeline.run(with("other, edge")).await.unwrap_err();
        assert_eq!(failure.problem.kind(), Kind::LoopDetected);
    }
}
