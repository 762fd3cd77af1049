//! What is asked: a request that nobody sends, and an answer that somebody noted down.

use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, DATE, HOST, TRANSFER_ENCODING};
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};

/// More than an answer's head has.
const FIELDS_MAX: usize = 1_000;

/// A request, and the answer that its origin is to give.
#[derive(Debug, Clone)]
pub struct Question {
    /// The method.
    pub method: Method,
    /// The path and query.
    pub target: Uri,
    /// How it would come.
    pub scheme: Scheme,
    /// The fields, `Host` among them.
    pub headers: HeaderMap,
    /// What the origin answers, if that is known.
    pub recorded: Option<Recorded>,
}

/// An answer as it was noted down, by `curl -i` for example.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The status.
    pub status: StatusCode,
    /// The fields.
    pub headers: HeaderMap,
    /// The body, as far as it was noted.
    pub body: Bytes,
    /// How long the body was said to be, where none was noted.
    pub body_bytes: u64,
}

/// What is wrong with a question.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum QuestionError {
    /// The URL.
    #[error("`{0}` is neither an http URL nor a path")]
    Url(String),
    /// A user and a password have no place in it.
    #[error("a URL with a user in it is not asked for; say `-H 'Authorization: …'`")]
    User,
}

/// What is wrong with a noted answer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RecordedError {
    /// It does not begin as an answer does.
    #[error("line {0}: expected `HTTP/1.1 200 OK` or the like")]
    StatusLine(usize),
    /// A field.
    #[error("line {0}: expected `Name: value`")]
    Field(usize),
    /// Nobody sends as many.
    #[error("there are more than {FIELDS_MAX} fields")]
    TooManyFields,
}

impl Question {
    /// A request for a URL, or for a path at a host that is not named: then `fallback` is it.
    pub fn new(
        method: Method,
        url: &str,
        mut headers: HeaderMap,
        fallback: &str,
    ) -> Result<Self, QuestionError> {
        let wrong = || QuestionError::Url(url.to_owned());
        let without_fragment = url.split('#').next().unwrap_or_default();
        let uri: Uri = without_fragment.parse().map_err(|_| wrong())?;
        let scheme = match uri.scheme_str() {
            None if without_fragment.starts_with('/') => Scheme::HTTP,
            Some("http") => Scheme::HTTP,
            Some("https") => Scheme::HTTPS,
            _ => return Err(wrong()),
        };
        let host = uri.authority().map_or(fallback, http::uri::Authority::as_str);
        if host.contains('@') {
            return Err(QuestionError::User);
        }
        let host = HeaderValue::from_str(host).map_err(|_| wrong())?;
        headers.entry(HOST).or_insert(host);
        let target = uri.path_and_query().cloned().map_or_else(|| Uri::from_static("/"), Uri::from);
        Ok(Self { method, target, scheme, headers, recorded: None })
    }
}

impl Recorded {
    /// Reads a head and what follows it. Lines may end in LF alone; interim answers, and those of proxies, are passed
    /// over, as `curl -i` writes them before the answer.
    pub fn read(noted: &[u8]) -> Result<Self, RecordedError> {
        let mut rest = noted;
        let mut number = 0;
        let (status, headers) = loop {
            let line = next_line(&mut rest, &mut number);
            let status = status_of(line).ok_or(RecordedError::StatusLine(number))?;
            let headers = fields(&mut rest, &mut number)?;
            let is_next = status_of(next_line(&mut &*rest, &mut 0)).is_some();
            if !status.is_informational() && !is_next {
                break (status, headers);
            }
        };
        let said = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.trim().parse().ok());
        let body_bytes = said.filter(|_| rest.is_empty()).unwrap_or(rest.len() as u64);
        let mut recorded = Self { status, headers, body: Bytes::copy_from_slice(rest), body_bytes };
        // What was noted is the content: how it was framed on its way says nothing of it.
        recorded.headers.remove(TRANSFER_ENCODING);
        Ok(recorded)
    }

    /// When it was made, if it says so.
    pub(super) fn date(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(self.headers.get(DATE)?.to_str().ok()?).ok()
    }
}

fn next_line<'a>(rest: &mut &'a [u8], number: &mut usize) -> &'a [u8] {
    *number += 1;
    let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    let line = &rest[..end];
    *rest = rest.get(end + 1..).unwrap_or_default();
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn status_of(line: &[u8]) -> Option<StatusCode> {
    let text = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/")?;
    let (version, rest) = text.split_once(' ')?;
    let is_version = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let code = rest.split(' ').next()?;
    (is_version && !version.is_empty() && code.len() == 3).then(|| code.parse().ok())?
}

fn fields(rest: &mut &[u8], number: &mut usize) -> Result<HeaderMap, RecordedError> {
    let mut headers = HeaderMap::new();
    while !rest.is_empty() {
        let line = next_line(rest, number);
        if line.is_empty() {
            break;
        }
        let (name, value) = field(line).ok_or(RecordedError::Field(*number))?;
        if headers.len() == FIELDS_MAX {
            return Err(RecordedError::TooManyFields);
        }
        headers.append(name, value);
    }
    Ok(headers)
}

/// `Name: value`.
pub fn field(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = memchr::memchr(b':', line)?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
    Some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_was_noted() {
        let check = |noted: &str, expected: Result<(u16, &str, &str, u64), RecordedError>| {
            let read = Recorded::read(noted.as_bytes());
            let read = read.as_ref().map(|read| {
                let a = read.headers.get("a").map_or("", |value| value.to_str().unwrap());
                (read.status.as_u16(), a, std::str::from_utf8(&read.body).unwrap(), read.body_bytes)
            });
            assert_eq!(read, expected.as_ref().copied(), "{noted:?}");
        };
        check("HTTP/1.1 200 OK\r\na: b\r\n\r\nbody", Ok((200, "b", "body", 4)));
        check("HTTP/1.1 200 OK\na:b \n\nbody\n", Ok((200, "b", "body\n", 5)));
        check("HTTP/2 404 \ncontent-length: 70\n", Ok((404, "", "", 70)));
        check("HTTP/1.1 304", Ok((304, "", "", 0)));
        check("HTTP/1.1 103 Early Hints\na: x\n\nHTTP/1.1 200 OK\na: b\n\n", Ok((200, "b", "", 0)));
        check("HTTP/1.1 200 Connection established\n\nHTTP/2 200\na: b\n\n", Ok((200, "b", "", 0)));
        check("HTTP/1.1 200 OK\n\nHTTP/1.1 is a protocol\n", Ok((200, "", "HTTP/1.1 is a protocol\n", 23)));
        check("", Err(RecordedError::StatusLine(1)));
        check("200 OK\n", Err(RecordedError::StatusLine(1)));
        check("HTTP/1.1 2000 OK\n", Err(RecordedError::StatusLine(1)));
        check("HTTP/1.1 200 OK\na: b\nnot a field\n", Err(RecordedError::Field(3)));
        check("HTTP/1.1 200 OK\na b: c\n", Err(RecordedError::Field(2)));
        check("HTTP/1.1 100 Continue\n\nnothing\n", Err(RecordedError::StatusLine(3)));
        let many = format!("HTTP/1.1 200 OK\n{}", "a: b\n".repeat(FIELDS_MAX + 1));
        check(&many, Err(RecordedError::TooManyFields));
    }

    #[test]
    fn a_url_or_a_path_is_asked_for() {
        let read = |url: &str, headers| {
            let asked = Question::new(Method::GET, url, headers, "here:1")?;
            let host = asked.headers[HOST].to_str().unwrap();
            Ok(format!("{} {host} {}", asked.scheme, asked.target))
        };
        let check = |url: &str, expected: Result<&str, QuestionError>| {
            assert_eq!(read(url, HeaderMap::new()), expected.map(str::to_owned), "{url}");
        };
        check("/a?b#c", Ok("http here:1 /a?b"));
        check("http://h", Ok("http h /"));
        check("https://h:2/x", Ok("https h:2 /x"));
        for wrong in ["ftp://h/", "a", "/a b", "", "//h/a b"] {
            check(wrong, Err(QuestionError::Url(wrong.into())));
        }
        check("http://u:p@h/", Err(QuestionError::User));
        let said = std::iter::once((HOST, HeaderValue::from_static("said"))).collect();
        assert_eq!(read("http://h/", said).as_deref(), Ok("http said /"));
    }
}
