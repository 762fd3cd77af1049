//! How each field of a request is treated on its way to an origin whose answer may be shared.

use http::{HeaderName, HeaderValue};

/// What becomes of a request field where the answer may be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// The origin does not see it, so that no shared answer can depend on it.
    Hidden,
    /// The origin sees it, and it is part of the key whatever `Vary` says.
    Keyed,
    /// The origin sees it. It is part of the key if `Vary` names it (RFC 9111 §4.1).
    Shown,
    /// The origin sees it, in a form that all callers with the same abilities share. Part of the key if `Vary`
    /// names it.
    Coding,
    /// A directive for caches (RFC 9111 §5.2.1, §5.4): followed here, and said anew to the origin.
    Directive,
    /// A condition or a range (RFC 9110 §13, §14): evaluated here if a whole answer is at hand.
    Condition,
    /// `Authorization`, which has rules of its own (RFC 9111 §3.5).
    Credentials,
    /// Of this hop or of the transfer; whoever speaks to the origin sets its own.
    Hop,
}

/// What a field's treatment follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// The route shows it: `cache.show`.
    Show,
    /// The route hides it: `cache.hide`.
    Hide,
    /// Its value says more than what is liked.
    Value,
    /// Its name: the table of [`Treatment`].
    Name,
}

/// What a route says beyond the table: fields to show and to key, and fields to hide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldRules {
    /// Shown and part of the key.
    pub keyed: Vec<HeaderName>,
    /// Hidden, although the table says otherwise.
    pub hidden: Vec<HeaderName>,
}

impl FieldRules {
    /// The treatment of a field, given its value.
    pub(super) fn treatment(&self, name: &HeaderName, value: &HeaderValue) -> Treatment {
        self.treated(name, value).0
    }

    /// The treatment of a field, and what it follows from.
    pub(super) fn treated(&self, name: &HeaderName, value: &HeaderValue) -> (Treatment, Because) {
        if self.keyed.contains(name) {
            return (Treatment::Keyed, Because::Show);
        }
        if self.hidden.contains(name) {
            return (Treatment::Hidden, Because::Hide);
        }
        match of_name(name.as_str()) {
            // A value that only negotiates may be shared as `Vary` says. Any other could carry what the origin
            // repeats to everybody.
            Treatment::Shown if is_negotiating(name.as_str()) && !is_ordinary(value) => {
                (Treatment::Keyed, Because::Value)
            }
            treatment => (treatment, Because::Name),
        }
    }
}

/// The table. What it does not name is an application's own field, and shown.
fn of_name(name: &str) -> Treatment {
    match name {
        "authorization" => Treatment::Credentials,
        "accept-encoding" => Treatment::Coding,
        "cache-control" | "pragma" => Treatment::Directive,
        "if-match" | "if-none-match" | "if-modified-since" | "if-unmodified-since" | "if-range" | "range" => {
            Treatment::Condition
        }
        "cookie" | "cookie2" | "origin" | "accept-charset" => Treatment::Keyed,
        // Who asks, from where and on what device: an answer to all must not depend on it.
        "user-agent"
        | "referer"
        | "from"
        | "dnt"
        | "purpose"
        | "save-data"
        | "priority"
        | "upgrade-insecure-requests"
        | "downlink"
        | "ect"
        | "rtt"
        | "device-memory"
        | "dpr"
        | "width"
        | "viewport-width"
        // It counts in `OPTIONS` and `TRACE` alone (RFC 9110 §7.6.2).
        | "max-forwards"
        // A read has no content that an answer could depend on (RFC 9110 §9.3.1).
        | "content-type" | "content-encoding" | "content-language" | "content-location" | "content-range"
        | "content-digest" | "digest" => Treatment::Hidden,
        "host"
        | "connection"
        | "keep-alive"
        | "te"
        | "trailer"
        | "transfer-encoding"
        | "content-length"
        | "expect"
        | "upgrade"
        | "via"
        | "cdn-loop"
        | "forwarded"
        | "x-forwarded-for"
        | "x-real-ip"
        | "x-client-ip"
        | "true-client-ip"
        | "proxy-authorization"
        | "proxy-connection" => Treatment::Hop,
        _ if is_trace(name) => Treatment::Hop,
        _ if name.starts_with("sec-") => Treatment::Hidden,
        // Where a field begins with `x-`, there is usually something that reads it: `x-forwarded-host`,
        // `x-original-url`, `x-http-method-override` and their like.
        _ if name.starts_with("x-") => Treatment::Keyed,
        _ => Treatment::Shown,
    }
}

/// Whether a field describes a request's content.
pub(super) fn describes_content(name: &str) -> bool {
    matches!(
        name,
        "content-type"
            | "content-encoding"
            | "content-language"
            | "content-location"
            | "content-range"
            | "content-digest"
    )
}

/// Names of requests and of what they are part of; no answer depends on them.
pub(super) fn is_trace(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "traceparent",
        "tracestate",
        "baggage",
        "b3",
        "x-request-id",
        "x-correlation-id",
        "x-trace-id",
        "x-amzn-trace-id",
        "x-cloud-trace-context",
        "request-id",
    ];
    NAMES.contains(&name) || name.starts_with("x-b3-") || name.starts_with("x-datadog-")
}

/// Whether a field is of the hop and yet says something that the origin sees: which way a request came, and what it is
/// called.
pub(super) fn is_said_on_the_way(name: &str) -> bool {
    const NAMES: [&str; 7] =
        ["via", "cdn-loop", "forwarded", "x-forwarded-for", "x-real-ip", "x-client-ip", "true-client-ip"];
    NAMES.contains(&name) || is_trace(name)
}

pub(super) fn is_negotiating(name: &str) -> bool {
    matches!(name, "accept" | "accept-language")
}

/// Whether a value says nothing but which of the usual media types and languages are liked.
fn is_ordinary(value: &HeaderValue) -> bool {
    const MEMBERS_MAX: usize = 16;
    let Ok(text) = value.to_str() else { return false };
    let mut members = text.split(',').map(str::trim);
    text.split(',').count() <= MEMBERS_MAX
        && members.all(|member| {
            let mut parts = member.split(';').map(str::trim);
            let range = parts.next().unwrap_or_default();
            (is_language(range) || is_media_range(range)) && parts.all(is_parameter)
        })
}

/// `ja`, `en-GB`, `zh-Hant-TW`, `es-419`, `*`.
fn is_language(range: &str) -> bool {
    let mut subtags = range.split('-');
    let primary = subtags.next().unwrap_or_default();
    let is_alphabetic = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_primary = primary == "*" || matches!(primary.len(), 2 | 3) && is_alphabetic(primary);
    let mut rest = 0;
    is_primary
        && subtags.all(|subtag| {
            rest += 1;
            let is_region_or_script = matches!(subtag.len(), 2 | 4) && is_alphabetic(subtag);
            let is_area = subtag.len() == 3 && subtag.bytes().all(|byte| byte.is_ascii_digit());
            rest <= 2 && (is_region_or_script || is_area)
        })
}

fn is_media_range(range: &str) -> bool {
    const USUAL: [&str; 34] = [
        "*/*",
        "text/*",
        "text/html",
        "text/plain",
        "text/css",
        "text/csv",
        "text/xml",
        "text/javascript",
        "text/markdown",
        "text/event-stream",
        "application/json",
        "application/xml",
        "application/xhtml+xml",
        "application/rss+xml",
        "application/atom+xml",
        "application/ld+json",
        "application/javascript",
        "application/ecmascript",
        "application/x-ecmascript",
        "application/pdf",
        "application/x-ndjson",
        "application/octet-stream",
        "application/signed-exchange",
        "application/problem+json",
        "application/vnd.api+json",
        "image/*",
        "image/avif",
        "image/webp",
        "image/apng",
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/svg+xml",
        "image/jxl",
    ];
    let is_other =
        |kind: &str| range.len() == kind.len() + 2 && range.starts_with(kind) && range.ends_with("/*");
    USUAL.contains(&range) || is_other("audio") || is_other("video") || is_other("font")
}

/// `q=0.8`, `v=b3`, `charset=utf-8`.
fn is_parameter(text: &str) -> bool {
    let is_weight =
        |value: &str| value.len() <= 5 && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.strip_prefix("q=").is_some_and(is_weight)
        || matches!(text, "v=b3" | "charset=utf-8" | "charset=UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_treatment() {
        let check = |name: &str, value: &'static str, expected| {
            let name = HeaderName::try_from(name).unwrap();
            let treatment = FieldRules::default().treatment(&name, &HeaderValue::from_static(value));
            assert_eq!(treatment, expected, "{name}: {value}");
        };
        check("user-agent", "x", Treatment::Hidden);
        check("sec-fetch-mode", "cors", Treatment::Hidden);
        check("cookie", "a=b", Treatment::Keyed);
        check("origin", "https://evil.example", Treatment::Keyed);
        check("x-forwarded-host", "evil.example", Treatment::Keyed);
        check("x-http-method-override", "DELETE", Treatment::Keyed);
        check("x-forwarded-for", "192.0.2.1", Treatment::Hop);
        check("cdn-loop", "a", Treatment::Hop);
        check("max-forwards", "1", Treatment::Hidden);
        check("x-request-id", "1", Treatment::Hop);
        check("x-b3-spanid", "1", Treatment::Hop);
        check("accept-encoding", "gzip", Treatment::Coding);
        check("range", "bytes=0-", Treatment::Condition);
        check("foo", "1", Treatment::Shown);
    }

    #[test]
    fn usual_negotiation_is_shared_and_anything_else_is_not() {
        let check = |name: &'static str, value: &'static str, expected| {
            let name = HeaderName::from_static(name);
            let treatment = FieldRules::default().treatment(&name, &HeaderValue::from_static(value));
            assert_eq!(treatment, expected, "{name}: {value}");
        };
        check("accept", "*/*", Treatment::Shown);
        check(
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            Treatment::Shown,
        );
        check("accept", "text/html, application/signed-exchange;v=b3;q=0.7", Treatment::Shown);
        check("accept", "text/evil", Treatment::Keyed);
        check("accept", "text/html;x=<script>", Treatment::Keyed);
        check("accept-language", "ja,en-US;q=0.9, zh-Hant-TW;q=0.8, es-419, *;q=0.1", Treatment::Shown);
        check("accept-language", "evil", Treatment::Keyed);
        check("accept-language", "en-a-b-c", Treatment::Keyed);
        check("accept-language", "en;q=\"x\"", Treatment::Keyed);
        check("accept-language", "", Treatment::Keyed);
    }

    #[test]
    fn a_route_may_say_otherwise() {
        let (agent, cookie) = (HeaderName::from_static("user-agent"), HeaderName::from_static("cookie"));
        let rules = FieldRules { keyed: vec![agent.clone()], hidden: vec![cookie.clone()] };
        let value = HeaderValue::from_static("x");
        assert_eq!(rules.treatment(&agent, &value), Treatment::Keyed);
        assert_eq!(rules.treatment(&cookie, &value), Treatment::Hidden);
    }
}
