//! Stored answers as bytes, for other nodes: a version, then every part with its length before it.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use kasoku_http_caching::freshness::{Freshness, LifetimeSource};

use super::facts::Selecting;

/// Changes with every change of the form; other versions are not read.
const VERSION: u8 = 1;

/// A stored answer, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) status: StatusCode,
    /// With the fields that are for caches.
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) freshness: Freshness,
    pub(super) selecting: Option<Selecting>,
}

impl Encoded {
    pub(super) fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.body.len() + 512);
        bytes.put_u8(VERSION);
        bytes.put_u16(self.status.as_u16());
        put_freshness(&mut bytes, &self.freshness);
        bytes.put_u32(self.headers.len() as u32);
        for (name, value) in &self.headers {
            put(&mut bytes, name.as_str().as_bytes());
            put(&mut bytes, value.as_bytes());
        }
        match &self.selecting {
            None => bytes.put_u32(u32::MAX),
            Some(selecting) => {
                bytes.put_u32(selecting.names.len() as u32);
                for name in &selecting.names {
                    put(&mut bytes, name.as_str().as_bytes());
                }
                put(&mut bytes, &selecting.said);
            }
        }
        bytes.put_slice(&self.body);
        bytes.freeze()
    }

    /// `None` for what is not an answer in this version's form.
    pub(super) fn from_bytes(mut bytes: Bytes) -> Option<Self> {
        if bytes.try_get_u8().ok()? != VERSION {
            return None;
        }
        let status = StatusCode::from_u16(bytes.try_get_u16().ok()?).ok()?;
        let freshness = get_freshness(&mut bytes)?;
        let lines = bytes.try_get_u32().ok()?;
        let mut headers = HeaderMap::new();
        for _ in 0..lines {
            let name = HeaderName::from_bytes(&get(&mut bytes)?).ok()?;
            headers.try_append(name, HeaderValue::from_bytes(&get(&mut bytes)?).ok()?).ok()?;
        }
        let selecting = match bytes.try_get_u32().ok()? {
            u32::MAX => None,
            count => {
                let mut names = Vec::new();
                for _ in 0..count {
                    names.push(HeaderName::from_bytes(&get(&mut bytes)?).ok()?);
                }
                Some(Selecting { names, said: get(&mut bytes)?.to_vec() })
            }
        };
        Some(Self { status, headers, body: bytes, freshness, selecting })
    }
}

fn put(bytes: &mut BytesMut, part: &[u8]) {
    bytes.put_u32(part.len() as u32);
    bytes.put_slice(part);
}

fn get(bytes: &mut Bytes) -> Option<Bytes> {
    let length = bytes.try_get_u32().ok()? as usize;
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

fn put_freshness(bytes: &mut BytesMut, freshness: &Freshness) {
    let flags = [
        freshness.always_validate,
        freshness.must_revalidate,
        freshness.immutable,
        freshness.shareable_with_credentials,
    ];
    bytes.put_u8(flags.iter().rev().fold(0, |bits, flag| bits << 1 | u8::from(*flag)));
    bytes.put_u8(SOURCES.iter().position(|source| *source == freshness.source).unwrap_or(0) as u8);
    for time in [
        freshness.lifetime,
        freshness.stale_while_revalidate,
        freshness.stale_if_error,
        freshness.stale_if_unreachable,
    ] {
        bytes.put_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    }
}

/// What was withheld is not among the fields any more, and the age is told by the tier.
fn get_freshness(bytes: &mut Bytes) -> Option<Freshness> {
    let flags = bytes.try_get_u8().ok()?;
    let source = *SOURCES.get(usize::from(bytes.try_get_u8().ok()?))?;
    let mut time = || bytes.try_get_u64().ok().map(Duration::from_millis);
    Some(Freshness {
        lifetime: time()?,
        age: Duration::ZERO,
        source,
        always_validate: flags & 1 != 0,
        withheld: Vec::new(),
        must_revalidate: flags & 2 != 0,
        immutable: flags & 4 != 0,
        shareable_with_credentials: flags & 8 != 0,
        stale_while_revalidate: time()?,
        stale_if_error: time()?,
        stale_if_unreachable: time()?,
    })
}

const SOURCES: [LifetimeSource; 6] = [
    LifetimeSource::None,
    LifetimeSource::SMaxage,
    LifetimeSource::MaxAge,
    LifetimeSource::Expires,
    LifetimeSource::Configured,
    LifetimeSource::Heuristic,
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn freshness(flags: u8, millis: u32) -> Freshness {
        let time = |factor: u32| Duration::from_millis(u64::from(millis) * u64::from(factor));
        Freshness {
            lifetime: time(1),
            age: Duration::ZERO,
            source: SOURCES[usize::from(flags) % SOURCES.len()],
            always_validate: flags & 1 != 0,
            withheld: Vec::new(),
            must_revalidate: flags & 2 != 0,
            immutable: flags & 4 != 0,
            shareable_with_credentials: flags & 8 != 0,
            stale_while_revalidate: time(2),
            stale_if_error: time(3),
            stale_if_unreachable: time(4),
        }
    }

    proptest! {
        #[test]
        fn what_was_put_together_is_taken_apart_alike(
            status in 200_u16..600,
            flags in any::<u8>(),
            millis in any::<u32>(),
            fields in proptest::collection::vec(("[a-z-]{1,9}", "[ -~]{0,9}"), 0..6),
            said in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20)),
            body in proptest::collection::vec(any::<u8>(), 0..50),
        ) {
            let mut headers = HeaderMap::new();
            for (name, value) in &fields {
                headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
            }
            let names = headers.keys().cloned().collect();
            let encoded = Encoded {
                status: StatusCode::from_u16(status).unwrap(),
                headers,
                body: body.into(),
                freshness: freshness(flags, millis),
                selecting: said.map(|said| Selecting { names, said }),
            };
            prop_assert_eq!(Encoded::from_bytes(encoded.to_bytes()), Some(encoded));
        }

        #[test]
        fn nonsense_is_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut bytes = bytes;
            drop(Encoded::from_bytes(bytes.clone().into()));
            bytes.insert(0, VERSION);
            drop(Encoded::from_bytes(bytes.into()));
        }
    }
}
