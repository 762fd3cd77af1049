//! The allow-list: what a rule lets pass, and why.

use serde::Deserialize;

use super::Finding;
use super::tree::Tree;

/// Where the list is.
pub(crate) const PATH: &str = "xtask/tidy-allow.toml";

/// The list, and which of its entries were needed.
#[derive(Debug, Default)]
pub(crate) struct Allowed {
    entries: Vec<(Entry, bool)>,
}

#[derive(Debug, Deserialize)]
struct List {
    #[serde(default)]
    allow: Vec<Entry>,
}

/// One thing that is let pass.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// The file.
    path: String,
    /// The rule: `file-length`, `function-length`, `word`.
    rule: String,
    /// The function or the word, where a file may have several.
    #[serde(default)]
    item: String,
    /// The length that is allowed, where it is one.
    #[serde(default)]
    limit: usize,
    /// A table of settings, operators and the like, which is as long as what it lists.
    #[serde(default)]
    catalogue: bool,
    reason: String,
}

/// What the list says of a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Up to so many lines.
    Lines(usize),
    /// As many as a catalogue needs, up to so many.
    Catalogue(usize),
}

impl Allowed {
    pub(crate) fn read(tree: &Tree) -> Result<Self, Finding> {
        let Some(file) = tree.file(PATH) else { return Ok(Self::default()) };
        let list: List = toml::from_str(&file.text).map_err(|error| {
            Finding::new(PATH, 1, format!("the list cannot be read: {}", error.message()))
        })?;
        let reasonless = list.allow.iter().find(|entry| entry.reason.split_whitespace().count() < 3);
        if let Some(entry) = reasonless {
            let what =
                format!("the entry for {} has no reason; say in a sentence why it must be so", entry.path);
            return Err(Finding::new(PATH, 1, what));
        }
        Ok(Self { entries: list.allow.into_iter().map(|entry| (entry, false)).collect() })
    }

    /// The limit for an item of a file; asking for it marks the entry as needed.
    pub(crate) fn limit(&mut self, rule: &str, path: &str, item: &str) -> Option<Limit> {
        let entry = self.find(rule, path, item)?;
        Some(if entry.catalogue { Limit::Catalogue(entry.limit) } else { Limit::Lines(entry.limit) })
    }

    /// Whether an item of a file is let pass; asking for it marks the entry as needed.
    pub(crate) fn passes(&mut self, rule: &str, path: &str, item: &str) -> bool {
        self.find(rule, path, item).is_some()
    }

    fn find(&mut self, rule: &str, path: &str, item: &str) -> Option<&Entry> {
        let matches = |entry: &Entry| entry.rule == rule && entry.path == path && entry.item == item;
        let (entry, needed) = self.entries.iter_mut().find(|(entry, _)| matches(entry))?;
        *needed = true;
        Some(entry)
    }

    /// Entries that nothing asked for.
    pub(crate) fn not_needed(&self) -> Vec<Finding> {
        let stale = self.entries.iter().filter(|(_, needed)| !needed);
        let say = |entry: &Entry| {
            let item = if entry.item.is_empty() { String::new() } else { format!(" ({})", entry.item) };
            format!("{} for {}{item} is no longer needed; remove the entry", entry.rule, entry.path)
        };
        stale.map(|(entry, _)| Finding::new(PATH, 1, say(entry))).collect()
    }
}
