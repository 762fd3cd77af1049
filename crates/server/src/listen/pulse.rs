//! What a connection is doing, noted cheaply by those who do it and judged now and then by one timer.
//!
//! The request path only flips flags; it reads no clock and arms no timer. Each connection has a single timer
//! that looks at the flags a few times per timeout and decides by [`Watch::check`] whether the peer has been
//! silent, or has taken nothing, for too long. A timeout therefore fires up to a quarter late, and never early.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use kasoku_config::ConnectionLimits;

/// The least that a peer must take of an HTTP/2 answer within one write timeout. A peer that grants its window by
/// single bytes holds as much memory as one that grants nothing.
const PROGRESS_BYTES: u64 = 1_024;

/// What a connection is doing.
///
/// Its requests are begun and finished on the connection's own thread, as its reads and writes are; so these are counted
/// without a locked instruction. Bodies of requests may be read, and dropped, on any thread.
#[derive(Debug)]
pub(crate) struct Pulse {
    /// Requests being answered.
    answering: AtomicU32,
    /// Bodies of requests that may still come.
    arriving: AtomicU32,
    /// Requests begun; tells one idle time from the next.
    begun: AtomicU32,
    /// Whether a request's head is awaited or has begun to arrive.
    in_head: AtomicBool,
    /// Whether bytes outside of a request begin a head, as they do in HTTP/1.
    heads_by_bytes: AtomicBool,
    /// Whether anything at all was read.
    heard: AtomicBool,
    /// Whether the peer has closed its side.
    ended: AtomicBool,
    /// Whether the socket takes no more bytes.
    blocked: AtomicBool,
    /// Writes that the socket took.
    writes: AtomicU32,
    /// Bytes of bodies handed to HTTP/2 and not yet within the peer's window.
    unsent: AtomicU64,
    /// Bytes of bodies that left through the peer's window.
    sent: AtomicU64,
}

/// Which timeout a connection is cut by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// No complete header section in time.
    Head,
    /// No request in progress for too long.
    Idle,
    /// The peer takes nothing of an answer.
    Write,
}

/// What the timer of a connection remembers between two looks at its [`Pulse`].
#[derive(Debug)]
pub(crate) struct Watch {
    header_timeout: Duration,
    idle_timeout: Duration,
    write_timeout: Duration,
    silence: Since<(u32, bool)>,
    blocked: Option<Since<u32>>,
    starved: Option<(u64, Instant)>,
}

/// A state, and when it was seen first.
#[derive(Debug)]
struct Since<T>(T, Instant);

impl Pulse {
    /// A connection that was just opened: a head is awaited, under the header timeout.
    pub(crate) fn new() -> Self {
        Self {
            answering: AtomicU32::new(0),
            arriving: AtomicU32::new(0),
            begun: AtomicU32::new(0),
            in_head: AtomicBool::new(true),
            heads_by_bytes: AtomicBool::new(true),
            heard: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
            writes: AtomicU32::new(0),
            unsent: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }

    /// HTTP/2 frames come at any time; from here on only streams count, and their absence is idleness.
    pub(crate) fn speaks_frames(&self) {
        self.heads_by_bytes.store(false, Relaxed);
        self.in_head.store(false, Relaxed);
    }

    /// Bytes arrived; none means that the peer closed its side.
    pub(crate) fn read(&self, bytes: usize) {
        if bytes == 0 {
            self.ended.store(true, Relaxed);
        } else if !self.is_open() && self.heads_by_bytes.load(Relaxed) {
            self.heard.store(true, Relaxed);
            self.in_head.store(true, Relaxed);
        }
    }

    /// The socket took bytes, or did not.
    pub(crate) fn wrote(&self, took: bool) {
        if took {
            step(&self.writes, 1);
        }
        self.blocked.store(!took, Relaxed);
    }

    /// A request's head is complete.
    pub(crate) fn begin(&self) {
        self.in_head.store(false, Relaxed);
        step(&self.begun, 1);
        step(&self.answering, 1);
    }

    /// A request's body is still to come, whether or not it was answered meanwhile.
    pub(crate) fn hold(&self) {
        self.arriving.fetch_add(1, Relaxed);
    }

    /// A request's body has ended or was given up.
    pub(crate) fn let_go(&self) {
        self.arriving.fetch_sub(1, Relaxed);
    }

    /// A request was answered or given up.
    pub(crate) fn finish(&self) {
        step(&self.answering, u32::MAX);
    }

    /// Bytes wait for the peer's window.
    pub(crate) fn queued(&self, bytes: u64) {
        self.unsent.fetch_add(bytes, Relaxed);
    }

    /// Bytes left through the peer's window.
    pub(crate) fn left(&self, bytes: u64) {
        self.unsent.fetch_sub(bytes, Relaxed);
        self.sent.fetch_add(bytes, Relaxed);
    }

    /// Bytes will never leave, as their stream is gone.
    pub(crate) fn forgotten(&self, bytes: u64) {
        self.unsent.fetch_sub(bytes, Relaxed);
    }

    /// Whether no request is in progress, and none has begun to arrive.
    pub(crate) fn is_idle(&self) -> bool {
        !(self.is_open() || self.in_head.load(Relaxed) && self.heard.load(Relaxed))
    }

    /// Whether nothing at all is half done: no request, no head, no answer on its way.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.is_idle() && !self.in_head.load(Relaxed) && !self.blocked.load(Relaxed)
    }

    /// Whether a part of a head has arrived.
    pub(crate) fn is_mid_head(&self) -> bool {
        !self.is_open() && self.in_head.load(Relaxed) && self.heard.load(Relaxed)
    }

    /// Whether a request is in progress, be it that its body may still come.
    fn is_open(&self) -> bool {
        self.answering.load(Relaxed) > 0 || self.arriving.load(Relaxed) > 0
    }

    /// Whether the peer has closed its side.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Relaxed)
    }

    /// Whether the socket takes no more bytes.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked.load(Relaxed)
    }
}

/// Adds to a count that one thread alone changes.
fn step(count: &AtomicU32, by: u32) {
    count.store(count.load(Relaxed).wrapping_add(by), Relaxed);
}

impl Watch {
    /// Begins to watch a connection that was just opened.
    pub(crate) fn new(limits: &ConnectionLimits, now: Instant) -> Self {
        Self {
            header_timeout: limits.header_timeout,
            idle_timeout: limits.idle_timeout,
            write_timeout: limits.write_timeout,
            silence: Since((0, true), now),
            blocked: None,
            starved: None,
        }
    }

    /// How long to wait between two looks.
    pub(crate) fn interval(limits: &ConnectionLimits) -> Duration {
        let shortest = limits.header_timeout.min(limits.idle_timeout).min(limits.write_timeout);
        (shortest / 4).clamp(Duration::from_millis(5), Duration::from_secs(5))
    }

    /// Looks at a connection; says why it is to be cut, if it is.
    pub(crate) fn check(&mut self, pulse: &Pulse, now: Instant) -> Option<Cut> {
        self.check_writes(pulse, now).or_else(|| self.check_silence(pulse, now))
    }

    /// How long no request has been in progress, as far as was seen.
    pub(crate) fn idle_for(&mut self, pulse: &Pulse, now: Instant) -> Duration {
        self.see_silence(pulse, now);
        now.saturating_duration_since(self.silence.1)
    }

    fn see_silence(&mut self, pulse: &Pulse, now: Instant) {
        let state = (pulse.begun.load(Relaxed), pulse.in_head.load(Relaxed));
        if self.silence.0 != state || pulse.is_open() {
            self.silence = Since(state, now);
        }
    }

    fn check_silence(&mut self, pulse: &Pulse, now: Instant) -> Option<Cut> {
        self.see_silence(pulse, now);
        let Since((_, in_head), since) = self.silence;
        let (timeout, cut) =
            if in_head { (self.header_timeout, Cut::Head) } else { (self.idle_timeout, Cut::Idle) };
        (now.saturating_duration_since(since) >= timeout).then_some(cut)
    }

    fn check_writes(&mut self, pulse: &Pulse, now: Instant) -> Option<Cut> {
        let too_long = |since: Instant| now.saturating_duration_since(since) >= self.write_timeout;
        let writes = pulse.writes.load(Relaxed);
        let same = self.blocked.as_ref().is_some_and(|Since(seen, _)| *seen == writes);
        match (pulse.blocked.load(Relaxed), &self.blocked) {
            (false, _) => self.blocked = None,
            (true, Some(Since(_, since))) if same => {
                if too_long(*since) {
                    return Some(Cut::Write);
                }
            }
            (true, _) => self.blocked = Some(Since(writes, now)),
        }
        let sent = pulse.sent.load(Relaxed);
        match (pulse.unsent.load(Relaxed), self.starved) {
            (0, _) => self.starved = None,
            (_, Some((sent_before, since))) if sent - sent_before < PROGRESS_BYTES => {
                if too_long(since) {
                    return Some(Cut::Write);
                }
            }
            _ => self.starved = Some((sent, now)),
        }
        None
    }
}

impl Cut {
    /// For metrics and logs.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Head => "header-timeout",
            Self::Idle => "idle-timeout",
            Self::Write => "write-timeout",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Step<'a> = &'a dyn Fn(&Pulse);

    fn limits() -> ConnectionLimits {
        ConnectionLimits {
            connections_max: 1,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(1),
            handshake_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            header_bytes_max: 16_384,
            header_fields_max: 100,
            body_bytes_max: 1 << 20,
            streams_max: 100,
        }
    }

    /// Plays steps at seconds, and returns what the last look said.
    fn watched(steps: &[(u64, Step<'_>)]) -> Option<Cut> {
        let start = Instant::now();
        let pulse = Pulse::new();
        let mut watch = Watch::new(&limits(), start);
        let mut said = None;
        for (second, step) in steps {
            assert_eq!(said, None, "cut before second {second}");
            step(&pulse);
            said = watch.check(&pulse, start + Duration::from_secs(*second));
        }
        said
    }

    const NOTHING: Step<'_> = &|_| {};
    const REQUEST: Step<'_> = &|pulse| {
        pulse.read(10);
        pulse.begin();
        pulse.finish();
    };

    #[test]
    fn a_peer_that_says_nothing_at_first_is_cut_by_the_header_timeout() {
        assert_eq!(watched(&[(1, NOTHING), (9, NOTHING)]), None);
        assert_eq!(watched(&[(1, NOTHING), (10, NOTHING)]), Some(Cut::Head));
    }

    #[test]
    fn a_head_that_drips_is_not_prolonged_by_its_drops() {
        let drop: Step<'_> = &|pulse| pulse.read(1);
        assert_eq!(watched(&[(1, drop), (5, drop), (9, drop), (10, drop)]), Some(Cut::Head));
        assert_eq!(watched(&[(5, REQUEST), (6, drop), (15, drop)]), None);
        assert_eq!(watched(&[(5, REQUEST), (6, drop), (16, drop)]), Some(Cut::Head));
    }

    #[test]
    fn between_requests_the_idle_timeout_counts_and_begins_anew() {
        assert_eq!(watched(&[(5, REQUEST), (64, NOTHING)]), None);
        assert_eq!(watched(&[(5, REQUEST), (65, NOTHING)]), Some(Cut::Idle));
        assert_eq!(watched(&[(5, REQUEST), (50, REQUEST), (100, NOTHING)]), None);
    }

    #[test]
    fn a_request_in_progress_is_never_idle() {
        let begin: Step<'_> = &|pulse| pulse.begin();
        assert_eq!(watched(&[(1, begin), (500, NOTHING), (1_000, NOTHING)]), None);
    }

    #[test]
    fn a_peer_that_takes_nothing_is_cut_and_one_that_takes_a_little_is_not() {
        let begin: Step<'_> = &|pulse| pulse.begin();
        let blocked: Step<'_> = &|pulse| pulse.wrote(false);
        let trickle: Step<'_> = &|pulse| {
            pulse.wrote(true);
            pulse.wrote(false);
        };
        assert_eq!(watched(&[(1, begin), (2, blocked), (32, NOTHING)]), Some(Cut::Write));
        assert_eq!(watched(&[(1, begin), (2, blocked), (20, trickle), (40, NOTHING)]), None);
    }

    #[test]
    fn an_http2_window_must_grant_more_than_drops() {
        let queue: Step<'_> = &|pulse| {
            pulse.speaks_frames();
            pulse.begin();
            pulse.queued(100_000);
        };
        let drops: Step<'_> = &|pulse| pulse.left(100);
        let gulp: Step<'_> = &|pulse| pulse.left(2_000);
        assert_eq!(watched(&[(1, queue), (10, drops), (20, drops), (31, drops)]), Some(Cut::Write));
        assert_eq!(watched(&[(1, queue), (10, gulp), (31, drops)]), None);
        let gone: Step<'_> = &|pulse| pulse.forgotten(100_000);
        assert_eq!(watched(&[(1, queue), (10, gone), (31, NOTHING)]), None);
    }
}
