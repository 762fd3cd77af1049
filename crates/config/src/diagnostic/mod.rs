//! Findings about a configuration: where each is, what was expected there, and what may have been meant.
//!
//! A finding always has a place and a key, and there may be many: a check goes on after the first. Texts that
//! come from the environment and secrets are kept out of all of them (see `mask`).

mod mask;
mod nearest;
mod render;

use std::fmt;
use std::ops::Range;

use serde_json::{Value, json};

pub(crate) use mask::SECRET_BYTES_MIN;
pub(crate) use nearest::{did_you_mean, listed, nearest};

/// The key of findings that are about no setting in particular.
pub(crate) const WHOLE_FILE: &str = "the file";

/// Findings beyond this many are counted, not kept.
const MOST: usize = 100;

/// Whether a configuration can be applied in spite of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but probably does not do what was meant.
    Warning,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The setting at fault, as in `route[0].order[1]`.
    pub key: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where.
    pub place: Place,
    /// What was expected there.
    pub label: Option<String>,
    /// What may help.
    pub hint: Option<String>,
    /// Other places that have to do with it.
    pub related: Vec<(Place, String)>,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which text, as a place in [`Diagnostics::texts`].
    pub text: usize,
    /// Its bytes.
    pub span: Range<usize>,
}

/// A text that findings are about: a file, or what the environment or the command line say.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceText {
    /// A file's path, or `environment`, or `command line`.
    pub name: String,
    /// The text, in which secrets are masked byte for byte as far as they can be told.
    pub text: String,
}

/// All findings about one configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    /// The findings, errors first, then in the order of their places.
    pub list: Vec<Diagnostic>,
    /// The texts that they are about.
    pub texts: Vec<SourceText>,
    /// Findings that were left out because there are too many.
    pub left_out: usize,
}

/// A finding that has no place yet.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    severity: Severity,
    message: String,
    label: Option<String>,
    hint: Option<String>,
    related: Vec<(Place, String)>,
}

/// Collects findings while a configuration is checked.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    found: Diagnostics,
    /// Kept out of messages.
    hidden: Vec<String>,
    /// Kept out of messages and of quoted lines.
    secrets: Vec<String>,
}

impl Diagnostics {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Where a finding begins: line and column, counted from 1, the column in characters.
    pub fn position(&self, place: &Place) -> (usize, usize) {
        let text = self.texts.get(place.text).map_or("", |source| source.text.as_str());
        let before = text.get(..place.span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// For programs: a list of objects with `severity`, `key`, `message`, `file`, `line`, `column`, and where
    /// known `expected` and `hint`.
    pub fn to_json(&self) -> Value {
        let each = |diagnostic: &Diagnostic| {
            let (line, column) = self.position(&diagnostic.place);
            json!({
                "severity": diagnostic.severity.name(),
                "key": diagnostic.key,
                "message": diagnostic.message,
                "file": self.texts.get(diagnostic.place.text).map(|source| source.name.as_str()),
                "line": line,
                "column": column,
                "expected": diagnostic.label,
                "hint": diagnostic.hint,
            })
        };
        self.list.iter().map(each).collect()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

impl fmt::Debug for SourceText {
    /// Without the text: only lines that findings quote have been looked at for secrets in every way.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceText").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Severity {
    /// Its name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl Place {
    /// The beginning of a text.
    pub(crate) fn start_of(text: usize) -> Self {
        Self { text, span: 0..0 }
    }
}

impl Finding {
    /// Something that keeps the configuration from being applied.
    pub(crate) fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message.into())
    }

    /// Something that is probably not meant.
    pub(crate) fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message.into())
    }

    /// What was expected at the place.
    pub(crate) fn label(mut self, text: impl Into<String>) -> Self {
        self.label = Some(text.into());
        self
    }

    /// What may help.
    pub(crate) fn hint(mut self, text: impl Into<String>) -> Self {
        self.hint = Some(text.into());
        self
    }

    /// What may help, if anything is known.
    pub(crate) fn hint_if(mut self, text: Option<String>) -> Self {
        self.hint = text.or(self.hint);
        self
    }

    /// What may help, where nothing better is known.
    pub(crate) fn hint_if_none(self, text: impl FnOnce() -> Option<String>) -> Self {
        if self.hint.is_some() { self } else { self.hint_if(text()) }
    }

    /// Another place that has to do with it.
    pub(crate) fn see(mut self, place: Place, text: impl Into<String>) -> Self {
        self.related.push((place, text.into()));
        self
    }

    fn new(severity: Severity, message: String) -> Self {
        Self { severity, message, label: None, hint: None, related: Vec::new() }
    }
}

impl Findings {
    /// Adds a text that findings can be about. What looks like a secret in it is masked at once.
    pub(crate) fn text(&mut self, name: impl Into<String>, text: &str) -> usize {
        self.found.texts.push(SourceText { name: name.into(), text: mask::masked(text) });
        self.found.texts.len() - 1
    }

    /// Keeps a value of the environment out of all messages: nobody knows whether it is a secret.
    pub(crate) fn hide(&mut self, value: &str) {
        if value.len() >= mask::HIDDEN_BYTES_MIN {
            self.hidden.push(value.to_owned());
        }
    }

    /// Keeps a secret out of all messages and quoted lines.
    pub(crate) fn keep_secret(&mut self, value: &str) {
        self.hide(value);
        self.secrets.push(value.to_owned());
    }

    /// Masks the value of a setting that nobody knows.
    pub(crate) fn cover(&mut self, place: &Place) {
        if let Some(source) = self.found.texts.get_mut(place.text)
            && source.text.get(place.span.clone()).is_some()
        {
            mask::cover(&mut source.text, place.span.clone());
        }
    }

    /// Masks what could be secret on the lines that something was found on so far.
    pub(crate) fn cover_lines(&mut self, is_harmless: impl Fn(&str) -> bool) {
        for diagnostic in &self.found.list {
            let place = &diagnostic.place;
            if let Some(source) = self.found.texts.get_mut(place.text) {
                let last = place.span.end.min(source.text.len());
                for at in [place.span.start.min(last), last] {
                    if source.text.is_char_boundary(at) {
                        mask::cover_line(&mut source.text, at, &is_harmless);
                    }
                }
            }
        }
    }

    /// Adds a finding.
    pub(crate) fn add(&mut self, key: impl fmt::Display, place: Place, finding: Finding) {
        if self.found.list.len() == MOST {
            self.found.left_out += 1;
            return;
        }
        let Finding { severity, message, label, hint, related } = finding;
        let key = key.to_string();
        self.found.list.push(Diagnostic { severity, key, message, place, label, hint, related });
    }

    /// The text at a place, as far as it may be shown.
    pub(crate) fn quoted(&self, place: &Place) -> Option<&str> {
        self.found.texts.get(place.text)?.text.get(place.span.clone())
    }

    /// Whether something was found that keeps the configuration from being applied.
    pub(crate) fn has_errors(&self) -> bool {
        self.found.has_errors()
    }

    /// All findings, in order and without anything that is to be hidden.
    pub(crate) fn finish(mut self) -> Diagnostics {
        self.hidden.sort_by_key(|value| std::cmp::Reverse(value.len()));
        for source in &mut self.found.texts {
            mask::blank(&mut source.text, &self.secrets);
        }
        let hide = |text: &mut String| mask::hide(text, &self.hidden);
        for diagnostic in &mut self.found.list {
            hide(&mut diagnostic.message);
            hide(&mut diagnostic.key);
            diagnostic.label.iter_mut().for_each(hide);
            diagnostic.hint.iter_mut().for_each(hide);
            diagnostic.related.iter_mut().for_each(|(_, text)| hide(text));
        }
        self.found.list.sort_by_key(|found| (found.severity, found.place.text, found.place.span.start));
        self.found
    }
}
