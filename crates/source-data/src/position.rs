//! Tells who has written by what position they can ask any node for nothing older.

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue};
use kasoku_pipeline::Response;

/// Names the commit of a write in its answer; a read that carries it is answered with that commit or a later one.
pub const POSITION: HeaderName = HeaderName::from_static("kasoku-position");

/// Sent by browsers, which keep a cookie and do not hand fields on by themselves (W3C Fetch Metadata §2.2).
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Far longer than any feed stays behind.
const COOKIE_AGE_S: u32 = 60;

/// Adds the position to an answer; for browsers also as a cookie.
pub(crate) fn tell(response: &mut Response, request: &HeaderMap, token: &str) {
    let Ok(value) = HeaderValue::try_from(token) else { return };
    response.headers.insert(POSITION, value);
    if request.contains_key(SEC_FETCH_MODE) {
        let cookie = format!("{POSITION}={token}; Path=/; Max-Age={COOKIE_AGE_S}; HttpOnly; SameSite=Lax");
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            response.headers.append(SET_COOKIE, cookie);
        }
    }
}
