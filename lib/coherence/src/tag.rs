//! Tags: names of things that answers depend on, as 64-bit hashes.
//!
//! Two tags that collide invalidate each other's answers needlessly and do no other harm, so a hash is enough,
//! and its seed is fixed so that all nodes agree. Names are built from length-prefixed parts: no choice of
//! values can make one name look like another.

use xxhash_rust::xxh3::xxh3_64;

/// The name of something that an answer depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u64);

impl Tag {
    /// The tag of a plain name, as operators write it and as purges by tag use it.
    pub fn named(name: &str) -> Self {
        TagBuilder::new("n").part(name.as_bytes()).build()
    }
}

/// Builds a tag from parts.
///
/// The parts are gathered and hashed at the end: names are short, and the state of a hash in progress is not.
#[derive(Clone)]
pub struct TagBuilder(Vec<u8>);

/// What most names take.
const USUAL_BYTES: usize = 96;

impl TagBuilder {
    /// Begins a tag; `kind` keeps tables, rows and names apart.
    pub fn new(kind: &str) -> Self {
        Self(Vec::with_capacity(USUAL_BYTES)).part(kind.as_bytes())
    }

    /// Adds a part.
    #[must_use]
    pub fn part(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// The finished tag.
    pub fn build(&self) -> Tag {
        Tag(xxh3_64(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh3::Xxh3;

    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let one = TagBuilder::new("r").part(b"ab").part(b"c").build();
        let other = TagBuilder::new("r").part(b"a").part(b"bc").build();
        assert_ne!(one, other);
        assert_ne!(Tag::named("r"), TagBuilder::new("r").build());
    }

    #[test]
    fn a_name_has_the_same_tag_on_every_node() {
        // However a node hashes: at once, or part by part.
        for length in [0, 1, 16, 17, 128, 129, 240, 241, 1_000] {
            let name = "x".repeat(length);
            let mut hash = Xxh3::new();
            for part in ["n", &name] {
                hash.update(&(part.len() as u64).to_le_bytes());
                hash.update(part.as_bytes());
            }
            assert_eq!(Tag::named(&name), Tag(hash.digest()), "{length}");
        }
    }
}
