//! Validation (RFC 9111 §4.3): how a cache asks whether what it has still holds, and what the answer does to it.

use std::time::{Duration, SystemTime};

use http::header::{
    AGE, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG, Entry, HeaderName, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED, SET_COOKIE,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::entity_tag::{Comparison, EntityTag};
use crate::hop_fields;

/// Tags in one `If-None-Match`. More stored responses than that are not asked about.
const TAGS_MAX: usize = 16;

/// A date is a strong validator only if a second change within the same second can be ruled out; a minute is what
/// clocks are given to agree (RFC 9110 §8.8.2.2).
pub(crate) const DATE_IS_STRONG_AFTER: Duration = Duration::from_mins(1);

/// What tells one state of a representation from every other, byte for byte (RFC 9110 §8.8.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StrongValidator {
    /// A strong `ETag`.
    Tag(HeaderValue),
    /// A `Last-Modified` that is old enough.
    Date(HeaderValue),
}

/// What the answer to a `HEAD` does to a stored answer to a `GET` (RFC 9111 §4.3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadVerdict {
    /// It is the same representation: its fields are to be updated.
    Freshens,
    /// The representation has changed: what is stored counts as stale.
    Invalidates,
    /// The answer tells nothing about it.
    Nothing,
}

impl StrongValidator {
    /// The strong validator of a response: its strong tag, or else its date of modification, if that was at least
    /// a minute old when the response was made (RFC 9110 §8.8.2.2). It is copied, because it is kept for longer than
    /// what the response was read into, which may be large.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        if let Some(etag) = headers.get(ETAG) {
            let strong = EntityTag::read(etag.as_bytes()).is_some_and(|tag| !tag.weak);
            return strong.then(|| Self::Tag(copied(etag)));
        }
        date_is_strong(headers).then(|| Self::Date(copied(&headers[LAST_MODIFIED])))
    }

    /// As `If-Range` names it.
    pub fn field(&self) -> &HeaderValue {
        let (Self::Tag(field) | Self::Date(field)) = self;
        field
    }
}

/// By which date a stored response is asked about that has no tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dates {
    /// By that of its modification alone.
    #[default]
    Modified,
    /// By that on which it was made, too.
    Made,
}

/// The fields by which a request asks whether stored responses still hold (RFC 9111 §4.3.1). Those of the request
/// that is being answered have to be taken out first. No fields: there is nothing to ask by.
///
/// With one stored response they are its tag and its date of modification, as they were received; with several,
/// the tags of all. One that has neither can be asked for by its `Date`, less a second, so that what changed within the
/// second in which it was made counts as changed. That is right only where the origin looks at when a thing last changed
/// (RFC 9110 §13.1.3 wants a date of modification), so it has to be wanted.
pub fn conditions<'a>(stored: impl IntoIterator<Item = &'a HeaderMap>, dates: Dates) -> HeaderMap {
    let stored: Vec<&HeaderMap> = stored.into_iter().take(TAGS_MAX).collect();
    let mut tags: Vec<&[u8]> = stored.iter().filter_map(|headers| tag_text(headers)).collect();
    tags.sort_unstable();
    tags.dedup();
    let mut fields = HeaderMap::new();
    if !tags.is_empty() {
        let list = HeaderValue::from_bytes(&tags.join(&b", "[..]));
        fields.insert(IF_NONE_MATCH, list.expect("tags that stood in fields, and commas"));
    }
    if let [headers] = stored[..]
        && let Some(since) = since(headers, dates == Dates::Made && tags.is_empty())
    {
        fields.insert(IF_MODIFIED_SINCE, since);
    }
    fields
}

/// Which of the stored responses that were asked about a 304 is about (RFC 9111 §4.3.4), by their places.
///
/// A strong validator selects every response that has the same one, a weak one the most recent of those. A 304
/// without any validator is about the one response that was asked about; the clause would have that response lack
/// validators too, but a server that leaves them out has still answered the question that named just this one.
pub fn selected(update: &HeaderMap, stored: &[&HeaderMap]) -> Vec<usize> {
    let places = |same: &dyn Fn(&HeaderMap) -> bool| -> Vec<usize> {
        (0..stored.len()).filter(|place| same(stored[*place])).collect()
    };
    let recent = |places: Vec<usize>| -> Vec<usize> {
        places.into_iter().max_by_key(|place| date(stored[*place], &DATE)).into_iter().collect()
    };
    let same_date = |headers: &HeaderMap| headers.get(LAST_MODIFIED) == update.get(LAST_MODIFIED);
    match tag(update) {
        Some(new) if !new.weak => places(&|headers| match tag(headers) {
            Some(old) => old.equals(new, Comparison::Strong),
            None => same_date(headers) && date_is_strong(headers),
        }),
        Some(new) => {
            recent(places(&|headers| tag(headers).is_some_and(|old| old.equals(new, Comparison::Weak))))
        }
        None if update.contains_key(LAST_MODIFIED) => {
            let same = places(&same_date);
            if same.iter().all(|place| date_is_strong(stored[*place])) { same } else { recent(same) }
        }
        None if stored.len() == 1 => vec![0],
        None => Vec::new(),
    }
}

/// Updates the fields of a stored response from a 304 or from the answer to a `HEAD` (RFC 9111 §3.2): each field of
/// the update takes the place of all lines of that name. Not taken over are
/// - what belongs to the connection (§3.1);
/// - what the stored bytes are measured and taken apart by: `Content-Length`, `-Encoding` and `-Range`. What they mean,
///   `Content-Type`, is the origin's to correct;
/// - a cookie, where none is stored: it was set for the one who asked.
///
/// The age of the stored response ends here: an `Age` that the update lacks is removed. A `Vary` is taken over as
/// everything else is, and may name other fields than before: whoever keeps responses by them has to look.
pub fn freshen(stored: &mut HeaderMap, update: &HeaderMap) {
    let nominated = hop_fields::nominated(update);
    stored.remove(AGE);
    for name in update.keys() {
        let describes_bytes = matches!(*name, CONTENT_LENGTH | CONTENT_ENCODING | CONTENT_RANGE);
        let cookie_of_one = *name == SET_COOKIE && !stored.contains_key(SET_COOKIE);
        if describes_bytes || cookie_of_one || hop_fields::contains(name) || nominated.contains(name) {
            continue;
        }
        replace(stored, name, update);
    }
}

/// What the answer to a `HEAD` does to a stored response with a body of this length (RFC 9111 §4.3.5). Only a 200
/// tells of the representation. One that neither names nor measures it tells nothing, and neither does one that
/// agrees on the length alone.
pub fn head(stored: &HeaderMap, length: Option<u64>, status: StatusCode, answer: &HeaderMap) -> HeadVerdict {
    if status != StatusCode::OK {
        return HeadVerdict::Nothing;
    }
    let mut agreed = false;
    for name in [ETAG, LAST_MODIFIED] {
        match (answer.get(&name), stored.get(&name)) {
            (None, _) => {}
            (Some(new), Some(old)) if new == old => agreed = true,
            (Some(_), _) => return HeadVerdict::Invalidates,
        }
    }
    let told = answer.get(CONTENT_LENGTH).and_then(|field| field.to_str().ok()?.parse::<u64>().ok());
    match (told, length) {
        (Some(told), Some(length)) if told != length => HeadVerdict::Invalidates,
        _ if agreed => HeadVerdict::Freshens,
        _ => HeadVerdict::Nothing,
    }
}

fn replace(stored: &mut HeaderMap, name: &HeaderName, update: &HeaderMap) {
    let mut lines = update.get_all(name).into_iter().cloned();
    let Some(first) = lines.next() else { return };
    match stored.entry(name) {
        Entry::Occupied(mut entry) => {
            entry.insert(first);
            for line in lines {
                entry.append(line);
            }
        }
        Entry::Vacant(entry) => {
            let mut entry = entry.insert_entry(first);
            for line in lines {
                entry.append(line);
            }
        }
    }
}

fn tag(headers: &HeaderMap) -> Option<EntityTag<'_>> {
    EntityTag::read(headers.get(ETAG)?.as_bytes())
}

/// The tag as it was received, if it is one: anything else would spoil a list.
fn tag_text(headers: &HeaderMap) -> Option<&[u8]> {
    tag(headers)?;
    Some(headers[ETAG].as_bytes().trim_ascii())
}

fn since(headers: &HeaderMap, by_date: bool) -> Option<HeaderValue> {
    if date(headers, &LAST_MODIFIED).is_some() {
        // As it was received: there are servers that look for the very same text.
        return headers.get(LAST_MODIFIED).cloned();
    }
    let made = date(headers, &DATE).filter(|_| by_date)?;
    let before = made.checked_sub(Duration::from_secs(1)).filter(|time| *time > SystemTime::UNIX_EPOCH)?;
    HeaderValue::try_from(httpdate::fmt_http_date(before)).ok()
}

fn date_is_strong(headers: &HeaderMap) -> bool {
    let ages = date(headers, &DATE).zip(date(headers, &LAST_MODIFIED));
    let age = ages.and_then(|(made, modified)| made.duration_since(modified).ok());
    age.is_some_and(|age| age >= DATE_IS_STRONG_AFTER)
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

fn copied(value: &HeaderValue) -> HeaderValue {
    HeaderValue::from_bytes(value.as_bytes()).expect("it was a field value before")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: &str = "Tue, 15 Nov 1994 08:12:31 GMT";
    const SECOND_BEFORE: &str = "Tue, 15 Nov 1994 08:12:30 GMT";
    const MINUTE_BEFORE: &str = "Tue, 15 Nov 1994 08:11:31 GMT";
    const LATER: &str = "Tue, 15 Nov 1994 08:12:32 GMT";

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_request_asks_by_what_it_has_as_section_4_3_1_says() {
        type Fields = &'static [(&'static str, &'static str)];
        let check = |stored: &[Fields], expected: Fields| {
            let maps: Vec<_> = stored.iter().map(|fields| headers(fields)).collect();
            assert_eq!(conditions(&maps, Dates::Made), headers(expected), "{stored:?}");
        };
        check(&[], &[]);
        check(&[&[]], &[]);
        check(&[&[("etag", r#""a""#)]], &[("if-none-match", r#""a""#)]);
        check(&[&[("etag", r#"W/"a""#)]], &[("if-none-match", r#"W/"a""#)]);
        check(
            &[&[("etag", r#""a""#), ("last-modified", MADE), ("date", LATER)]],
            &[("if-none-match", r#""a""#), ("if-modified-since", MADE)],
        );
        check(&[&[("last-modified", MADE), ("date", LATER)]], &[("if-modified-since", MADE)]);
        // Several are asked for by their tags alone: a date names a single response.
        check(
            &[
                &[("etag", r#""b""#), ("last-modified", MADE)],
                &[("etag", r#"W/"a,""#)],
                &[("last-modified", MADE)],
                &[("etag", r#""b""#)],
            ],
            &[("if-none-match", r#""b", W/"a,""#)],
        );
        check(&[&[("last-modified", MADE)], &[("last-modified", LATER)]], &[]);
        // RFC 9110 §13.1.3: by the date of the message, if there is nothing better.
        check(&[&[("date", MADE)]], &[("if-modified-since", SECOND_BEFORE)]);
        assert_eq!(
            conditions(&[headers(&[("date", MADE)])], Dates::Modified),
            headers(&[]),
            "nobody wants that"
        );
        check(&[&[("date", "Thu, 01 Jan 1970 00:00:00 GMT")]], &[]);
        check(&[&[("date", "yesterday"), ("last-modified", "0"), ("etag", "unquoted")]], &[]);
        check(&[&[("etag", "a\", \"b"), ("last-modified", MADE)]], &[("if-modified-since", MADE)]);
    }

    #[test]
    fn no_more_stored_responses_are_asked_about_than_a_field_should_hold() {
        let stored: Vec<_> = (0..40).map(|n| headers(&[("etag", &format!("\"{n:02}\""))])).collect();
        let fields = conditions(&stored, Dates::Made);
        assert_eq!(crate::entity_tag::list(fields[IF_NONE_MATCH].as_bytes()).count(), TAGS_MAX);
    }

    #[test]
    fn a_304_selects_as_section_4_3_4_says() {
        type Fields = &'static [(&'static str, &'static str)];
        let check = |update: Fields, stored: &[Fields], expected: &[usize]| {
            let maps: Vec<_> = stored.iter().map(|fields| headers(fields)).collect();
            let stored_maps: Vec<_> = maps.iter().collect();
            assert_eq!(selected(&headers(update), &stored_maps), expected, "{update:?} {stored:?}");
        };
        let (strong_a, strong_b): (Fields, Fields) = (&[("etag", r#""a""#)], &[("etag", r#""b""#)]);
        let weak_a: Fields = &[("etag", r#"W/"a""#), ("date", MADE)];
        let weak_a_later: Fields = &[("etag", r#"W/"a""#), ("date", LATER)];
        // A strong validator: all that have the same.
        check(strong_a, &[strong_a, strong_b, strong_a], &[0, 2]);
        check(strong_a, &[strong_b], &[]);
        check(strong_a, &[weak_a], &[]);
        check(strong_a, &[&[]], &[]);
        check(strong_a, &[&[("etag", "a")]], &[]);
        // A weak one: the most recent.
        check(weak_a, &[weak_a, weak_a_later, strong_b], &[1]);
        check(weak_a, &[weak_a_later, weak_a], &[0]);
        check(weak_a, &[strong_a], &[0]);
        check(weak_a, &[strong_b], &[]);
        // A date, strong if it was a minute old, and weak otherwise.
        let modified: Fields = &[("last-modified", MINUTE_BEFORE)];
        let old: Fields = &[("last-modified", MINUTE_BEFORE), ("date", MADE)];
        let old_later: Fields = &[("last-modified", MINUTE_BEFORE), ("date", LATER)];
        let young: Fields = &[("last-modified", MINUTE_BEFORE), ("date", SECOND_BEFORE)];
        check(modified, &[old, old_later, strong_a], &[0, 1]);
        check(modified, &[young, old_later], &[1]);
        check(modified, &[&[("last-modified", LATER)]], &[]);
        check(&[("etag", r#""a""#), ("last-modified", MINUTE_BEFORE)], &[old, young], &[0]);
        // None at all: the one that was asked about.
        check(&[("date", LATER)], &[strong_a], &[0]);
        check(&[], &[&[]], &[0]);
        check(&[], &[strong_a, strong_a], &[]);

        assert_eq!(selected(&headers(strong_a), &[&headers(strong_a)]), [0]);
        assert_eq!(selected(&headers(strong_a), &[&headers(strong_b)]), [0; 0]);
    }

    #[test]
    fn an_update_replaces_fields_as_section_3_2_says() {
        let mut stored = headers(&[
            ("etag", r#""a""#),
            ("age", "50"),
            ("cache-control", "max-age=1"),
            ("cache-control", "public"),
            ("x-kept", "1"),
            ("x-changed", "1"),
            ("content-length", "3"),
            ("content-type", "text/plain"),
            ("content-encoding", "br"),
            ("content-range", "bytes 0-2/9"),
        ]);
        let update = headers(&[
            ("etag", r#""a""#),
            ("cache-control", "max-age=2"),
            ("x-changed", "2"),
            ("x-changed", "3"),
            ("x-new", "4"),
            ("x-hop", "5"),
            ("connection", "x-hop, close"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("proxy-authenticate", "Basic"),
            ("content-length", "0"),
            ("content-type", "text/html"),
            ("content-encoding", "gzip"),
            ("content-range", "bytes 0-0/1"),
            ("set-cookie", "of=one"),
        ]);
        freshen(&mut stored, &update);
        let expected = headers(&[
            ("etag", r#""a""#),
            ("cache-control", "max-age=2"),
            ("x-kept", "1"),
            ("x-changed", "2"),
            ("x-changed", "3"),
            ("x-new", "4"),
            ("content-length", "3"),
            ("content-type", "text/html"),
            ("content-encoding", "br"),
            ("content-range", "bytes 0-2/9"),
        ]);
        assert_eq!(stored, expected);
    }

    #[test]
    fn the_age_is_that_of_the_update_and_a_shared_cookie_is_replaced() {
        let mut stored = headers(&[("age", "50"), ("set-cookie", "a=1"), ("set-cookie", "b=1")]);
        freshen(&mut stored, &headers(&[("age", "7"), ("set-cookie", "a=2")]));
        assert_eq!(stored, headers(&[("age", "7"), ("set-cookie", "a=2")]));
    }

    #[test]
    fn the_answer_to_a_head_is_compared_as_section_4_3_5_says() {
        use HeadVerdict::{Freshens, Invalidates, Nothing};
        let stored = headers(&[("etag", r#""a""#), ("last-modified", MADE)]);
        let check = |status: u16, length, fields: &[(&'static str, &str)], expected| {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(head(&stored, length, status, &headers(fields)), expected, "{status} {fields:?}");
        };
        check(200, Some(3), &[("etag", r#""a""#)], Freshens);
        check(
            200,
            Some(3),
            &[("etag", r#""a""#), ("last-modified", MADE), ("content-length", "3")],
            Freshens,
        );
        check(200, None, &[("etag", r#""a""#), ("content-length", "9")], Freshens);
        check(200, Some(3), &[("etag", r#""b""#)], Invalidates);
        check(200, Some(3), &[("etag", r#"W/"a""#)], Invalidates);
        check(200, Some(3), &[("etag", r#""a""#), ("last-modified", LATER)], Invalidates);
        check(200, Some(3), &[("etag", r#""a""#), ("content-length", "4")], Invalidates);
        check(200, Some(3), &[("content-length", "4")], Invalidates);
        check(200, Some(3), &[("content-length", "3")], Nothing);
        check(200, Some(3), &[("cache-control", "max-age=60")], Nothing);
        check(404, Some(3), &[("etag", r#""b""#)], Nothing);
        check(304, Some(3), &[("etag", r#""b""#)], Nothing);
    }

    #[test]
    fn a_date_is_strong_only_when_it_is_old_as_rfc_9110_section_8_8_2_2_says() {
        let check = |fields: &[(&'static str, &str)], expected: Option<&str>| {
            let strong = StrongValidator::of(&headers(fields));
            assert_eq!(
                strong.as_ref().map(|strong| strong.field().to_str().unwrap()),
                expected,
                "{fields:?}"
            );
        };
        check(&[("etag", r#""a""#), ("last-modified", MADE)], Some(r#""a""#));
        check(&[("etag", r#"W/"a""#)], None);
        check(&[("etag", r#"W/"a""#), ("last-modified", MINUTE_BEFORE), ("date", MADE)], None);
        check(&[("last-modified", MINUTE_BEFORE), ("date", MADE)], Some(MINUTE_BEFORE));
        check(&[("last-modified", MINUTE_BEFORE), ("date", SECOND_BEFORE)], None);
        check(&[("last-modified", LATER), ("date", MADE)], None);
        check(&[("last-modified", MINUTE_BEFORE)], None);
        check(&[], None);
    }
}
