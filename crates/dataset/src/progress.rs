//! How far a long piece of work has come.

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// How much of it is done, in the stage's own measure.
    pub done: u64,
    /// How much there is to do; `done` never exceeds it.
    pub total: u64,
    /// Rows that passed in this stage.
    pub rows: u64,
}

/// What an import does, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Finding out types, keys and indexes; measured in bytes of the file.
    Reading,
    /// Storing the rows; measured in bytes of the file.
    Storing,
    /// Building indexes; measured in indexes.
    Indexing,
}

/// Rows between two reports.
const ROWS_BETWEEN: u64 = 4_096;

/// Reports progress, not too often.
pub(crate) struct Ticker<'a> {
    tell: &'a mut dyn FnMut(Progress),
    now: Progress,
}

impl<'a> Ticker<'a> {
    pub(crate) fn new(tell: &'a mut dyn FnMut(Progress)) -> Self {
        Self { tell, now: Progress { stage: Stage::Reading, done: 0, total: 0, rows: 0 } }
    }

    /// Begins a stage.
    pub(crate) fn begin(&mut self, stage: Stage, total: u64) {
        self.now = Progress { stage, done: 0, total, rows: 0 };
        (self.tell)(self.now);
    }

    /// Counts a row, after which this much is done.
    pub(crate) fn row(&mut self, done: u64) {
        self.now.rows += 1;
        self.now.done = done.min(self.now.total);
        if self.now.rows.is_multiple_of(ROWS_BETWEEN) {
            (self.tell)(self.now);
        }
    }

    /// Counts a step other than a row.
    pub(crate) fn step(&mut self) {
        self.now.done = (self.now.done + 1).min(self.now.total);
        (self.tell)(self.now);
    }

    /// Ends a stage.
    pub(crate) fn end(&mut self) {
        self.now.done = self.now.total;
        (self.tell)(self.now);
    }
}
