//! Sizes and durations.
//!
//! Holds for every input: what is printed of a value is read as that value.

use kasoku_units::{ByteSize, Period};

use crate::parts::text;

/// Takes any bytes.
pub fn run(input: &[u8]) {
    let text = &*text(input);
    if let Ok(size) = text.parse::<ByteSize>() {
        assert_eq!(size.to_string().parse(), Ok(size), "{text}");
    }
    if let Ok(period) = text.parse::<Period>() {
        assert_eq!(period.to_string().parse(), Ok(period), "{text}");
    }
}
