//! The settings as a tree of values that know where they were written.
//!
//! A value can stand in the file, in the environment or on the command line; the tree holds the one that is in
//! force. It knows nothing of what settings exist.

mod conform;
mod interpolate;
mod overrides;
mod read;

use std::collections::BTreeMap;
use std::fmt;

use crate::diagnostic::Place;

pub(crate) use conform::{Damage, conform};
pub(crate) use interpolate::{interpolate, unset};
pub(crate) use overrides::{apply, variables};
pub(crate) use read::read;

/// A value and where it was written.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// A value as TOML has them.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    String(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Datetime(String),
    Array(Vec<Node>),
    Table(BTreeMap<String, Entry>),
}

/// A key of a table, and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Place,
    pub(crate) node: Node,
}

/// The way to a setting, as in `route[0].order[1]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    Index(usize),
}

impl KeyPath {
    /// The whole file.
    pub(crate) fn root() -> Self {
        Self::default()
    }

    /// A key of the table here.
    pub(crate) fn key(&self, name: &str) -> Self {
        self.with(Step::Key(name.to_owned()))
    }

    /// An element of the array here.
    pub(crate) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    /// The keys on the way, without places in arrays.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().filter_map(|step| match step {
            Step::Key(name) => Some(name.as_str()),
            Step::Index(_) => None,
        })
    }

    /// The last key on the way: what a reader calls the setting.
    pub(crate) fn name(&self) -> &str {
        self.keys().last().unwrap_or("the file")
    }

    /// The table or array around it.
    pub(crate) fn parent(&self) -> Self {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }

    /// The section that it belongs to: the first key, and the element if that is an array of tables.
    pub(crate) fn section(&self) -> Self {
        let indexed = matches!(self.0.get(1), Some(Step::Index(_)));
        Self(self.0[..self.0.len().min(1 + usize::from(indexed))].to_vec())
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(name) if at == 0 => f.write_str(name)?,
                Step::Key(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl Node {
    /// The value at a path, or the last one on the way there.
    pub(crate) fn at(&self, path: &KeyPath) -> &Self {
        path.0.iter().try_fold(self, |node, step| node.step(step).ok_or(node)).unwrap_or_else(|node| node)
    }

    /// The value at a path, if there is one.
    pub(crate) fn get(&self, path: &KeyPath) -> Option<&Self> {
        path.0.iter().try_fold(self, Node::step)
    }

    /// Where the key of a path was written; where the path ends early, the place of the last value.
    pub(crate) fn key_place(&self, path: &KeyPath) -> Place {
        if let Some((Step::Key(name), parents)) = path.0.split_last()
            && let Some(Value::Table(table)) = self.get(&KeyPath(parents.to_vec())).map(|node| &node.value)
            && let Some(entry) = table.get(name)
        {
            return entry.key.clone();
        }
        self.at(path).place.clone()
    }

    /// Whether it is the word `false`.
    pub(crate) fn is_false(&self) -> bool {
        matches!(self.value, Value::Boolean(false))
    }

    /// What TOML calls it.
    pub(crate) fn type_name(&self) -> &'static str {
        match &self.value {
            Value::String(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a number",
            Value::Boolean(_) => "a boolean",
            Value::Datetime(_) => "a date",
            Value::Array(_) => "an array",
            Value::Table(_) => "a table",
        }
    }

    /// The value alone.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::String(text) | Value::Datetime(text) => text.as_str().into(),
            Value::Integer(number) => (*number).into(),
            Value::Float(number) => (*number).into(),
            Value::Boolean(answer) => (*answer).into(),
            Value::Array(nodes) => nodes.iter().map(Self::to_json).collect(),
            Value::Table(table) => {
                table.iter().map(|(name, entry)| (name.clone(), entry.node.to_json())).collect()
            }
        }
    }

    fn step(&self, step: &Step) -> Option<&Self> {
        match (&self.value, step) {
            (Value::Table(table), Step::Key(name)) => table.get(name).map(|entry| &entry.node),
            (Value::Array(nodes), Step::Index(index)) => nodes.get(*index),
            _ => None,
        }
    }
}
