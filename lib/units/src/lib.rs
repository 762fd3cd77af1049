//! Sizes and durations with their text forms, and the injectable clock.
//!
//! The text forms are those that people write in configuration: `"256MiB"`, `"1m30s"`. Parsing is strict: a
//! number without a unit is refused, so that nobody has to guess whether `30` meant seconds or milliseconds.
//! This crate knows nothing of configuration files, HTTP or any engine.

mod clock;
mod duration;
mod size;

pub use clock::{Clock, ManualClock, SystemClock};
pub use duration::{Period, PeriodError};
pub use size::{ByteSize, SizeError};
