//! Keys: what a stored answer is found by.
//!
//! A key is a tuple of length-prefixed parts, never a joined string, so that no delimiter inside a part can make
//! one key look like another. Comparison is of all bytes; the hash only finds the place to look.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

/// What a stored answer is found by.
#[derive(Debug, Clone)]
pub struct Key {
    bytes: Arc<[u8]>,
    hash: u64,
}

/// Builds a key from parts.
#[derive(Debug, Default)]
pub struct KeyBuilder(Vec<u8>);

/// The longest buffer that a thread keeps between two keys.
const KEPT_BYTES_MAX: usize = 16_384;

thread_local! {
    /// Keys are built for every request; the finished one is copied out of what the one before was built in.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl KeyBuilder {
    /// A key with no parts yet, and room for most.
    pub fn new() -> Self {
        let mut buffer = BUFFER.take();
        buffer.clear();
        buffer.reserve(128);
        Self(buffer)
    }

    /// Adds a part; an empty part differs from no part.
    #[must_use]
    pub fn part(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// Adds what may be missing; missing differs from empty.
    #[must_use]
    pub fn optional(mut self, bytes: Option<&[u8]>) -> Self {
        let Some(bytes) = bytes else {
            self.0.extend_from_slice(&u32::MAX.to_le_bytes());
            return self;
        };
        self.part(bytes)
    }

    /// The bytes of the key as far as it goes, for look-ups that need no key of their own.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The finished key.
    pub fn build(self) -> Key {
        Key { bytes: Arc::from(&*self.0), hash: xxh3_64(&self.0) }
    }
}

impl Drop for KeyBuilder {
    fn drop(&mut self) {
        if self.0.capacity() <= KEPT_BYTES_MAX {
            BUFFER.set(std::mem::take(&mut self.0));
        }
    }
}

impl Key {
    /// A key from the bytes of another, as a node tells them to the next; `None` if they are no sequence of parts.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let length = u32::from_le_bytes(*length);
            let part_bytes = if length == u32::MAX { 0 } else { length as usize };
            rest = after.get(part_bytes..)?;
        }
        Some(Self { bytes: Arc::from(bytes), hash: xxh3_64(bytes) })
    }

    /// Its bytes, for stores and for printing.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The parts that it was built from; `None` where something was missing.
    pub fn parts(&self) -> impl Iterator<Item = Option<&[u8]>> {
        let mut rest = &self.bytes[..];
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let length = u32::from_le_bytes(*length);
            if length == u32::MAX {
                rest = after;
                return Some(None);
            }
            let (part, after) = after.split_at_checked(length as usize)?;
            rest = after;
            Some(Some(part))
        })
    }

    /// The hash that it was built with; not keyed, so mix it with a secret before use in a table.
    pub fn hash64(&self) -> u64 {
        self.hash
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.bytes == other.bytes
    }
}

impl Eq for Key {}

impl Hash for Key {
    /// Feeds the whole key, so that a keyed hasher stays safe against chosen collisions.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_apart_and_read_back() {
        let joined = KeyBuilder::new().part(b"/a").part(b"b").build();
        let other = KeyBuilder::new().part(b"/").part(b"ab").build();
        assert_ne!(joined, other);
        let empty = KeyBuilder::new().part(b"").build();
        let missing = KeyBuilder::new().optional(None).build();
        assert_ne!(empty, missing);
        let parts: Vec<_> = joined.parts().collect();
        assert_eq!(parts, [Some(&b"/a"[..]), Some(&b"b"[..])]);
        assert_eq!(missing.parts().collect::<Vec<_>>(), [None]);
    }

    #[test]
    fn a_key_is_read_from_its_bytes_and_from_nothing_else() {
        let key = KeyBuilder::new().part(b"/a").optional(None).part(b"").build();
        assert_eq!(Key::from_bytes(key.bytes()), Some(key.clone()));
        assert_eq!(Key::from_bytes(&key.bytes()[..key.bytes().len() - 1]), None);
        assert_eq!(Key::from_bytes(b"\x05\0\0\0abc"), None);
    }
}
