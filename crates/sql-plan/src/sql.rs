//! The text of a statement while it is written: parameters are numbered in the order in which they first appear.

use std::fmt::Write as _;
use std::sync::Arc;

use kasoku_coherence::TagBuilder;

use crate::dialect::Dialect;

/// A text that takes shape. No value ever enters it.
#[derive(Debug)]
pub(crate) struct SqlText {
    pub(crate) text: String,
    pub(crate) dialect: &'static Dialect,
    params: usize,
    conditions: usize,
}

impl SqlText {
    pub(crate) fn new(dialect: &'static Dialect, begin: &str) -> Self {
        let mut text = String::with_capacity(256);
        text.push_str(begin);
        Self { text, dialect, params: 0, conditions: 0 }
    }

    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Begins a further condition: `where` before the first, `and` before the others.
    pub(crate) fn condition(&mut self) -> &mut Self {
        let word = if self.conditions == 0 { " where " } else { " and " };
        self.conditions += 1;
        self.push(word)
    }

    /// Writes conditions that follow others, which stand here already.
    pub(crate) fn continuing(&mut self, write: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.conditions, 1);
        write(self);
        self.conditions = before;
    }

    /// Writes the conditions of a select within this one.
    pub(crate) fn inner(&mut self, write: impl FnOnce(&mut Self)) {
        let before = std::mem::take(&mut self.conditions);
        write(self);
        self.conditions = before;
    }

    /// Writes a new parameter; its number.
    pub(crate) fn param(&mut self) -> usize {
        self.params += 1;
        self.param_again(self.params);
        self.params
    }

    /// Takes the number of a parameter that is written later.
    pub(crate) fn reserve(&mut self) -> usize {
        self.params += 1;
        self.params
    }

    /// Writes a parameter that has its number.
    pub(crate) fn param_again(&mut self, number: usize) {
        let placeholder = self.dialect.placeholder;
        write!(self.text, "{placeholder}{number}").expect("a String takes all text");
    }

    /// A parameter that has its number, as it is written.
    pub(crate) fn placeholder(&self, number: usize) -> String {
        format!("{}{number}", self.dialect.placeholder)
    }

    /// Writes texts with commas between.
    pub(crate) fn list<'a>(&mut self, texts: impl Iterator<Item = &'a str>) -> &mut Self {
        for (place, text) in texts.enumerate() {
            if place > 0 {
                self.push(", ");
            }
            self.push(text);
        }
        self
    }

    /// The finished text and its name, which is the same wherever and whenever the text is.
    pub(crate) fn finish(self, table: &str, what: &str) -> Written {
        let digest = TagBuilder::new("sql").part(self.text.as_bytes()).build().0;
        let name = format!("{table}.{what}.{:08x}", digest as u32);
        Written { name: name.into(), sql: self.text.into() }
    }
}

/// A finished text.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) name: Arc<str>,
    pub(crate) sql: Arc<str>,
}
