//! What a server says of itself: whether it follows another, and how far it has come.

use kasoku_coherence::Mark;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use super::super::connect::Failed;

/// Where the database itself is. The name of a log file begins with its timeline.
const OF_PRIMARY: &str = "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn, \
    left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), (select system_identifier from pg_control_system())";

/// Where a replica is. What it says of its timeline may be of a while ago, never of a time to come.
const OF_REPLICA: &str = "select pg_last_wal_replay_lsn() - '0/0'::pg_lsn, \
    greatest((select timeline_id from pg_control_checkpoint()), \
        (select min_recovery_end_timeline from pg_control_recovery())), \
    (select system_identifier from pg_control_system()), pg_is_in_recovery()";

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Evidence {
    /// What it has written or replayed.
    pub(super) mark: Mark,
    /// Which cluster it is of.
    pub(super) system: Box<str>,
}

/// What a server that should be a replica said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// It follows another.
    Follows(Evidence),
    /// It does not, or not yet.
    Alone,
}

/// Asks the database itself.
pub(super) async fn of_primary(client: &Client) -> Result<Option<Evidence>, Failed> {
    let row = ask(client, OF_PRIMARY).await?;
    let timeline = |row: &SimpleQueryRow| u32::from_str_radix(row.get(1)?, 16).ok();
    Ok(row.and_then(|row| read(&row, timeline(&row)?)))
}

/// Asks a replica.
pub(super) async fn of_replica(client: &Client) -> Result<Said, Failed> {
    let row = ask(client, OF_REPLICA).await?;
    let evidence = row.filter(|row| row.get(3) == Some("t")).and_then(|row| {
        let timeline = row.get(1)?.parse().ok()?;
        read(&row, timeline)
    });
    Ok(evidence.map_or(Said::Alone, Said::Follows))
}

async fn ask(client: &Client, sql: &str) -> Result<Option<SimpleQueryRow>, Failed> {
    let said = client.simple_query(sql).await.map_err(|error| Failed::of(&error))?;
    Ok(said.into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    }))
}

fn read(row: &SimpleQueryRow, timeline: u32) -> Option<Evidence> {
    let log = row.get(0)?.parse().ok()?;
    Some(Evidence { mark: Mark { timeline, log }, system: row.get(2)?.into() })
}
