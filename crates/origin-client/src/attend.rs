//! A connection's life apart from its requests: it is driven, and let go when nobody has asked anything for too long.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Weak;
use std::task::Poll;
use std::time::Duration;

use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::task::coop::has_budget_remaining;
use tokio::time::{Instant, sleep};

use crate::pool::{HEAD_BYTES_MAX, Pool};

/// What an HTTP/2 server may send before anybody reads it: per answer, and on all of a connection together. The
/// second is so much more that answers which nobody reads do not hold up the others.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 16 << 20;
/// How often a server is asked whether it is still there while answers are awaited, and how long it has to say so.
const PING: Duration = Duration::from_secs(15);

/// A connection's life. It ends when the server closes it, or when nobody can ask anything on it any more.
pub(crate) async fn attend(connection: impl Future, pool: Weak<Pool>, number: u64) {
    let mut connection = pin!(connection);
    let Some(interval) = pool.upgrade().map(|pool| pool.idle_timeout()) else { return };
    let mut tick = pin!(sleep(interval));
    let mut is_armed = false;
    poll_fn(|context| {
        if connection.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        // A timer that is armed wakes this task by itself, and need not be asked each time that the connection is.
        if is_armed && !tick.is_elapsed() {
            return Poll::Pending;
        }
        if tick.as_mut().poll(context).is_ready() {
            if let Some(pool) = pool.upgrade() {
                pool.tidy(number);
            }
            tick.as_mut().reset(Instant::now() + interval);
            is_armed = false;
            context.waker().wake_by_ref();
        } else {
            // Where the task's budget is spent, the timer was not asked, and the task is woken to ask it.
            is_armed = has_budget_remaining();
        }
        Poll::Pending
    })
    .await;
    if let Some(pool) = pool.upgrade() {
        pool.forget(number);
    }
}

/// How HTTP/2 is spoken.
pub(crate) fn http2() -> http2::Builder<TokioExecutor> {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    http
}
