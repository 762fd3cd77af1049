//! Dates as a cache reads them (RFC 9110 §5.6.7, RFC 9111 §4.2): in all three forms and in any case, but nothing else.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;

/// The longest form is `Wednesday, 09-Nov-94 08:49:37 GMT`.
const LONGEST: usize = 33;

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Reads a date, or `None` for what is not one: another zone than `GMT`, a weekday that is not that day's, a
/// two-digit year in the usual form. A cache ignores case where the grammar does not (RFC 9111 §4.2). `now` says
/// which century two digits of a year mean.
pub(crate) fn read(value: &HeaderValue, now: SystemTime) -> Option<SystemTime> {
    let value = value.as_bytes().trim_ascii();
    let mut buffer = [0; LONGEST];
    let text = buffer.get_mut(..value.len())?;
    text.copy_from_slice(value);
    usual_case(text);
    let text = std::str::from_utf8(text).ok()?;
    match text.split_once(", ") {
        Some((weekday, rest)) if rest.as_bytes().get(2) == Some(&b'-') => rfc850(weekday, rest, now),
        _ => httpdate::parse_http_date(text).ok(),
    }
}

/// What is left between two moments, or nothing if the second is not later.
pub(crate) fn between(earlier: SystemTime, later: SystemTime) -> Duration {
    later.duration_since(earlier).unwrap_or_default()
}

/// Puts every word into the case that the grammar has.
fn usual_case(text: &mut [u8]) {
    let mut inside = false;
    for byte in text.iter_mut() {
        if inside {
            byte.make_ascii_lowercase();
        } else {
            byte.make_ascii_uppercase();
        }
        inside = byte.is_ascii_alphabetic();
    }
    if let Some(zone) = text.strip_suffix(b" Gmt").map(<[u8]>::len) {
        text[zone..].make_ascii_uppercase();
    }
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`: a year that appears to be more than fifty years ahead is the last one that
/// ended in these digits (RFC 9110 §5.6.7).
fn rfc850(weekday: &str, rest: &str, now: SystemTime) -> Option<SystemTime> {
    const YEAR_S: u64 = 31_556_952;
    if !WEEKDAYS.contains(&weekday) || !rest.is_ascii() || rest.get(6..7)? != "-" {
        return None;
    }
    let this_year = 1970 + between(UNIX_EPOCH, now).as_secs() / YEAR_S;
    let digits = rest.get(7..9).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let year = this_year / 100 * 100 + digits.parse::<u64>().ok()?;
    let year = if year > this_year + 50 { year - 100 } else { year };
    let (day, month, time) = (&rest[..2], &rest[3..6], &rest[9..]);
    httpdate::parse_http_date(&format!("{}, {day} {month} {year:04}{time}", &weekday[..3])).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sunday, 22 November 2026.
    const NOW: Duration = Duration::from_hours(498_696);

    fn read_text(text: &str) -> Option<u64> {
        let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
        read(&value, UNIX_EPOCH + NOW).map(|date| between(UNIX_EPOCH, date).as_secs())
    }

    #[test]
    fn three_forms_are_read_in_any_case_as_section_4_2_asks() {
        const NOVEMBER_1994: u64 = 784_111_777;
        const AUGUST_2050: u64 = 2_544_400_878;
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", NOVEMBER_1994),
            ("Sunday, 06-Nov-94 08:49:37 GMT", NOVEMBER_1994),
            ("Sun Nov  6 08:49:37 1994", NOVEMBER_1994),
            ("SUN, 06 NOV 1994 08:49:37 gmt", NOVEMBER_1994),
            ("sunday, 06-nov-94 08:49:37 gMT", NOVEMBER_1994),
            ("SUN NOV  6 08:49:37 1994", NOVEMBER_1994),
            ("  Sun, 06 Nov 1994 08:49:37 GMT ", NOVEMBER_1994),
            ("Thu, 18 Aug 2050 02:01:18 GMT", AUGUST_2050),
            ("Thursday, 18-Aug-50 02:01:18 GMT", AUGUST_2050),
            ("Saturday, 18-Aug-74 02:01:18 GMT", 3_301_783_278),
            // Fifty years ahead is not more than fifty; a year later is of the century before.
            ("Tuesday, 18-Aug-76 02:01:18 GMT", 3_364_941_678),
            ("Thursday, 18-Aug-77 02:01:18 GMT", 240_717_678),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ] {
            assert_eq!(read_text(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_not_guessed_at() {
        for text in [
            "",
            "0",
            "-1",
            "Thu, 18 Aug 2050 02:01:18 UTC",
            "Thu, 18 Aug 2050 02:01:18 EST",
            "Thu, 18 Aug 2050 02:01:18 +0000",
            "Thu, 18 Aug 2050 02:01:18",
            "Mon, 18 Aug 2050 02:01:18 GMT",
            "Thu, 18 Aug 50 02:01:18 GMT",
            "Thu 18 Aug 2050 02:01:18 GMT",
            "Thu, 18  Aug  2050 02:01:18 GMT",
            "Thu, 18-Aug-2050 02:01:18 GMT",
            "Thu, 18-Aug-50 02:01:18 GMT",
            "Thu, 18 Aug 2050 02.01.18 GMT",
            "Thu, 18 Aug 2050 2:01:18 GMT",
            "Thu, 31 Feb 2050 02:01:18 GMT",
            "Thu, 18 Aug 2050 25:01:18 GMT",
            "Thu, 18 Aug 12050 02:01:18 GMT",
            "Thursday, 18-Aug-+0 02:01:18 GMT",
            "Thursday, 18-Aug-50",
            "Thursday, 18-Aug-50 02:01:18 GMT ?",
            "Thursday, 18-Aug-77 02:01:18 UTC",
            "Thu, 18 Aug 2050 02:01:18 GMT; x",
        ] {
            assert_eq!(read_text(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_second_is_read_back_in_every_form(second in 0..253_402_300_799_u64) {
            let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(second));
            prop_assert_eq!(read_text(&text), Some(second));
            prop_assert_eq!(read_text(&text.to_uppercase()), Some(second));
        }

        #[test]
        fn any_value_is_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let _ = read(&value, UNIX_EPOCH + NOW);
            }
        }

        #[test]
        fn anything_like_the_second_form_is_read_without_panic(
            text in "(Sunday|Monday|é), [0-9é]{1,2}-[A-Za-zé]{2,3}-[0-9+é]{1,2} [0-9:]{7,8} GMT",
        ) {
            let _ = read_text(&text);
        }
    }
}
