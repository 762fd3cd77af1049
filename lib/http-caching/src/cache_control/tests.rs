//! Directives as they arrive, by the clauses of RFC 9111 §5.2.

use http::HeaderValue;
use http::header::{COOKIE, SET_COOKIE};
use proptest::prelude::*;

use super::lexer::Member;
use super::*;

const HOUR: Duration = Duration::from_hours(1);
const ZERO: Duration = Duration::ZERO;

fn lines(name: &HeaderName, values: &[&str]) -> HeaderMap {
    let value = |value: &&str| HeaderValue::from_bytes(value.as_bytes()).unwrap();
    values.iter().map(|text| (name.clone(), value(text))).collect()
}

fn response(values: &[&str]) -> ResponseDirectives {
    ResponseDirectives::of(&lines(&CACHE_CONTROL, values))
}

fn request(values: &[&str]) -> RequestDirectives {
    RequestDirectives::of(&lines(&CACHE_CONTROL, values))
}

#[test]
fn section_1_2_2_and_4_2_1_a_lifetime_is_digits_and_anything_else_is_none() {
    for (values, expected) in [
        (&["max-age=3600"][..], Some(HOUR)),
        (&["max-age=\"3600\""], Some(HOUR)),
        (&["max-age=003600"], Some(HOUR)),
        (&["MaX-aGe=3600"], Some(HOUR)),
        (&[" ,, max-age=3600 ,\t"], Some(HOUR)),
        (&["foobar, max-age=3600"], Some(HOUR)),
        (&["a=1;b, max-age=3600"], Some(HOUR)),
        (&["a=\"1;b\",max-age=3600"], Some(HOUR)),
        (&["max-age=2147483648"], Some(LONGEST)),
        (&["max-age=2147483649"], Some(LONGEST)),
        (&["max-age=99999999999"], Some(LONGEST)),
        (&["max-age=99999999999999999999999999999999999999"], Some(LONGEST)),
        (&["max-age=0"], Some(ZERO)),
        (&["max-age=-1"], Some(ZERO)),
        (&["max-age=+3600"], Some(ZERO)),
        (&["max-age=3600.0"], Some(ZERO)),
        (&["max-age=3600.5"], Some(ZERO)),
        (&["max-age=a3600"], Some(ZERO)),
        (&["max-age=3600a"], Some(ZERO)),
        (&["max-age='3600'"], Some(ZERO)),
        (&["max-age=\"3600"], Some(ZERO)),
        (&["max-age=3600\""], Some(ZERO)),
        (&["max-age=\"3600\"0"], Some(ZERO)),
        (&["max-age=\"\""], Some(ZERO)),
        (&["max-age="], Some(ZERO)),
        (&["max-age"], Some(ZERO)),
        (&["max-age =3600"], Some(ZERO)),
        (&["max-age= 3600"], Some(ZERO)),
        (&["max-age = 3600"], Some(ZERO)),
        (&["max-age:3600"], Some(ZERO)),
        (&["max-age=3600;foo"], Some(ZERO)),
        (&["foo;max-age=3600"], Some(ZERO)),
        (&["max-age=٣٦٠٠"], Some(ZERO)),
        (&["max-age=3600 seconds"], Some(ZERO)),
        (&["extension=\"max-age=3600\", max-age=1"], Some(Duration::from_secs(1))),
        (&["max-age=1, extension=\"max-age=3600\""], Some(Duration::from_secs(1))),
        (&["extension=\"\\\", max-age=3600\", max-age=1"], Some(Duration::from_secs(1))),
        (&["extension=\"max-age=3600\""], None),
        (&["x-max-age=3600"], None),
        (&["max-age2=3600"], None),
        (&["stale-while-revalidate-max-age=3600"], None),
        (&[""], None),
        (&[], None),
    ] {
        assert_eq!(response(values).max_age, expected, "{values:?}");
    }
}

#[test]
fn section_4_2_1_of_several_lifetimes_the_shortest_counts() {
    for values in [
        &["max-age=3600, max-age=1"][..],
        &["max-age=1, max-age=3600"],
        &["max-age=3600", "max-age=1"],
        &["max-age=1", "max-age=3600"],
        &["max-age=1, max-age=1, MAX-AGE=3600"],
    ] {
        assert_eq!(response(values).max_age, Some(Duration::from_secs(1)), "{values:?}");
    }
    assert_eq!(response(&["max-age=3600, max-age=x"]).max_age, Some(ZERO));
    let both = response(&["s-maxage=5, max-age=3600, stale-while-revalidate=7, stale-if-error=x"]);
    assert_eq!(both.s_maxage, Some(Duration::from_secs(5)));
    assert_eq!(both.max_age, Some(HOUR));
    assert_eq!(both.stale_while_revalidate, Some(Duration::from_secs(7)));
    assert_eq!(both.stale_if_error, Some(ZERO));
}

#[test]
fn section_5_2_2_what_forbids_counts_however_it_is_written() {
    for values in [
        &["no-store"][..],
        &["No-StOrE"],
        &["max-age=3600,no-store"],
        &["max-age=3600", "no-store"],
        &["no-store=1"],
        &["no-store=\"x\""],
        &["no-store "],
        &["no-store x"],
        &["no-store;max-age=3600"],
        &["public; no-store"],
        &["\", no-store"],
        &["extension=\"unfinished, no-store"],
        &["extension=\"un", "finished\", no-store"],
        &["\u{e9}, no-store"],
    ] {
        assert!(response(values).no_store, "{values:?}");
    }
    for values in [
        &["extension=\"no-store\""][..],
        &["extension=\"a, no-store, b\""],
        &["no-storee"],
        &["no store"],
        &["no-cache"],
    ] {
        assert!(!response(values).no_store, "{values:?}");
    }
    let all = response(&["must-revalidate=1, proxy-revalidate;x, no-transform"]);
    assert!(all.must_revalidate && all.proxy_revalidate && all.no_transform);
}

#[test]
fn section_5_2_2_what_allows_counts_only_as_it_should_be_written() {
    for (values, expected) in [
        (&["public"][..], true),
        (&["PUBLIC"], true),
        (&["public, public=x"], true),
        (&["public=1"], false),
        (&["public;x"], false),
        (&["public x"], false),
        (&["extension=\"public\""], false),
    ] {
        assert_eq!(response(values).public, expected, "{values:?}");
    }
    assert!(response(&["must-understand, no-store"]).must_understand);
    assert!(!response(&["must-understand=0, no-store"]).must_understand);
    // RFC 8246 §2
    assert!(response(&["immutable"]).immutable && response(&["immutable=x"]).immutable);
}

#[test]
fn section_5_2_2_4_and_5_2_2_7_name_fields_or_mean_the_message() {
    let listed = |names: &[HeaderName]| Some(Fields::Listed(names.to_vec()));
    for (argument, expected) in [
        ("", Some(Fields::Whole)),
        ("=\"set-cookie\"", listed(&[SET_COOKIE])),
        ("=\"Set-Cookie, Cookie\"", listed(&[SET_COOKIE, COOKIE])),
        ("=\" ,set-cookie ,, cookie\"", listed(&[SET_COOKIE, COOKIE])),
        ("=Set-Cookie", listed(&[SET_COOKIE])),
        ("=\"\"", Some(Fields::Whole)),
        ("=\" , \"", Some(Fields::Whole)),
        ("=", Some(Fields::Whole)),
        ("=\"set cookie\"", Some(Fields::Whole)),
        ("=\"set-cookie", Some(Fields::Whole)),
        (" =\"set-cookie\"", Some(Fields::Whole)),
    ] {
        assert_eq!(response(&[&format!("no-cache{argument}")]).no_cache, expected, "{argument}");
        assert_eq!(response(&[&format!("private{argument}")]).private, expected, "{argument}");
    }
    for (values, expected) in [
        (&["no-cache=\"cookie\", no-cache"][..], Some(Fields::Whole)),
        (&["no-cache, no-cache=\"cookie\""], Some(Fields::Whole)),
        (&["no-cache=cookie", "no-cache=set-cookie"], listed(&[COOKIE, SET_COOKIE])),
    ] {
        assert_eq!(response(values).no_cache, expected, "{values:?}");
    }
    let many = |count: usize| vec!["cookie"; count].join(",");
    assert!(!response(&[&format!("no-cache=\"{}\"", many(FIELDS_MAX))]).validates_always());
    assert!(response(&[&format!("no-cache=\"{}\"", many(FIELDS_MAX + 1))]).validates_always());
    let twice = format!("private=\"{0}\", private=\"{0}\"", many(FIELDS_MAX));
    assert!(response(&[&twice]).is_private());
}

#[test]
fn section_5_4_pragma_means_nothing_in_a_response() {
    let headers = lines(&PRAGMA, &["no-cache"]);
    assert_eq!(ResponseDirectives::of(&headers), ResponseDirectives::default());
}

#[test]
fn section_5_2_1_a_request_is_read_to_what_asks_for_most() {
    let base = RequestDirectives::default();
    let by = |seconds: u64| Some(MaxStale::By(Duration::from_secs(seconds)));
    for (values, expected) in [
        (&["max-age=3600"][..], RequestDirectives { max_age: Some(HOUR), ..base }),
        (&["max-age=x"], RequestDirectives { max_age: Some(ZERO), ..base }),
        (&["max-age=3600, max-age=0"], RequestDirectives { max_age: Some(ZERO), ..base }),
        (&["min-fresh=3600, min-fresh=1"], RequestDirectives { min_fresh: Some(HOUR), ..base }),
        (&["min-fresh=x"], RequestDirectives { min_fresh: Some(LONGEST), ..base }),
        (&["max-stale"], RequestDirectives { max_stale: Some(MaxStale::Any), ..base }),
        (&["max-stale=5"], RequestDirectives { max_stale: by(5), ..base }),
        (&["max-stale, max-stale=5"], RequestDirectives { max_stale: by(5), ..base }),
        (&["max-stale=5, max-stale"], RequestDirectives { max_stale: by(5), ..base }),
        (&["max-stale=7, max-stale=5"], RequestDirectives { max_stale: by(5), ..base }),
        (&["max-stale=x"], base),
        (&["stale-if-error=5"], RequestDirectives { stale_if_error: Some(Duration::from_secs(5)), ..base }),
        (&["stale-if-error=x"], base),
        (&["no-cache"], RequestDirectives { no_cache: true, ..base }),
        (&["No-Store"], RequestDirectives { no_store: true, ..base }),
        (&["only-if-cached"], RequestDirectives { only_if_cached: true, ..base }),
        (&["only-if-cached=1, no-cache=x"], base),
        (&["extension=\"no-cache\""], base),
    ] {
        assert_eq!(request(values), expected, "{values:?}");
    }
}

#[test]
fn section_5_4_pragma_counts_in_a_request_without_cache_control() {
    for (pragma, cache_control, expected) in [
        ("no-cache", None, true),
        ("x, No-Cache", None, true),
        ("unrecognised-extension", None, false),
        ("no-cache=x", None, false),
        ("no-cache", Some("max-age=5"), false),
        ("no-cache", Some(""), false),
    ] {
        let mut headers = lines(&PRAGMA, &[pragma]);
        if let Some(value) = cache_control {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
        }
        assert_eq!(RequestDirectives::of(&headers).no_cache, expected, "{pragma} {cache_control:?}");
    }
}

#[test]
fn quotes_that_never_close_are_not_looked_for_again_and_again() {
    // Looking from each of them to the end of the line would take many minutes.
    let line = "\"".to_owned() + &"\\\",".repeat(300_000) + "no-store";
    assert!(members(line.as_bytes()).any(|member| member.name == b"no-store"));
}

proptest! {
    #[test]
    fn any_line_is_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = members(&bytes).count();
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            let headers = HeaderMap::from_iter([(CACHE_CONTROL, value)]);
            let _ = (ResponseDirectives::of(&headers), RequestDirectives::of(&headers));
        }
    }

    #[test]
    fn anything_like_directives_is_read_without_panic(
        line in r#"((max-age|no-cache|private|x)? ?=? ?["\\]?[a-z0-9,; -]{0,6}["\\]?[,;]?){0,6}"#,
    ) {
        let _ = (response(&[&line]), request(&[&line]));
    }

    #[test]
    fn what_was_written_is_read_back(
        fields in proptest::collection::vec(("[a-z-]{1,12}", proptest::option::of("[ -!#-\\[\\]-~]{0,12}")), 0..6),
    ) {
        let write = |(name, argument): &(String, Option<String>)| match argument {
            Some(argument) => format!("{name}=\"{argument}\""),
            None => name.clone(),
        };
        let line = fields.iter().map(write).collect::<Vec<_>>().join(" , ");
        let read: Vec<_> = members(line.as_bytes()).collect();
        let expected: Vec<_> = fields.iter().map(|(name, argument)| Member {
            name: name.as_bytes(),
            argument: argument.as_ref().map_or(Argument::Absent, |text| Argument::Text(text.as_bytes())),
        }).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn another_directive_never_lifts_what_forbids(
        before in "[a-zA-Z0-9=\", -]{0,20}",
        after in "[a-zA-Z0-9=\", -]{0,20}",
    ) {
        // Separate lines are separate: no quote reaches from one into the next.
        prop_assert!(response(&[&before, "no-store", &after]).no_store);
    }
}
