//! Fields as they are kept: in memory of exactly their size, and what that is.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::stored::OF_THE_TRANSFER;

/// Fields in memory of exactly their size, without those of the transfer: what they came in is larger.
pub(crate) fn own_fields(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        if !OF_THE_TRANSFER.contains(name) {
            kept.append(name, own_value(value));
        }
    }
    // A clone has no room for further entries.
    kept.clone()
}

/// A value in memory of exactly its size.
pub(crate) fn own_value(value: &HeaderValue) -> HeaderValue {
    HeaderValue::from_bytes(value.as_bytes()).expect("it was a field value before")
}

/// What a `Bytes` allocates beside its bytes once it is shared.
pub(super) const SHARED_BYTES: usize = 32;

pub(crate) fn value_bytes(value: &HeaderValue) -> usize {
    value.len() + SHARED_BYTES
}

/// What a map of fields that was cloned keeps on the heap. Its table has a power of two of places of 4 bytes,
/// three quarters of which it uses, and an entry holds name, value, hash and links; so does each further line
/// of a field.
pub(crate) fn fields_bytes(headers: &HeaderMap) -> usize {
    const ENTRY_BYTES: usize = size_of::<HeaderName>() + size_of::<HeaderValue>() + 32;
    let capacity = headers.capacity();
    let places = (capacity + capacity / 3).next_power_of_two();
    let texts: usize = headers.iter().map(|(name, value)| name.as_str().len() + value_bytes(value)).sum();
    headers.len() * ENTRY_BYTES + places * 4 + texts
}
