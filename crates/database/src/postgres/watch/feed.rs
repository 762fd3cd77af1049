//! The feed: what others have changed, asked for again and again.
//!
//! Each question is by the difference of two snapshots: what the last one did not show and this one does. Numbers in
//! the order of writing would lose what was written early and committed late. A change of this process's own is known
//! already and passed over. A feed that has not asked for longer than changes are kept, or that finds another epoch,
//! tells that anything may have changed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kasoku_coherence::{Floors, Mark};
use tokio::task::JoinHandle;
use tokio_postgres::Row;

use super::Watch;
use super::told::{self, Told};
use crate::changes::DataChange;
use crate::error::DatabaseError;
use crate::postgres::backoff::Backoff;
use crate::postgres::connect::{Connector, Purpose, Session};
use crate::postgres::error::translate;
use crate::postgres::settings::PostgresSettings;
use crate::tell::Teller;

/// Changes that one question brings at the most; beyond them anything may have changed.
const CHANGES_MOST: usize = 10_000;

/// How long changes are kept for those who have not asked.
const KEPT: Duration = Duration::from_mins(1);

/// Who has not asked for this long may have missed some.
const SILENT_MOST: Duration = Duration::from_secs(30);

const ASK: &str = "
    with seen as materialized (select pg_current_snapshot() as snapshot)
    select (select snapshot::text from seen), (select min(epoch) from _kasoku_epoch), c.relation, c.xid::text,
        c.before::text, c.after::text, c.whole, (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text,
        left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
    from (values (1)) one left join _kasoku_change c
        on c.xid >= pg_snapshot_xmin($1::text::pg_snapshot)
        and not pg_visible_in_snapshot(c.xid, $1::text::pg_snapshot)
    limit 10001";

const NOW: &str = "select pg_current_snapshot()::text, (select min(epoch) from _kasoku_epoch),
    (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)";

const NEW_EPOCH: &str = "insert into _kasoku_epoch select gen_random_uuid()::text
    where not exists (select from _kasoku_epoch)";

const FORGET: &str = "delete from _kasoku_change where xid < pg_snapshot_xmin($1::text::pg_snapshot)";

/// Asks for what others have changed.
pub(super) struct Feed {
    pub(super) connector: Connector,
    pub(super) settings: Arc<PostgresSettings>,
    pub(super) teller: Arc<Teller>,
    pub(super) watch: Arc<Watch>,
    pub(super) floors: Option<Arc<Floors>>,
}

/// Where a feed has arrived.
#[derive(Default)]
struct Read {
    /// What it has seen, and when it asked for that.
    seen: Option<(String, Instant)>,
    epoch: Option<String>,
    /// What it had seen when it last looked for what can be forgotten, and when that was.
    old: Option<(String, Instant)>,
}

impl Feed {
    /// Asks until it is ended.
    pub(super) async fn run(self) {
        let mut backoff = Backoff::new(self.settings.reconnect);
        let mut read = Read::default();
        loop {
            match self.connector.open(Purpose::Own).await {
                Ok((session, work)) => {
                    let _work = AbortOnDrop(tokio::spawn(work));
                    backoff.reset();
                    let error = self.ask_on(&session, &mut read).await;
                    self.teller.failed("feed", &error);
                }
                Err(error) => self.teller.failed("connect", &error),
            }
            tokio::time::sleep(backoff.next()).await;
        }
    }

    /// Asks on this connection until it cannot any more.
    async fn ask_on(&self, session: &Session, read: &mut Read) -> DatabaseError {
        let mut every = tokio::time::interval(self.settings.poll);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            let asked = tokio::time::timeout(self.settings.connect_timeout, self.ask(session, read)).await;
            match asked {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error,
                Err(_) => return DatabaseError::Io("the database server does not answer the feed".into()),
            }
        }
    }

    async fn ask(&self, session: &Session, read: &mut Read) -> Result<(), DatabaseError> {
        let asked = Instant::now();
        let fail = |error| translate(&error);
        let from = match &read.seen {
            Some((seen, when)) if asked.duration_since(*when) < SILENT_MOST => Some(seen.clone()),
            _ => None,
        };
        let client = session.client();
        let Some(from) = from else {
            // Whatever was changed before this is told as everything; from here on nothing is missed.
            client.execute(NEW_EPOCH, &[]).await.map_err(fail)?;
            let row = client.query_one(NOW, &[]).await.map_err(fail)?;
            let seen: String = row.get(0);
            read.epoch = row.get(1);
            self.tell(&[DataChange::Everything], place(&row, 2));
            self.watch.heard(asked, &seen);
            read.seen = Some((seen, asked));
            return Ok(());
        };
        let rows = client.query(ASK, &[&from]).await.map_err(fail)?;
        let first = rows.first().ok_or_else(|| DatabaseError::Corrupt("the feed is empty".into()))?;
        let (seen, epoch): (String, Option<String>) = (first.get(0), first.get(1));
        if epoch.is_none() || epoch != read.epoch {
            // The server crashed, or is another one: what was written down before is lost.
            read.seen = None;
            return Ok(());
        }
        let changes = self.changes(&rows);
        if !changes.is_empty() {
            self.tell(&changes, place(first, 7));
        }
        self.watch.let_go_of_own(&seen);
        self.watch.heard(asked, &seen);
        read.seen = Some((seen, asked));
        self.forget(session, read).await
    }

    /// Tells of changes that were committed before this place in the log.
    fn tell(&self, changes: &[DataChange], mark: Option<Mark>) {
        let announced = self.teller.announce(changes);
        if let Some(floors) = &self.floors {
            match mark {
                Some(mark) => floors.note(announced.position(), mark),
                None => floors.lose(announced.position()),
            }
        }
    }

    /// What others have changed.
    fn changes(&self, rows: &[Row]) -> Vec<DataChange> {
        if rows.len() > CHANGES_MOST {
            return vec![DataChange::Everything];
        }
        let tables = self.watch.tables();
        let mut changes = Vec::new();
        for row in rows {
            let Some(relation) = row.get::<_, Option<&str>>(2) else { continue };
            let xid = row.get::<_, &str>(3).parse().unwrap_or(0);
            if self.watch.is_own(xid) {
                continue;
            }
            let told = Told { relation, before: row.get(4), after: row.get(5), whole: row.get(6) };
            told::read(&told, &tables, &mut changes);
        }
        changes
    }

    /// Deletes what was visible to all long ago.
    async fn forget(&self, session: &Session, read: &mut Read) -> Result<(), DatabaseError> {
        let Some((seen, now)) = read.seen.clone() else { return Ok(()) };
        match &read.old {
            Some((old, when)) if now.duration_since(*when) >= KEPT => {
                session.client().execute(FORGET, &[old]).await.map_err(|error| translate(&error))?;
                read.old = Some((seen, now));
            }
            Some(_) => {}
            None => read.old = Some((seen, now)),
        }
        Ok(())
    }
}

/// A place in the log: how far, and on which timeline, in these columns.
fn place(row: &Row, column: usize) -> Option<Mark> {
    let timeline = u32::from_str_radix(row.get(column + 1), 16).ok()?;
    Some(Mark { timeline, log: row.get::<_, &str>(column).parse().ok()? })
}

/// Ends a task with whoever began it.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
