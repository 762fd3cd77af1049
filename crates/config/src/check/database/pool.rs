//! What a server is connected to with, and which settings are for which kind of database.

use std::sync::Arc;
use std::time::Duration;

use kasoku_database::{PostgresSettings, ReplicaChoice, WatchMode};

use super::Check;
use crate::check::server::positive;
use crate::diagnostic::Finding;
use crate::tree::KeyPath;
use crate::written::{Database, DurationText, Pool, PoolName, PoolOrName, ReplicaChoiceName, WatchName};

/// Settings that are for one kind of database.
const OF_SQLITE: &[&str] = &["readers", "page_cache", "write_queue", "group"];
const OF_POSTGRES: &[&str] = &["pool", "replicas", "replica_choice", "replica_lag"];

/// How many replicas a database may have.
const REPLICAS_MAX: usize = 16;

/// Says which settings do not belong to this kind of database; whether all do.
pub(super) fn belong(check: &mut Check<'_>, at: &KeyPath, is_server: bool) -> bool {
    let (foreign, kind, other) = if is_server {
        (OF_SQLITE, "SQLite", "a PostgreSQL server")
    } else {
        (OF_POSTGRES, "PostgreSQL", "an SQLite file")
    };
    let mut sound = true;
    for name in foreign.iter().copied() {
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
        watch: watch(check, at, written),
        poll: written.poll.duration(),
        bound: written.bound.duration(),
        replicas: replicas(check, &at.key("replicas"), written),
        replica_choice: match written.replica_choice {
            ReplicaChoiceName::LeastLoaded => ReplicaChoice::LeastLoaded,
            ReplicaChoiceName::Nearest => ReplicaChoice::Nearest,
            ReplicaChoiceName::RoundRobin => ReplicaChoice::RoundRobin,
        },
        replica_lag: written.replica_lag.duration(),
        ..profile
    };
    positive(check, &at.key("replica_lag"), written.replica_lag);
    if !settings.replicas.is_empty() && settings.replica_lag <= settings.poll {
        let finding = Finding::error("`replica_lag` is not longer than `poll`");
        check.value(&at.key("replica_lag"), finding.label("no replica would ever be recent enough"));
    }
    settings
}

/// How changes by others are learnt.
pub(super) fn watch(check: &mut Check<'_>, at: &KeyPath, written: &Database) -> WatchMode {
    positive(check, &at.key("poll"), written.poll);
    positive(check, &at.key("bound"), written.bound);
    if written.bound.duration() <= written.poll.duration() {
        let finding = Finding::error("`bound` is not longer than `poll`");
        check.value(&at.key("bound"), finding.label("answers could never be reused"));
    }
    match written.watch {
        WatchName::Install => WatchMode::Install,
        WatchName::Installed => WatchMode::Installed,
        WatchName::Off => WatchMode::Off,
    }
}

/// The replicas, each named once. Their passwords are in no message.
fn replicas(check: &mut Check<'_>, at: &KeyPath, written: &Database) -> Arc<[String]> {
    if written.replicas.len() > REPLICAS_MAX {
        let finding = Finding::error(format!("there are more than {REPLICAS_MAX} replicas"));
        check.value(at, finding.label("each takes connections and threads of its own"));
    }
    let mut sound: Vec<String> = Vec::with_capacity(written.replicas.len());
    for (place, url) in written.replicas.iter().enumerate() {
        let at = at.index(place);
        let settings = PostgresSettings::new(url);
        if let Some(password) = settings.password() {
            check.findings.hide(&password);
            check.findings.hide(url);
        }
        let is_server = matches!(url.split_once(':'), Some(("postgres" | "postgresql", _)));
        let refused = match settings.check() {
            Ok(()) if !is_server => Some("it is not that of a PostgreSQL server".to_owned()),
            Ok(()) if *url == written.url => Some("it is the database's own".to_owned()),
            Ok(()) if sound.contains(url) => Some("it is named twice".to_owned()),
            Ok(()) => None,
            Err(error) => Some(error.to_string()),
        };
        match refused {
            Some(why) => {
                let finding = Finding::error("the URL of a replica cannot be used").label(why);
                check.value(&at, finding.hint("it looks like `postgres://user:password@host:5432/name`"));
            }
            None => sound.push(url.clone()),
        }
    }
    sound.into()
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
