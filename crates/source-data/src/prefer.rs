//! What the caller prefers (RFC 7240), as far as data routes honour it.

use http::{HeaderMap, HeaderValue};
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::{CountRule, Missing, TablePlanner};

/// The field's name.
pub(crate) const PREFER: http::HeaderName = http::HeaderName::from_static("prefer");
/// The answer's, which names the preferences that were honoured (RFC 7240 §3).
pub(crate) const PREFERENCE_APPLIED: http::HeaderName = http::HeaderName::from_static("preference-applied");

/// What a write answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Return {
    /// The rows as they are now.
    Representation,
    /// Nothing (RFC 7240 §4.2).
    Minimal,
    /// Nothing but where the new row is, which is said in any case.
    HeadersOnly,
}

/// What an insert does with a row whose key exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// The row is updated.
    MergeDuplicates,
    /// The row stays as it is.
    IgnoreDuplicates,
}

/// What becomes of what cannot be honoured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Handling {
    /// It is refused where it is known and wrong, and ignored where it is unknown (RFC 7240 §2).
    #[default]
    Usual,
    /// It is refused.
    Strict,
    /// It is ignored.
    Lenient,
}

/// How the transaction of a write ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Commit,
    /// The write is done, answered and undone.
    Rollback,
}

/// A count, in the words of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) rule: CountRule,
    word: &'static str,
}

/// The preferences that were recognised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Preferences {
    /// `handling=…`
    pub(crate) handling: Handling,
    /// `return=…`
    pub(crate) returned: Option<Return>,
    /// `count=…`
    pub(crate) count: Option<Count>,
    /// `resolution=…`
    pub(crate) resolution: Option<Resolution>,
    /// `missing=…`
    pub(crate) missing: Option<Missing>,
    /// `max-affected=…`
    pub(crate) affected_most: Option<u64>,
    /// `tx=…`
    pub(crate) end: Option<End>,
    /// `cursor=row`: each row of a file carries the cursor of what comes behind it.
    pub(crate) row_cursors: bool,
    /// `continue-on-error`: of several things, those are kept that can be done.
    pub(crate) continues: bool,
}

impl Preferences {
    /// Reads the fields. Unknown preferences are ignored, as RFC 7240 §2 demands, unless the caller adds
    /// `handling=strict`; known ones with a wrong value are refused, unless the caller adds `handling=lenient`.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut preferences = Self::default();
        let (mut unknown, mut wrong) = (None, None);
        for field in headers.get_all(PREFER) {
            let field = field.to_str().map_err(|_| invalid("Prefer"))?;
            for preference in field.split(',').map(str::trim).filter(|text| !text.is_empty()) {
                let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
                let value = value.trim().trim_matches('"');
                match preferences.read(&name.trim().to_ascii_lowercase(), value) {
                    Read::Known => {}
                    Read::Unknown => unknown = unknown.or(Some(preference)),
                    Read::Wrong => wrong = wrong.or(Some(preference)),
                }
            }
        }
        let refused = match preferences.handling {
            Handling::Usual => wrong,
            Handling::Strict => wrong.or(unknown),
            Handling::Lenient => None,
        };
        refused.map_or(Ok(preferences), |preference| Err(invalid(preference)))
    }

    fn read(&mut self, name: &str, value: &str) -> Read {
        match name {
            "handling" => match value {
                "strict" => self.handling = Handling::Strict,
                "lenient" => self.handling = Handling::Lenient,
                _ => return Read::Wrong,
            },
            "return" => return set(&mut self.returned, &RETURNS, value),
            "count" => return set(&mut self.count, &COUNTS, value),
            "resolution" => return set(&mut self.resolution, &RESOLUTIONS, value),
            "missing" => return set(&mut self.missing, &MISSING, value),
            "tx" => return set(&mut self.end, &ENDS, value),
            "cursor" => match value {
                "row" => self.row_cursors = true,
                _ => return Read::Wrong,
            },
            "continue-on-error" => match value {
                "" | "true" => self.continues = true,
                "false" => self.continues = false,
                _ => return Read::Wrong,
            },
            "max-affected" => match value.parse() {
                Ok(most) => self.affected_most = Some(most),
                Err(_) => return Read::Wrong,
            },
            _ => return Read::Unknown,
        }
        Read::Known
    }

    /// The count that the list is to give; a route that gives no such count refuses it, unless the caller is lenient.
    pub(crate) fn count_of(&self, planner: &TablePlanner) -> Result<Option<CountRule>, Problem> {
        let Some(count) = self.count else { return Ok(None) };
        match planner.count_for(count.rule) {
            Some(rule) => Ok(Some(rule)),
            None if self.handling == Handling::Lenient => Ok(None),
            None => {
                let allowed: Vec<String> = planner
                    .counts_allowed()
                    .iter()
                    .map(|rule| format!("count={}", count_word(*rule)))
                    .collect();
                let detail = format!("this list gives no count that is `{}`", count.word);
                Err(Problem::new(Kind::InvalidParameter)
                    .code("PGRST122")
                    .detail(detail)
                    .member("parameter", "Prefer")
                    .member("allowed", allowed))
            }
        }
    }

    /// The texts of preferences that any answer heeds.
    pub(crate) fn heeded(&self) -> Vec<String> {
        match self.handling {
            Handling::Usual => Vec::new(),
            Handling::Strict => vec!["handling=strict".to_owned()],
            Handling::Lenient => vec!["handling=lenient".to_owned()],
        }
    }

    /// `count=…` as it was asked for.
    pub(crate) fn count_text(&self) -> Option<String> {
        self.count.map(|count| format!("count={}", count.word))
    }

    /// `Preference-Applied` of a write's answer. `inserts` says whether rows may be new.
    pub(crate) fn applied_to_write(&self, inserts: bool) -> Option<HeaderValue> {
        let mut applied = self.heeded();
        applied.extend(text("return", &RETURNS, self.returned));
        applied.extend(text("resolution", &RESOLUTIONS, self.resolution.filter(|_| inserts)));
        applied.extend(text("missing", &MISSING, self.missing.filter(|_| inserts)));
        applied.extend(self.count_text());
        applied.extend(self.affected_most.map(|most| format!("max-affected={most}")));
        applied.extend(text("tx", &ENDS, self.end));
        Self::applied(&applied)
    }

    /// `Preference-Applied` of an import's answer.
    pub(crate) fn applied_to_import(&self) -> Option<HeaderValue> {
        let mut applied = self.heeded();
        applied.extend(text("resolution", &RESOLUTIONS, self.resolution));
        applied.extend(text("missing", &MISSING, self.missing));
        applied.extend(text("tx", &ENDS, self.end));
        applied.extend(self.continues.then(|| "continue-on-error".to_owned()));
        Self::applied(&applied)
    }

    /// `Preference-Applied` for those in `applied`.
    pub(crate) fn applied(applied: &[String]) -> Option<HeaderValue> {
        (!applied.is_empty()).then(|| HeaderValue::try_from(applied.join(", ")).ok()).flatten()
    }
}

/// What became of one preference.
enum Read {
    Known,
    Unknown,
    Wrong,
}

type Words<T, const N: usize> = [(&'static str, T); N];

const RETURNS: Words<Return, 3> = [
    ("representation", Return::Representation),
    ("minimal", Return::Minimal),
    ("headers-only", Return::HeadersOnly),
];
const COUNTS: Words<Count, 5> = [
    ("none", Count { rule: CountRule::None, word: "none" }),
    ("estimated", Count { rule: CountRule::Estimated, word: "estimated" }),
    // PostgREST's `planned` is an estimate too.
    ("planned", Count { rule: CountRule::Estimated, word: "planned" }),
    ("capped", Count { rule: CountRule::Capped, word: "capped" }),
    ("exact", Count { rule: CountRule::Exact, word: "exact" }),
];
const RESOLUTIONS: Words<Resolution, 2> =
    [("merge-duplicates", Resolution::MergeDuplicates), ("ignore-duplicates", Resolution::IgnoreDuplicates)];
const MISSING: Words<Missing, 2> = [("default", Missing::Default), ("null", Missing::Null)];
const ENDS: Words<End, 2> = [("commit", End::Commit), ("rollback", End::Rollback)];

fn set<T: Copy, const N: usize>(place: &mut Option<T>, words: &Words<T, N>, value: &str) -> Read {
    match words.iter().find(|(word, _)| *word == value) {
        Some((_, meaning)) => {
            *place = Some(*meaning);
            Read::Known
        }
        None => Read::Wrong,
    }
}

fn text<T: Copy + PartialEq, const N: usize>(
    name: &str,
    words: &Words<T, N>,
    given: Option<T>,
) -> Option<String> {
    let word = words.iter().find(|(_, meaning)| Some(*meaning) == given).map(|(word, _)| word);
    word.map(|word| format!("{name}={word}"))
}

/// The word for a way to count.
fn count_word(rule: CountRule) -> &'static str {
    COUNTS.iter().find(|(_, count)| count.rule == rule).map_or("none", |(word, _)| word)
}

fn invalid(preference: &str) -> Problem {
    Problem::new(Kind::InvalidParameter)
        .code("PGRST122")
        .detail(format!("`Prefer: {preference}` is not a preference of this route"))
        .member("parameter", "Prefer")
        .member(
            "allowed",
            vec![
                "return=minimal",
                "return=headers-only",
                "return=representation",
                "count=none",
                "count=estimated",
                "count=planned",
                "count=capped",
                "count=exact",
                "resolution=merge-duplicates",
                "resolution=ignore-duplicates",
                "missing=default",
                "missing=null",
                "max-affected=N",
                "tx=commit",
                "tx=rollback",
                "cursor=row",
                "continue-on-error",
                "handling=strict",
                "handling=lenient",
            ],
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(field: &str) -> Result<Preferences, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(PREFER, field.parse().unwrap());
        Preferences::of(&headers)
    }

    fn check(field: &str, expected: Option<Preferences>) {
        assert_eq!(read(field).ok(), expected, "{field}");
    }

    #[test]
    fn preferences_are_read_as_their_standard_says() {
        let none = Preferences::default();
        let planned = Count { rule: CountRule::Estimated, word: "planned" };
        check("", Some(none));
        check("respond-async, wait=10", Some(none));
        check("respond-async, handling=strict", None);
        check("handling=strict, respond-async", None);
        check("respond-async, handling=lenient", Some(Preferences { handling: Handling::Lenient, ..none }));
        check("return=minimal", Some(Preferences { returned: Some(Return::Minimal), ..none }));
        check(
            "Return=\"representation\"",
            Some(Preferences { returned: Some(Return::Representation), ..none }),
        );
        check("return=headers-only", Some(Preferences { returned: Some(Return::HeadersOnly), ..none }));
        check("count=planned", Some(Preferences { count: Some(planned), ..none }));
        check("count=roughly", None);
        check("count=roughly, handling=lenient", Some(Preferences { handling: Handling::Lenient, ..none }));
        check("tx=rollback", Some(Preferences { end: Some(End::Rollback), ..none }));
        check("tx=maybe", None);
        check("missing=default", Some(Preferences { missing: Some(Missing::Default), ..none }));
        let both =
            Preferences { resolution: Some(Resolution::MergeDuplicates), affected_most: Some(5), ..none };
        check("resolution=merge-duplicates,max-affected=5", Some(both));
        check("max-affected=few", None);
        check("handling=loose", None);
    }

    #[test]
    fn the_answer_of_a_write_names_what_was_heeded() {
        let check = |field: &str, inserts, expected: &str| {
            let applied = read(field).unwrap().applied_to_write(inserts);
            assert_eq!(applied.as_ref().map_or("", |value| value.to_str().unwrap()), expected, "{field}");
        };
        check("respond-async", true, "");
        check("tx=rollback, return=headers-only", false, "return=headers-only, tx=rollback");
        check(
            "missing=default, resolution=ignore-duplicates",
            true,
            "resolution=ignore-duplicates, missing=default",
        );
        check("missing=default, resolution=ignore-duplicates", false, "");
        check("handling=strict, max-affected=5", false, "handling=strict, max-affected=5");
        check("count=planned", false, "count=planned");
    }
}
