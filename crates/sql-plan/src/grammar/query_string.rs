//! The parameters of a query string, decoded once.

use std::borrow::Cow;

use kasoku_problem::{Kind, Problem};
use percent_encoding::percent_decode_str;

use crate::limits::{PARAMETERS_MAX, QUERY_BYTES_MAX};

/// A parameter's name and value.
type Parameter<'q> = (Cow<'q, str>, Cow<'q, str>);

/// The name and value of each parameter, in their order; empty ones are passed over.
pub(crate) fn parameters(
    query: Option<&str>,
) -> Result<impl Iterator<Item = Result<Parameter<'_>, Problem>>, Problem> {
    let query = query.unwrap_or_default();
    if query.len() > QUERY_BYTES_MAX {
        let detail = format!("the query string is longer than {QUERY_BYTES_MAX} bytes");
        return Err(Problem::new(Kind::InvalidParameter).detail(detail));
    }
    if query.bytes().filter(|byte| *byte == b'&').count() >= PARAMETERS_MAX {
        let detail = format!("the query string has more than {PARAMETERS_MAX} parameters");
        return Err(Problem::new(Kind::InvalidParameter).detail(detail));
    }
    Ok(query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decoded(name)?, decoded(value)?))
    }))
}

/// `+` is a space, as forms and `URLSearchParams` write it; then percent-decoding, which must give UTF-8.
fn decoded(text: &str) -> Result<Cow<'_, str>, Problem> {
    if !text.bytes().any(|byte| byte == b'+' || byte == b'%') {
        return Ok(Cow::Borrowed(text));
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(|text| Cow::Owned(text.into_owned())).map_err(|_| {
        Problem::new(Kind::InvalidParameter).detail("the query string is not UTF-8 once it is decoded")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_once() {
        let cases: [(&str, &[(&str, &str)]); 7] = [
            ("", &[]),
            ("a=1&&b=2", &[("a", "1"), ("b", "2")]),
            ("a", &[("a", "")]),
            ("a=b=c", &[("a", "b=c")]),
            ("a=x+y%20z", &[("a", "x y z")]),
            ("a=%252C%2B", &[("a", "%2C+")]),
            ("%61=%zz", &[("a", "%zz")]),
        ];
        for (query, expected) in cases {
            let read: Vec<_> = parameters(Some(query)).unwrap().map(Result::unwrap).collect();
            let read: Vec<_> = read.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
            assert_eq!(read, expected, "{query}");
        }
    }

    #[test]
    fn what_is_not_text_or_too_much_is_refused() {
        assert!(parameters(Some("a=%ff")).unwrap().any(|pair| pair.is_err()));
        assert!(parameters(Some(&"a".repeat(QUERY_BYTES_MAX + 1))).is_err());
        assert!(parameters(Some(&"&".repeat(PARAMETERS_MAX))).is_err());
    }
}
