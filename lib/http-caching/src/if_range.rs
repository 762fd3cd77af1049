//! `If-Range` (RFC 9110 §13.1.5): whether a range is taken from the state that the caller has the rest of.

use std::time::SystemTime;

use http::HeaderMap;
use http::header::IF_RANGE;

use crate::conditions::Validators;
use crate::entity_tag::{Comparison, EntityTag};
use crate::validation::DATE_IS_STRONG_AFTER;

/// What becomes of a `Range` field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeUse {
    /// It counts: there is no condition, or it names this very state.
    Applies,
    /// It does not, and the whole is sent: the condition names another state, or none for certain.
    Ignored,
}

/// Evaluates `If-Range` against the current representation. Tags are compared strongly, and a date must be exactly
/// the one that was sent as `Last-Modified`, and old enough to be strong.
pub fn evaluate(headers: &HeaderMap, current: &Validators<'_>, now: SystemTime) -> RangeUse {
    let mut fields = headers.get_all(IF_RANGE).into_iter();
    let names_this_state = match (fields.next(), fields.next()) {
        (None, _) => true,
        (Some(field), None) if field.as_bytes().contains(&b'"') => {
            let known = current.etag.and_then(|etag| EntityTag::read(etag.as_bytes()));
            let named = EntityTag::read(field.as_bytes());
            known.zip(named).is_some_and(|(known, named)| named.equals(known, Comparison::Strong))
        }
        (Some(field), None) => current.modified.is_some_and(|modified| {
            let strong = now.duration_since(modified).is_ok_and(|age| age >= DATE_IS_STRONG_AFTER);
            strong && field.as_bytes() == httpdate::fmt_http_date(modified).as_bytes()
        }),
        (Some(_), Some(_)) => false,
    };
    if names_this_state { RangeUse::Applies } else { RangeUse::Ignored }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;

    use super::*;

    const NOW_S: u64 = 1_700_000_000;
    const AGE_S: u64 = 3_600;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn check(etag: &'static str, age_s: u64, fields: &[&str], expected: RangeUse) {
        let etag = HeaderValue::from_static(etag);
        let current = Validators { etag: Some(&etag), modified: Some(at(NOW_S - age_s)) };
        let date = |seconds: u64| httpdate::fmt_http_date(at(seconds));
        let mut headers = HeaderMap::new();
        for value in fields {
            let value = value
                .replace("MODIFIED", &date(NOW_S - age_s))
                .replace("EARLIER", &date(NOW_S - age_s - 1))
                .replace("LATER", &date(NOW_S - age_s + 1));
            headers.append(IF_RANGE, value.parse().unwrap());
        }
        assert_eq!(evaluate(&headers, &current, at(NOW_S)), expected, "{etag:?} {fields:?}");
    }

    #[test]
    fn tags_are_compared_strongly_and_dates_exactly() {
        use RangeUse::{Applies, Ignored};
        for (etag, field, expected) in [
            (r#""a""#, r#""a""#, Applies),
            (r#""a""#, r#""b""#, Ignored),
            (r#""a""#, r#"W/"a""#, Ignored),
            (r#"W/"a""#, r#"W/"a""#, Ignored),
            (r#"W/"a""#, r#""a""#, Ignored),
            (r#""a""#, r#""a-br""#, Ignored),
            (r#""a""#, r#""a", "b""#, Ignored),
            (r#""a""#, "*", Ignored),
            (r#""a""#, "MODIFIED", Applies),
            (r#""a""#, "LATER", Ignored),
            (r#""a""#, "EARLIER", Ignored),
            (r#""a""#, "nonsense", Ignored),
            (r#""a""#, "", Ignored),
        ] {
            check(etag, AGE_S, &[field], expected);
        }
        check(r#""a""#, 59, &["MODIFIED"], Ignored);
        check(r#""a""#, 60, &["MODIFIED"], Applies);
        check(r#""a""#, AGE_S, &[r#""a""#, r#""a""#], Ignored);
        check(r#""a""#, AGE_S, &[], Applies);
    }

    #[test]
    fn without_validators_no_condition_holds() {
        let mut headers = HeaderMap::new();
        let none = Validators::default();
        assert_eq!(evaluate(&headers, &none, at(NOW_S)), RangeUse::Applies);
        headers.insert(IF_RANGE, HeaderValue::from_static(r#""a""#));
        assert_eq!(evaluate(&headers, &none, at(NOW_S)), RangeUse::Ignored);
    }
}
