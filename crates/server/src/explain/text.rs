//! An explanation for people: one subject a block, what decides at the end of each line.

use std::fmt;
use std::time::Duration;

use kasoku_units::Period;

use super::facts::{Answer, Because, Explanation, Forward, Freshness, Later, Named, Outcome};

/// Where what is said of a subject begins.
const INDENT: usize = 12;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = &self.request;
        writeln!(f, "{} {}  (host {})\n", asked.method, asked.target, asked.host)?;
        self.route(f)?;
        if let Some(refused) = &self.refused {
            let detail = refused.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
            line(f, "Answer", &format!("{}{detail}", refused.title))?;
            line(f, "", &told(&refused.outcome))?;
            if let Some(because) = &refused.outcome.because {
                line(f, "", &sentence(because))?;
            }
        }
        if !self.cache.by.is_empty() {
            self.plan(f)?;
        }
        if let Some(answer) = &self.answer {
            self::answer(f, answer)?;
        } else if self.cache.by == "rfc9111" && self.method.treatment == "read" {
            let text = "Whether it is stored is for the answer to say: give one with --response FILE.";
            block(f, "Answer", [text.to_owned()])?;
        }
        block(f, "Removes", self.invalidates.iter().cloned())
    }
}

impl Explanation {
    fn route(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.route, &self.nearest) {
            (Some(route), _) => {
                line(f, "Route", &route.path)?;
                line(f, "Source", &format!("{} {}", route.source, route.of))?;
            }
            (None, Some(nearest)) => line(f, "Route", &format!("none; the nearest is {nearest}"))?,
            (None, None) => line(f, "Route", "none")?,
        }
        if self.method.because.is_empty() { Ok(()) } else { line(f, "Method", self.method.because) }
    }

    fn plan(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(limits) = &self.limits {
            let text = format!(
                "deadline {}, {} at once, {} in the queue for up to {}, request bodies up to {}",
                limits.deadline, limits.concurrent, limits.queue, limits.wait, limits.body
            );
            line(f, "Limits", &text)?;
        }
        line(f, "Cache", &self.cache.because)?;
        if !self.cache.settings.is_empty() {
            line(f, "", &listed(&self.cache.settings, " = ", ", "))?;
        }
        if !self.key.is_empty() {
            line(f, "Key", &listed(&self.key, " ", " · "))?;
        }
        self.fields(f)?;
        match &self.forward {
            None => Ok(()),
            Some(Forward::Request { method, target, fields }) => {
                let fields = fields.iter().map(|field| listed(std::slice::from_ref(field), ": ", ""));
                block(f, "Forwarded", std::iter::once(format!("{method} {target}")).chain(fields))
            }
            Some(Forward::Statement { sql, values }) => {
                let values = (!values.is_empty()).then(|| format!("with {}", values.join(", ")));
                block(f, "Statement", std::iter::once(sql.clone()).chain(values))
            }
        }
    }

    fn fields(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.fields.iter().map(|field| field.name.len()).max().unwrap_or(0);
        let word = self.fields.iter().map(|field| field.treatment.len()).max().unwrap_or(0);
        let lines = self.fields.iter().map(|field| {
            let (name, treatment) = (&field.name, field.treatment);
            format!("{name:width$}  {treatment:word$}  {} [{}]", field.because, field.clause)
        });
        block(f, "Fields", lines)
    }
}

fn answer(f: &mut fmt::Formatter<'_>, answer: &Answer) -> fmt::Result {
    let stored = if answer.stored { "stored" } else { "not stored" };
    let supposed = if answer.supposed { ", if its source finds something" } else { "" };
    let mut lines = vec![format!("{stored}{supposed}"), told(&answer.first)];
    lines.extend(answer.because.as_ref().map(sentence));
    lines.extend(answer.freshness.iter().flat_map(freshness));
    if !answer.varies_by.is_empty() {
        lines.push(format!("Vary adds to the key: {}", answer.varies_by.join(", ")));
    }
    block(f, "Answer", lines)?;
    block(f, "Depends on", answer.depends_on.iter().cloned())?;
    block(f, "Removed by", answer.removed_by.iter().cloned())?;
    block(f, "The same", later(&answer.then))
}

fn freshness(freshness: &Freshness) -> Vec<String> {
    let field = freshness.field.as_deref().filter(|_| freshness.source.contains("age"));
    let source = match field {
        Some(field) => format!("{} in {field}", freshness.source),
        None => freshness.source.to_owned(),
    };
    let age = match freshness.age_s {
        0 => String::new(),
        age_s => format!("; {} old on arrival", time(age_s)),
    };
    let mut lines = vec![format!(
        "fresh for {}: {source} [{}]{age}; stale after {}",
        time(freshness.lifetime_s),
        freshness.clause,
        time(freshness.stale_after_s)
    )];
    let windows = [
        (freshness.stale_while_revalidate_s, "while a newer one is fetched [RFC 5861 §3]"),
        (freshness.stale_if_error_s, "in place of an error [RFC 5861 §4]"),
        (freshness.stale_if_unreachable_s, "if the source cannot be reached [RFC 9111 §4.2.4]"),
    ];
    for (window_s, when) in windows.into_iter().filter(|(window_s, _)| *window_s > 0) {
        lines.push(format!("given stale for {} more {when}", time(window_s)));
    }
    let says = [
        (freshness.must_revalidate, "never given stale [RFC 9111 §4.2.4]"),
        (freshness.no_cache, "validated each time [RFC 9111 §5.2.2.4]"),
        (freshness.immutable, "not validated by a reload while it is fresh [RFC 8246 §2]"),
    ];
    lines.extend(says.into_iter().filter(|(said, _)| *said).map(|(_, text)| text.to_owned()));
    if !freshness.withheld.is_empty() {
        lines.push(format!("stored without {} [RFC 9111 §5.2.2]", freshness.withheld.join(", ")));
    }
    lines
}

/// A table: when, what is given, and beneath what decides.
fn later(then: &[Later]) -> Vec<String> {
    let times: Vec<String> = then.iter().map(|later| time(later.after_s)).collect();
    let time_width = times.iter().map(String::len).max().unwrap_or(0);
    let when_width = then.iter().map(|later| later.when.chars().count()).max().unwrap_or(0);
    let margin = " ".repeat(time_width + when_width + 4);
    let mut lines = Vec::new();
    for (later, time) in then.iter().zip(times) {
        let Later { when, outcome, asks_by, if_unreachable, .. } = later;
        lines.push(format!("{time:time_width$}  {when:when_width$}  {}", told(outcome)));
        lines.extend(outcome.because.as_ref().map(|because| format!("{margin}{}", sentence(because))));
        if !asks_by.is_empty() {
            lines.push(format!("{margin}validates by {}", asks_by.join(", ")));
        }
        if (if_unreachable.status, &if_unreachable.cache_status) != (outcome.status, &outcome.cache_status) {
            lines.push(format!("{margin}without its source: {}", told(if_unreachable)));
        }
    }
    lines
}

fn told(outcome: &Outcome) -> String {
    let Outcome { status, x_cache, cache_status, .. } = outcome;
    format!("{status} {x_cache:5}  {cache_status}")
}

fn time(seconds: u64) -> String {
    Period(Duration::from_secs(seconds)).to_string()
}

fn sentence(because: &Because) -> String {
    format!("{} [{}]", because.sentence, because.clause)
}

fn listed(named: &[Named], between: &str, after: &str) -> String {
    let parts = named.iter().map(|Named { name, value }| match value {
        Some(value) => format!("{name}{between}{value}"),
        None => format!("no {name}"),
    });
    parts.collect::<Vec<_>>().join(after)
}

fn line(f: &mut fmt::Formatter<'_>, subject: &str, text: &str) -> fmt::Result {
    writeln!(f, "{subject:INDENT$}{text}")
}

/// A subject with several lines, the first beside it; nothing if there are none.
fn block(f: &mut fmt::Formatter<'_>, subject: &str, lines: impl IntoIterator<Item = String>) -> fmt::Result {
    for (place, text) in lines.into_iter().enumerate() {
        if place == 0 {
            writeln!(f)?;
        }
        line(f, if place == 0 { subject } else { "" }, &text)?;
    }
    Ok(())
}
