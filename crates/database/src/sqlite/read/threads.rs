//! The lane for reads that may take long: a bounded queue and threads of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use kasoku_coherence::{Sequence, Snapshot};
use kasoku_observe::{Observation, Observer};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::error::{DatabaseError, Severity};
use crate::queue::{Queue, Taken};
use crate::sqlite::connection::{Access, Connection, Place};

type Job = Box<dyn FnOnce(Result<&Connection, DatabaseError>) + Send>;

/// Reader threads.
pub(crate) struct Threads {
    queue: Arc<Queue<Job>>,
    sequence: Arc<Sequence>,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

impl Threads {
    pub(crate) fn start(
        place: &Place,
        access: Access,
        (count, most): (usize, usize),
        sequence: Arc<Sequence>,
        observer: &Arc<dyn Observer>,
    ) -> Result<Self, DatabaseError> {
        let queue = Arc::new(Queue::new(most));
        let threads =
            Self { queue: Arc::clone(&queue), sequence, handles: Mutex::new(Vec::with_capacity(count)) };
        for number in 0..count.max(1) {
            let (place, queue, observer) = (place.clone(), Arc::clone(&queue), Arc::clone(observer));
            let handle = std::thread::Builder::new()
                .name(format!("kasoku-read-{number}"))
                .spawn(move || work(&place, access, &queue, observer.as_ref()))
                .map_err(|error| DatabaseError::Io(error.to_string().into()))?;
            threads.handles.lock().push(handle);
        }
        Ok(threads)
    }

    /// Runs `f` on a reader thread. It is stopped at `until`, or when the returned future is dropped.
    pub(crate) async fn run<T, E>(
        &self,
        until: Instant,
        f: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Snapshot), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let (answer, waiter) = oneshot::channel();
        let abandoned = CancelOnDrop(Arc::new(AtomicBool::new(false)));
        let cancelled = Arc::clone(&abandoned.0);
        let sequence = Arc::clone(&self.sequence);
        self.queue.add(Box::new(move |connection| {
            let outcome = connection.map_err(E::from).and_then(|connection| {
                if cancelled.load(Ordering::Relaxed) {
                    return Err(DatabaseError::Interrupted.into());
                }
                if until <= Instant::now() {
                    return Err(DatabaseError::Deadline.into());
                }
                let snapshot = sequence.snapshot();
                connection.stop().at_or_when(until, cancelled);
                let result = f(connection);
                connection.stop().never_again();
                Ok((result?, snapshot))
            });
            let _nobody_waits = answer.send(outcome);
        }))?;
        match tokio::time::timeout_at(until.into(), waiter).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(DatabaseError::Panicked("a reader".into()).into()),
            Err(_) => Err(DatabaseError::Deadline.into()),
        }
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

/// Tells a running statement that nobody waits any more.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn work(place: &Place, access: Access, queue: &Queue<Job>, observer: &dyn Observer) {
    let mut connection = None;
    let mut jobs: Vec<Job> = Vec::with_capacity(1);
    while queue.take(1, None, &mut jobs) != Taken::Closed {
        for job in jobs.drain(..) {
            if connection.as_ref().is_some_and(Connection::is_outdated) {
                connection = None;
            }
            if connection.is_none() {
                match Connection::open(place, access) {
                    Ok(opened) => connection = Some(opened),
                    Err(error) => {
                        observer.observe(&Observation::DatabaseFailed { what: "open", error: &error });
                        job(Err(error));
                        continue;
                    }
                }
            }
            let open = connection.as_ref().expect("it was opened above");
            let panicked = catch_unwind(AssertUnwindSafe(|| job(Ok(open)))).is_err();
            if panicked || open.take_worst() == Severity::Broken {
                connection = None;
            }
        }
    }
}
