//! Publishing purges and changes, and learning how many nodes have applied them.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::line::Away;
use crate::message::{Message, Mode, Reach};
use crate::remote::Remote;
use crate::scripts::Script;
use crate::session::Shared;

/// What became of a publication within its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It has its place in the order of all nodes.
    Reached {
        /// Its place in the current epoch.
        position: u64,
        /// Live nodes that have applied it, this one among them.
        nodes: u64,
        /// Live nodes. When both are equal, no node serves as current what the publication reaches. For one bound
        /// after a new epoch, a node that nobody can know of is counted too.
        of: u64,
    },
    /// It is not certain that it was published. It stays in the outbox and is sent when that is possible.
    Waiting,
}

/// Messages that are sent at once.
const MESSAGES_AT_ONCE: usize = 64;

/// How long the server may take to append them; no request waits for it.
const APPEND: Duration = Duration::from_millis(250);

/// Between two questions about how far the nodes are, doubled each time.
const ASK_AGAIN_MIN: Duration = Duration::from_micros(500);
const ASK_AGAIN_MAX: Duration = Duration::from_millis(16);

impl Remote {
    /// Tells all nodes of a purge or a change. Call it when the change is visible to new reads of the source, and
    /// after this node's own first tier has applied it. Waits for at most `within`, and no longer than until every
    /// live node has applied it; with no time at all it waits for nothing.
    pub async fn publish(&self, reach: Reach, mode: Mode, within: Duration) -> Published {
        let shared = &self.shared;
        let deadline = shared.now() + within;
        let messages = Message::divide(reach, mode, shared.node);
        if messages.is_empty() {
            return self.reached(0, deadline).await;
        }
        let published = shared.outbox.add(&messages);
        let position = tokio::select! {
            biased;
            position = published => position,
            () = sleep(within) => return Published::Waiting,
        };
        // Whoever waited is forgotten when everything that waits becomes one message.
        let Ok(position) = position else { return Published::Waiting };
        self.reached(position, deadline).await
    }

    /// Asks until every live node has applied a position.
    async fn reached(&self, position: u64, deadline: Instant) -> Published {
        let mut pause = ASK_AGAIN_MIN;
        let (mut nodes, mut of) = (0, 1);
        while let Ok(answer) = ask_nodes(&self.shared, position, deadline).await {
            (nodes, of) = answer;
            if nodes >= of || self.shared.now() + pause >= deadline {
                break;
            }
            sleep(pause).await;
            pause = (pause * 2).min(ASK_AGAIN_MAX);
        }
        Published::Reached { position, nodes, of }
    }
}

/// How many live nodes have applied a position, and how many there are.
async fn ask_nodes(shared: &Shared, position: u64, deadline: Instant) -> Result<(u64, u64), Away> {
    let session = shared.current()?;
    let names = &shared.names;
    let keys = [&names.epoch, &names.nodes, &names.applied, &names.young].map(String::as_str);
    let position = position.to_string();
    let arguments = [session.name.as_bytes(), position.as_bytes()];
    let answer = shared.line.numbers(&session.run, Script::Reached, &keys, &arguments, deadline).await?;
    let [nodes, of] = answer.ok_or(Away::NotCurrent)?;
    Ok((nodes, of.max(1)))
}

/// Sends what is in the outbox, in order, again and again until the server has it.
pub(crate) async fn send(shared: &Shared) {
    loop {
        let bodies = shared.outbox.first(MESSAGES_AT_ONCE);
        if bodies.is_empty() {
            shared.outbox.filled().await;
            continue;
        }
        if let Ok(position) = append(shared, &bodies).await {
            shared.outbox.published(&bodies, position);
        } else {
            sleep(shared.settings.probe / 4).await;
        }
    }
}

/// Appends messages to the stream; answers the position of the last.
async fn append(shared: &Shared, bodies: &[Vec<u8>]) -> Result<u64, Away> {
    let session = shared.session().ok_or(Away::NotCurrent)?;
    let keys = [shared.names.changes.as_str(), shared.names.epoch.as_str()];
    let kept = shared.settings.messages_max.to_string();
    let mut arguments = vec![session.name.as_bytes(), kept.as_bytes()];
    arguments.extend(bodies.iter().map(Vec::as_slice));
    let deadline = shared.now() + APPEND;
    let answer = shared.line.numbers(&session.run, Script::Publish, &keys, &arguments, deadline).await?;
    Ok(answer.ok_or(Away::NotCurrent)?[0])
}
