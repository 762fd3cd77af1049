//! What stands behind a column's name: `gte.10`, `not.in.(1,2)`, `like(any).{a*,b*}`.
//!
//! An operator that the column's kind or the database does not have is refused by name here, so that no statement is
//! written that the database would refuse.

use std::borrow::Cow;

use kasoku_problem::Problem;

use super::{Check, Comparison, Hold, Lie, Likeness, Search, SearchForm, Subject, Test, held, search};
use crate::columns::Field;
use crate::dialect::Dialect;
use crate::fault::{echo, invalid, invalid_name};
use crate::grammar::path::{End, JsonPath};
use crate::grammar::pattern::Case;
use crate::grammar::scan::Scanner;
use crate::{ColumnKind, Value};

/// Where a test stands: as a parameter's whole value, or among others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Parameter,
    Group,
}

/// The operators, and what they do.
const OPERATORS: [(&str, Operator); 25] = [
    ("eq", Operator::Compare(Comparison::Eq)),
    ("neq", Operator::Compare(Comparison::Neq)),
    ("gt", Operator::Compare(Comparison::Gt)),
    ("gte", Operator::Compare(Comparison::Gte)),
    ("lt", Operator::Compare(Comparison::Lt)),
    ("lte", Operator::Compare(Comparison::Lte)),
    ("isdistinct", Operator::Compare(Comparison::Distinct)),
    ("like", Operator::Like(Likeness::Like(Case::Exact))),
    ("ilike", Operator::Like(Likeness::Like(Case::Folded))),
    ("match", Operator::Like(Likeness::Regex(Case::Exact))),
    ("imatch", Operator::Like(Likeness::Regex(Case::Folded))),
    ("in", Operator::In),
    ("is", Operator::Is),
    ("cs", Operator::Hold(Hold::Contains)),
    ("cd", Operator::Hold(Hold::Contained)),
    ("ov", Operator::Hold(Hold::Overlaps)),
    ("sl", Operator::Lie(Lie::Left)),
    ("sr", Operator::Lie(Lie::Right)),
    ("nxr", Operator::Lie(Lie::NotRight)),
    ("nxl", Operator::Lie(Lie::NotLeft)),
    ("adj", Operator::Lie(Lie::Beside)),
    ("fts", Operator::Search(SearchForm::Signs)),
    ("plfts", Operator::Search(SearchForm::Words)),
    ("phfts", Operator::Search(SearchForm::Phrase)),
    ("wfts", Operator::Search(SearchForm::Web)),
];

#[derive(Debug, Clone, Copy)]
pub(super) enum Operator {
    Compare(Comparison),
    Like(Likeness),
    In,
    Is,
    Hold(Hold),
    Lie(Lie),
    Search(SearchForm),
}

/// Whether a text would be read as a test and not as a value.
pub(super) fn begins_with_operator(text: &str) -> bool {
    let Some((operator, _)) = text.split_once('.') else { return false };
    let name =
        operator.split_once('(').filter(|_| operator.ends_with(')')).map_or(operator, |(name, _)| name);
    name == "not" || OPERATORS.iter().any(|(known, _)| *known == name)
}

/// Reads a test of one subject.
pub(super) struct TestReader<'c, 'p> {
    pub(super) dialect: &'static Dialect,
    pub(super) field: &'c Field,
    pub(super) parameter: &'p str,
    subject: Subject,
    pub(super) shows: Shows,
}

/// What a subject's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    /// Those of a column.
    Column(ColumnKind),
    /// Values of documents.
    Documents,
    /// Texts out of documents.
    Texts,
}

/// An operator as a request spells it.
pub(super) struct Asked<'a> {
    pub(super) name: &'a str,
    /// What stands in brackets behind it.
    pub(super) modifier: Option<&'a str>,
    pub(super) operator: Operator,
}

impl<'c, 'p> TestReader<'c, 'p> {
    pub(super) fn new(
        dialect: &'static Dialect,
        field: &'c Field,
        path: Option<JsonPath>,
        parameter: &'p str,
    ) -> Result<Self, Problem> {
        if path.is_some() && field.kind != ColumnKind::Json {
            let detail = format!("`{}` is {}, into which no way leads", field.name(), field.kind.in_words());
            return Err(invalid(parameter, detail));
        }
        // Where the database compares documents by what they say, so does a test of a whole one.
        let whole = || JsonPath { steps: Vec::new(), end: End::Document };
        let meant_whole = field.kind == ColumnKind::Json && dialect.compares_documents;
        let path = path.or_else(|| meant_whole.then(whole));
        let shows = match path.as_ref().map(|path| path.end) {
            None => Shows::Column(field.kind),
            Some(End::Document) => Shows::Documents,
            Some(End::Text) => Shows::Texts,
        };
        let subject = Subject { column: field.place, path };
        Ok(Self { dialect, field, parameter, subject, shows })
    }

    /// That a column equals a value, which is the whole text.
    pub(super) fn plain(self, text: &str) -> Result<Test, Problem> {
        let check = Check::Compare(Comparison::Eq, self.operand(text)?);
        Ok(Test { subject: self.subject, negated: false, check })
    }

    /// Reads `not.`, the operator and what it compares with.
    pub(super) fn test(mut self, scanner: &mut Scanner<'_>, within: Within) -> Result<Test, Problem> {
        let negated = scanner.eat("not.");
        let asked = self.asked(scanner)?;
        if !matches!(asked.operator, Operator::Compare(_) | Operator::Like(_) | Operator::Search(_)) {
            self.without_modifier(&asked)?;
        }
        let check = match asked.operator {
            Operator::Compare(_) | Operator::Like(_) => self.comparisons(&asked, &read(scanner, within))?,
            Operator::In => self.list(scanner)?,
            Operator::Is => Check::Is(self.is(&read(scanner, within))?),
            Operator::Hold(hold) => self.hold(&asked, hold, &read(scanner, within))?,
            Operator::Lie(lie) => self.lie(&asked, lie, &read(scanner, within))?,
            Operator::Search(form) => self.search(&asked, form, &read(scanner, within))?,
        };
        Ok(Test { subject: self.subject, negated, check })
    }

    fn asked<'a>(&self, scanner: &mut Scanner<'a>) -> Result<Asked<'a>, Problem> {
        let name = scanner.until(b".,()");
        let modifier = if scanner.eat("(") {
            let modifier = scanner.until(b")");
            scanner.eat(")");
            Some(modifier)
        } else {
            None
        };
        if !scanner.eat(".") {
            let names: Vec<&str> = OPERATORS.iter().map(|(name, _)| *name).chain(["not"]).collect();
            let detail = format!("expected `operator.value`, such as `eq.{}`", echo(name));
            return Err(invalid(self.parameter, detail).member("allowed", names));
        }
        let known = OPERATORS.iter().find(|(known, _)| *known == name);
        let Some((_, operator)) = known else {
            return Err(invalid_name(
                self.parameter,
                "operator",
                name,
                OPERATORS.iter().map(|(name, _)| *name),
            ));
        };
        Ok(Asked { name, modifier, operator: *operator })
    }

    fn hold(&mut self, asked: &Asked<'_>, hold: Hold, text: &str) -> Result<Check, Problem> {
        let held = match self.shows {
            Shows::Column(ColumnKind::Array | ColumnKind::Range) => {
                let Value::Text(text) = self.operand(text)?.value else { unreachable!("both are texts") };
                held::native(text)
            }
            Shows::Documents | Shows::Column(ColumnKind::Json) => {
                // What a column's text is, is not what it holds.
                self.subject.path.get_or_insert(JsonPath { steps: Vec::new(), end: End::Document });
                held::in_document(self.dialect, asked.name, hold, text)
                    .map_err(|detail| invalid(self.parameter, detail))?
            }
            _ => return Err(self.no_operator(asked, "arrays, ranges and JSON documents")),
        };
        Ok(Check::Hold(hold, held))
    }

    fn lie(&self, asked: &Asked<'_>, lie: Lie, text: &str) -> Result<Check, Problem> {
        if self.shows != Shows::Column(ColumnKind::Range) {
            return Err(self.no_operator(asked, "ranges"));
        }
        Ok(Check::Lie(lie, self.operand(text)?.value))
    }

    fn search(&self, asked: &Asked<'_>, form: SearchForm, text: &str) -> Result<Check, Problem> {
        use ColumnKind::{Any, Json, Search as Prepared, Text};
        if !self.dialect.searches_text {
            let (name, kind) = (self.field.name(), self.field.kind.in_words());
            let detail = format!(
                "`{}` searches text, which {} cannot do here; `{name}` is {kind}",
                asked.name, self.dialect.name
            );
            return Err(invalid(self.parameter, detail));
        }
        if !matches!(
            self.shows,
            Shows::Texts | Shows::Documents | Shows::Column(Text | Json | Any | Prepared)
        ) {
            return Err(self.no_operator(asked, "texts, JSON documents and search documents"));
        }
        let language = match asked.modifier {
            None => None,
            Some(name) => Some(search::language(name).ok_or_else(|| {
                invalid_name(self.parameter, "language", name, search::LANGUAGES.iter().copied())
            })?),
        };
        if form == SearchForm::Signs {
            search::check(text).map_err(|detail| invalid(self.parameter, detail))?;
        }
        let prepared = self.shows == Shows::Column(Prepared);
        Ok(Check::Search(Search { form, prepared, language, query: text.to_owned() }))
    }

    fn without_modifier(&self, asked: &Asked<'_>) -> Result<(), Problem> {
        match asked.modifier {
            None => Ok(()),
            Some(_) => Err(self.no_modifier(asked, "only comparisons and searches do")),
        }
    }

    pub(super) fn no_modifier(&self, asked: &Asked<'_>, why: &str) -> Problem {
        invalid(self.parameter, format!("`{}` takes no modifier; {why}", asked.name))
    }

    fn no_operator(&self, asked: &Asked<'_>, what: &str) -> Problem {
        let (name, kind) = (self.field.name(), self.field.kind.in_words());
        let detail = format!("`{}` is for {what}; `{name}` is {kind} on {}", asked.name, self.dialect.name);
        invalid(self.parameter, detail)
    }
}

/// The value of an operator: all of a parameter's rest, as it stands, or one value of a group.
fn read<'a>(scanner: &mut Scanner<'a>, within: Within) -> Cow<'a, str> {
    match within {
        Within::Parameter => Cow::Borrowed(scanner.until(b"")),
        Within::Group => scanner.operand(),
    }
}
