//! The language of the tables: what an origin says, what callers ask, and what they are to get.
//!
//! In every text, `{+10}` stands for the date ten seconds after the row began, `{-10}` for the one before it, and
//! `{here}` for the path that the row has for itself. `{+10|asctime}` and its like write a date in another way.

use std::time::{Duration, SystemTime};

/// Header lines, `Name: value`.
pub(super) type Lines<'a> = &'a [&'a str];

/// One claim, and how it is tried.
#[derive(Debug)]
pub(super) struct Row {
    /// The clause that it follows from.
    pub(super) clause: &'static str,
    pub(super) claim: String,
    /// What the origin says, in order; the last one for all further requests.
    pub(super) script: Vec<Says>,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub(super) enum Says {
    /// An answer with a length. Without a body it is `answer` and the number of the request, from 1.
    Answer { status: u16, lines: Vec<String>, body: Option<String> },
    /// These bytes.
    Bytes(String),
    /// These bytes, and then the end of the connection.
    BytesAndEnd(String),
}

#[derive(Debug)]
pub(super) enum Step {
    Ask(Ask),
    /// Asks for what breaks off on its way.
    CutOff(Ask),
    /// Asks again and again, until what is expected has come about.
    Until(Ask),
    Wait(Duration),
}

#[derive(Debug)]
pub(super) struct Ask {
    pub(super) method: String,
    /// What stands behind the row's own path.
    pub(super) behind: String,
    pub(super) lines: Vec<String>,
    pub(super) body: String,
    pub(super) expected: Vec<Expect>,
}

/// What one request is to bring.
#[derive(Debug, Clone)]
pub(super) enum Expect {
    /// A stored answer, fresh, without a question to the origin.
    Reused,
    /// A stored answer, stale.
    Stale,
    /// The first answer, after the origin was asked whether it still holds.
    Validated,
    /// What the origin answered just now.
    Forwarded,
    /// This status.
    Status(u16),
    /// This body.
    Body(&'static str),
    /// This field, its lines joined by commas.
    Field(&'static str, &'static str),
    /// No such field.
    Without(&'static str),
    /// The origin saw this field in its last request.
    Saw(&'static str, &'static str),
    /// The origin saw no such field in its last request.
    SawNo(&'static str),
    /// So many requests have come to the origin for this row.
    Asked(usize),
    /// So many requests at the least came to the origin for this row.
    AskedAtLeast(usize),
    /// `Cache-Status` contains this.
    Told(&'static str),
    /// `Cache-Status` does not contain this.
    Untold(&'static str),
}

/// A row without anything in it.
pub(super) fn row(clause: &'static str, claim: impl Into<String>) -> Row {
    Row { clause, claim: claim.into(), script: Vec::new(), steps: Vec::new() }
}

/// Asked twice for an answer with these fields: the second time it is reused.
pub(super) fn reused(clause: &'static str, claim: impl Into<String>, lines: Lines<'_>) -> Row {
    row(clause, claim).ok(lines).get(&[], &[Expect::Forwarded]).get(&[], &[Expect::Reused])
}

/// Asked twice for an answer with these fields: the origin is asked twice.
pub(super) fn not_reused(clause: &'static str, claim: impl Into<String>, lines: Lines<'_>) -> Row {
    row(clause, claim).ok(lines).get(&[], &[Expect::Forwarded]).get(&[], &[Expect::Forwarded])
}

/// Asked twice for an answer with these fields, which have a validator: the second time it is validated.
pub(super) fn validated(clause: &'static str, claim: impl Into<String>, lines: Lines<'_>) -> Row {
    row(clause, claim)
        .ok(lines)
        .says(304, lines, "")
        .get(&[], &[Expect::Forwarded])
        .get(&[], &[Expect::Validated])
}

impl Row {
    /// The origin's next answer: 200, with these fields.
    pub(super) fn ok(self, lines: Lines<'_>) -> Self {
        self.with(Says::Answer { status: 200, lines: owned(lines), body: None })
    }

    /// The origin's next answer: another status, with a body of the usual kind.
    pub(super) fn status(self, status: u16, lines: Lines<'_>) -> Self {
        self.with(Says::Answer { status, lines: owned(lines), body: None })
    }

    /// The origin's next answer.
    pub(super) fn says(self, status: u16, lines: Lines<'_>, body: &str) -> Self {
        self.with(Says::Answer { status, lines: owned(lines), body: Some(body.to_owned()) })
    }

    /// The origin's next answer, to the byte.
    pub(super) fn bytes(self, bytes: &str) -> Self {
        self.with(Says::Bytes(bytes.to_owned()))
    }

    /// The origin's next answer, to the byte, at the end of which it closes the connection.
    pub(super) fn bytes_and_end(self, bytes: &str) -> Self {
        self.with(Says::BytesAndEnd(bytes.to_owned()))
    }

    fn with(mut self, says: Says) -> Self {
        self.script.push(says);
        self
    }

    /// A `GET`.
    pub(super) fn get(self, lines: Lines<'_>, expected: &[Expect]) -> Self {
        self.ask("GET", "", lines, expected)
    }

    /// A `GET` whose answer breaks off: it never looks whole.
    pub(super) fn cut_off(self) -> Self {
        self.step(Step::CutOff(Ask::new("GET", "", &[], &[])))
    }

    /// A request for what stands behind the row's path.
    pub(super) fn ask(self, method: &str, behind: &str, lines: Lines<'_>, expected: &[Expect]) -> Self {
        self.step(Step::Ask(Ask::new(method, behind, lines, expected)))
    }

    /// A request with content.
    pub(super) fn send(self, method: &str, lines: Lines<'_>, body: &str, expected: &[Expect]) -> Self {
        let ask = Ask { body: body.to_owned(), ..Ask::new(method, "", lines, expected) };
        self.step(Step::Ask(ask))
    }

    /// A `GET`, repeated until it brings what is expected.
    pub(super) fn until(self, lines: Lines<'_>, expected: &[Expect]) -> Self {
        self.step(Step::Until(Ask::new("GET", "", lines, expected)))
    }

    /// Time that must pass.
    pub(super) fn wait_ms(self, time_ms: u64) -> Self {
        self.step(Step::Wait(Duration::from_millis(time_ms)))
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl Ask {
    fn new(method: &str, behind: &str, lines: Lines<'_>, expected: &[Expect]) -> Self {
        Self {
            method: method.to_owned(),
            behind: behind.to_owned(),
            lines: owned(lines),
            body: String::new(),
            expected: expected.to_vec(),
        }
    }
}

fn owned(lines: Lines<'_>) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// Fills in what stands in braces.
pub(super) fn filled(text: &str, here: &str, began: SystemTime) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}').expect("a brace that opens closes");
        filled.push_str(before);
        filled.push_str(&value(name, here, began));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

fn value(name: &str, here: &str, began: SystemTime) -> String {
    if name == "here" {
        return here.to_owned();
    }
    let (offset, form) = name.split_once('|').unwrap_or((name, ""));
    let offset_s: i64 = offset.parse().expect("seconds with a sign");
    let distance = Duration::from_secs(offset_s.unsigned_abs());
    let time = if offset_s < 0 { began - distance } else { began + distance };
    let date = httpdate::fmt_http_date(time);
    // `Sun, 06 Nov 1994 08:49:37 GMT`
    let (weekday, day, month, year, clock) =
        (&date[..3], &date[5..7], &date[8..11], &date[12..16], &date[17..25]);
    match form {
        "" => date,
        "lower" => date.to_lowercase(),
        "upper" => date.to_uppercase(),
        "asctime" => format!("{weekday} {month} {:>2} {clock} {year}", day.trim_start_matches('0')),
        "rfc850" => {
            const NAMES: [&str; 7] =
                ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
            let weekday = NAMES.into_iter().find(|name| name.starts_with(weekday)).expect("one of seven");
            format!("{weekday}, {day}-{month}-{} {clock} GMT", &year[2..])
        }
        "no zone" => date.trim_end_matches(" GMT").to_owned(),
        "utc" => date.replace("GMT", "UTC"),
        "offset" => date.replace("GMT", "+0000"),
        "jst" => date.replace("GMT", "JST"),
        "no weekday" => date[5..].to_owned(),
        "no comma" => date.replace(',', ""),
        "two digits" => format!("{weekday}, {day} {month} {} {clock} GMT", &year[2..]),
        "dots" => date.replace(':', "."),
        "dashes" => format!("{weekday}, {day}-{month}-{year} {clock} GMT"),
        "spaces" => date.replace(' ', "  "),
        "wrong weekday" => format!("{}{}", if weekday == "Mon" { "Tue" } else { "Mon" }, &date[3..]),
        "epoch" => time.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs().to_string(),
        other => panic!("no way to write a date: {other}"),
    }
}
