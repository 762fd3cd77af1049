//! The engine on SQLite: reader threads, connections that are read from in place, and one writer.

mod beginnings;
pub(crate) mod bulk;
pub(crate) mod connection;
pub(crate) mod copy;
pub(crate) mod engine;
pub(crate) mod inspect;
pub(crate) mod lock;
pub(crate) mod migrate;
pub(crate) mod read;
pub(crate) mod upkeep;
pub(crate) mod watch;
pub(crate) mod write;

pub(crate) use engine::Sqlite;
