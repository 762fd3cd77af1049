//! What a database is opened with.

use std::path::PathBuf;
use std::time::Duration;

use crate::watched::WatchMode;

use crate::long::LongSettings;

/// What a database is opened with. Every limit of the engine is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The SQLite file; `None` is a private database that is gone when it is closed.
    pub path: Option<PathBuf>,
    /// Opened for reading only: no migration, no writer, the file is not touched.
    pub read_only: bool,
    /// Reader threads for statements that may take long.
    pub readers: usize,
    /// How many reads may wait for those threads; one more is refused.
    pub read_queue: usize,
    /// Page cache of each connection, in bytes.
    pub page_cache_bytes: u64,
    /// How much of the file each connection maps into memory, in bytes; 0 maps nothing.
    pub mapped_bytes: u64,
    /// How many writes may wait for the writer; one more is refused.
    pub write_queue: usize,
    /// How many writes share a commit at the most.
    pub group_most: usize,
    /// A statement that takes longer is stopped.
    pub statement_timeout: Duration,
    /// From when on a statement counts as long, and for how long that is remembered.
    pub long: LongSettings,
    /// How changes by other programs are learnt.
    pub watch: WatchMode,
    /// How often they are looked for.
    pub poll: Duration,
    /// Answers that depend on others' changes are reused for this long after the last good look began.
    pub bound: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: None,
            read_only: false,
            readers: 4,
            read_queue: 1_024,
            page_cache_bytes: 16 << 20,
            mapped_bytes: 0,
            write_queue: 4_096,
            group_most: 256,
            statement_timeout: Duration::from_secs(10),
            watch: WatchMode::Installed,
            poll: Duration::from_millis(25),
            bound: Duration::from_secs(1),
            long: LongSettings::IN_PROCESS,
        }
    }
}
