//! Entity tags and dates of files.
//!
//! A small file is known by a hash of what is sent. A large one is known by its times, size and inode, which tell
//! two states apart only once it has been left alone for a moment; until then its tag is weak, and different from
//! the strong one that it gets later, so that nobody keeps a state that was overwritten within a clock tick.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::HeaderValue;
use kasoku_http_caching::if_range::{self, RangeUse};
use xxhash_rust::xxh3::Xxh3Default;

use crate::folder::Stamps;

/// What a state of a file is recognised by.
#[derive(Debug, Clone)]
pub(crate) struct Validators {
    /// `ETag`, quotes and weakness included.
    pub(crate) etag: HeaderValue,
    /// `Last-Modified`; no later than now (RFC 9110 §8.8.2.1).
    pub(crate) modified: HeaderValue,
    modified_at: SystemTime,
}

impl Validators {
    pub(crate) fn new(etag: HeaderValue, modified_at: SystemTime, now: SystemTime) -> Self {
        // Times before 1970 have no HTTP form.
        let modified_at = whole_seconds(modified_at.min(now));
        let modified = HeaderValue::from_str(&httpdate::fmt_http_date(modified_at));
        Self { etag, modified: modified.expect("a date is visible ASCII"), modified_at }
    }

    /// What becomes of a `Range` field.
    pub(crate) fn range_use(&self, headers: &HeaderMap, now: SystemTime) -> RangeUse {
        let current = kasoku_http_caching::conditions::Validators {
            etag: Some(&self.etag),
            modified: Some(self.modified_at),
        };
        if_range::evaluate(headers, &current, now)
    }
}

/// A tag from what is known of a file without reading it.
pub(crate) fn of_stamps(stamps: &Stamps, settled: bool) -> HeaderValue {
    let mut hasher = Xxh3Default::new();
    std::hash::Hash::hash(stamps, &mut hasher);
    let (length, state) = (stamps.length, hasher.digest128());
    let text = if settled {
        format!("\"{length:x}-{state:032x}\"")
    } else {
        format!("W/\"{length:x}-{state:032x}-r\"")
    };
    HeaderValue::from_str(&text).expect("hexadecimal digits in quotes are visible ASCII")
}

fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: u64 = 1_700_000_000;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_date_in_the_future_or_before_1970_is_brought_into_range() {
        let etag = HeaderValue::from_static(r#""a""#);
        assert_eq!(
            Validators::new(etag.clone(), at(NOW_S + 1), at(NOW_S)).modified,
            "Tue, 14 Nov 2023 22:13:20 GMT"
        );
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(Validators::new(etag, before, at(NOW_S)).modified, "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
