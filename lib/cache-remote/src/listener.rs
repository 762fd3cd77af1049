//! What the second tier tells the first.

use crate::message::Message;

/// Hears of purges and changes, this node's own among them, in the order in which all nodes hear of them.
///
/// It is called by one task, one call at a time, and must be quick: the node counts as current only when it has
/// returned. Who reads through both tiers notes the first tier's snapshot **before** it asks the second, and inserts
/// what it found there with that snapshot: then a message either is known to the second tier's fence when the entry
/// is judged, or refuses the insertion, or finds the entry inserted.
pub trait Listener: Send + Sync + 'static {
    /// Applies a message: when it has returned, the first tier answers no more with what the message reaches. A
    /// node that applied its own purge before it published may ignore what it [sent](Message::sender) itself.
    fn apply(&self, message: &Message);

    /// Something may have been missed: what the first tier was filled with before this call, and what is being
    /// filled now, may have changed unnoticed. Emptying it is always right.
    fn gap(&self);
}
