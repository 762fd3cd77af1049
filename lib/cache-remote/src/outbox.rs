//! Messages that wait to be published, in their order.
//!
//! A purge that cannot be published now must not be lost: other nodes would go on with what it reached. So it waits
//! here, bounded: when there is no more room, all that waits becomes one message that reaches everything. Sending
//! a message twice does no harm, so whatever may not have arrived is sent again.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use crate::message::{Message, Mode, Reach};

/// Messages that wait, and who wants to know of them.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: Mutex<VecDeque<Waiting>>,
    filled: Notify,
}

#[derive(Debug)]
struct Waiting {
    sender: u64,
    body: Vec<u8>,
    published: Option<oneshot::Sender<u64>>,
}

/// Messages that may wait.
const WAITING_MAX: usize = 4_096;

impl Outbox {
    /// Adds the messages of one publication; the receiver learns the position of the last.
    pub(crate) fn add(&self, messages: &[Message]) -> oneshot::Receiver<u64> {
        let (published, receiver) = oneshot::channel();
        let mut published = Some(published);
        let mut waiting = self.waiting.lock();
        for (index, message) in messages.iter().enumerate() {
            let last = index + 1 == messages.len();
            let published = if last { published.take() } else { None };
            waiting.push_back(Waiting { sender: message.sender, body: message.encode(), published });
        }
        if waiting.len() > WAITING_MAX {
            let sender = waiting[0].sender;
            let everything = Message { reach: Reach::Everything, mode: Mode::Hard, sender };
            waiting.clear();
            waiting.push_back(Waiting { sender, body: everything.encode(), published: None });
        }
        drop(waiting);
        self.filled.notify_one();
        receiver
    }

    /// The first so many bodies, which stay until they are known to be published.
    pub(crate) fn first(&self, most: usize) -> Vec<Vec<u8>> {
        self.waiting.lock().iter().take(most).map(|waiting| waiting.body.clone()).collect()
    }

    /// Forgets the first messages, if they are these; the last of them has this position.
    pub(crate) fn published(&self, bodies: &[Vec<u8>], position: u64) {
        let mut waiting = self.waiting.lock();
        for (index, body) in bodies.iter().enumerate() {
            // When there was no more room they became another message, which is yet to be sent.
            if waiting.front().is_none_or(|first| first.body != *body) {
                return;
            }
            let first = waiting.pop_front().expect("it was looked at");
            if let Some(published) = first.published {
                let _ = published.send(position - (bodies.len() - 1 - index) as u64);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.lock().len()
    }

    /// Waits until something has been added.
    pub(crate) async fn filled(&self) {
        self.filled.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use kasoku_coherence::Tag;

    use super::*;

    fn message(tag: u64) -> Message {
        Message { reach: Reach::Tags(vec![Tag(tag)]), mode: Mode::Soft, sender: 9 }
    }

    #[test]
    fn what_is_not_known_to_be_published_stays() {
        let outbox = Outbox::default();
        let mut first = outbox.add(&[message(1), message(2)]);
        let mut second = outbox.add(&[message(3)]);
        let bodies = outbox.first(2);
        assert_eq!(outbox.len(), 3);
        outbox.published(&bodies, 7);
        assert_eq!((first.try_recv().ok(), outbox.len()), (Some(7), 1));
        outbox.published(&outbox.first(9), 8);
        assert_eq!((second.try_recv().ok(), outbox.len()), (Some(8), 0));
    }

    #[test]
    fn what_has_no_room_becomes_a_purge_of_everything() {
        let outbox = Outbox::default();
        let sent = outbox.first(0);
        for tag in 0..=WAITING_MAX as u64 {
            drop(outbox.add(&[message(tag)]));
        }
        let bodies = outbox.first(9);
        let everything = Message { reach: Reach::Everything, mode: Mode::Hard, sender: 9 };
        assert_eq!(bodies, [everything.encode()]);
        outbox.published(&sent, 0);
        outbox.published(&[message(0).encode()], 1);
        assert_eq!(outbox.len(), 1, "what became everything is yet to be sent");
    }
}
