//! The lane of those who need a connection for themselves: transactions, loads, statements that take long.
//!
//! Each connection has a thread, because what runs in a transaction is written as plain code that waits for each of
//! its statements. A connection is opened when it is first needed and closed when nobody has used it for a while.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::timeout_at;

use super::connect::{Connector, Purpose};
use super::held::Held;
use super::settings::PostgresSettings;
use crate::error::DatabaseError;
use crate::queue::{Queue, Taken};
use crate::tell::Teller;

type Job = Box<dyn FnOnce(Result<&Held, DatabaseError>) + Send>;

/// Connections for one user at a time.
pub(crate) struct Exclusive {
    queue: Arc<Queue<Job>>,
    wait: Duration,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

impl Exclusive {
    /// Starts the threads; each connects when it has something to do.
    pub(crate) fn start(
        connector: &Connector,
        settings: &Arc<PostgresSettings>,
        teller: &Arc<Teller>,
        purpose: Purpose,
    ) -> Result<Self, DatabaseError> {
        let queue = Arc::new(Queue::new(settings.queue));
        let lane = Self { queue, wait: settings.wait, handles: Mutex::default() };
        let cleaning: Arc<str> = connector.cleaning().into();
        for number in 0..settings.exclusive.max(1) {
            let worker = Worker {
                connector: connector.clone(),
                settings: Arc::clone(settings),
                teller: Arc::clone(teller),
                queue: Arc::clone(&lane.queue),
                purpose,
                held: None,
                cleaning: Arc::clone(&cleaning),
                used: Instant::now(),
            };
            let handle = std::thread::Builder::new()
                .name(format!("kasoku-pg-{number}"))
                .spawn(move || worker.work())
                .map_err(|error| DatabaseError::Io(error.to_string().into()))?;
            lane.handles.lock().push(handle);
        }
        Ok(lane)
    }

    /// Runs `f` with a connection of its own. If the returned future is dropped, or `until` passes, before it has
    /// begun, it does not begin; if after that, `f` learns of it by the flag.
    pub(crate) async fn run<T, E>(
        &self,
        until: Instant,
        f: impl FnOnce(&Held, &AtomicBool) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let (answer, mut waiter) = oneshot::channel();
        let state = Arc::new(State::default());
        let _abandon = Abandon(Arc::clone(&state));
        let known = Arc::clone(&state);
        self.queue.add(Box::new(move |held| {
            if !known.begin() {
                return;
            }
            let outcome = match held {
                Ok(_) if until <= Instant::now() => Err(DatabaseError::Deadline.into()),
                Ok(held) => f(held, &known.abandoned),
                Err(error) => Err(error.into()),
            };
            let _nobody_waits = answer.send(outcome);
        }))?;
        let begin_until = until.min(Instant::now() + self.wait);
        let answered = match timeout_at(begin_until.into(), &mut waiter).await {
            Ok(answered) => answered,
            // Nobody was free for it in time.
            Err(_) if state.withdraw() => {
                return Err(if begin_until < until {
                    DatabaseError::QueueFull
                } else {
                    DatabaseError::Deadline
                }
                .into());
            }
            Err(_) => match timeout_at(until.into(), waiter).await {
                Ok(answered) => answered,
                Err(_) => return Err(DatabaseError::Deadline.into()),
            },
        };
        answered.unwrap_or_else(|_| Err(DatabaseError::Panicked("a job on a connection".into()).into()))
    }

    /// Finishes what waits and ends the threads.
    pub(crate) fn close(&self) {
        self.queue.close();
        for handle in self.handles.lock().drain(..) {
            // A thread catches its jobs' panics; one that ended otherwise has nothing left to tell.
            let _ended = handle.join();
        }
    }
}

/// How far a job is, as both sides know it.
#[derive(Default)]
struct State {
    taken: AtomicBool,
    abandoned: AtomicBool,
}

impl State {
    /// Whether the job may begin; it may if it was not withdrawn.
    fn begin(&self) -> bool {
        !self.taken.swap(true, Ordering::AcqRel)
    }

    /// Whether it will never begin now.
    fn withdraw(&self) -> bool {
        !self.taken.swap(true, Ordering::AcqRel)
    }
}

/// Tells a job that nobody waits any more.
struct Abandon(Arc<State>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandoned.store(true, Ordering::Release);
        self.0.withdraw();
    }
}

/// A thread of the lane, and its connection.
struct Worker {
    connector: Connector,
    settings: Arc<PostgresSettings>,
    teller: Arc<Teller>,
    queue: Arc<Queue<Job>>,
    purpose: Purpose,
    held: Option<Held>,
    cleaning: Arc<str>,
    used: Instant,
}

impl Worker {
    fn work(mut self) {
        let mut jobs: Vec<Job> = Vec::with_capacity(1);
        loop {
            match self.queue.take(1, Some(self.settings.idle), &mut jobs) {
                Taken::Closed => break,
                Taken::Idle => self.let_go(),
                Taken::Some => {
                    for job in jobs.drain(..) {
                        self.run(job);
                    }
                }
            }
        }
        self.let_go();
    }

    fn run(&mut self, job: Job) {
        match self.connection() {
            Ok(()) => {
                let held = self.held.as_ref().expect("it was opened above");
                if catch_unwind(AssertUnwindSafe(|| job(Ok(held)))).is_err() {
                    held.give_up();
                }
                // Whoever asked has the answer already.
                if held.take_commit() && !held.is_lost() && held.run(&self.cleaning).is_err() {
                    held.give_up();
                }
                self.used = Instant::now();
                if held.is_lost() {
                    self.let_go();
                }
            }
            Err(error) => {
                self.teller.failed("connect", &error);
                job(Err(error));
            }
        }
    }

    /// Sees to it that there is a connection that works.
    fn connection(&mut self) -> Result<(), DatabaseError> {
        if let Some(held) = &self.held {
            let old = held.session.opened.elapsed() > self.settings.lifetime;
            // What happened to it meanwhile is not known: nobody drove it.
            let unused = self.used.elapsed() > UNASKED_MOST;
            if old || (unused && !held.answers(self.settings.connect_timeout)) {
                self.let_go();
            }
        }
        if self.held.is_none() {
            self.held = Some(Held::open(&self.connector, self.purpose)?);
        }
        Ok(())
    }

    fn let_go(&mut self) {
        self.held = None;
    }
}

/// A connection that nobody used for longer is asked whether it still lives before it is trusted with a job.
const UNASKED_MOST: Duration = Duration::from_millis(500);
