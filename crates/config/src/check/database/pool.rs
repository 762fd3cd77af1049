//! What a server is connected to with, and which settings are for which kind of database.

use std::time::Duration;

use kasoku_database::{PostgresSettings, WatchMode};

use super::Check;
use crate::check::server::positive;
use crate::diagnostic::Finding;
use crate::tree::KeyPath;
use crate::written::{Database, DurationText, Pool, PoolName, PoolOrName, WatchName};

/// Settings that are for one kind of database.
const OF_SQLITE: [&str; 4] = ["readers", "page_cache", "write_queue", "group"];
const OF_POSTGRES: [&str; 4] = ["pool", "watch", "poll", "bound"];

/// Says which settings do not belong to this kind of database; whether all do.
pub(super) fn belong(check: &mut Check<'_>, at: &KeyPath, is_server: bool) -> bool {
    let (foreign, kind, other) = if is_server {
        (OF_SQLITE, "SQLite", "a PostgreSQL server")
    } else {
        (OF_POSTGRES, "PostgreSQL", "an SQLite file")
    };
    let mut sound = true;
    for name in foreign {
        if check.tree.get(&at.key(name)).is_some() {
            let finding = Finding::error(format!("`{name}` is for {kind}"));
            let finding = finding.label(format!("the database is {other}"));
            let instead = is_server && name != "page_cache";
            check.key(
                &at.key(name),
                finding.hint_if(instead.then(|| "how much is done at once is `pool`".to_owned())),
            );
            sound = false;
        }
    }
    sound
}

/// The settings of a server, from its URL's and what is written.
pub(super) fn server(
    check: &mut Check<'_>,
    at: &KeyPath,
    written: &Database,
    of_url: PostgresSettings,
) -> PostgresSettings {
    let pool = match &written.pool {
        None => Pool::default(),
        Some(PoolOrName::Name(profile)) => Pool { profile: *profile, ..Pool::default() },
        Some(PoolOrName::Pool(pool)) => pool.clone(),
    };
    let profile = profile(pool.profile, of_url);
    let mut duration = |name: &str, written: Option<DurationText>, usual: Duration| {
        written.map_or(usual, |written| {
            positive(check, &at.key("pool").key(name), written);
            written.duration()
        })
    };
    let [first, most] = profile.reconnect;
    let most = duration("reconnect", pool.reconnect, most);
    let settings = PostgresSettings {
        read_only: written.read_only,
        shared: pool.shared.map_or(profile.shared, |count| count as usize),
        exclusive: pool.exclusive.map_or(profile.exclusive, |count| count as usize),
        queue: pool.queue.map_or(profile.queue, |count| count as usize),
        wait: duration("wait", pool.wait, profile.wait),
        idle: duration("idle", pool.idle, profile.idle),
        lifetime: duration("lifetime", pool.lifetime, profile.lifetime),
        connect_timeout: duration("connect_timeout", pool.connect_timeout, profile.connect_timeout),
        health_check: duration("health_check", pool.health_check, profile.health_check),
        reconnect: [first.min(most), most],
        statement_timeout: written.statement_timeout.duration(),
        long: super::long(check, at, written, profile.long),
        watch: match written.watch {
            WatchName::Install => WatchMode::Install,
            WatchName::Installed => WatchMode::Installed,
            WatchName::Off => WatchMode::Off,
        },
        poll: written.poll.duration(),
        bound: written.bound.duration(),
        ..profile
    };
    positive(check, &at.key("poll"), written.poll);
    positive(check, &at.key("bound"), written.bound);
    if settings.bound <= settings.poll {
        let finding = Finding::error("`bound` is not longer than `poll`");
        check.value(&at.key("bound"), finding.label("answers could never be reused"));
    }
    settings
}

/// A pool by its name.
fn profile(name: PoolName, settings: PostgresSettings) -> PostgresSettings {
    let seconds = Duration::from_secs;
    match name {
        PoolName::Local => PostgresSettings {
            shared: 2,
            exclusive: 4,
            queue: 256,
            idle: seconds(60),
            connect_timeout: seconds(2),
            reconnect: [Duration::from_millis(100), seconds(2)],
            ..settings
        },
        PoolName::Staging => settings,
        PoolName::Production => {
            PostgresSettings { shared: 8, exclusive: 16, queue: 4_096, health_check: seconds(10), ..settings }
        }
    }
}
