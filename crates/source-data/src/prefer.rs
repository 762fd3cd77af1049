//! What the caller prefers (RFC 7240), as far as data routes honour it.

use http::{HeaderMap, HeaderValue};
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::CountRule;

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
}

/// What an insert does with a row whose key exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// The row is updated.
    MergeDuplicates,
    /// The row stays as it is.
    IgnoreDuplicates,
}

/// The preferences that were recognised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Preferences {
    /// `return=…`
    pub(crate) returned: Option<Return>,
    /// `count=…`
    pub(crate) count: Option<CountRule>,
    /// `resolution=…`
    pub(crate) resolution: Option<Resolution>,
    /// `max-affected=…`
    pub(crate) affected_most: Option<u64>,
}

impl Preferences {
    /// Reads the fields. Unknown preferences are ignored, as RFC 7240 §2 demands, unless the caller adds
    /// `handling=strict`; known ones with a wrong value are refused.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut preferences = Self::default();
        let (mut strict, mut unknown) = (false, None);
        for field in headers.get_all(PREFER) {
            let field = field.to_str().map_err(|_| invalid("Prefer"))?;
            for preference in field.split(',').map(str::trim).filter(|text| !text.is_empty()) {
                let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
                let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"'));
                match name.as_str() {
                    "return" => {
                        preferences.returned = Some(returned(value).ok_or_else(|| invalid(preference))?);
                    }
                    "count" => preferences.count = Some(count(value).ok_or_else(|| invalid(preference))?),
                    "resolution" => {
                        preferences.resolution = Some(resolution(value).ok_or_else(|| invalid(preference))?);
                    }
                    "max-affected" => {
                        preferences.affected_most = Some(value.parse().map_err(|_| invalid(preference))?);
                    }
                    "handling" => strict = value == "strict",
                    _ => unknown = unknown.or(Some(preference.to_owned())),
                }
            }
        }
        match unknown {
            Some(preference) if strict => Err(invalid(&preference)),
            _ => Ok(preferences),
        }
    }

    /// `Preference-Applied` of a write's answer.
    pub(crate) fn applied_to_write(&self) -> Option<HeaderValue> {
        let returned = self.returned.map(|returned| match returned {
            Return::Representation => "return=representation".to_owned(),
            Return::Minimal => "return=minimal".to_owned(),
        });
        let resolution = self.resolution.map(|resolution| match resolution {
            Resolution::MergeDuplicates => "resolution=merge-duplicates".to_owned(),
            Resolution::IgnoreDuplicates => "resolution=ignore-duplicates".to_owned(),
        });
        let most = self.affected_most.map(|most| format!("max-affected={most}"));
        Self::applied(&returned.into_iter().chain(resolution).chain(most).collect::<Vec<_>>())
    }

    /// `Preference-Applied` for those in `applied`.
    pub(crate) fn applied(applied: &[String]) -> Option<HeaderValue> {
        (!applied.is_empty()).then(|| HeaderValue::try_from(applied.join(", ")).ok()).flatten()
    }
}

/// The word for a way to count.
pub(crate) fn count_word(rule: CountRule) -> &'static str {
    match rule {
        CountRule::None => "none",
        CountRule::Estimated => "estimated",
        CountRule::Capped => "capped",
        CountRule::Exact => "exact",
    }
}

fn returned(value: &str) -> Option<Return> {
    match value {
        "representation" => Some(Return::Representation),
        "minimal" | "headers-only" => Some(Return::Minimal),
        _ => None,
    }
}

fn count(value: &str) -> Option<CountRule> {
    match value {
        "none" => Some(CountRule::None),
        // PostgREST's `planned` is an estimate too.
        "estimated" | "planned" => Some(CountRule::Estimated),
        "capped" => Some(CountRule::Capped),
        "exact" => Some(CountRule::Exact),
        _ => None,
    }
}

fn resolution(value: &str) -> Option<Resolution> {
    match value {
        "merge-duplicates" => Some(Resolution::MergeDuplicates),
        "ignore-duplicates" => Some(Resolution::IgnoreDuplicates),
        _ => None,
    }
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
                "return=representation",
                "count=none",
                "count=estimated",
                "count=capped",
                "count=exact",
                "resolution=merge-duplicates",
                "resolution=ignore-duplicates",
                "max-affected=N",
            ],
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(field: &str, expected: Option<Preferences>) {
        let mut headers = HeaderMap::new();
        headers.insert(PREFER, field.parse().unwrap());
        assert_eq!(Preferences::of(&headers).ok(), expected, "{field}");
    }

    #[test]
    fn preferences_are_read_as_their_standard_says() {
        let none = Preferences::default();
        check("", Some(none));
        check("respond-async, wait=10", Some(none));
        check("respond-async, handling=strict", None);
        check("return=minimal", Some(Preferences { returned: Some(Return::Minimal), ..none }));
        check(
            "Return=\"representation\"",
            Some(Preferences { returned: Some(Return::Representation), ..none }),
        );
        check("count=planned", Some(Preferences { count: Some(CountRule::Estimated), ..none }));
        check("count=roughly", None);
        let both =
            Preferences { resolution: Some(Resolution::MergeDuplicates), affected_most: Some(5), ..none };
        check("resolution=merge-duplicates,max-affected=5", Some(both));
        check("max-affected=few", None);
    }
}
