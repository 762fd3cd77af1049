//! What would be sent to an origin, told without sending it.

use kasoku_pipeline::{Foresight, Request};
use kasoku_problem::Problem;

use crate::OriginRules;
use crate::request::{self, Next, Outgoing};

/// See the module. A request that may go no further is sent nowhere.
pub(crate) fn foresee(request: Request, rules: &OriginRules) -> Result<Foresight, Problem> {
    match request::outgoing(request, rules)? {
        Next::Send(outgoing) => {
            let Outgoing { request, .. } = *outgoing;
            let (head, _) = request.into_parts();
            Ok(Foresight::Ask { method: head.method, target: head.uri, headers: head.headers })
        }
        Next::Answer => Ok(Foresight::Unknown),
    }
}
