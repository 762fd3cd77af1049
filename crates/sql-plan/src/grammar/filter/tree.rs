//! What filters are made of: tests, joined into groups.

use crate::Value;
use crate::grammar::path::JsonPath;
use crate::grammar::pattern::Case;

/// What rows must satisfy.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// A test of one column.
    Test(Test),
    /// Several nodes joined.
    Group { joined: Joined, negated: bool, nodes: Vec<Node> },
}

/// How the nodes of a group are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    And,
    Or,
}

/// A test of one column, or of something within it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Test {
    pub(crate) subject: Subject,
    pub(crate) negated: bool,
    pub(crate) check: Check,
}

/// What a test is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Subject {
    /// The column's place in the table.
    pub(crate) column: usize,
    /// The way into its document, if its value is not meant as a whole.
    pub(crate) path: Option<JsonPath>,
}

/// What a value is held against.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Check {
    Compare(Comparison, Operand),
    /// The pattern as it was asked for.
    Like(Likeness, String),
    /// Several comparisons with one operator, of which one or all must hold.
    Each(Quantifier, Vec<Check>),
    In(Vec<Operand>),
    Is(Is),
    /// What an array or document holds, or is held by.
    Hold(Hold, Held),
    /// Where a range lies, seen from another one.
    Lie(Lie, Value),
    Search(Search),
}

/// The order in which two values may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
    /// Not equal, where NULL is a value like others.
    Distinct,
}

/// How a text may be like a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likeness {
    Like(Case),
    Regex(Case),
}

/// How many of several comparisons must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantifier {
    Any,
    All,
}

/// A value to compare with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operand {
    pub(crate) value: Value,
    pub(crate) class: Class,
}

/// What kind of value is compared with: a document has values of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// A value of a column, or a text.
    Plain,
    JsonNumber,
    JsonText,
    /// `true`, `false` or `null`, as that text.
    JsonWord,
    /// An object or array, as its text.
    JsonDocument,
}

/// What `is` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Is {
    Null,
    NotNull,
    True,
    False,
}

/// How what is held and what is asked for go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// `cs`: it holds all of that.
    Contains,
    /// `cd`: all of it is held by that.
    Contained,
    /// `ov`: they have something in common.
    Overlaps,
}

/// What is asked for with `cs`, `cd` and `ov`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Held {
    /// In the database's own form, of an array or range.
    Native(String),
    /// A JSON array, by its values.
    Values(String),
    /// Texts, as a JSON array, whatever the values' own types are.
    Texts(String),
    /// A JSON object, by its members.
    Members(String),
}

/// Where a range lies, seen from another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    Left,
    Right,
    NotRight,
    NotLeft,
    Beside,
}

/// What a text is searched for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Search {
    pub(crate) form: SearchForm,
    /// Whether the column is a search document already.
    pub(crate) prepared: bool,
    /// One of those that the database brings.
    pub(crate) language: Option<&'static str>,
    pub(crate) query: String,
}

/// How a search is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SearchForm {
    /// `fts`: with signs between words.
    Signs,
    /// `plfts`: words, all of which must be there.
    Words,
    /// `phfts`: words that follow each other.
    Phrase,
    /// `wfts`: as people write to search engines.
    Web,
}

impl Subject {
    /// The column, if its value is meant as a whole.
    pub(crate) fn whole_column(&self) -> Option<usize> {
        self.path.is_none().then_some(self.column)
    }
}
