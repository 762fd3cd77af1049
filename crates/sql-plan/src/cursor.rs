//! Cursors: signed, opaque positions in a list.
//!
//! A token is `v1.` and the payload and `.` and a MAC, both in base64url. The payload holds the direction and the
//! sort values of one row, without loss. The MAC (HMAC-SHA256, its first 128 bits) also covers what the cursor was
//! made for, the route, the sort and the filters with their values, so that a token given anywhere else is as
//! invalid as a changed one. The payload is readable by whoever holds it: routes are refused at check time if they
//! sort by a column that they do not show.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use kasoku_coherence::{Landmark, Mark};
use kasoku_problem::{Kind, Problem};
use sha2::Sha256;

use crate::Value;
use crate::limits::CURSOR_BYTES_MAX;

/// The key that signs cursors. The same secret gives the same key, so cursors survive restarts and are good on
/// every node that shares the secret.
#[derive(Clone)]
pub struct CursorKey(Hmac<Sha256>);

impl CursorKey {
    /// Derives the key from the server's secret, for this use only.
    pub fn derive(secret: &[u8]) -> Self {
        let keyed = |key: &[u8]| Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        let derived = keyed(secret).chain_update(b"kasoku cursor v1").finalize().into_bytes();
        Self(keyed(&derived))
    }

    /// Names a commit to a caller, who may show it to any node that shares the secret.
    pub fn seal_landmark(&self, landmark: Landmark) -> String {
        let Landmark { transaction, mark } = landmark;
        let numbers = [transaction, mark.log, u64::from(mark.timeline)];
        let payload = numbers.map(u64::to_be_bytes).concat();
        let mac = self.landmark_mac(&payload).finalize().into_bytes();
        let mut token = URL_SAFE_NO_PAD.encode(&payload);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&mac[..MAC_BYTES], &mut token);
        token
    }

    /// Reads what [`seal_landmark`](Self::seal_landmark) has written.
    pub fn open_landmark(&self, token: &[u8]) -> Option<Landmark> {
        let (payload, mac) = std::str::from_utf8(token).ok()?.split_once('.')?;
        let payload: [u8; 24] = URL_SAFE_NO_PAD.decode(payload).ok()?.try_into().ok()?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok().filter(|mac| mac.len() == MAC_BYTES)?;
        self.landmark_mac(&payload).verify_truncated_left(&mac).ok()?;
        let number = |at: usize| {
            u64::from_be_bytes(payload[at..at + 8].try_into().expect("eight of twenty-four bytes"))
        };
        let mark = Mark { log: number(8), timeline: u32::try_from(number(16)).ok()? };
        Some(Landmark { transaction: number(0), mark })
    }

    /// A cursor's payload begins otherwise, so that neither is ever taken for the other.
    fn landmark_mac(&self, payload: &[u8]) -> Hmac<Sha256> {
        self.0.clone().chain_update(b"landmark").chain_update(payload)
    }

    /// Signs a position.
    pub(crate) fn seal(&self, position: &Position, context: &Context<'_>) -> Result<String, TooLong> {
        let payload = position.encode();
        if payload.len() > CURSOR_BYTES_MAX {
            return Err(TooLong);
        }
        let mac = self.mac(&payload, context).finalize().into_bytes();
        let mut token = String::with_capacity(PREFIX.len() + payload.len() * 4 / 3 + 28);
        token.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(&payload, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&mac[..MAC_BYTES], &mut token);
        Ok(token)
    }

    /// Reads a token that was made for the same route, sort and filters; `terms` is how many values it must hold.
    pub(crate) fn open(&self, token: &str, context: &Context<'_>, terms: usize) -> Result<Position, Problem> {
        self.verified(token, context)
            .and_then(|payload| Position::decode(&payload))
            .filter(|position| position.values.len() == terms)
            .ok_or_else(|| {
                Problem::new(Kind::CursorInvalid)
                    .detail("the cursor was changed, or made for another list; begin without one")
                    .member("parameter", "cursor")
            })
    }

    fn verified(&self, token: &str, context: &Context<'_>) -> Option<Vec<u8>> {
        let (payload, mac) = token.strip_prefix(PREFIX)?.split_once('.')?;
        if payload.len() > CURSOR_BYTES_MAX * 4 / 3 + 4 {
            return None;
        }
        let mac = URL_SAFE_NO_PAD.decode(mac).ok().filter(|mac| mac.len() == MAC_BYTES)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        // The comparison takes the same time wherever the first difference is.
        self.mac(&payload, context).verify_truncated_left(&mac).ok()?;
        Some(payload)
    }

    fn mac(&self, payload: &[u8], context: &Context<'_>) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        let mut part = |bytes: &[u8]| {
            mac.update(&(bytes.len() as u64).to_le_bytes());
            mac.update(bytes);
        };
        part(payload);
        part(context.route.as_bytes());
        part(context.sort);
        part(context.filters);
        let mut encoded = Vec::new();
        for value in context.values {
            encoded.clear();
            encode(value, &mut encoded);
            part(&encoded);
        }
        mac
    }
}

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey")
    }
}

/// What a cursor is made for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) route: &'a str,
    /// The sort, encoded.
    pub(crate) sort: &'a [u8],
    /// The shape of the filters, encoded.
    pub(crate) filters: &'a [u8],
    /// The values of the filters.
    pub(crate) values: &'a [Value],
}

/// A place in a list: behind a row, seen in a direction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Position {
    pub(crate) direction: Direction,
    /// The row's sort values, in the order of the sort's terms.
    pub(crate) values: Vec<Value>,
}

/// Where a page lies, seen from the row of its cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Forward,
    Back,
}

/// A row's sort values do not fit into a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

const PREFIX: &str = "v1.";
const MAC_BYTES: usize = 16;

impl Position {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 + self.values.len() * 9);
        out.push(u8::from(self.direction == Direction::Back));
        for value in &self.values {
            encode(value, &mut out);
        }
        out
    }

    fn decode(payload: &[u8]) -> Option<Self> {
        let (direction, mut rest) = payload.split_first()?;
        let direction = match direction {
            0 => Direction::Forward,
            1 => Direction::Back,
            _ => return None,
        };
        let mut values = Vec::new();
        while !rest.is_empty() {
            values.push(decode(&mut rest)?);
        }
        Some(Self { direction, values })
    }
}

/// One byte of type, then the value: integers and doubles as 8 bytes, text and bytes with their length before.
pub(crate) fn encode(value: &Value, out: &mut Vec<u8>) {
    let mut sized = |kind: u8, bytes: &[u8]| {
        out.push(kind);
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(bytes);
    };
    match value {
        Value::Text(text) => sized(3, text.as_bytes()),
        Value::Blob(bytes) => sized(4, bytes),
        Value::Null => out.push(0),
        Value::Integer(number) => {
            out.push(1);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Real(number) => {
            out.push(2);
            out.extend_from_slice(&number.to_bits().to_le_bytes());
        }
    }
}

/// Reads what [`encode`] has written.
pub(crate) fn decode(rest: &mut &[u8]) -> Option<Value> {
    let (kind, after) = rest.split_first()?;
    *rest = after;
    Some(match kind {
        0 => Value::Null,
        1 => Value::Integer(i64::from_le_bytes(take(rest, 8)?.try_into().ok()?)),
        2 => Value::Real(f64::from_bits(u64::from_le_bytes(take(rest, 8)?.try_into().ok()?))),
        3 => Value::Text(String::from_utf8(sized(rest)?.to_vec()).ok()?),
        4 => Value::Blob(sized(rest)?.to_vec()),
        _ => return None,
    })
}

fn sized<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_le_bytes(take(rest, 4)?.try_into().ok()?);
    take(rest, length as usize)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONTEXT: Context<'static> =
        Context { route: "/items", sort: b"s", filters: b"f", values: &[Value::Integer(7)] };

    fn position() -> Position {
        let values = vec![Value::Text("é".into()), Value::Null, Value::Integer(-1)];
        Position { direction: Direction::Back, values }
    }

    #[test]
    fn a_cursor_is_read_back_after_a_restart_with_the_same_secret() {
        let token = CursorKey::derive(b"secret").seal(&position(), &CONTEXT).unwrap();
        assert!(token.starts_with("v1."));
        assert_eq!(CursorKey::derive(b"secret").open(&token, &CONTEXT, 3).unwrap(), position());
    }

    #[test]
    fn no_cursor_is_good_that_was_changed_cut_or_made_elsewhere() {
        let key = CursorKey::derive(b"secret");
        let token = key.seal(&position(), &CONTEXT).unwrap();
        let check = |what: &str, key: &CursorKey, token: &str, context: &Context<'_>, terms| {
            let problem = key.open(token, context, terms).expect_err(what);
            assert_eq!(problem.kind(), Kind::CursorInvalid, "{what}");
        };
        for place in 0..token.len() {
            for other in ['A', 'B', '_', '.', '='] {
                let mut changed: Vec<char> = token.chars().collect();
                if changed[place] != other {
                    changed[place] = other;
                    let changed: String = changed.into_iter().collect();
                    check("changed", &key, &changed, &CONTEXT, 3);
                }
            }
            check("cut", &key, &token[..place], &CONTEXT, 3);
        }
        check("another secret", &CursorKey::derive(b"other"), &token, &CONTEXT, 3);
        check("another route", &key, &token, &Context { route: "/item", ..CONTEXT }, 3);
        check("another sort", &key, &token, &Context { sort: b"t", ..CONTEXT }, 3);
        check("another filter", &key, &token, &Context { filters: b"g", ..CONTEXT }, 3);
        check("another value", &key, &token, &Context { values: &[Value::Integer(8)], ..CONTEXT }, 3);
        check("another type", &key, &token, &Context { values: &[Value::Real(7.0)], ..CONTEXT }, 3);
        check("moved borders", &key, &token, &Context { sort: b"sf", filters: b"", ..CONTEXT }, 3);
        check("fewer terms", &key, &token, &CONTEXT, 2);
        check("longer", &key, &format!("{token}AA"), &CONTEXT, 3);
        check("another version", &key, &token.replacen("v1", "v2", 1), &CONTEXT, 3);
    }

    #[test]
    fn a_value_too_long_for_a_url_gives_no_cursor() {
        let values = vec![Value::Text("x".repeat(CURSOR_BYTES_MAX))];
        let long = Position { direction: Direction::Forward, values };
        assert_eq!(CursorKey::derive(b"s").seal(&long, &CONTEXT), Err(TooLong));
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Integer),
            any::<f64>().prop_map(Value::Real),
            ".*".prop_map(Value::Text),
            any::<Vec<u8>>().prop_map(Value::Blob),
        ]
    }

    proptest! {
        #[test]
        fn positions_lose_nothing(values in proptest::collection::vec(value(), 0..6)) {
            let position = Position { direction: Direction::Forward, values };
            let read = Position::decode(&position.encode()).unwrap();
            // Compared as text, because a NaN is not equal to itself.
            prop_assert_eq!(format!("{read:?}"), format!("{position:?}"));
        }

        #[test]
        fn no_payload_and_no_token_is_too_strange_to_refuse(payload: Vec<u8>, token in ".*") {
            let _ = Position::decode(&payload);
            prop_assert!(CursorKey::derive(b"s").open(&token, &CONTEXT, 1).is_err());
        }
    }
}
