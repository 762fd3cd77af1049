//! Entries as they lie on the server: self-describing, so that a reader needs to trust nothing but its own eyes.
//!
//! ```text
//!  0 magic "KSK", version u8      40 made_ms u64       the key
//!  4 compressed u8, 3 × 0         48 expires_ms u64    the tags, u64 each
//!  8 checksum u64                 56 lifetime_ms u64   the payload
//! 16 epoch u64                    64 key_bytes u32
//! 24 as_of u64                    68 tags u32
//! 32 token u64                    72 value_bytes u32, payload_bytes u32
//! ```
//!
//! All numbers are big-endian. The checksum is over everything but itself. Scripts on the server read the first 40
//! bytes to tell an older entry from a newer one.

use std::time::Duration;

use bytes::Bytes;
use kasoku_coherence::{Key, Tag};
use xxhash_rust::xxh3::Xxh3;

/// What a fill notes before it begins to read: the changes that its source is certain to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub(crate) epoch: u64,
    pub(crate) as_of: u64,
}

/// A finished fill.
#[derive(Debug, Clone)]
pub struct Fill {
    /// The value.
    pub value: Bytes,
    /// Everything that it depends on.
    pub tags: Vec<Tag>,
    /// Noted before it was read; see [`Remote::stamp`](crate::Remote::stamp).
    pub stamp: Stamp,
    /// How old the value is already.
    pub age: Duration,
    /// How long it may be kept from now on; what *fresh* means is the caller's rule, in the value.
    pub lifetime: Duration,
}

/// An entry that a look-up found usable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: Bytes,
    /// Everything that it depends on.
    pub tags: Vec<Tag>,
    /// What its source was certain to show.
    pub stamp: Stamp,
    /// A soft purge has reached it: use it only as one uses a stale value.
    pub softened: bool,
    /// How old the value is, by the calendars of two nodes.
    pub age: Duration,
    /// How long it may still be kept.
    pub remaining: Duration,
}

/// Why an entry that was there may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Too short, of another format or version, or its checksum does not match.
    Damaged,
    /// It is another key's, whose hash is the same, or was given for another question.
    OtherKey,
    /// It was stored before the epoch turned.
    OtherEpoch,
    /// Its lifetime is over.
    Expired,
    /// A purge or a change that its stamp does not show reaches it, or may reach it.
    Changed,
}

/// An entry whose form is sound; whether it may be used is decided by what it says.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) tags: Vec<Tag>,
    pub(crate) stamp: Stamp,
    pub(crate) made_ms: u64,
    pub(crate) expires_ms: u64,
    pub(crate) lifetime_ms: u64,
    pub(crate) payload: Payload,
}

/// The value, perhaps compressed.
#[derive(Debug)]
pub(crate) struct Payload {
    bytes: Bytes,
    value_bytes: usize,
    compressed: bool,
}

/// What tells one entry from another.
pub(crate) const HEAD_BYTES: usize = 40;

const FIXED_BYTES: usize = 80;
const MAGIC: [u8; 4] = *b"KSK\x01";

/// Fast, and good enough for text.
const ZSTD_LEVEL: i32 = 1;

/// Makes the bytes of an entry; values from `compress_from` bytes on are compressed if that makes them smaller.
pub(crate) fn encode(key: &Key, fill: &Fill, token: u64, now_ms: u64, compress_from: usize) -> Vec<u8> {
    let compressed = (fill.value.len() >= compress_from)
        .then(|| zstd::bulk::compress(&fill.value, ZSTD_LEVEL).ok())
        .flatten()
        .filter(|compressed| compressed.len() < fill.value.len());
    let payload = compressed.as_deref().unwrap_or(&fill.value);
    let lifetime_ms = millis(fill.lifetime);
    let mut bytes = Vec::with_capacity(FIXED_BYTES + key.bytes().len() + fill.tags.len() * 8 + payload.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&[u8::from(compressed.is_some()), 0, 0, 0]);
    bytes.extend_from_slice(&[0; 8]);
    let numbers = [
        fill.stamp.epoch,
        fill.stamp.as_of,
        token,
        now_ms.saturating_sub(millis(fill.age)),
        now_ms.saturating_add(lifetime_ms),
        lifetime_ms,
    ];
    bytes.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
    let lengths = [key.bytes().len(), fill.tags.len(), fill.value.len(), payload.len()];
    bytes.extend(lengths.iter().flat_map(|length| (*length as u32).to_be_bytes()));
    bytes.extend_from_slice(key.bytes());
    bytes.extend(fill.tags.iter().flat_map(|tag| tag.0.to_be_bytes()));
    bytes.extend_from_slice(payload);
    let checksum = checksum(&bytes);
    bytes[8..16].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// Reads an entry that was asked for by `key`.
pub(crate) fn decode(key: &Key, bytes: &Bytes, value_bytes_max: usize) -> Result<Read, Refusal> {
    if bytes.len() < FIXED_BYTES || bytes[..4] != MAGIC || number(bytes, 8) != checksum(bytes) {
        return Err(Refusal::Damaged);
    }
    let [key_bytes, tags, value_bytes, payload_bytes] = [64, 68, 72, 76].map(|at| length(bytes, at));
    let expected = FIXED_BYTES + key_bytes + tags * 8 + payload_bytes;
    if expected != bytes.len() || value_bytes > value_bytes_max {
        return Err(Refusal::Damaged);
    }
    let (key_end, payload_at) = (FIXED_BYTES + key_bytes, expected - payload_bytes);
    if bytes[FIXED_BYTES..key_end] != *key.bytes() {
        return Err(Refusal::OtherKey);
    }
    let tags = bytes[key_end..payload_at].as_chunks::<8>().0;
    Ok(Read {
        tags: tags.iter().map(|tag| Tag(u64::from_be_bytes(*tag))).collect(),
        stamp: Stamp { epoch: number(bytes, 16), as_of: number(bytes, 24) },
        made_ms: number(bytes, 40),
        expires_ms: number(bytes, 48),
        lifetime_ms: number(bytes, 56),
        payload: Payload { bytes: bytes.slice(payload_at..), value_bytes, compressed: bytes[4] == 1 },
    })
}

impl Read {
    /// How long it may still be kept. A node whose calendar is behind keeps it no longer than it was meant to be kept
    /// in all, and the server forgets it by a calendar of its own.
    pub(crate) fn remaining(&self, now_ms: u64) -> Result<Duration, Refusal> {
        let remaining_ms = self.expires_ms.saturating_sub(now_ms).min(self.lifetime_ms);
        if remaining_ms == 0 { Err(Refusal::Expired) } else { Ok(Duration::from_millis(remaining_ms)) }
    }

    pub(crate) fn age(&self, now_ms: u64) -> Duration {
        Duration::from_millis(now_ms.saturating_sub(self.made_ms))
    }
}

impl Payload {
    pub(crate) fn value(self) -> Result<Bytes, Refusal> {
        let value = if self.compressed {
            let value = zstd::bulk::decompress(&self.bytes, self.value_bytes);
            Bytes::from(value.map_err(|_| Refusal::Damaged)?)
        } else {
            self.bytes
        };
        if value.len() == self.value_bytes { Ok(value) } else { Err(Refusal::Damaged) }
    }
}

/// Over everything but the place of the checksum itself.
fn checksum(bytes: &[u8]) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(&bytes[..8]);
    hasher.update(&bytes[16..]);
    hasher.digest()
}

fn number(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes were cut"))
}

fn length(bytes: &[u8], at: usize) -> usize {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes were cut")) as usize
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use kasoku_coherence::KeyBuilder;
    use proptest::prelude::*;

    use super::*;

    const VALUE_BYTES_MAX: usize = 1 << 20;

    fn key(name: &str) -> Key {
        KeyBuilder::new().part(name.as_bytes()).build()
    }

    fn fill(value: &[u8]) -> Fill {
        Fill {
            value: Bytes::copy_from_slice(value),
            tags: vec![Tag(3), Tag(9)],
            stamp: Stamp { epoch: 5, as_of: 17 },
            age: Duration::from_millis(10),
            lifetime: Duration::from_secs(2),
        }
    }

    fn entry(value: &[u8], compress_from: usize) -> Bytes {
        encode(&key("a"), &fill(value), 4, 1_000, compress_from).into()
    }

    #[test]
    fn what_is_encoded_is_decoded_compressed_or_not() {
        let check = |value: &[u8], compress_from: usize, compressed: bool| {
            let bytes = entry(value, compress_from);
            let read = decode(&key("a"), &bytes, VALUE_BYTES_MAX).expect("it is sound");
            assert_eq!(read.payload.compressed, compressed);
            assert_eq!((&*read.tags, read.stamp), (&fill(value).tags[..], fill(value).stamp));
            assert_eq!(
                (read.age(1_005), read.remaining(2_999)),
                (Duration::from_millis(15), Ok(Duration::from_millis(1)))
            );
            assert_eq!(read.payload.value().expect("it is sound"), value);
        };
        check(b"", 0, false);
        check(b"short", 100, false);
        check(&[7; 5_000], 4_096, true);
        check(&[7; 4_095], 4_096, false);
    }

    #[test]
    fn an_entry_is_refused_by_what_it_says() {
        let bytes = entry(b"value", 100);
        let refusal = |key: &Key, bytes: &Bytes| decode(key, bytes, VALUE_BYTES_MAX).map(drop);
        assert_eq!(refusal(&key("b"), &bytes), Err(Refusal::OtherKey));
        assert_eq!(refusal(&key("a"), &bytes.slice(..bytes.len() - 1)), Err(Refusal::Damaged));
        assert_eq!(refusal(&key("a"), &Bytes::new()), Err(Refusal::Damaged));
        let other_version = encode(&key("a"), &fill(b""), 0, 0, 100);
        let mut other_version = other_version;
        other_version[3] = 2;
        let sum = checksum(&other_version);
        other_version[8..16].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(refusal(&key("a"), &other_version.into()), Err(Refusal::Damaged));
        let read = decode(&key("a"), &bytes, VALUE_BYTES_MAX).expect("it is sound");
        assert_eq!(read.remaining(3_000), Err(Refusal::Expired));
        assert_eq!(read.remaining(0), Ok(Duration::from_secs(2)), "a calendar that is behind gives no more");
        assert_eq!(decode(&key("a"), &bytes, 4).map(drop), Err(Refusal::Damaged));
    }

    proptest! {
        #[test]
        fn any_damaged_bit_is_noticed(size in 0..300usize, at: proptest::sample::Index, bit in 0..8u32) {
            let mut bytes = entry(&vec![b'x'; size], 64).to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let damaged = decode(&key("a"), &Bytes::from(bytes), VALUE_BYTES_MAX);
            prop_assert_eq!(damaged.map(drop), Err(Refusal::Damaged));
        }

        #[test]
        fn garbage_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(decode(&key("a"), &Bytes::from(bytes), VALUE_BYTES_MAX).is_err());
        }
    }
}
