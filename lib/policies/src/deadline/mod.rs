//! Fixes the instant by which a request must be answered.
