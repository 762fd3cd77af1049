//! One input as several: its lines.

use std::borrow::Cow;

/// The first lines of an input, the last of them with all that is left. Lines that it does not have are empty.
pub(crate) fn lines<const COUNT: usize>(input: &[u8]) -> [&[u8]; COUNT] {
    let mut lines = input.splitn(COUNT, |byte| *byte == b'\n');
    std::array::from_fn(|_| lines.next().unwrap_or_default())
}

/// A line as text; what is not UTF-8 becomes U+FFFD.
pub(crate) fn text(line: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(line)
}
