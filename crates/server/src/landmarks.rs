//! What callers were promised by the position that a write's answer named.

use std::sync::Arc;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use kasoku_coherence::{Landmark, Lease};
use kasoku_policies::promise::Promised;
use kasoku_source_data::POSITION;
use kasoku_sql_plan::CursorKey;

/// The cookie of the same name, for browsers.
const COOKIE_NAME: &str = "kasoku-position";

/// Reads positions, and asks the feed whether it has come so far.
pub(crate) struct Landmarks {
    pub(crate) key: Arc<CursorKey>,
    pub(crate) lease: Arc<Lease>,
}

impl Promised for Landmarks {
    /// A position that nobody here has signed promises nothing.
    fn owed(&self, headers: &HeaderMap) -> Option<Landmark> {
        let fields = headers.get_all(POSITION).iter().map(HeaderValue::as_bytes);
        let cookies = headers.get_all(COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
        let cookies = cookies
            .flat_map(|cookie| cookie.split(';'))
            .filter_map(|pair| pair.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('=').map(str::as_bytes));
        fields
            .chain(cookies)
            .filter_map(|token| self.key.open_landmark(token))
            .filter(|landmark| !self.lease.shows(*landmark))
            .max_by_key(|landmark| landmark.mark)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use kasoku_coherence::{Mark, Seen};

    use super::*;

    #[test]
    fn a_position_holds_the_caller_to_what_the_feed_has_seen() {
        let key = Arc::new(CursorKey::derive(b"secret"));
        let lease = Arc::new(Lease::new(Duration::from_secs(1), Instant::now()));
        let landmarks = Landmarks { key: Arc::clone(&key), lease: Arc::clone(&lease) };
        let mark = Mark { timeline: 1, log: 1 };
        let seven = key.seal_landmark(Landmark { transaction: 7, mark });
        let strange = CursorKey::derive(b"other").seal_landmark(Landmark { transaction: 9, mark });
        let check = |name: &'static str, value: &str, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::try_from(value).unwrap());
            assert_eq!(landmarks.owed(&headers).is_none(), expected, "{name}: {value}");
        };
        check("kasoku-position", &seven, false);
        check("cookie", &format!("a=b; kasoku-position={seven}"), false);
        check("kasoku-position", &strange, true);
        check("kasoku-position", &seven[1..], true);
        check("cookie", "kasoku-position", true);
        lease.note(Seen::parse("8:8:").unwrap());
        check("kasoku-position", &seven, true);
        check("cookie", &format!("kasoku-position={seven}"), true);
    }
}
