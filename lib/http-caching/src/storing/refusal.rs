//! Why a response is not stored: the reasons, in words and with the clause.

use super::Provocation;

/// Why a response is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The method is neither `GET` nor `QUERY`.
    Method,
    /// The request says `no-store`.
    RequestNoStore,
    /// It is not a final response.
    NotFinal,
    /// It is a 304, which is about what is stored already.
    NotModified,
    /// `must-understand`, and the status is not understood.
    NotUnderstood,
    /// An error that the request may have brought about by something outside of its key.
    Provoked(Provocation),
    /// `no-store`.
    NoStore,
    /// `private`.
    Private,
    /// The request has credentials, and nothing allows to share the answer.
    Credentials,
    /// `Vary: *`, or what comes to the same: what cannot be a name, or more names than are told apart.
    VaryAny,
    /// It sets a cookie.
    SetsCookie,
    /// Its status needs an explicit lifetime, and there is none.
    Status,
    /// It can neither be fresh nor be validated, so it could never be reused.
    NoFreshnessNoValidator,
    /// A 206 whose `Content-Range` does not say which part it is.
    ContentRangeInvalid,
}

impl Refusal {
    /// A word for logs, metrics and `Cache-Status` details.
    pub fn token(self) -> &'static str {
        self.words().0
    }

    /// The clause that it follows from.
    pub fn clause(self) -> &'static str {
        self.words().1
    }

    /// A sentence for people.
    pub fn explain(self) -> &'static str {
        self.words().2
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Method => ("method", "RFC 9111 §3", "Only answers to GET and QUERY are stored."),
            Self::RequestNoStore => {
                ("request-no-store", "RFC 9111 §5.2.1.5", "The request asks that nothing be stored.")
            }
            Self::NotFinal => ("not-final", "RFC 9111 §3", "The response is an interim one."),
            Self::NotModified => {
                ("not-modified", "RFC 9111 §4.3.4", "A 304 freshens what is stored and is nothing by itself.")
            }
            Self::NotUnderstood => (
                "must-understand",
                "RFC 9111 §5.2.2.3",
                "The response's status must be understood, and is not.",
            ),
            Self::Provoked(provocation) => ("provoked", provocation.clause(), provocation.explain()),
            Self::NoStore => ("no-store", "RFC 9111 §5.2.2.5", "The response says no-store."),
            Self::Private => ("private", "RFC 9111 §5.2.2.7", "The response is for one caller."),
            Self::Credentials => (
                "credentials",
                "RFC 9111 §3.5",
                "The request has credentials, and the response says none of public, must-revalidate and s-maxage.",
            ),
            Self::VaryAny => {
                ("vary-any", "RFC 9111 §4.1", "By its Vary, no other request can be answered with it.")
            }
            Self::SetsCookie => {
                ("sets-cookie", "RFC 9111 §7.3", "The response sets a cookie, which is for one caller.")
            }
            Self::Status => (
                "status",
                "RFC 9110 §15.1",
                "A response with this status is stored only with an explicit lifetime.",
            ),
            Self::NoFreshnessNoValidator => (
                "no-freshness-no-validator",
                "RFC 9111 §3",
                "The response has no lifetime and no validator, so it could never be reused.",
            ),
            Self::ContentRangeInvalid => (
                "content-range-invalid",
                "RFC 9110 §14.4",
                "The partial response does not say which single part of the whole it is.",
            ),
        }
    }
}
