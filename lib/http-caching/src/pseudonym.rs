//! The name by which a server says that a message went through it: `Via` (RFC 9110 §7.6.3) and `CDN-Loop` (RFC 8586).
//!
//! A request that comes back to a server that has sent it on would go in a circle for ever. `Via` alone does not show
//! it, where several servers go by one name; in `CDN-Loop` each has its own, which nobody on the way may take out.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

use http::header::VIA;
use http::{HeaderMap, HeaderName, HeaderValue, Version};

/// RFC 8586 §2.
pub const CDN_LOOP: HeaderName = HeaderName::from_static("cdn-loop");

/// The name in `Via` where none of its own was given.
const USUAL: &str = "kasoku";

/// A request that has passed servers with the usual name this often goes in a circle, too.
const PASSES_MAX: usize = 8;

/// The longest name.
const BYTES_MAX: usize = 64;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pseudonym(Arc<Names>);

#[derive(Debug, PartialEq, Eq)]
struct Names {
    in_cdn_loop: HeaderValue,
    /// For HTTP/1.0, HTTP/1.1, HTTP/2 and HTTP/3.
    in_via: [HeaderValue; 4],
}

impl Pseudonym {
    /// A name that was chosen: a token, or a host with or without a port; at most 64 bytes.
    pub fn named(name: &str) -> Option<Self> {
        let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:[]".contains(&byte);
        let is_name = (1..=BYTES_MAX).contains(&name.len()) && name.bytes().all(may_stand);
        is_name.then(|| Self::of(name, name))
    }

    /// The name of a process that was given none: in `CDN-Loop` one that no other has, in `Via` the usual one.
    pub fn unique() -> Self {
        static UNIQUE: LazyLock<Pseudonym> = LazyLock::new(|| {
            // Each hasher of the standard library has keys of its own.
            let random = RandomState::new().hash_one(());
            Pseudonym::of(&format!("{USUAL}-{random:016x}"), USUAL)
        });
        UNIQUE.clone()
    }

    fn of(in_cdn_loop: &str, in_via: &str) -> Self {
        let value = |text: String| HeaderValue::try_from(text).expect("names are visible ASCII");
        let in_via = ["1.0", "1.1", "2", "3"].map(|version| value(format!("{version} {in_via}")));
        Self(Arc::new(Names { in_cdn_loop: value(in_cdn_loop.to_owned()), in_via }))
    }

    /// What is added to `Via` for a message that came by this version.
    pub fn in_via(&self, version: Version) -> &HeaderValue {
        &self.0.in_via[match version {
            Version::HTTP_10 => 0,
            Version::HTTP_2 => 2,
            Version::HTTP_3 => 3,
            _ => 1,
        }]
    }

    /// What is added to `CDN-Loop`.
    pub fn in_cdn_loop(&self) -> &HeaderValue {
        &self.0.in_cdn_loop
    }

    /// Whether a request with these fields has been sent on by this server before.
    pub fn has_sent(&self, headers: &HeaderMap) -> bool {
        // Most requests come from callers and not by way of servers. Passing over the names that are there costs less
        // than to hash the ones that are looked for.
        if !headers.keys().any(|name| *name == VIA || *name == CDN_LOOP) {
            return false;
        }
        let own = self.0.in_cdn_loop.as_bytes();
        let is_own = |info: &[u8]| {
            let id = info.split(|byte| *byte == b';').next().unwrap_or_default();
            id.trim_ascii().eq_ignore_ascii_case(own)
        };
        elements(headers, &CDN_LOOP).any(is_own) || self.passes(headers) >= self.passes_max()
    }

    /// How often the name stands in `Via`.
    fn passes(&self, headers: &HeaderMap) -> usize {
        let name =
            |entry: &[u8]| entry.iter().position(|byte| *byte == b' ').map(|at| entry[at + 1..].to_vec());
        let own = name(self.0.in_via[1].as_bytes()).unwrap_or_default();
        let is_own = |entry: &&[u8]| {
            let mut words = entry.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            words.nth(1).is_some_and(|by| by.eq_ignore_ascii_case(&own))
        };
        elements(headers, &VIA).filter(is_own).count()
    }

    fn passes_max(&self) -> usize {
        if self.0.in_via[1].as_bytes().ends_with(USUAL.as_bytes()) { PASSES_MAX } else { 1 }
    }
}

fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(name).into_iter();
    lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(pseudonym: &Pseudonym, name: &HeaderName, lines: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, line.parse().unwrap());
        }
        pseudonym.has_sent(&headers)
    }

    #[test]
    fn a_request_that_was_here_is_known_by_its_fields() {
        let edge = Pseudonym::named("edge.example:8080").unwrap();
        for (lines, expected) in [
            (&["edge.example:8080"][..], true),
            (&["a, b;x=1", "c , EDGE.example:8080 ; node=\"1\""], true),
            (&["edge.example"], false),
            (&["xedge.example:8080"], false),
            (&["a;edge.example:8080"], false),
            (&[""], false),
        ] {
            assert_eq!(sent(&edge, &CDN_LOOP, lines), expected, "{lines:?}");
        }
        for (lines, expected) in [
            (&["1.1 edge.example:8080"][..], true),
            (&["1.0 a, 2 Edge.example:8080 (comment)"], true),
            (&["1.1 kasoku, 1.1 kasoku"], false),
            (&["edge.example:8080"], false),
        ] {
            assert_eq!(sent(&edge, &VIA, lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_name_that_nobody_chose_is_one_of_many_in_via_and_the_only_one_in_cdn_loop() {
        let unique = Pseudonym::unique();
        assert_eq!(unique, Pseudonym::unique());
        assert!(sent(&unique, &CDN_LOOP, &[unique.in_cdn_loop().to_str().unwrap()]));
        assert!(!sent(&unique, &CDN_LOOP, &["kasoku"]));
        assert_eq!(unique.in_via(Version::HTTP_2), "2 kasoku");
        assert!(!sent(&unique, &VIA, &["1.1 kasoku, 1.0 a, 2 kasoku"]));
        assert!(sent(&unique, &VIA, &["1.1 kasoku, 2 kasoku"; 4]));
    }

    #[test]
    fn a_name_is_a_token_or_a_host() {
        for name in ["edge-1", "edge.example:80", "[::1]:8080", &"x".repeat(64)] {
            assert!(Pseudonym::named(name).is_some(), "{name}");
        }
        for name in ["", "a b", "a,b", "a;b", "a\"b", "é", "(a)", &"x".repeat(65)] {
            assert!(Pseudonym::named(name).is_none(), "{name}");
        }
    }
}
