//! The tail: follows the change stream on a connection of its own.
//!
//! It joins an epoch, reads what the stream still holds into its knowledge, lets the listener empty what may have
//! missed something, and then goes round: *report* what has been applied, which answers the last position; *read*
//! what comes after, waiting a tick at most. When everything up to an answered position has been applied, it is
//! proved that at the moment of asking nothing had been missed. Positions count up by one, so whatever is trimmed,
//! lost, restored from an old copy or garbled shows as a position or an epoch that does not fit; then it joins anew.

use std::sync::Arc;
use std::time::Duration;

use redis::{Client, Value};
use tokio::time::sleep;

use crate::connection::{self, Connection, Trouble};
use crate::knowledge::Knowledge;
use crate::message::Message;
use crate::scripts::Script;
use crate::session::{Session, Shared, epoch_name, random};

/// Messages that are read at once.
const MESSAGES_AT_ONCE: usize = 1_024;

/// Why the tail must join anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// The server or the way there.
    Trouble(Trouble),
    /// The epoch has turned.
    Turned,
    /// Messages that were there are missing: this node must begin again, and need not disturb others.
    Missed,
    /// The stream of this epoch is not what it should be: it must turn.
    Broken(u64),
}

/// What joining an epoch answers.
struct Joined {
    epoch: u64,
    run: String,
    first: u64,
    last: u64,
}

/// Follows the stream for ever.
pub(crate) async fn follow(shared: &Shared, client: &Client) {
    let mut broken = None;
    let mut tail = None;
    loop {
        let lost = match follow_one(shared, client, &mut tail, broken.take()).await {
            Ok(never) => match never {},
            Err(lost) => lost,
        };
        shared.lapse(lost.name());
        match lost {
            Lost::Trouble(_) => {
                tail = None;
                sleep(shared.settings.probe / 2).await;
            }
            Lost::Broken(epoch) => broken = Some(epoch),
            Lost::Missed => shared.forget(),
            Lost::Turned => {}
        }
    }
}

impl From<Trouble> for Lost {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Lost {
    fn name(self) -> &'static str {
        match self {
            Self::Trouble(trouble) => trouble.name(),
            Self::Turned => "epoch",
            Self::Missed => "gap",
            Self::Broken(_) => "broken",
        }
    }
}

/// Joins and goes round until something is lost.
async fn follow_one(
    shared: &Shared,
    client: &Client,
    tail: &mut Option<Connection>,
    broken: Option<u64>,
) -> Result<std::convert::Infallible, Lost> {
    let connection = match tail.take() {
        Some(connection) => connection,
        None => Connection::open(client, shared.settings.connect).await?,
    };
    let connection = tail.insert(connection);
    let joined = join(shared, connection, broken).await?;
    let session = match resume(shared, &joined) {
        Some(session) => session,
        None => begin(shared, connection, joined).await?,
    };
    let mut asked = None;
    loop {
        let now = shared.now();
        let last = report(shared, connection, &session).await?;
        let applied = session.knowledge.applied();
        if last < applied {
            return Err(Lost::Broken(session.knowledge.epoch()));
        }
        // While messages keep coming, a later report would never find itself at the end; an earlier one does.
        let (when, up_to) = *asked.get_or_insert((now, last));
        if applied >= up_to {
            shared.prove(if applied >= last { now } else { when });
            asked = (applied < last).then_some((now, last));
        }
        let messages = read(shared, connection, &session, applied, shared.settings.tick()).await?;
        for (position, message) in messages {
            apply(shared, &session.knowledge, position, message.as_ref());
        }
    }
}

/// Takes part in the server's epoch, or turns it.
async fn join(shared: &Shared, connection: &Connection, broken: Option<u64>) -> Result<Joined, Lost> {
    let names = &shared.names;
    let keys = [&names.changes, &names.epoch, &names.nodes, &names.applied, &names.young];
    let mut command = connection.call(Script::Join, &keys.map(String::as_str));
    command.arg(epoch_name(random()));
    command.arg(broken.map_or_else(String::new, epoch_name));
    command.arg(shared.settings.bound.as_millis() as u64);
    let answer = connection.ask(&command, shared.settings.connect).await?;
    let Value::Array(parts) = answer else { return Err(Trouble::Garbled.into()) };
    let [epoch, run, first, last] = &parts[..] else { return Err(Trouble::Garbled.into()) };
    let epoch = connection::text(epoch).and_then(|text| u64::from_str_radix(text, 16).ok());
    let run = connection::text(run).map(str::to_owned);
    let (first, last) = (connection::number(first), connection::number(last));
    match (epoch, run, first, last) {
        (Some(epoch), Some(run), Some(first), Some(last)) if run == connection.run() && first <= last => {
            Ok(Joined { epoch, run, first, last })
        }
        _ => Err(Trouble::Garbled.into()),
    }
}

/// The session of before, if it is the same epoch's and nothing that it has not applied is missing.
fn resume(shared: &Shared, joined: &Joined) -> Option<Arc<Session>> {
    let session = shared.session()?;
    let applied = session.knowledge.applied();
    let fits = session.knowledge.epoch() == joined.epoch && session.run == joined.run;
    (fits && joined.first <= applied + 1 && applied <= joined.last).then_some(session)
}

/// Begins with another epoch, or with this one anew. What the stream holds becomes known without a word to the
/// listener, which empties everything instead: what it is filled with after that was read after all of these.
async fn begin(shared: &Shared, connection: &Connection, joined: Joined) -> Result<Arc<Session>, Lost> {
    let knowledge = Knowledge::new(joined.epoch, joined.first - 1, shared.settings.slots);
    let session = Arc::new(Session::new(knowledge, joined.run));
    let knowledge = &session.knowledge;
    while knowledge.applied() < joined.last {
        let messages = read(shared, connection, &session, knowledge.applied(), Duration::ZERO).await?;
        if messages.is_empty() {
            return Err(Lost::Missed);
        }
        for (position, message) in messages {
            if let Some(message) = message {
                knowledge.remember(position, &message);
            }
            knowledge.advance(position);
        }
    }
    shared.enter(Arc::clone(&session));
    shared.listener.gap();
    shared.counters.gaps.add_one();
    Ok(session)
}

/// Says what has been applied, and learns the last position.
async fn report(shared: &Shared, connection: &Connection, session: &Session) -> Result<u64, Lost> {
    let names = &shared.names;
    let keys = [&names.changes, &names.epoch, &names.nodes, &names.applied];
    let node = epoch_name(shared.node);
    let applied = session.knowledge.applied().to_string();
    let lifetime = shared.settings.node_lifetime.as_millis().to_string();
    let arguments = [&session.name, &node, &applied, &lifetime].map(String::as_bytes);
    let within = shared.settings.bound / 2;
    let answer = connection.numbers(Script::Report, &keys.map(String::as_str), &arguments, within).await?;
    Ok(answer.ok_or(Lost::Turned)?[0])
}

/// The next messages in their order; the first of an epoch has no content.
async fn read(
    shared: &Shared,
    connection: &Connection,
    session: &Session,
    after: u64,
    wait: Duration,
) -> Result<Vec<(u64, Option<Message>)>, Lost> {
    let mut command = redis::cmd("XREAD");
    command.arg("COUNT").arg(MESSAGES_AT_ONCE);
    if !wait.is_zero() {
        command.arg("BLOCK").arg(wait.as_millis().max(1) as u64);
    }
    command.arg("STREAMS").arg(&shared.names.changes).arg(format!("{after}-0"));
    let within = wait + shared.settings.bound / 2;
    let answer = connection.ask(&command, within).await?;
    let epoch = epoch_name(session.knowledge.epoch());
    let mut messages = Vec::new();
    for (index, record) in records(answer)?.into_iter().enumerate() {
        let (position, message) = record_of(&record, &epoch)?;
        if position != after + 1 + index as u64 {
            return Err(Lost::Missed);
        }
        messages.push((position, message));
    }
    Ok(messages)
}

fn apply(shared: &Shared, knowledge: &Knowledge, position: u64, message: Option<&Message>) {
    if let Some(message) = message {
        knowledge.remember(position, message);
        shared.listener.apply(message);
        shared.counters.applied.add_one();
    }
    knowledge.advance(position);
}

/// The records of the one stream that was asked for: `[[name, [record, …]]]`, or nothing.
fn records(answer: Value) -> Result<Vec<Value>, Trouble> {
    let streams = match answer {
        Value::Nil => return Ok(Vec::new()),
        Value::Array(streams) => streams,
        _ => return Err(Trouble::Garbled),
    };
    let Ok([Value::Array(stream)]) = <[Value; 1]>::try_from(streams) else { return Err(Trouble::Garbled) };
    let Ok([_, Value::Array(records)]) = <[Value; 2]>::try_from(stream) else { return Err(Trouble::Garbled) };
    Ok(records)
}

/// A record: `[id, [name, value, …]]`.
fn record_of(record: &Value, epoch: &str) -> Result<(u64, Option<Message>), Lost> {
    let garbled = || Lost::Trouble(Trouble::Garbled);
    let Value::Array(parts) = record else { return Err(garbled()) };
    let [id, Value::Array(fields)] = &parts[..] else { return Err(garbled()) };
    let position = connection::number(id).ok_or_else(garbled)?;
    let (own, body) = match &fields[..] {
        [_, own] => (own, None),
        [_, own, _, body] => (own, Some(body)),
        _ => return Err(garbled()),
    };
    if connection::text(own) != Some(epoch) {
        return Err(Lost::Turned);
    }
    let Some(body) = body else { return Ok((position, None)) };
    let Value::BulkString(body) = body else { return Err(garbled()) };
    // Reading it again would not help: whoever follows this epoch stands before the same message.
    let broken = || u64::from_str_radix(epoch, 16).map_or_else(|_| garbled(), Lost::Broken);
    Ok((position, Some(Message::decode(body).ok_or_else(broken)?)))
}
