//! `QUERY` (RFC 10008): what an answer to it is found by besides the target.
//!
//! The method is safe, idempotent and cacheable; its content is part of the cache key, with the fields that
//! say how the content is to be read.

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE};
use sha2::{Digest, Sha256};

/// A digest of a request's content and of the fields that describe it. Equal digests mean equal requests, also when
/// someone tries to make two that collide. The content is taken as it is: equal queries that are written in two
/// ways are two.
pub fn digest(headers: &HeaderMap, content: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for name in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE] {
        let lines: Vec<&[u8]> =
            headers.get_all(name).into_iter().map(|line| line.as_bytes().trim_ascii()).collect();
        // Counted and measured, so that what stands in one field cannot be taken for another.
        hasher.update((lines.len() as u64).to_le_bytes());
        for line in lines {
            hasher.update((line.len() as u64).to_le_bytes());
            hasher.update(line);
        }
    }
    hasher.update(content);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::HeaderName;

    use super::*;

    #[test]
    fn everything_that_says_how_to_read_the_content_makes_another_request() {
        let of = |fields: &[(HeaderName, &'static str)], content: &[u8]| {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(name, HeaderValue::from_static(value));
            }
            digest(&headers, content)
        };
        let all = [
            of(&[], b""),
            of(&[], b"a"),
            of(&[(CONTENT_TYPE, "a")], b""),
            of(&[(CONTENT_ENCODING, "a")], b""),
            of(&[(CONTENT_LANGUAGE, "a")], b""),
            of(&[(CONTENT_TYPE, "")], b"a"),
            of(&[(CONTENT_TYPE, "a"), (CONTENT_TYPE, "b")], b""),
            of(&[(CONTENT_TYPE, "a, b")], b""),
            of(&[(CONTENT_TYPE, "a"), (CONTENT_ENCODING, "b")], b"c"),
            of(&[(CONTENT_TYPE, "a"), (CONTENT_ENCODING, "b")], b"d"),
        ];
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        let spaced = of(&[(CONTENT_TYPE, " a ")], b"");
        assert_eq!(spaced, of(&[(CONTENT_TYPE, "a")], b""));
        let (other, same) = (HeaderName::from_static("x-other"), of(&[], b"a"));
        assert_eq!(of(&[(other, "1")], b"a"), same, "what else it says is for `Vary`");
    }
}
