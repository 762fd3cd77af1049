//! Entity tags (RFC 9110 §8.8.3): made from a body, marked for a coding, read from a list, compared.

use http::HeaderValue;
use xxhash_rust::xxh3::xxh3_128;

use crate::coding::Coding;

/// A strong entity tag for a body: equal bytes have equal tags, on every node.
pub fn of_body(body: &[u8]) -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'"'; 34];
    for (digits, byte) in text[1..33].chunks_exact_mut(2).zip(xxh3_128(body).to_be_bytes()) {
        digits[0] = DIGITS[usize::from(byte >> 4)];
        digits[1] = DIGITS[usize::from(byte & 15)];
    }
    HeaderValue::from_bytes(&text).expect("quoted hexadecimal digits are a field value")
}

/// The tag of a coded form: `"abc"` becomes `"abc-br"`, because forms that differ in their bytes must differ
/// in their strong tags (RFC 9110 §8.8.3.3). A weak tag says no more than *equivalent*, and stays.
pub fn of_coded(tag: &HeaderValue, coding: Coding) -> HeaderValue {
    let marked = EntityTag::read(tag.as_bytes()).filter(|tag| !tag.weak).and_then(|tag| {
        let text = [b"\"", tag.opaque, b"-", coding.token().as_bytes(), b"\""].concat();
        HeaderValue::from_bytes(&text).ok()
    });
    marked.unwrap_or_else(|| tag.clone())
}

/// The tags of the plain forms behind those of a list that could be tags of coded ones: the other way of [`of_coded`].
pub fn uncoded(field: &[u8]) -> Vec<HeaderValue> {
    let plain = |tag: EntityTag<'_>| {
        let of = |coding: Coding| tag.opaque.strip_suffix(coding.token().as_bytes())?.strip_suffix(b"-");
        let opaque = Coding::ALL.into_iter().find_map(of).filter(|_| !tag.weak)?;
        HeaderValue::from_bytes(&[b"\"", opaque, b"\""].concat()).ok()
    };
    list(field).filter_map(plain).collect()
}

/// How two tags are compared (RFC 9110 §8.8.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Equal if both name the same bytes.
    Strong,
    /// Equal if both name equivalent content.
    Weak,
}

/// An entity tag as it stands in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntityTag<'a> {
    /// `W/`: equivalent, but perhaps not the same bytes.
    pub weak: bool,
    /// What stands between the quotes.
    pub opaque: &'a [u8],
}

impl<'a> EntityTag<'a> {
    /// Reads a field that is one tag, such as `ETag`.
    pub fn read(field: &'a [u8]) -> Option<Self> {
        let (tag, rest) = Self::take(field.trim_ascii())?;
        rest.is_empty().then_some(tag)
    }

    /// Reads one tag and returns what stands behind it.
    fn take(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (weak, text) = match text.strip_prefix(b"W/") {
            Some(text) => (true, text),
            None => (false, text),
        };
        let text = text.strip_prefix(b"\"")?;
        let end = text.iter().position(|byte| *byte == b'"')?;
        let (opaque, rest) = (&text[..end], &text[end + 1..]);
        // etagc = %x21 / %x23-7E / obs-text
        let valid = opaque.iter().all(|byte| *byte > b' ' && *byte != 0x7f);
        valid.then_some((Self { weak, opaque }, rest))
    }

    /// Compares two tags.
    pub fn equals(self, other: EntityTag<'_>, comparison: Comparison) -> bool {
        let both_strong = !self.weak && !other.weak;
        self.opaque == other.opaque && (comparison == Comparison::Weak || both_strong)
    }
}

/// The tags of a list such as `If-None-Match`, up to the first thing that is not one. Commas may stand inside
/// of tags, so that a list cannot be split at them.
pub fn list(field: &[u8]) -> impl Iterator<Item = EntityTag<'_>> {
    let mut rest = field;
    std::iter::from_fn(move || {
        while let [b' ' | b'\t' | b',', after @ ..] = rest {
            rest = after;
        }
        let (tag, after) = EntityTag::take(rest)?;
        let after = after.trim_ascii_start();
        // Only a comma or the end may follow a tag.
        let separated = after.is_empty() || after.starts_with(b",");
        rest = if separated { after } else { b"" };
        separated.then_some(tag)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strong(opaque: &str) -> EntityTag<'_> {
        EntityTag { weak: false, opaque: opaque.as_bytes() }
    }

    fn weak(opaque: &str) -> EntityTag<'_> {
        EntityTag { weak: true, ..strong(opaque) }
    }

    #[test]
    fn the_tag_of_a_coded_form_leads_back_to_the_plain_one() {
        let check =
            |field: &str, expected: &[&str]| assert_eq!(uncoded(field.as_bytes()), expected, "{field}");
        for coding in Coding::ALL {
            let tag = HeaderValue::from_static("\"a-b\"");
            assert_eq!(uncoded(of_coded(&tag, coding).as_bytes()), [tag], "{coding:?}");
        }
        check("\"x\", \"a-br\", W/\"a-gzip\", \"b-gzip\"", &["\"a\"", "\"b\""]);
        check("*", &[]);
        check("\"br\", \"abr\"", &[]);
    }

    #[test]
    fn lists_are_read_up_to_the_first_thing_that_is_no_tag() {
        let check = |text: &str, expected: &[EntityTag<'_>]| {
            assert_eq!(list(text.as_bytes()).collect::<Vec<_>>(), expected, "{text:?}");
        };
        check(r#""a""#, &[strong("a")]);
        check(r#""a", W/"b" ,"c""#, &[strong("a"), weak("b"), strong("c")]);
        check(r#""a,b","""#, &[strong("a,b"), strong("")]);
        check(r#",, "a""#, &[strong("a")]);
        check(r#""a" "b""#, &[]);
        check(r#""a", b, "c""#, &[strong("a")]);
        check(r#""a"#, &[]);
        check(r#"w/"a""#, &[]);
        check(r#""a b""#, &[]);
        check("", &[]);
    }

    #[test]
    fn comparison_follows_the_table_of_rfc_9110_section_8_8_3_2() {
        for (one, other, strongly, weakly) in [
            (weak("1"), weak("1"), false, true),
            (weak("1"), weak("2"), false, false),
            (weak("1"), strong("1"), false, true),
            (strong("1"), strong("1"), true, true),
        ] {
            assert_eq!(one.equals(other, Comparison::Strong), strongly, "{one:?} {other:?}");
            assert_eq!(one.equals(other, Comparison::Weak), weakly, "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_coding_marks_strong_tags_only() {
        let marked = |tag: &'static str| of_coded(&HeaderValue::from_static(tag), Coding::Brotli);
        assert_eq!(marked(r#""abc""#), r#""abc-br""#);
        assert_eq!(marked(r#"W/"abc""#), r#"W/"abc""#);
        assert_eq!(marked("abc"), "abc");
        assert_ne!(of_body(b"a"), of_body(b"b"));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(
            tags in proptest::collection::vec((any::<bool>(), "[!#-~]{0,8}"), 0..6),
        ) {
            let write = |(weak, opaque): &(bool, String)| {
                format!("{}\"{opaque}\"", if *weak { "W/" } else { "" })
            };
            let texts: Vec<_> = tags.iter().map(write).collect();
            let text = texts.join(" ,\t");
            let read = |tag: EntityTag<'_>| (tag.weak, String::from_utf8(tag.opaque.to_vec()).unwrap());
            let read: Vec<_> = list(text.as_bytes()).map(read).collect();
            prop_assert_eq!(read, tags);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = list(&bytes).count();
            let _ = EntityTag::read(&bytes);
        }
    }
}
