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
use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;
use tokio::time::timeout_at;

use super::connect::{Connector, Failed, Purpose, Session};
use super::error::Meaning;
use super::settings::PostgresSettings;
use super::tls::Tls;
use crate::error::DatabaseError;
use crate::queue::{Queue, Taken};
use crate::tell::Teller;

/// How long the server may take to hear that it is to stop.
const CANCEL_PATIENCE: Duration = Duration::from_secs(1);

type Job = Box<dyn FnOnce(Result<&Held, DatabaseError>) + Send>;

/// Connections for one user at a time.
pub(crate) struct Exclusive {
    queue: Arc<Queue<Job>>,
    wait: Duration,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

/// A connection, held by the thread that drives it.
pub(crate) struct Held {
    drive: Drive,
    pub(crate) session: Session,
    tls: Tls,
    lost: AtomicBool,
}

/// Who drives a connection.
enum Drive {
    /// Whoever waits for it.
    Here(Runtime),
    /// Another thread.
    Elsewhere(Handle),
}

impl Held {
    /// Connects, and lets another thread drive the connection. Such a one can be used where a runtime runs already.
    pub(crate) fn open_elsewhere(handle: &Handle, connector: &Connector) -> Result<Self, DatabaseError> {
        let drive = Drive::Elsewhere(handle.clone());
        let (session, work) = drive.wait(connector.open(Purpose::Own))?;
        handle.spawn(work);
        Ok(Self { drive, session, tls: connector.tls(), lost: AtomicBool::new(false) })
    }

    /// Connects, and drives the connection on this thread.
    pub(crate) fn open(connector: &Connector, purpose: Purpose) -> Result<Self, DatabaseError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| DatabaseError::Io(error.to_string().into()))?;
        let (session, work) = runtime.block_on(connector.open(purpose))?;
        runtime.spawn(work);
        Ok(Self { drive: Drive::Here(runtime), session, tls: connector.tls(), lost: AtomicBool::new(false) })
    }

    /// Waits for something that the connection does.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.drive.wait(work)
    }

    /// Runs text that is not a declared statement.
    pub(crate) fn run(&self, sql: &str) -> Result<(), DatabaseError> {
        let ran = self.wait(self.session.client().batch_execute(sql));
        ran.map_err(|error| self.failed(Failed::of(error)))
    }

    /// Takes note of what an error means for the connection.
    pub(crate) fn failed(&self, failed: Failed) -> DatabaseError {
        if failed.meaning == Meaning::Lost {
            self.give_up();
        }
        failed.error
    }

    /// Asks the server to stop what it does on this connection.
    pub(crate) fn cancel(&self) {
        let token = self.session.client().cancel_token();
        let asked = token.cancel_query(self.tls.clone());
        // Whether it heard or not, the connection is given up, and the server has a limit of its own.
        let _heard = self.wait(async { tokio::time::timeout(CANCEL_PATIENCE, asked).await });
    }

    /// Lets nobody use the connection again.
    pub(crate) fn give_up(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    /// Whether nobody may use it any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed) || self.session.is_closed()
    }

    /// Whether the server still answers on it; asks.
    fn answers(&self, patience: Duration) -> bool {
        let asked = self.session.client().check_connection();
        // A timer is made on the runtime that it belongs to.
        self.wait(async { matches!(tokio::time::timeout(patience, asked).await, Ok(Ok(()))) })
    }
}

impl Drive {
    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        match self {
            Self::Here(runtime) => runtime.block_on(work),
            Self::Elsewhere(handle) => {
                // Timers are made on the runtime that the context names.
                let _context = handle.enter();
                pollster::block_on(work)
            }
        }
    }
}

impl Exclusive {
    /// Starts the threads; each connects when it has something to do.
    pub(crate) fn start(
        connector: &Connector,
        settings: &Arc<PostgresSettings>,
        teller: &Arc<Teller>,
    ) -> Result<Self, DatabaseError> {
        let queue = Arc::new(Queue::new(settings.queue));
        let lane = Self { queue, wait: settings.wait, handles: Mutex::default() };
        for number in 0..settings.exclusive.max(1) {
            let worker = Worker {
                connector: connector.clone(),
                settings: Arc::clone(settings),
                teller: Arc::clone(teller),
                queue: Arc::clone(&lane.queue),
                held: None,
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
    held: Option<Held>,
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
            self.held = Some(Held::open(&self.connector, Purpose::Write)?);
        }
        Ok(())
    }

    fn let_go(&mut self) {
        self.held = None;
    }
}

/// A connection that nobody used for longer is asked whether it still lives before it is trusted with a job.
const UNASKED_MOST: Duration = Duration::from_millis(500);
