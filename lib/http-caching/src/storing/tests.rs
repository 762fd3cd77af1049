//! What is stored, by the clauses of RFC 9111 §3 and §4.2.

use std::time::UNIX_EPOCH;

use http::HeaderValue;
use proptest::prelude::*;

use super::*;
use crate::freshness::LifetimeSource;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Sunday, 22 November 2026, and a response whose `Date` is an hour before.
const AT: Duration = Duration::from_hours(498_696);

fn date(seconds: i64) -> String {
    let seconds = AT.as_secs().saturating_add_signed(seconds);
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// A field whose value is `@N` is the date N seconds from now.
fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let value = match value.strip_prefix('@') {
            Some(seconds) => date(seconds.parse().unwrap()),
            None => (*value).to_owned(),
        };
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

struct Case<'a> {
    method: &'a str,
    request: &'a [(&'static str, &'a str)],
    status: u16,
    rules: Rules,
}

impl Default for Case<'_> {
    fn default() -> Self {
        Self { method: "GET", request: &[], status: 200, rules: Rules::default() }
    }
}

impl Case<'_> {
    fn judge(&self, fields: &[(&'static str, &str)]) -> Storing {
        let (method, request) = (self.method.parse().unwrap(), headers(self.request));
        let received = Received {
            method: &method,
            request: &request,
            status: StatusCode::from_u16(self.status).unwrap(),
            headers: &headers(fields),
            at: UNIX_EPOCH + AT,
            delay: Duration::from_secs(2),
        };
        judge(&received, &self.rules)
    }

    fn stored(&self, fields: &[(&'static str, &str)]) -> Freshness {
        match self.judge(fields) {
            Storing::Store(freshness) => freshness,
            Storing::Refuse(refusal) => panic!("{refusal:?}: {} {fields:?}", self.status),
        }
    }

    fn refused(&self, fields: &[(&'static str, &str)]) -> Option<Refusal> {
        match self.judge(fields) {
            Storing::Store(_) => None,
            Storing::Refuse(refusal) => Some(refusal),
        }
    }
}

fn status(status: u16) -> Case<'static> {
    Case { status, ..Case::default() }
}

fn rules(rules: Rules) -> Case<'static> {
    Case { rules, ..Case::default() }
}

const FRESH: (&str, &str) = ("cache-control", "max-age=3600");

#[test]
fn section_3_methods_and_requests() {
    for (method, request, expected) in [
        ("GET", &[][..], None),
        ("QUERY", &[("content-length", "5")], None),
        ("HEAD", &[], Some(Refusal::Method)),
        ("POST", &[], Some(Refusal::Method)),
        ("get", &[], Some(Refusal::Method)),
        ("GET", &[("cache-control", "no-store")], Some(Refusal::RequestNoStore)),
        ("GET", &[("cache-control", "no-cache, max-age=0")], None),
        ("GET", &[("cookie", "a=b")], None),
    ] {
        let case = Case { method, request, ..Case::default() };
        assert_eq!(case.refused(&[FRESH]), expected, "{method} {request:?}");
    }
}

#[test]
fn section_3_statuses_with_an_explicit_lifetime() {
    use Provocation::Status;
    for code in
        [200, 201, 203, 204, 299, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 410, 414, 499]
    {
        assert_eq!(status(code).refused(&[FRESH]), None, "{code}");
    }
    for code in [500, 501, 502, 503, 504, 599] {
        assert_eq!(status(code).refused(&[("expires", "@3600"), ("date", "@0")]), None, "{code}");
    }
    for (code, expected) in [(100, Refusal::NotFinal), (103, Refusal::NotFinal), (304, Refusal::NotModified)]
    {
        assert_eq!(status(code).refused(&[FRESH]), Some(expected), "{code}");
    }
    // RFC 6585 §3 to §6 for four of them; the others speak of one connection or request as well.
    for code in [407, 408, 412, 413, 416, 417, 421, 425, 426, 428, 429, 431, 511] {
        assert_eq!(status(code).refused(&[FRESH]), Some(Refusal::Provoked(Status)), "{code}");
    }
}

#[test]
fn section_3_and_4_2_2_statuses_without_an_explicit_lifetime() {
    let modified = [("last-modified", "@-86400"), ("date", "@0")];
    for code in [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501] {
        let freshness = status(code).stored(&modified);
        assert_eq!(freshness.source, LifetimeSource::Heuristic, "{code}");
        assert_eq!(freshness.lifetime.as_secs(), 8640, "{code}");
    }
    for code in [201, 202, 205, 302, 303, 307, 400, 401, 403, 500, 502, 503, 504, 599] {
        assert_eq!(status(code).refused(&modified), Some(Refusal::Status), "{code}");
    }
    let public = [modified[0], modified[1], ("cache-control", "public")];
    assert_eq!(status(599).stored(&public).source, LifetimeSource::Heuristic);
    assert_eq!(status(599).refused(&[("cache-control", "public")]), Some(Refusal::NoFreshnessNoValidator));
    assert_eq!(
        status(200).stored(&[("last-modified", "@-86400"), ("pragma", "no-cache")]).lifetime.as_secs(),
        8640
    );
}

#[test]
fn section_3_3_a_part_must_say_which_it_is() {
    let refused = |range: &[(&'static str, &str)]| status(206).refused(&[&[FRESH], range].concat());
    assert_eq!(refused(&[("content-range", "bytes 0-4/10")]), None);
    for range in [
        &[][..],
        &[("content-range", "bytes 4-0/10")],
        &[("content-range", "bytes 0-10/10")],
        &[("content-range", "bytes */10")],
        &[("content-range", "lines 0-4/10")],
        &[("content-range", "bytes 0-4/10"), ("content-range", "bytes 0-4/10")],
        &[("content-type", "multipart/byteranges; boundary=x")],
    ] {
        assert_eq!(refused(range), Some(Refusal::ContentRangeInvalid), "{range:?}");
    }
}

#[test]
fn section_5_2_2_what_a_response_forbids() {
    let etag = ("etag", r#""a""#);
    for (fields, expected) in [
        (&[("cache-control", "no-store, max-age=3600")][..], Some(Refusal::NoStore)),
        (&[FRESH, ("cache-control", "No-StOrE")], Some(Refusal::NoStore)),
        (&[("cache-control", "private, max-age=3600")], Some(Refusal::Private)),
        (&[("cache-control", "private=\"x\", max-age=3600")], None),
        (&[("cache-control", "no-cache, max-age=3600")], Some(Refusal::NoFreshnessNoValidator)),
        (&[("cache-control", "no-cache, max-age=3600"), etag], None),
        (&[("cache-control", "max-age=0")], Some(Refusal::NoFreshnessNoValidator)),
        (&[("cache-control", "max-age=0"), etag], None),
        (&[("cache-control", "max-age=0, stale-while-revalidate=5")], None),
        (&[("cache-control", "max-age=0, stale-if-error=5")], None),
        (&[("cache-control", "s-maxage=0, stale-if-error=5")], Some(Refusal::NoFreshnessNoValidator)),
        (&[], Some(Refusal::NoFreshnessNoValidator)),
        (&[etag], None),
        (&[("last-modified", "@0")], None),
        (&[FRESH, ("vary", "*")], Some(Refusal::VaryAny)),
        (&[FRESH, ("vary", "accept, *")], Some(Refusal::VaryAny)),
        (&[FRESH, ("vary", "accept"), ("vary", " * ")], Some(Refusal::VaryAny)),
        (&[FRESH, ("vary", "accept, a*")], None),
        (&[FRESH, ("vary", "accept language")], Some(Refusal::VaryAny)),
        (&[FRESH, ("vary", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p")], None),
        (&[FRESH, ("vary", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q")], Some(Refusal::VaryAny)),
        (&[FRESH, ("pragma", "no-cache")], None),
        (&[FRESH, ("content-disposition", "attachment")], None),
    ] {
        assert_eq!(Case::default().refused(fields), expected, "{fields:?}");
    }
}

#[test]
fn section_5_2_2_3_who_understands_the_status_ignores_no_store() {
    let understood = ("cache-control", "must-understand, no-store, max-age=3600");
    for code in [200, 203, 301, 404, 503] {
        assert_eq!(status(code).refused(&[understood]), None, "{code}");
    }
    for code in [299, 399, 499, 599] {
        assert_eq!(status(code).refused(&[understood]), Some(Refusal::NotUnderstood), "{code}");
        assert_eq!(
            status(code).refused(&[("cache-control", "must-understand, max-age=5")]),
            Some(Refusal::NotUnderstood)
        );
    }
    let broken = ("cache-control", "must-understand=0, no-store, max-age=3600");
    assert_eq!(status(200).refused(&[broken]), Some(Refusal::NoStore));
}

#[test]
fn section_3_5_answers_to_credentials() {
    let case = |credentials| Case {
        request: &[("authorization", "Basic x")],
        rules: Rules { credentials, ..Rules::default() },
        ..Case::default()
    };
    let shared = case(Credentials::Shared);
    for value in
        ["max-age=3600, public", "max-age=3600, must-revalidate", "s-maxage=3600", "s-maxage=0, max-age=5"]
    {
        let fields = [("cache-control", value), ("etag", r#""a""#)];
        assert!(shared.stored(&fields).shareable_with_credentials, "{value}");
    }
    for value in
        ["max-age=3600", "max-age=3600, proxy-revalidate", "max-age=3600, public=1", "immutable, max-age=5"]
    {
        assert_eq!(shared.refused(&[("cache-control", value)]), Some(Refusal::Credentials), "{value}");
        let freshness = case(Credentials::InKey).stored(&[("cache-control", value)]);
        assert!(!freshness.shareable_with_credentials, "{value}");
    }
    assert_eq!(shared.refused(&[("expires", "@3600")]), Some(Refusal::Credentials));
    // What the general field allows is nothing beside a targeted one (RFC 9213 §2.2).
    let targeted = [("cache-control", "public, max-age=5"), ("cdn-cache-control", "max-age=5")];
    assert_eq!(shared.refused(&targeted), Some(Refusal::Credentials));
}

#[test]
fn a_cookie_is_for_one_caller_unless_it_is_left_out_or_shared_on_purpose() {
    let cookie = ("set-cookie", "a=b");
    let case = Case::default();
    assert_eq!(case.refused(&[FRESH, cookie]), Some(Refusal::SetsCookie));
    assert_eq!(case.refused(&[("cache-control", "public, max-age=5"), cookie]), Some(Refusal::SetsCookie));
    for value in ["max-age=5, no-cache=\"Set-Cookie\"", "max-age=5, private=set-cookie"] {
        assert_eq!(case.stored(&[("cache-control", value), cookie]).withheld, [SET_COOKIE], "{value}");
    }
    let shared = rules(Rules { share_set_cookie: true, ..Rules::default() });
    assert!(shared.stored(&[FRESH, cookie]).withheld.is_empty());
}

#[test]
fn qualified_directives_name_what_is_withheld() {
    let value = "max-age=5, no-cache=\"b, a\", private=\"a, set-cookie\"";
    let freshness = Case::default().stored(&[("cache-control", value)]);
    assert_eq!(freshness.withheld, ["a", "b", "set-cookie"]);
    assert!(!freshness.always_validate);
}

#[test]
fn section_4_2_1_where_the_lifetime_is_from() {
    use LifetimeSource::{Expires, Heuristic, MaxAge, None, SMaxage};
    let etag = ("etag", r#""a""#);
    for (fields, source, seconds) in [
        (&[("cache-control", "max-age=1, s-maxage=3600")][..], SMaxage, 3600),
        (&[("cache-control", "max-age=3600"), ("cache-control", "s-maxage=1")], SMaxage, 1),
        (&[("cache-control", "max-age=3600, s-maxage=0")], SMaxage, 0),
        (&[("cache-control", "max-age=3600"), ("expires", "@-10000"), ("date", "@0")], MaxAge, 3600),
        (&[("cache-control", "max-age=3600"), ("expires", "0")], MaxAge, 3600),
        (&[("cache-control", "max-age=0"), ("expires", "@10000")], MaxAge, 0),
        (&[("cache-control", "max-age=x"), ("expires", "@10000")], MaxAge, 0),
        (&[("expires", "@3600"), ("date", "@0")], Expires, 3600),
        (&[("expires", "@3600"), ("date", "@-10")], Expires, 3610),
        (&[("expires", "@3600"), ("date", "foo")], Expires, 3600),
        (&[("expires", "@3600")], Expires, 3600),
        (&[("expires", "@0"), ("date", "@0")], Expires, 0),
        (&[("expires", "@300"), ("date", "@400")], Expires, 0),
        (&[("expires", "@-300"), ("date", "@0")], Expires, 0),
        (&[("expires", "@3600"), ("expires", "@5"), ("date", "@0")], Expires, 5),
        (&[("expires", "@3600"), ("expires", "0"), ("date", "@0")], Expires, 0),
        (&[("expires", "0"), ("last-modified", "@-86400")], Expires, 0),
        (&[("expires", ""), ("last-modified", "@-86400")], Expires, 0),
        (&[("expires", "Thu, 18 Aug 2050 02:01:18 UTC")], Expires, 0),
        (&[("expires", "Fri, 31 Dec 9999 23:59:59 GMT")], Expires, 1 << 31),
        (&[("last-modified", "@-100")], Heuristic, 10),
        (&[("last-modified", "@-100"), ("date", "@-50")], Heuristic, 5),
        (&[("last-modified", "@-86400000")], Heuristic, 86400),
        (&[("last-modified", "@100")], Heuristic, 0),
        (&[("last-modified", "yesterday")], None, 0),
        (&[("cdn-cache-control", "max-age=7"), ("cache-control", "no-store")], MaxAge, 7),
        (&[("cdn-cache-control", "public"), ("cache-control", "max-age=9"), ("expires", "@9")], None, 0),
        (&[], None, 0),
    ] {
        let freshness = Case::default().stored(&[fields, &[etag]].concat());
        assert_eq!((freshness.source, freshness.lifetime.as_secs()), (source, seconds), "{fields:?}");
    }
}

#[test]
fn section_4_2_3_how_old_it_was_when_it_arrived() {
    for (fields, seconds) in [
        (&[][..], 2),
        (&[("age", "7200")], 7202),
        (&[("age", " 7200 ")], 7202),
        (&[("age", "0"), ("date", "@-50")], 50),
        (&[("age", "100"), ("date", "@-50")], 102),
        (&[("date", "@50")], 2),
        (&[("date", "foo")], 2),
        (&[("age", "2147483648")], 1 << 31),
        (&[("age", "99999999999999999999999")], 1 << 31),
        // §5.1: the first member counts, and what is no number is ignored.
        (&[("age", "7200,0")], 7202),
        (&[("age", "0, 7200")], 2),
        (&[("age", "7200"), ("age", "0")], 7202),
        (&[("age", "0"), ("age", "7200")], 2),
        (&[("age", "abc")], 2),
        (&[("age", "abc, 7200")], 2),
        (&[("age", "-7200")], 2),
        (&[("age", "7200.0")], 2),
        (&[("age", "")], 2),
    ] {
        let freshness = Case::default().stored(&[&[FRESH], fields].concat());
        assert_eq!(freshness.age.as_secs(), seconds, "{fields:?}");
    }
}

#[test]
fn rfc_5861_and_section_4_2_4_what_may_be_used_stale() {
    let stale = |case: &Case<'_>, value: &str| {
        let freshness = case.stored(&[("cache-control", value), ("etag", r#""a""#)]);
        let windows =
            [freshness.stale_while_revalidate, freshness.stale_if_error, freshness.stale_if_unreachable];
        windows.map(|window| window.as_secs())
    };
    let (day, plain) = (DAY.as_secs(), Case::default());
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let configured = rules(Rules {
        stale_while_revalidate: seconds(30),
        stale_if_error: seconds(60),
        stale_if_unreachable: seconds(20),
        ..Rules::default()
    });
    for (value, expected, with_rules) in [
        ("max-age=5", [0, 0, day], [30, 60, 60]),
        ("max-age=0", [0, 0, day], [0, 60, 60]),
        ("max-age=5, stale-while-revalidate=7", [7, 0, day], [7, 60, 60]),
        ("max-age=5, stale-if-error=7", [0, 7, 7], [30, 7, 7]),
        ("max-age=5, stale-while-revalidate=0, stale-if-error=0", [0, 0, 0], [0, 0, 0]),
        ("max-age=5, stale-while-revalidate=x, stale-if-error=x", [0, 0, 0], [0, 0, 0]),
        ("max-age=5, must-revalidate, stale-while-revalidate=7, stale-if-error=7", [0, 0, 0], [0, 0, 0]),
        ("max-age=5, proxy-revalidate, stale-while-revalidate=7, stale-if-error=7", [0, 0, 0], [0, 0, 0]),
        ("s-maxage=5, stale-while-revalidate=7, stale-if-error=7", [0, 0, 0], [0, 0, 0]),
        ("max-age=5, no-cache, stale-while-revalidate=7, stale-if-error=7", [0, 0, 0], [0, 0, 0]),
        ("max-age=5, no-cache=x, stale-while-revalidate=7, stale-if-error=7", [7, 7, 7], [7, 7, 7]),
    ] {
        assert_eq!(stale(&plain, value), expected, "{value}");
        assert_eq!(stale(&configured, value), with_rules, "{value}");
    }
}

#[test]
fn the_configured_lifetime_is_for_answers_that_say_nothing() {
    use LifetimeSource::{Configured, Expires, MaxAge, None};
    let case =
        |status| Case { status, rules: Rules { fresh: Some(HOUR), ..Rules::default() }, ..Case::default() };
    let etag = ("etag", r#""a""#);
    for (status, fields, source) in [
        (200, &[][..], Configured),
        (301, &[], Configured),
        (200, &[("last-modified", "@-50")], Configured),
        (200, &[("cache-control", "no-transform")], Configured),
        (200, &[("cache-control", "max-age=5")], MaxAge),
        (200, &[("expires", "0")], Expires),
        (404, &[], None),
    ] {
        assert_eq!(case(status).stored(&[fields, &[etag]].concat()).source, source, "{status} {fields:?}");
    }
    assert_eq!(case(302).refused(&[]), Some(Refusal::Status));
    assert_eq!(case(200).refused(&[("cache-control", "no-store")]), Some(Refusal::NoStore));
}

#[test]
fn the_guess_is_within_its_rules() {
    for (fraction, max, expected) in [
        (0.5, DAY, 500),
        (0.5, Duration::from_secs(7), 7),
        (0.0, DAY, 0),
        (7.0, DAY, 1000),
        (-1.0, DAY, 0),
        (f64::NAN, DAY, 0),
        (f64::INFINITY, DAY, 0),
    ] {
        let case = rules(Rules { heuristic_fraction: fraction, heuristic_max: max, ..Rules::default() });
        assert_eq!(case.stored(&[("last-modified", "@-1000")]).lifetime.as_secs(), expected, "{fraction}");
    }
}

#[test]
fn an_error_that_its_request_may_have_provoked_is_not_stored() {
    use Provocation::{Body, Bytes, Condition, Expect, Override, Range, Size, Upgrade};
    let large = "x".repeat(4096);
    for (method, request, expected) in [
        ("GET", &[("accept", "*/*"), ("user-agent", "test/1.0\t(x)")][..], None),
        ("GET", &[("content-length", "0")], None),
        ("GET", &[("range", "bytes=9-")], Some(Range)),
        ("GET", &[("if-range", "\"a\"")], Some(Range)),
        ("GET", &[("if-match", "\"a\"")], Some(Condition)),
        ("GET", &[("if-unmodified-since", "@0")], Some(Condition)),
        ("GET", &[("if-none-match", "\"a\"")], Some(Condition)),
        ("GET", &[("if-modified-since", "@0")], Some(Condition)),
        ("GET", &[("expect", "100-continue")], Some(Expect)),
        ("GET", &[("upgrade", "x")], Some(Upgrade)),
        ("GET", &[("content-length", "1")], Some(Body)),
        ("GET", &[("transfer-encoding", "chunked")], Some(Body)),
        ("QUERY", &[("content-length", "1")], None),
        ("GET", &[("x-http-method-override", "POST")], Some(Override)),
        ("GET", &[("x-original-url", "/admin")], Some(Override)),
        ("GET", &[("x-large", &large)], Some(Size)),
        ("GET", &[("x-bytes", "\u{e9}")], Some(Bytes)),
    ] {
        for status in [400, 404, 503] {
            let case = Case { method, request, status, ..Case::default() };
            assert_eq!(case.refused(&[FRESH]), expected.map(Refusal::Provoked), "{status} {request:?}");
        }
        let case = Case { method, request, ..Case::default() };
        assert_eq!(case.refused(&[FRESH]), None, "{request:?}");
    }
}

#[test]
fn every_refusal_has_words_of_its_own() {
    use Refusal::{
        ContentRangeInvalid, Credentials, Method, NoFreshnessNoValidator, NoStore, NotFinal, NotModified,
        NotUnderstood, Private, Provoked, RequestNoStore, SetsCookie, Status, VaryAny,
    };
    let all = [
        Method,
        RequestNoStore,
        NotFinal,
        NotModified,
        NotUnderstood,
        NoStore,
        Private,
        Credentials,
        VaryAny,
        SetsCookie,
        Status,
        NoFreshnessNoValidator,
        ContentRangeInvalid,
        Provoked(Provocation::Size),
    ];
    let tokens: std::collections::BTreeSet<_> = all.iter().map(|refusal| refusal.token()).collect();
    assert_eq!(tokens.len(), all.len());
    for refusal in all {
        assert!(refusal.clause().starts_with("RFC ") && refusal.explain().ends_with('.'), "{refusal:?}");
        assert!(refusal.token().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{refusal:?}");
    }
}

proptest! {
    #[test]
    fn any_response_is_judged_without_panic_and_never_against_what_it_forbids(
        code in 100..1000_u16,
        fields in proptest::collection::vec(
            (
                proptest::sample::select(vec![
                    "cache-control", "expires", "date", "age", "last-modified", "vary", "content-range", "etag",
                    "cdn-cache-control",
                ]),
                "(@-?[0-9]{1,9}|(max-age|s-maxage)=[0-9]{1,12}|no-cache|public|private=\"a\"|[ -~]{0,20})",
            ),
            0..8,
        ),
    ) {
        let valid = |value: &str| value.strip_prefix('@').is_none_or(|rest| rest.parse::<i64>().is_ok());
        let fields: Vec<_> = fields.iter().filter(|(_, value)| valid(value)).map(|(n, v)| (*n, v.as_str())).collect();
        let _ = status(code).judge(&fields);
        for forbidding in ["no-store", "private"] {
            let general: Vec<_> = fields.iter().copied().filter(|(name, _)| *name != "cdn-cache-control").collect();
            let forbidden = [&general[..], &[("cache-control", forbidding)]].concat();
            let understands = general.iter().any(|(_, value)| value.contains("must-understand"));
            prop_assert!(understands || status(code).refused(&forbidden).is_some());
        }
    }

    #[test]
    fn any_age_and_date_are_read_to_an_age_within_bounds(
        age in "[ -?A-~]{0,24}",
        shift in -4_000_000_000..4_000_000_000_i64,
    ) {
        let fields = [FRESH, ("date", &format!("@{shift}")), ("age", &age)];
        prop_assert!(Case::default().stored(&fields).age <= crate::cache_control::LONGEST);
    }
}
