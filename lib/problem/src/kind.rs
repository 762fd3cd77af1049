//! The catalogue of kinds: one row each, with status, slug, title, fault and retry.

use http::StatusCode;

/// Who has to act for the failure to go away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller: the same request will fail again.
    Caller,
    /// This server, or what it is configured with.
    Server,
    /// Something behind this server.
    Upstream,
}

/// Whether sending the same request again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Not without a change.
    Never,
    /// After this many seconds, if nothing more precise is known.
    After(u64),
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $status:literal $slug:literal $title:literal $fault:ident $retry:expr;)+) => {
        /// A kind of failure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Kind { $($(#[doc = $doc])+ $name,)+ }

        impl Kind {
            /// Every kind, for documentation and tests.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),+];

            /// The status that it is answered with; never a success.
            pub fn status(self) -> StatusCode {
                let code = match self { $(Kind::$name => $status,)+ };
                StatusCode::from_u16(code).expect("the table below holds valid codes")
            }

            /// The stable name, last part of the problem type.
            pub fn slug(self) -> &'static str {
                match self { $(Kind::$name => $slug,)+ }
            }

            /// A short text for people, the same for each occurrence (RFC 9457 §3.1.3).
            pub fn title(self) -> &'static str {
                match self { $(Kind::$name => $title,)+ }
            }

            /// Whose fault it is.
            pub fn fault(self) -> Fault {
                match self { $(Kind::$name => Fault::$fault,)+ }
            }

            /// Whether a retry can help.
            pub fn retry(self) -> Retry {
                match self { $(Kind::$name => $retry,)+ }
            }
        }
    };
}

kinds! {
    /// What the request names could be several things; it must say which.
    Ambiguous = 300 "ambiguous" "Ambiguous request" Caller Retry::Never;
    /// The request could not be understood.
    Malformed = 400 "malformed" "Malformed request" Caller Retry::Never;
    /// A query parameter that the route does not have.
    UnknownParameter = 400 "unknown-parameter" "Unknown parameter" Caller Retry::Never;
    /// A query parameter with a value that cannot be used.
    InvalidParameter = 400 "invalid-parameter" "Invalid parameter" Caller Retry::Never;
    /// A cursor that was changed, cut, or made for another list.
    CursorInvalid = 400 "cursor-invalid" "Invalid cursor" Caller Retry::Never;
    /// A body that is not what its media type says.
    InvalidBody = 400 "invalid-body" "Invalid body" Caller Retry::Never;
    /// No credentials, or wrong ones.
    Unauthenticated = 401 "unauthenticated" "Authentication required" Caller Retry::Never;
    /// The caller may not do this.
    Forbidden = 403 "forbidden" "Forbidden" Caller Retry::Never;
    /// Nothing is served at this path, or the row does not exist.
    NotFound = 404 "not-found" "Not found" Caller Retry::Never;
    /// The path exists, the method does not; `Allow` says which do.
    MethodNotAllowed = 405 "method-not-allowed" "Method not allowed" Caller Retry::Never;
    /// None of the media types that the caller accepts can be made.
    NotAcceptable = 406 "not-acceptable" "Not acceptable" Caller Retry::Never;
    /// The request took too long to arrive.
    RequestTimeout = 408 "request-timeout" "Request timeout" Caller Retry::Never;
    /// The write contradicts what is stored, such as a duplicate key.
    Conflict = 409 "conflict" "Conflict" Caller Retry::Never;
    /// An equal idempotent request is still being worked on.
    IdempotencyInFlight = 409 "idempotency-in-flight" "Request with this key is in progress" Caller Retry::After(1);
    /// A precondition such as `If-Match` does not hold.
    PreconditionFailed = 412 "precondition-failed" "Precondition failed" Caller Retry::Never;
    /// The body is larger than the route allows.
    BodyTooLarge = 413 "body-too-large" "Body too large" Caller Retry::Never;
    /// The target is longer than the server reads.
    TargetTooLong = 414 "target-too-long" "Request target too long" Caller Retry::Never;
    /// The body's media type is not one that the route reads.
    UnsupportedMediaType = 415 "unsupported-media-type" "Unsupported media type" Caller Retry::Never;
    /// No part of the requested range exists.
    RangeNotSatisfiable = 416 "range-not-satisfiable" "Range not satisfiable" Caller Retry::Never;
    /// The request expects what nobody here can do.
    ExpectationFailed = 417 "expectation-failed" "Expectation failed" Caller Retry::Never;
    /// The body is well formed, but its values cannot be used.
    Unprocessable = 422 "unprocessable" "Unprocessable content" Caller Retry::Never;
    /// The idempotency key was used before with another request.
    IdempotencyMismatch = 422 "idempotency-mismatch" "Idempotency key reused" Caller Retry::Never;
    /// The caller sent more than it may.
    TooManyRequests = 429 "too-many-requests" "Too many requests" Caller Retry::After(1);
    /// The header section is larger than the server reads.
    HeadersTooLarge = 431 "headers-too-large" "Header fields too large" Caller Retry::Never;
    /// A defect of this server; details are in its log.
    Internal = 500 "internal" "Internal error" Server Retry::Never;
    /// The method is not one that this server knows.
    NotImplemented = 501 "not-implemented" "Not implemented" Server Retry::Never;
    /// Something behind this server gave a broken answer.
    BadUpstream = 502 "bad-upstream" "Bad answer from upstream" Upstream Retry::After(1);
    /// Refused before work was done, because there is too much of it.
    Overloaded = 503 "overloaded" "Overloaded" Server Retry::After(1);
    /// What the answer comes from cannot be reached.
    Unavailable = 503 "unavailable" "Unavailable" Upstream Retry::After(1);
    /// The answer could not be given in time.
    DeadlineExceeded = 504 "deadline-exceeded" "Deadline exceeded" Upstream Retry::After(1);
    /// There is no room to store what was sent.
    InsufficientStorage = 507 "insufficient-storage" "Insufficient storage" Server Retry::After(10);
    /// The request came back to a server that had sent it on: origins lead in a circle.
    LoopDetected = 508 "loop-detected" "Loop detected" Server Retry::Never;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_an_error_with_a_name_of_its_own() {
        let mut slugs = std::collections::HashSet::new();
        for kind in Kind::ALL {
            let status = kind.status();
            assert!(!status.is_success() && !status.is_informational(), "{kind:?}");
            assert!(slugs.insert(kind.slug()), "{kind:?} shares its slug");
            // RFC 9110 §15.4.1: of several choices, too, the caller takes one.
            let by_caller = status.is_client_error() || status.is_redirection();
            assert_eq!(kind.fault() == Fault::Caller, by_caller, "{kind:?}");
        }
    }
}
