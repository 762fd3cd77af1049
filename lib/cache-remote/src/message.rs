//! Messages of the change stream: what was purged or has changed.
//!
//! ```text
//! checksum u64 │ version u8 │ mode u8 │ kind u8 │ sender u64 │ the rest by kind
//! ```
//!
//! All numbers are big-endian. A message that does not check out is never passed over: the tail calls it a gap.

use bytes::Bytes;
use kasoku_coherence::{Key, Tag};
use xxhash_rust::xxh3::xxh3_64;

/// What a message does to the entries that it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// They stay, and are stale.
    Soft,
    /// They are gone.
    Hard,
}

/// Which entries a message reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Those that depend on one of the tags.
    Tags(Vec<Tag>),
    /// The one with this key.
    Key(Key),
    /// Those whose key's part number `part` (from 0) is there and begins with `prefix`.
    Prefix {
        /// The part.
        part: u32,
        /// How it begins; what is beyond 1,024 bytes is cut off, which makes it reach more.
        prefix: Bytes,
    },
    /// All.
    Everything,
}

/// A purge or a change, as nodes tell each other of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which entries it reaches.
    pub reach: Reach,
    /// What it does to them.
    pub mode: Mode,
    /// The node that published it.
    pub sender: u64,
}

/// Tags in one message; more become several messages.
pub(crate) const TAGS_MAX: usize = 1_024;

/// Messages that one publication may become; more tags than fit mean everything.
pub(crate) const PARTS_MAX: usize = 16;

/// Bytes of a prefix that are told.
const PREFIX_BYTES_MAX: usize = 1_024;

/// Bytes of a key that are told; the purge of a longer one reaches all keys with its first part.
const KEY_BYTES_MAX: usize = 16 << 10;

const VERSION: u8 = 1;

impl Message {
    /// One publication as messages that are short enough. What cannot be told briefly is told coarsely.
    pub(crate) fn divide(reach: Reach, mode: Mode, sender: u64) -> Vec<Self> {
        let message = |reach| Self { reach, mode, sender };
        match reach {
            Reach::Tags(tags) if tags.len() > TAGS_MAX * PARTS_MAX => vec![message(Reach::Everything)],
            Reach::Tags(tags) => {
                tags.chunks(TAGS_MAX).map(|tags| message(Reach::Tags(tags.to_vec()))).collect()
            }
            Reach::Key(key) if key.bytes().len() > KEY_BYTES_MAX => vec![message(first_part(&key))],
            Reach::Prefix { part, prefix } => {
                let prefix = prefix.slice(..prefix.len().min(PREFIX_BYTES_MAX));
                vec![message(Reach::Prefix { part, prefix })]
            }
            Reach::Key(_) | Reach::Everything => vec![message(reach)],
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut body = vec![0; 8];
        body.push(VERSION);
        body.push(match self.mode {
            Mode::Soft => 0,
            Mode::Hard => 1,
        });
        body.push(match &self.reach {
            Reach::Tags(_) => 0,
            Reach::Key(_) => 1,
            Reach::Prefix { .. } => 2,
            Reach::Everything => 3,
        });
        body.extend_from_slice(&self.sender.to_be_bytes());
        match &self.reach {
            Reach::Tags(tags) => body.extend(tags.iter().flat_map(|tag| tag.0.to_be_bytes())),
            Reach::Key(key) => body.extend_from_slice(key.bytes()),
            Reach::Prefix { part, prefix } => {
                body.extend_from_slice(&part.to_be_bytes());
                body.extend_from_slice(prefix);
            }
            Reach::Everything => {}
        }
        let checksum = xxh3_64(&body[8..]);
        body[..8].copy_from_slice(&checksum.to_be_bytes());
        body
    }

    /// What was encoded; `None` if it is damaged. What another version says is not understood, so it reaches
    /// everything.
    pub(crate) fn decode(body: &[u8]) -> Option<Self> {
        let (checksum, rest) = body.split_first_chunk::<8>()?;
        if u64::from_be_bytes(*checksum) != xxh3_64(rest) {
            return None;
        }
        if rest.first().is_some_and(|version| *version != VERSION) {
            return Some(Self { reach: Reach::Everything, mode: Mode::Hard, sender: 0 });
        }
        let ([_, mode, kind], rest) = rest.split_first_chunk::<3>()?;
        let (sender, rest) = rest.split_first_chunk::<8>()?;
        let mode = match mode {
            0 => Mode::Soft,
            1 => Mode::Hard,
            _ => return None,
        };
        let reach = match kind {
            0 => {
                let (tags, rest) = rest.as_chunks::<8>();
                if !rest.is_empty() {
                    return None;
                }
                Reach::Tags(tags.iter().map(|tag| Tag(u64::from_be_bytes(*tag))).collect())
            }
            1 => Reach::Key(Key::from_bytes(rest)?),
            2 => {
                let (part, prefix) = rest.split_first_chunk::<4>()?;
                Reach::Prefix { part: u32::from_be_bytes(*part), prefix: Bytes::copy_from_slice(prefix) }
            }
            3 if rest.is_empty() => Reach::Everything,
            _ => return None,
        };
        Some(Self { reach, mode, sender: u64::from_be_bytes(*sender) })
    }
}

/// A reach that has a key in it and can be told: its first part, cut off, or everything.
fn first_part(key: &Key) -> Reach {
    match key.parts().next().flatten() {
        Some(part) => {
            let prefix = Bytes::copy_from_slice(&part[..part.len().min(PREFIX_BYTES_MAX)]);
            Reach::Prefix { part: 0, prefix }
        }
        None => Reach::Everything,
    }
}

#[cfg(test)]
mod tests {
    use kasoku_coherence::KeyBuilder;
    use proptest::prelude::*;

    use super::*;

    fn reaches() -> impl Strategy<Value = Reach> {
        prop_oneof![
            proptest::collection::vec(any::<u64>().prop_map(Tag), 0..5).prop_map(Reach::Tags),
            proptest::collection::vec(any::<u8>(), 0..40)
                .prop_map(|part| Reach::Key(KeyBuilder::new().part(&part).optional(None).build())),
            (any::<u32>(), proptest::collection::vec(any::<u8>(), 0..40))
                .prop_map(|(part, prefix)| Reach::Prefix { part, prefix: prefix.into() }),
            Just(Reach::Everything),
        ]
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(reach in reaches(), soft: bool, sender: u64) {
            let message = Message { reach, mode: if soft { Mode::Soft } else { Mode::Hard }, sender };
            prop_assert_eq!(Message::decode(&message.encode()), Some(message));
        }

        #[test]
        fn damage_is_noticed(reach in reaches(), at: proptest::sample::Index, bit in 0..8u32) {
            let mut body = Message { reach, mode: Mode::Hard, sender: 7 }.encode();
            let at = at.index(body.len());
            body[at] ^= 1 << bit;
            prop_assert_eq!(Message::decode(&body), None);
        }
    }

    #[test]
    fn what_another_version_says_reaches_everything() {
        let mut body = Message { reach: Reach::Tags(vec![Tag(1)]), mode: Mode::Soft, sender: 7 }.encode();
        body[8] = VERSION + 1;
        let checksum = xxh3_64(&body[8..]);
        body[..8].copy_from_slice(&checksum.to_be_bytes());
        let message = Message::decode(&body).expect("it is not damaged");
        assert_eq!((message.reach, message.mode), (Reach::Everything, Mode::Hard));
    }

    #[test]
    fn long_publications_are_divided_and_very_long_ones_reach_everything() {
        let divide = |reach| {
            let messages = Message::divide(reach, Mode::Hard, 1);
            messages.into_iter().map(|message| message.reach).collect::<Vec<_>>()
        };
        let tags = |count: usize| Reach::Tags((0..count as u64).map(Tag).collect());
        assert_eq!(divide(tags(TAGS_MAX + 1)), [tags(TAGS_MAX), Reach::Tags(vec![Tag(TAGS_MAX as u64)])]);
        assert_eq!(divide(tags(TAGS_MAX * PARTS_MAX + 1)), [Reach::Everything]);
        let long = KeyBuilder::new().part(b"GET").part(&vec![7; KEY_BYTES_MAX]).build();
        assert_eq!(divide(Reach::Key(long)), [Reach::Prefix { part: 0, prefix: Bytes::from_static(b"GET") }]);
    }
}
