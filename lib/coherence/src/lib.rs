//! What an answer is known by and depends on: keys, tags, changes and snapshots.
//!
//! These are the words in which a source tells a store what it read, and a writer tells it what changed. The
//! rule that joins them is the fence: *an answer is usable exactly when its snapshot shows every change to each
//! of its tags*. No clock takes part. This crate holds the words and the comparison; it keeps nothing, and knows
//! neither HTTP nor SQL.

mod floors;
mod key;
mod landmark;
mod lease;
mod sequence;
mod tag;

pub use floors::{Floor, Floors};
pub use key::{Key, KeyBuilder};
pub use landmark::{Landmark, Mark, Seen};
pub use lease::Lease;
pub use sequence::{Position, Sequence, Snapshot};
pub use tag::{Tag, TagBuilder};

/// Something happened to the things that these tags name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When it became visible, in the order of the process's [`Sequence`].
    pub position: Position,
    /// Every tag of every thing that was touched, from coarse to fine.
    pub tags: Vec<Tag>,
}

/// Learns of changes.
///
/// A feed that makes the change itself calls it **before** the change becomes visible, with a
/// [reserved](Sequence::reserve) position, and tells the writer that it succeeded only after the position is
/// published: no reader then sees an older answer after a newer one. A feed that hears of changes calls it
/// afterwards, with the [next](Sequence::next) position: no read that begins after the call returns sees an older
/// answer.
pub trait ChangeSink: Send + Sync + 'static {
    /// Applies one change.
    fn apply(&self, change: &Change);
}
