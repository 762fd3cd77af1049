//! A request on its way through the policies.

use std::fmt;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Instant;

use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Method, Uri, Version};
use kasoku_coherence::{Key, Landmark};

use crate::{Caller, PathParams, RequestBody};

/// A request. Its fields are boxed, so that handing it from policy to policy moves one pointer.
#[derive(Debug)]
pub struct Request(Box<RequestFields>);

/// The fields of a [`Request`].
#[derive(Debug)]
pub struct RequestFields {
    /// The method.
    pub method: Method,
    /// The target.
    pub uri: Uri,
    /// The protocol's version.
    pub version: Version,
    /// Whether it came by TLS.
    pub scheme: Scheme,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: RequestBody,
    /// What the path pattern matched.
    pub params: PathParams,
    /// Who is at the other end of the connection.
    pub peer: Option<SocketAddr>,
    /// The protocols that the caller would go on in on this connection, if the connection can (RFC 9110 §7.8).
    /// Whoever agrees answers 101, with a stream in [`upgrade`](crate::ResponseFields::upgrade).
    pub upgrade: Option<HeaderValue>,
    /// The name of this request. Set by `observe`.
    pub id: RequestId,
    /// When its head had arrived. Set by `observe`.
    pub arrived: Option<Instant>,
    /// The time as it was last read for this request, so that not everybody reads it again. Whoever makes the
    /// request wait before handing it on takes it away.
    pub seen: Option<Instant>,
    /// The instant by which it must be answered. Set by `deadline`.
    pub deadline: Option<Instant>,
    /// Who asks. Set by `identify`, where the route wants to know.
    pub caller: Option<Arc<Caller>>,
    /// What a stored answer to it is found by. Set by `cache`, required by `collapse` and `fill`.
    pub key: Option<Key>,
    /// What its caller was told of and what is stored may not show. Set by `promise`.
    pub owed: Option<Landmark>,
    /// What all stored answers to it are found by, whatever they vary by. Set by the look-up before an origin for its
    /// other half, which makes it anew where it is not set.
    pub primary: Option<Key>,
}

impl Request {
    /// A request with nothing but a method and a target.
    pub fn new(method: Method, uri: Uri) -> Self {
        Self(Box::new(RequestFields::new(method, uri)))
    }

    /// A GET, for tests and examples.
    ///
    /// # Panics
    /// If `target` is not a valid request target.
    pub fn get(target: &str) -> Self {
        Self::new(Method::GET, target.parse().expect("a valid target"))
    }

    /// Its fields, to take apart.
    pub fn into_fields(self) -> RequestFields {
        *self.0
    }

    /// The same request once more, without body: for a refresh in the background or an audit.
    #[must_use]
    pub fn again(&self) -> Self {
        Self(Box::new(RequestFields {
            method: self.method.clone(),
            uri: self.uri.clone(),
            version: self.version,
            scheme: self.scheme.clone(),
            headers: self.headers.clone(),
            body: RequestBody::empty(),
            params: self.params.clone(),
            peer: self.peer,
            upgrade: None,
            id: self.id.clone(),
            arrived: self.arrived,
            seen: None,
            deadline: self.deadline,
            caller: self.caller.clone(),
            key: self.key.clone(),
            owed: self.owed,
            primary: self.primary.clone(),
        }))
    }
}

impl RequestFields {
    /// A method and a target, and nothing else.
    pub fn new(method: Method, uri: Uri) -> Self {
        Self {
            method,
            uri,
            version: Version::HTTP_11,
            scheme: Scheme::HTTP,
            headers: HeaderMap::new(),
            body: RequestBody::empty(),
            params: PathParams::default(),
            peer: None,
            upgrade: None,
            id: RequestId::default(),
            arrived: None,
            seen: None,
            deadline: None,
            caller: None,
            key: None,
            owed: None,
            primary: None,
        }
    }
}

impl From<RequestFields> for Request {
    fn from(fields: RequestFields) -> Self {
        Self(Box::new(fields))
    }
}

impl Deref for Request {
    type Target = RequestFields;

    fn deref(&self) -> &RequestFields {
        &self.0
    }
}

impl DerefMut for Request {
    fn deref_mut(&mut self) -> &mut RequestFields {
        &mut self.0
    }
}

/// The name of a request, as `X-Request-Id`, logs and problem documents show it: visible ASCII, at most 128 bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RequestId(Text);

#[derive(Clone, PartialEq, Eq)]
enum Text {
    /// Made here, and kept in place.
    Made(Digits),
    /// Brought by the caller.
    Brought(Box<str>),
}

/// 32 hexadecimal digits. Where they begin at a whole word, they are seen to be text word by word.
#[derive(Clone, PartialEq, Eq)]
#[repr(align(8))]
struct Digits([u8; 32]);

impl Default for Text {
    fn default() -> Self {
        Self::Made(Digits([b'0'; 32]))
    }
}

impl RequestId {
    /// Names a request by a number that is not used twice.
    pub fn made(number: u128) -> Self {
        let mut text = [0; 32];
        for (part, digits) in text.chunks_exact_mut(8).enumerate() {
            let number = (number >> (96 - 32 * part)) as u32;
            digits.copy_from_slice(&eight_digits(number).to_be_bytes());
        }
        Self(Text::Made(Digits(text)))
    }

    /// Takes over the caller's name for it, if it is harmless.
    pub fn brought(text: &str) -> Option<Self> {
        let harmless = (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        harmless.then(|| Self(Text::Brought(text.into())))
    }

    /// Itself, if the request has been named; until then all have the same name.
    pub fn given(&self) -> Option<&Self> {
        (*self != Self::default()).then_some(self)
    }

    /// As the value of a field.
    pub fn to_value(&self) -> HeaderValue {
        let bytes = match &self.0 {
            Text::Made(Digits(text)) => &text[..],
            Text::Brought(text) => text.as_bytes(),
        };
        HeaderValue::from_bytes(bytes).expect("it is visible ASCII")
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Made(Digits(text)) => std::str::from_utf8(text).expect("hexadecimal digits are UTF-8"),
            Text::Brought(text) => text,
        }
    }
}

/// A number as eight hexadecimal digits, the first one in the highest byte; all at once and without a table.
fn eight_digits(number: u32) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // Each of the eight halves of a byte goes to a byte of its own.
    let spread = u64::from(number);
    let spread = (spread | spread << 16) & 0x0000_ffff_0000_ffff;
    let spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff;
    let spread = (spread | spread << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    // One in each byte whose digit is a letter, which `6` more carries into the upper half.
    let letters = ((spread + 6 * ONES) >> 4) & ONES;
    spread + u64::from(b'0') * ONES + letters * u64::from(b'a' - b'0' - 10)
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_hexadecimal_or_harmless() {
        for number in [0, 0xab, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210_0f1e_2d3c_4b5a_6978, u128::MAX] {
            assert_eq!(RequestId::made(number).as_str(), format!("{number:032x}"));
        }
        assert_eq!(RequestId::brought("a-1").unwrap().as_str(), "a-1");
        for text in ["", "a b", "a\nb", "é", &"x".repeat(129)] {
            assert_eq!(RequestId::brought(text), None, "{text:?}");
        }
    }
}
