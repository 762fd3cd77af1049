//! A connection to the server, and the only file that speaks to the client crate.
//!
//! A connection belongs to one *run* of the server: it knows the run that answered when it was made, and a server
//! that restarts cuts it. So whoever has checked the run once need not ask again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, Pipeline, RedisError, ServerErrorKind, Value};
use tokio::time::timeout;

use crate::scripts::{self, Script};

/// A connection that many may use at once.
#[derive(Debug)]
pub(crate) struct Connection {
    inner: MultiplexedConnection,
    run: String,
    scripts: Vec<String>,
}

/// Why the server did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Trouble {
    /// It did not answer in time.
    Timeout,
    /// The connection cannot be made or was lost.
    Connection,
    /// It answered with an error, such as that it is full, loading or may not be written to.
    Refused,
    /// It answered something else than what was asked for.
    Garbled,
}

/// Requests that wait to be written; more wait in their callers, within their budgets.
const PIPELINE_MAX: usize = 64;

/// Distinguishes questions, so that an answer to another one is noticed.
static ECHO: AtomicU64 = AtomicU64::new(1);

impl Trouble {
    /// For logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Refused => "refused",
            Self::Garbled => "garbled",
        }
    }

    fn of(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => Self::Garbled,
            // Somebody emptied the server's scripts; a new connection hands them over again.
            ErrorKind::Server(ServerErrorKind::NoScript) => Self::Connection,
            _ if error.is_timeout() => Self::Timeout,
            _ if error.is_io_error() || error.is_connection_dropped() || error.is_unrecoverable_error() => {
                Self::Connection
            }
            _ => Self::Refused,
        }
    }
}

impl Connection {
    /// Connects, learns the server's run and hands the scripts over.
    pub(crate) async fn open(client: &Client, within: Duration) -> Result<Self, Trouble> {
        timeout(within, Self::open_unbounded(client, within)).await.map_err(|_| Trouble::Timeout)?
    }

    async fn open_unbounded(client: &Client, within: Duration) -> Result<Self, Trouble> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(within))
            .set_response_timeout(None)
            .set_pipeline_buffer_size(PIPELINE_MAX);
        let connecting = client.get_multiplexed_async_connection_with_config(&config).await;
        let mut inner = connecting.map_err(|error| Trouble::of(&error))?;
        let mut greeting = Pipeline::new();
        greeting.cmd("INFO").arg("server");
        for text in scripts::all() {
            greeting.cmd("SCRIPT").arg("LOAD").arg(text);
        }
        let answers: Vec<String> =
            greeting.query_async(&mut inner).await.map_err(|error| Trouble::of(&error))?;
        let (facts, scripts) = answers.split_first().ok_or(Trouble::Garbled)?;
        let run = facts.lines().find_map(|line| line.strip_prefix("run_id:")).ok_or(Trouble::Garbled)?;
        Ok(Self { inner, run: run.trim().to_owned(), scripts: scripts.to_vec() })
    }

    /// The run of the server that it belongs to.
    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    /// Sends a command and waits for the answer.
    pub(crate) async fn ask(&self, command: &Cmd, within: Duration) -> Result<Value, Trouble> {
        let mut inner = self.inner.clone();
        match timeout(within, command.query_async::<Value>(&mut inner)).await {
            Ok(answer) => answer.map_err(|error| Trouble::of(&error)),
            Err(_) => Err(Trouble::Timeout),
        }
    }

    /// Runs a script and gives the two numbers that it answers; nothing if the epoch is another.
    pub(crate) async fn numbers(
        &self,
        script: Script,
        names: &[&str],
        arguments: &[&[u8]],
        within: Duration,
    ) -> Result<Option<[u64; 2]>, Trouble> {
        let echo = ECHO.fetch_add(1, Ordering::Relaxed);
        let mut command = self.call(script, names);
        command.arg(echo);
        for argument in arguments {
            command.arg(*argument);
        }
        let Value::Array(answer) = self.ask(&command, within).await? else { return Err(Trouble::Garbled) };
        let answer: Option<Vec<u64>> = answer.iter().map(number).collect();
        match answer.as_deref() {
            Some([told]) if *told == echo => Ok(None),
            Some([told, one, other, sum]) if *told == echo && *sum == scripts::sum(echo, [*one, *other]) => {
                Ok(Some([*one, *other]))
            }
            _ => Err(Trouble::Garbled),
        }
    }

    /// The beginning of a call of a script.
    pub(crate) fn call(&self, script: Script, names: &[&str]) -> Cmd {
        let mut command = Cmd::new();
        command.arg("EVALSHA").arg(&self.scripts[script as usize]).arg(names.len());
        for name in names {
            command.arg(*name);
        }
        command
    }
}

/// An answer that is a text.
pub(crate) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

/// An answer that is a number, or the number at the beginning of a position.
pub(crate) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        other => text(other)?.split('-').next()?.parse().ok(),
    }
}

/// An answer that is bytes, or nothing.
pub(crate) fn bytes(value: Value) -> Result<Option<Bytes>, Trouble> {
    match value {
        Value::BulkString(bytes) => Ok(Some(bytes.into())),
        Value::Nil => Ok(None),
        _ => Err(Trouble::Garbled),
    }
}
