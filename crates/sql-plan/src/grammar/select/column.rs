//! What is shown of a table's own columns: values as they are or cast, and what they sum up to.

use kasoku_problem::Problem;

use super::{Cast, Selection};
use crate::ColumnKind;
use crate::branch::{Aggregates, Scope};
use crate::columns::{Field, OutputColumn};
use crate::fault::{echo, invalid, invalid_name};
use crate::grammar::path::{self, End, JsonPath, Step};
use crate::grammar::scan::Scanner;

/// Something to show.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    pub(crate) what: What,
    pub(crate) cast: Option<Cast>,
}

/// What is shown, before it is cast.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    /// A column, by its place in the table.
    Column(usize),
    /// Something within a column's document.
    Within(usize, JsonPath),
    /// How many rows there are.
    Count,
    /// What a column's values sum up to.
    Aggregate(Aggregate, usize),
}

/// A way to sum up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Count,
    Sum,
    Avg,
    Min,
    Max,
}

const AGGREGATES: [(&str, Aggregate); 5] = [
    ("count", Aggregate::Count),
    ("sum", Aggregate::Sum),
    ("avg", Aggregate::Avg),
    ("min", Aggregate::Min),
    ("max", Aggregate::Max),
];

impl Shown {
    pub(crate) fn column(place: usize) -> Self {
        Self { what: What::Column(place), cast: None }
    }

    /// The column, where its value is shown as it is.
    pub(crate) fn plain(&self) -> Option<usize> {
        match (&self.what, self.cast) {
            (What::Column(place), None) => Some(*place),
            _ => None,
        }
    }

    /// What of it decides the text of a statement.
    pub(crate) fn shape(&self, out: &mut Vec<u8>) {
        let cast = self.cast.map_or(0, |cast| cast as u8 + 1);
        let (what, place) = match &self.what {
            What::Column(place) => (0, *place),
            What::Within(place, path) if path.end == End::Text => (7, *place),
            What::Within(place, _) => (8, *place),
            What::Count => (1, 0),
            What::Aggregate(aggregate, place) => (2 + *aggregate as u8, *place),
        };
        out.push(what << 4 | cast);
        out.extend_from_slice(&(place as u16).to_le_bytes());
    }
}

impl Aggregate {
    pub(crate) fn word(self) -> &'static str {
        AGGREGATES.iter().find(|(_, known)| *known == self).expect("all are there").0
    }

    /// How what it gives is shown; `None` if columns of this kind have no such thing.
    fn kind(self, of: ColumnKind) -> Option<ColumnKind> {
        use ColumnKind::{Any, Date, Decimal, Integer, Number, Real, Text, Timestamp};
        match self {
            Self::Count => Some(Integer),
            Self::Sum => matches!(of, Integer | Real | Number | Decimal | Any).then_some(of),
            Self::Avg => matches!(of, Integer | Real | Number | Decimal | Any).then_some(Real),
            Self::Min | Self::Max => {
                let ordered = matches!(of, Integer | Real | Number | Decimal | Any | Text | Date | Timestamp);
                ordered.then_some(of)
            }
        }
    }
}

/// Reads what stands behind a name: `.sum()`, `::text`.
pub(super) fn read(
    parameter: &str,
    scope: Scope<'_>,
    scanner: &mut Scanner<'_>,
    alias: Option<&str>,
    name: &str,
) -> Result<(Shown, OutputColumn, bool), Problem> {
    let columns = scope.columns;
    let place = columns
        .selectable(name)
        .ok_or_else(|| invalid_name(parameter, "column", name, columns.selectable_names()))?;
    let field = columns.field(place);
    let mut shown = Shown::column(place);
    let (mut called, mut kind) = (field.name().to_owned(), field.kind);
    if let Some(path) = path::read(parameter, scanner, b",:()")? {
        if !matches!(field.kind, ColumnKind::Json | ColumnKind::Text | ColumnKind::Any) {
            let detail = format!("`{}` is {}, which nothing is within", field.name(), field.kind.in_words());
            return Err(invalid(parameter, detail));
        }
        // As in PostgREST, what is within is called as the last name on the way there.
        let named = path.steps.iter().rev().find_map(|step| match step {
            Step::Name(name) => Some(name.clone()),
            Step::Place(_) => None,
        });
        called = named.unwrap_or(called);
        kind = if path.end == End::Text { ColumnKind::Text } else { ColumnKind::Json };
        shown.what = What::Within(place, path);
    } else if scanner.eat(".") {
        let (aggregate, found) = aggregate(parameter, scope, scanner, field)?;
        shown.what = What::Aggregate(aggregate, place);
        (called, kind) = (aggregate.word().to_owned(), found);
    }
    if scanner.eat("::") {
        let cast = Cast::read(parameter, scanner.until(b",)"))?;
        shown.cast = Some(cast);
        kind = cast.kind();
    }
    let called = alias.unwrap_or(&called);
    if shown.plain().is_some() && called == field.name() {
        return Ok((shown, field.output.clone(), false));
    }
    Ok((shown, OutputColumn::new(called, kind), true))
}

/// Reads `count()`, whose name has been read.
pub(super) fn count(
    parameter: &str,
    scope: Scope<'_>,
    scanner: &mut Scanner<'_>,
    alias: Option<&str>,
) -> Result<(Shown, OutputColumn, bool), Problem> {
    if matches!(scope.aggregates, Aggregates::None) {
        return Err(undeclared(parameter));
    }
    let mut shown = Shown { what: What::Count, cast: None };
    let mut kind = ColumnKind::Integer;
    if scanner.eat("::") {
        let cast = Cast::read(parameter, scanner.until(b",)"))?;
        shown.cast = Some(cast);
        kind = cast.kind();
    }
    Ok((shown, OutputColumn::new(alias.unwrap_or("count"), kind), true))
}

fn aggregate(
    parameter: &str,
    scope: Scope<'_>,
    scanner: &mut Scanner<'_>,
    field: &Field,
) -> Result<(Aggregate, ColumnKind), Problem> {
    let Aggregates::Of(places) = scope.aggregates else { return Err(undeclared(parameter)) };
    let word = scanner.until(b"(,):.");
    let words = AGGREGATES.iter().map(|(word, _)| *word);
    let found = AGGREGATES.iter().find(|(known, _)| *known == word);
    let (_, aggregate) = found.ok_or_else(|| invalid_name(parameter, "aggregate", word, words))?;
    if !scanner.eat("()") {
        return Err(invalid(parameter, format!("expected `()` after `{word}`")));
    }
    if !places.contains(&field.place) {
        let names = places.iter().map(|place| scope.columns.field(*place).name());
        return Err(invalid_name(parameter, "column to sum up", field.name(), names));
    }
    let kind = aggregate.kind(field.kind).ok_or_else(|| {
        let detail =
            format!("`{}` is {}, of which there is no `{word}`", field.name(), field.kind.in_words());
        invalid(parameter, detail)
    })?;
    Ok((*aggregate, kind))
}

fn undeclared(parameter: &str) -> Problem {
    invalid(parameter, "nothing can be summed up here")
}

/// Where something is summed up, the columns beside it make the groups, as they are.
pub(super) fn groups(parameter: &str, scope: Scope<'_>, selection: &Selection) -> Result<(), Problem> {
    if !selection.grouped {
        return Ok(());
    }
    let odd = selection.shown.iter().find_map(|shown| match &shown.what {
        What::Column(place) if shown.cast.is_some() => Some(*place),
        What::Within(place, _) => Some(*place),
        _ => None,
    });
    if let Some(place) = odd {
        let name = echo(scope.columns.field(place).name());
        return Err(invalid(
            parameter,
            format!(
                "groups are made by columns as they are, so `{name}` can neither be cast nor looked into"
            ),
        ));
    }
    if !selection.embeds.is_empty() {
        return Err(invalid(
            parameter,
            "rows that are summed up have no related rows; embeds cannot stand beside",
        ));
    }
    Ok(())
}
