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
