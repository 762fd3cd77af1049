//! The members of a `Cache-Control` line (RFC 9111 §5.2), taken apart without failing.
//!
//! A field that is not to the letter still says something, and what it forbids must not be lost: a quote that
//! never ends is an ordinary byte, and a semicolon separates like a comma but makes what it touches unreadable.

/// What stands behind the name of a directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument<'a> {
    /// Nothing.
    Absent,
    /// A token, or what stands between quotes, in a `Cache-Control` field: §5.2 has recipients accept both.
    Text(&'a [u8]),
    /// An Integer of a structured field.
    Integer(i64),
    /// A String or Token of a structured field, which is not a number even if it looks like one.
    Names(&'a [u8]),
    /// Something that is neither.
    Unreadable,
}

/// One directive: its name in any case, and its argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) argument: Argument<'a>,
}

/// The members of one line. Empty ones are skipped (RFC 9110 §5.6.1.2).
pub(crate) fn members(line: &[u8]) -> impl Iterator<Item = Member<'_>> {
    let mut rest = line;
    let mut touched = false;
    let mut quotes = Quotes::Close;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let end = end_of_member(rest, &mut quotes);
            let (text, separator) = (rest[..end].trim_ascii(), rest.get(end));
            rest = rest.get(end + 1..).unwrap_or_default();
            let semicolon = separator == Some(&b';');
            let touches = std::mem::replace(&mut touched, semicolon) || semicolon;
            if !text.is_empty() {
                return Some(member(text, touches));
            }
        }
    })
}

/// Whether the quotes of a line can be relied on. After one that never closes they cannot, and looking for its end
/// again and again would take time that is quadratic in the length of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    Close,
    Broken,
}

/// Where the next separator stands that is not inside of a quoted argument.
fn end_of_member(text: &[u8], quotes: &mut Quotes) -> usize {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b',' | b';' => return at,
            b'"' if *quotes == Quotes::Close => match end_of_quotes(text, at) {
                Some(end) => at = end,
                None => *quotes = Quotes::Broken,
            },
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// Where the quotes that open at `start` close, if they do.
fn end_of_quotes(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn member(text: &[u8], touches_a_semicolon: bool) -> Member<'_> {
    let end = text.iter().position(|byte| !is_token(*byte)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let argument = match rest {
        _ if touches_a_semicolon => Argument::Unreadable,
        [] => Argument::Absent,
        [b'=', b'"', inner @ .., b'"'] if end_of_quotes(rest, 1) == Some(rest.len() - 1) => {
            Argument::Text(inner)
        }
        // Space around the sign is in no grammar, so it is not an argument: see §4.2.1 for what follows from it.
        [b'=', token @ ..] if !token.is_empty() && token.iter().all(|byte| is_token(*byte)) => {
            Argument::Text(token)
        }
        _ => Argument::Unreadable,
    };
    Member { name, argument }
}

/// `tchar` (RFC 9110 §5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
