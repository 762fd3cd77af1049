//! Where a row is: the path of its list with its key behind it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kasoku_database::ValueRef;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a path segment may show as it is (RFC 3986 §3.3), besides letters and digits.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b',')
    .remove(b':')
    .remove(b'@');

/// The path of a row. Of a key of several columns, a text with a comma in it is quoted, as paths are read.
pub(crate) fn of_row<'a>(path: &str, key: impl ExactSizeIterator<Item = ValueRef<'a>>) -> String {
    let mut location = format!("{}/", path.trim_end_matches('/'));
    let several = key.len() > 1;
    for (place, value) in key.enumerate() {
        if place > 0 {
            location.push(',');
        }
        push(value, several, &mut location);
    }
    location
}

fn push(value: ValueRef<'_>, several: bool, location: &mut String) {
    match value {
        ValueRef::Integer(number) => location.push_str(&number.to_string()),
        ValueRef::Real(number) => location.push_str(&number.to_string()),
        ValueRef::Text(text) | ValueRef::Json(text) => push_text(text, several, location),
        ValueRef::Blob(bytes) => location.push_str(&URL_SAFE_NO_PAD.encode(bytes)),
        ValueRef::Boolean(is) => location.push_str(if is { "true" } else { "false" }),
        ValueRef::Native(native) => push_text(&native.to_text(), several, location),
        ValueRef::Null => {}
    }
}

fn push_text(text: &str, several: bool, location: &mut String) {
    if several && (text.contains(',') || text.starts_with('"')) {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
        location.extend(utf8_percent_encode(&format!("\"{escaped}\""), SEGMENT));
    } else {
        location.extend(utf8_percent_encode(text, SEGMENT));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_location_of_a_row_leads_to_it() {
        let check = |key: &[ValueRef<'_>], expected: &str| {
            assert_eq!(of_row("/rows", key.iter().copied()), format!("/rows/{expected}"), "{key:?}");
        };
        check(&[ValueRef::Integer(-7)], "-7");
        check(&[ValueRef::Text("a,b/c")], "a,b%2Fc");
        check(&[ValueRef::Blob(b"\xff\xfe")], "__4");
        check(&[ValueRef::Boolean(true), ValueRef::Integer(1)], "true,1");
        check(&[ValueRef::Text("a"), ValueRef::Real(1.5)], "a,1.5");
        check(&[ValueRef::Text("a,b"), ValueRef::Integer(1)], "%22a,b%22,1");
        check(&[ValueRef::Text("\"a"), ValueRef::Integer(1)], "%22%5C%22a%22,1");
        check(&[ValueRef::Text("a\\,"), ValueRef::Text("b")], "%22a%5C%5C,%22,b");
    }
}
