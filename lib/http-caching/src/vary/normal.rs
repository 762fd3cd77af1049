//! The normal form of a request field: equal for two requests that mean the same by it (RFC 9111 §4.1).

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, COOKIE, HeaderName};

/// How much of the text of a field is known to mean nothing.
enum Grammar {
    /// A list of words with weights, in any case; among those of equal weight, the order means nothing.
    Weighted(EqualWeights),
    /// A list of media ranges (RFC 9110 §12.5.1), whose names are in any case; the order is kept.
    MediaRanges,
    /// Pairs between which there are semicolons (RFC 9113 §8.2.3 on several lines).
    Cookies,
    /// Not known.
    Other,
}

/// Whether words of equal weight are in an order that counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EqualWeights {
    Unordered,
    /// "Some recipients treat the order" as a preference (RFC 9110 §12.5.4).
    Ordered,
}

/// A member of a weighted list. The weight is in thousandths.
struct Weighted {
    word: Vec<u8>,
    weight: u16,
}

/// What tells whether a byte stands in a quoted string (RFC 9110 §5.6.4).
#[derive(Default)]
struct Quotes {
    open: bool,
    escaped: bool,
}

/// The normal form of a field, or `None` if the request has no such field.
pub(super) fn value(name: &HeaderName, request: &HeaderMap) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = request.get_all(name).into_iter().map(|line| trim(line.as_bytes())).collect();
    if lines.is_empty() {
        return None;
    }
    let grammar = grammar(name);
    if let Grammar::Cookies = grammar {
        let lines: Vec<_> = lines.into_iter().filter(|line| !line.is_empty()).collect();
        return Some(lines.join(&b"; "[..]));
    }
    // RFC 9110 §5.3: lines are one list.
    let text = lines.join(&b", "[..]);
    Some(match grammar {
        // What a server makes of a string without an end, only the server knows.
        _ if !Quotes::are_balanced(&text) => trim(&text).to_vec(),
        Grammar::Weighted(order) => weighted(&text, order),
        Grammar::MediaRanges => media_ranges(&text),
        Grammar::Cookies | Grammar::Other => trim(&text).to_vec(),
    })
}

fn grammar(name: &HeaderName) -> Grammar {
    match *name {
        ACCEPT_ENCODING | ACCEPT_CHARSET => Grammar::Weighted(EqualWeights::Unordered),
        ACCEPT_LANGUAGE => Grammar::Weighted(EqualWeights::Ordered),
        ACCEPT => Grammar::MediaRanges,
        COOKIE => Grammar::Cookies,
        _ => Grammar::Other,
    }
}

fn weighted(text: &[u8], order: EqualWeights) -> Vec<u8> {
    let words: Vec<Vec<u8>> = members(text).map(|member| compact(member).to_ascii_lowercase()).collect();
    let Some(mut list) = words.iter().map(|word| Weighted::read(word)).collect::<Option<Vec<_>>>() else {
        // A weight is malformed, and only the server knows what it makes of that.
        return words.join(&b","[..]);
    };
    list.sort_by(|one, other| {
        let by_weight = other.weight.cmp(&one.weight);
        match order {
            EqualWeights::Unordered => by_weight.then_with(|| one.word.cmp(&other.word)),
            EqualWeights::Ordered => by_weight,
        }
    });
    list.dedup_by(|one, other| one.word == other.word && one.weight == other.weight);
    let texts: Vec<Vec<u8>> = list.into_iter().map(Weighted::write).collect();
    texts.join(&b","[..])
}

impl Weighted {
    fn read(member: &[u8]) -> Option<Self> {
        let Some(end) = member.iter().position(|byte| *byte == b';') else {
            return Some(Self { word: member.to_vec(), weight: 1_000 });
        };
        let weight = thousandths(member[end + 1..].strip_prefix(b"q=")?)?;
        Some(Self { word: member[..end].to_vec(), weight })
    }

    fn write(self) -> Vec<u8> {
        let mut text = self.word;
        if self.weight != 1_000 {
            text.extend_from_slice(format!(";q={:03}", self.weight).as_bytes());
        }
        text
    }
}

/// `0.5` in thousandths (RFC 9110 §12.4.2).
fn thousandths(weight: &[u8]) -> Option<u16> {
    let (whole, decimals) = match weight {
        [whole @ (b'0' | b'1')] => (*whole, &b""[..]),
        [whole @ (b'0' | b'1'), b'.', decimals @ ..] if decimals.len() <= 3 => (*whole, decimals),
        _ => return None,
    };
    if !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |place: usize| decimals.get(place).map_or(0, |digit| u16::from(digit - b'0'));
    let weight = u16::from(whole - b'0') * 1_000 + digit(0) * 100 + digit(1) * 10 + digit(2);
    (weight <= 1_000).then_some(weight)
}

fn media_ranges(text: &[u8]) -> Vec<u8> {
    let ranges: Vec<Vec<u8>> = members(text).map(|member| lowercase_names(compact(member))).collect();
    ranges.join(&b","[..])
}

/// Types and the names of parameters are in any case; the values of parameters may not be (RFC 9110 §8.3.1).
fn lowercase_names(mut range: Vec<u8>) -> Vec<u8> {
    let (mut quotes, mut in_value) = (Quotes::default(), false);
    for byte in &mut range {
        match *byte {
            byte if quotes.hold(byte) => {}
            b'=' => in_value = true,
            b';' => in_value = false,
            _ if in_value => {}
            _ => byte.make_ascii_lowercase(),
        }
    }
    range
}

/// The members of a list, without empty ones (RFC 9110 §5.6.1.2).
fn members(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quotes = Quotes::default();
    let members = text.split(move |byte| !quotes.hold(*byte) && *byte == b',');
    members.map(trim).filter(|member| !member.is_empty())
}

/// Without the whitespace that may stand around semicolons (RFC 9110 §5.6.6).
fn compact(member: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(member.len());
    let mut quotes = Quotes::default();
    for byte in member {
        if quotes.hold(*byte) {
            text.push(*byte);
            continue;
        }
        if *byte == b';' {
            let kept = trim_end(&text).len();
            text.truncate(kept);
        }
        if !(is_blank(*byte) && text.ends_with(b";")) {
            text.push(*byte);
        }
    }
    text
}

impl Quotes {
    /// Takes the next byte. Whether it belongs to a quoted string, of which the quotes are part.
    fn hold(&mut self, byte: u8) -> bool {
        let was_open = self.open;
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.open => self.escaped = true,
            b'"' => self.open = !self.open,
            _ => {}
        }
        was_open || self.open
    }

    fn are_balanced(text: &[u8]) -> bool {
        let mut quotes = Self::default();
        for byte in text {
            quotes.hold(*byte);
        }
        !quotes.open
    }
}

fn trim(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_blank(*byte)).unwrap_or(text.len());
    trim_end(&text[start..])
}

fn trim_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last + 1);
    &text[..end]
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}
