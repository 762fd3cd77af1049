//! Values that a database reads in several spellings, and would refuse in the middle of a statement: identifiers, dates,
//! instants, decimals. They are judged here, so that a caller learns of a mistake before the database does.

/// A UUID in the one form that is written: lower case, with hyphens (RFC 9562 §4). Read with hyphens anywhere or
/// nowhere, and in braces.
pub(crate) fn uuid(text: &str) -> Option<String> {
    let inner = text.strip_prefix('{').map_or(Some(text), |rest| rest.strip_suffix('}'))?;
    let mut written = String::with_capacity(36);
    for letter in inner.chars().filter(|letter| *letter != '-') {
        if !letter.is_ascii_hexdigit() || written.len() == 36 {
            return None;
        }
        written.push(letter.to_ascii_lowercase());
        if matches!(written.len(), 8 | 13 | 18 | 23) {
            written.push('-');
        }
    }
    (written.len() == 36).then_some(written)
}

/// Whether it is a day of the calendar with a time, if it has one, and a distance from UTC, if it has one (RFC 3339
/// §5.6, and a blank instead of the `T`); or beyond all days.
pub(crate) fn is_timestamp(text: &str) -> bool {
    let text = text.strip_suffix(" BC").unwrap_or(text);
    match text.find(['T', 't', ' ']) {
        _ if is_endless(text) => true,
        None => is_day(text),
        Some(end) => is_day(&text[..end]) && is_time(&text[end + 1..]),
    }
}

/// Whether it is a decimal number, of any length, with an exponent or without.
pub(crate) fn is_decimal(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (number, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(n, e)| (n, Some(e)));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| (1..=5).contains(&exponent.len()) && digits(exponent))
}

fn is_endless(text: &str) -> bool {
    matches!(text, "infinity" | "-infinity")
}

fn is_day(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut number = |lengths: std::ops::RangeInclusive<usize>| {
        let part = parts.next().filter(|part| lengths.contains(&part.len()))?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u32>().ok())?
    };
    let (Some(year), Some(month), Some(day)) = (number(4..=7), number(2..=2), number(2..=2)) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    year > 0 && (1..=days).contains(&day) && parts.next().is_none()
}

fn is_time(text: &str) -> bool {
    let (clock, zone) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => (&text[..at], &text[at..]),
        None => (text, ""),
    };
    let zone_fits = match zone {
        "" | "Z" | "z" => true,
        _ => is_clock(&zone[1..], 15, false),
    };
    is_clock(clock, 24, true) && zone_fits
}

/// `12`, `12:30` or `12:30:15.25`, as far as the hour; a time of day has minutes at the least.
fn is_clock(text: &str, hours_most: u32, of_day: bool) -> bool {
    let (clock, fraction) = text.split_once('.').map_or((text, None), |(clock, rest)| (clock, Some(rest)));
    let two = |part: &str| {
        let plain = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if plain { part.parse::<u32>().ok() } else { None }
    };
    let parts: Vec<Option<u32>> = clock.split(':').map(two).collect();
    let fits = match parts.as_slice() {
        [Some(hour)] => *hour <= hours_most && !of_day,
        [Some(hour), Some(minute)] => *hour <= hours_most && *minute < 60,
        // 60 is the second that is put in now and then.
        [Some(hour), Some(minute), Some(second)] => *hour <= hours_most && *minute < 60 && *second <= 60,
        _ => false,
    };
    let digits = |rest: &str| (1..=9).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_digit());
    fits && fraction.is_none_or(|rest| of_day && parts.len() == 3 && digits(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_one_form_however_it_is_spelt() {
        let written = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
        for spelt in [
            written,
            "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
            "a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}",
        ] {
            assert_eq!(uuid(spelt).as_deref(), Some(written), "{spelt}");
        }
        for wrong in [
            "",
            "a0eebc99",
            "{a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "a0eebc999c0b4ef8bb6d6bb9bd380a111",
            "g0eebc999c0b4ef8bb6d6bb9bd380a11",
            "é",
        ] {
            assert_eq!(uuid(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dates_and_instants_are_those_of_the_calendar() {
        for date in [
            "2020-02-29",
            "2000-02-29",
            "0001-01-01",
            "0044-03-15 BC",
            "12020-01-31",
            "infinity",
            "-infinity",
        ] {
            assert!(is_timestamp(date), "{date}");
        }
        for wrong in [
            "",
            "2021-02-29",
            "1900-02-29",
            "2020-13-01",
            "2020-1-1",
            "2020-04-31",
            "0000-01-01",
            "today",
            "2020-01-01-01",
            "2020-01-00",
            "é020-01-01",
        ] {
            assert!(!is_timestamp(wrong), "{wrong}");
        }
        for instant in [
            "2020-01-01T10:00",
            "2020-01-01 10:00:00.123456",
            "2020-01-01T10:00:00Z",
            "2020-01-01T23:59:60+05:30",
            "2020-01-01 24:00:00-03",
            "0044-03-15T10:00:00+00 BC",
        ] {
            assert!(is_timestamp(instant), "{instant}");
        }
        for wrong in [
            "2020-01-01T",
            "2020-01-01T10",
            "2020-01-01T25:00",
            "2020-01-01T10:60",
            "2020-01-01T10:00:00 00:00",
            "2020-01-01T10:00+16:00",
            "2020-01-01T10:00.5",
            "2020-01-01T10:00:00+01.5",
            "2020-01-01Té",
        ] {
            assert!(!is_timestamp(wrong), "{wrong}");
        }
    }

    #[test]
    fn decimals_may_be_longer_than_any_double() {
        for number in ["0", "-1.50", "12345678901234567890.123456789", ".5", "5.", "1e10", "1E-10"] {
            assert!(is_decimal(number), "{number}");
        }
        for wrong in ["", "-", ".", "+1", "1e", "1e+", "1e999999", "NaN", "1,5", " 1", "0x1", "--1", "1.5.5"]
        {
            assert!(!is_decimal(wrong), "{wrong}");
        }
    }
}
