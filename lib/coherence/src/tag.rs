//! Tags: names of things that answers depend on, as 64-bit hashes.
//!
//! Two tags that collide invalidate each other's answers needlessly and do no other harm, so a hash is enough,
//! and its seed is fixed so that all nodes agree. Names are built from length-prefixed parts: no choice of
//! values can make one name look like another.

use xxhash_rust::xxh3::Xxh3;

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
#[derive(Clone)]
pub struct TagBuilder(Xxh3);

impl TagBuilder {
    /// Begins a tag; `kind` keeps tables, rows and names apart.
    pub fn new(kind: &str) -> Self {
        Self(Xxh3::new()).part(kind.as_bytes())
    }

    /// Adds a part.
    #[must_use]
    pub fn part(mut self, bytes: &[u8]) -> Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// The finished tag.
    pub fn build(&self) -> Tag {
        Tag(self.0.digest())
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(Tag::named("items"), Tag::named("items"));
    }
}
