//! RFC 9111 §5.3, RFC 9110 §5.6.7: `Expires`, and what is a date.

use super::row::{not_reused, reused, validated};
use super::stand::check;

const TAG: &str = "ETag: \"a\"";

#[tokio::test]
async fn a_date_is_read_in_the_three_forms_that_there_are() {
    let fresh = [
        ("the usual form", "Expires: {+3600}"),
        ("as RFC 850 has it", "Expires: {+3600|rfc850}"),
        ("as asctime has it", "Expires: {+3600|asctime}"),
        ("in small letters", "Expires: {+3600|lower}"),
        ("in capitals", "Expires: {+3600|upper}"),
        ("far ahead", "Expires: Fri, 01 Jan 2100 00:00:00 GMT"),
        ("as far ahead as can be written", "Expires: Fri, 31 Dec 9999 23:59:59 GMT"),
        ("with blanks around it", "Expires:   {+3600}  "),
    ];
    check(fresh.map(|(how, line)| reused("RFC 9110 §5.6.7", how, &[line, "Date: {0}"])).into()).await;
}

/// §5.3: "a cache recipient MUST interpret invalid date formats, especially the value "0", as representing a time in
/// the past".
#[tokio::test]
async fn what_is_no_date_is_past() {
    let stale = [
        ("past", "Expires: {-3600}"),
        ("past, as RFC 850 has it", "Expires: {-3600|rfc850}"),
        ("past, as asctime has it", "Expires: {-3600|asctime}"),
        ("the same as Date", "Expires: {0}"),
        ("long past", "Expires: Thu, 01 Jan 1970 00:00:00 GMT"),
        ("0", "Expires: 0"),
        ("-1", "Expires: -1"),
        ("empty", "Expires:"),
        ("a word", "Expires: never"),
        ("a number of seconds", "Expires: 3600"),
        ("seconds since 1970", "Expires: {+3600|epoch}"),
        ("without a zone", "Expires: {+3600|no zone}"),
        ("in UTC by name", "Expires: {+3600|utc}"),
        ("with an offset", "Expires: {+3600|offset}"),
        ("in another zone", "Expires: {+3600|jst}"),
        ("without a weekday", "Expires: {+3600|no weekday}"),
        ("without the comma", "Expires: {+3600|no comma}"),
        ("with two digits of the year", "Expires: {+3600|two digits}"),
        ("with dots in the time", "Expires: {+3600|dots}"),
        ("with dashes and a whole year", "Expires: {+3600|dashes}"),
        ("with two blanks at a time", "Expires: {+3600|spaces}"),
        ("on another day of the week", "Expires: {+3600|wrong weekday}"),
        ("in ISO 8601", "Expires: 2100-01-01T00:00:00Z"),
        ("on a day that there is not", "Expires: Wed, 31 Feb 2100 00:00:00 GMT"),
        ("in hour 25", "Expires: Fri, 01 Jan 2100 25:00:00 GMT"),
        ("with a date behind it", "Expires: {+3600}, {+3600}"),
    ];
    let mut rows: Vec<_> =
        stale.map(|(how, line)| not_reused("RFC 9111 §5.3", how, &[line, "Date: {0}"])).into();
    rows.extend([
        validated("RFC 9111 §5.3", "what is past can be validated", &["Expires: 0", TAG]),
        validated(
            "RFC 9111 §5.3",
            "what is no date is no reason to guess",
            &["Expires: 0", "Last-Modified: {-864000}"],
        ),
        not_reused("RFC 9111 §4.2.1", "it counts from Date", &["Expires: {-7200}", "Date: {-7200}"]),
        not_reused("RFC 9111 §4.2.3", "a Date in the past makes old", &["Expires: {-10}", "Date: {-7200}"]),
        reused(
            "RFC 9111 §4.2.3",
            "a Date in the past with enough left",
            &["Expires: {+3600}", "Date: {-3600}"],
        ),
        reused("RFC 9111 §4.2.1", "a clock that is ahead", &["Expires: {+7200}", "Date: {+3600}"]),
        not_reused(
            "RFC 9111 §4.2.1",
            "a clock that is ahead of an Expires",
            &["Expires: {+3600}", "Date: {+7200}"],
        ),
        reused("RFC 9110 §5.6.7", "a Date as RFC 850 has it", &["Expires: {+3600}", "Date: {-10|rfc850}"]),
        reused("RFC 9110 §6.6.1", "a Date that is none", &["Expires: {+3600}", "Date: today"]),
    ]);
    check(rows).await;
}
