//! `Accept` (RFC 9110 §12.5.1): which of several forms a caller likes best.

use std::cmp::Reverse;

use http::HeaderMap;
use http::header::ACCEPT;

use super::Media;

/// A member of the field, taken apart.
#[derive(Debug, Clone, Copy)]
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// `nulls=stripped`, which makes another form of one of ours; other parameters tell forms apart nowhere here.
    stripped: bool,
    /// In thousandths.
    weight: u16,
}

/// How closely a range names a form; greater is closer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Closeness {
    Anything,
    Kind,
    Exactly,
}

/// The best of `offers`: by weight, then by how closely it is named, then by the order of the caller, and last by ours.
/// Without the field, or with one that says nothing, the first.
pub(super) fn choose(headers: &HeaderMap, offers: &[Media]) -> Option<Media> {
    let mut lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let first = offers.first().copied();
    let (one, more) = (lines.next().unwrap_or_default().trim(), lines.next());
    if more.is_none() && matches!(one, "" | "*/*" | "application/json") {
        return first;
    }
    let ranges = || {
        let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(members).filter_map(range)
    };
    let ranked = offers.iter().enumerate().filter_map(|(ours, offer)| {
        // The closest range decides, whatever a wider one says.
        let (closeness, theirs, weight) = ranges()
            .enumerate()
            .filter_map(|(place, range)| Some((range.closeness(*offer)?, Reverse(place), range.weight)))
            .max()?;
        (weight > 0).then_some((weight, closeness, theirs, Reverse(ours), *offer))
    });
    let best =
        ranked.max_by_key(|(weight, closeness, theirs, ours, _)| (*weight, *closeness, *theirs, *ours));
    best.map(|(.., offer)| offer)
}

impl Range<'_> {
    fn closeness(self, offer: Media) -> Option<Closeness> {
        let (name, parameter) = offer.name().split_once(';').unwrap_or((offer.name(), ""));
        let (kind, subtype) = name.split_once('/').unwrap_or((name, ""));
        if self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype) {
            return (self.stripped != parameter.is_empty()).then_some(Closeness::Exactly);
        }
        match (self.kind, self.subtype) {
            ("*", "*") => Some(Closeness::Anything),
            (ours, "*") if ours.eq_ignore_ascii_case(kind) => Some(Closeness::Kind),
            _ => None,
        }
    }
}

/// Members of a line; commas in quoted strings are part of them.
fn members(line: &str) -> impl Iterator<Item = &str> {
    parts(line, ',').filter(|member| !member.is_empty())
}

/// One member; `None` for one that does not follow the grammar.
fn range(member: &str) -> Option<Range<'_>> {
    let mut parts = parts(member, ';');
    let (kind, subtype) = parts.next()?.split_once('/')?;
    let mut range = Range { kind, subtype, stripped: false, weight: 1_000 };
    for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
        if name.eq_ignore_ascii_case("q") {
            range.weight = weight(value)?;
        } else if name.eq_ignore_ascii_case("nulls") {
            range.stripped = value.trim_matches('"').eq_ignore_ascii_case("stripped");
        }
    }
    Some(range)
}

/// Splits at a separator outside of quoted strings (RFC 9110 §5.6.4).
fn parts(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character: char| {
        let closes = !quoted && character == separator;
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        closes
    })
    .map(|part| part.trim_matches([' ', '\t']))
}

/// A weight in thousandths (RFC 9110 §12.4.2).
fn weight(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok().filter(|_| digits)?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1_000),
        _ => None,
    }
}
