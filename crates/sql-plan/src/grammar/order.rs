//! Sorts: `order=price.desc.nullslast,id` in requests, `-price,id` in routes.

use kasoku_problem::Problem;

use super::scan::Scanner;
use crate::branch::Scope;
use crate::fault::{echo, invalid, invalid_name};
use crate::keyset::By;
use crate::{OrderTerm, Sort};

/// What keeps a text from being a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SortFault {
    /// A column is missing.
    #[error("a column name is missing")]
    Empty,
    /// The same column twice.
    #[error("a column is there twice")]
    Repeated,
}

/// Reads a sort as routes declare it: columns with commas between, `-` before one that goes downwards.
pub fn parse_sort(text: &str) -> Result<Sort, SortFault> {
    let mut terms: Vec<OrderTerm> = Vec::new();
    for part in text.split(',') {
        let part = part.trim();
        let (column, descending) =
            part.strip_prefix('-').map_or((part, false), |column| (column.trim(), true));
        if column.is_empty() {
            return Err(SortFault::Empty);
        }
        if terms.iter().any(|term| term.column.eq_ignore_ascii_case(column)) {
            return Err(SortFault::Repeated);
        }
        terms.push(OrderTerm { column: column.to_owned(), descending });
    }
    Ok(Sort(terms))
}

/// A term of a request's sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AskedTerm {
    pub(crate) by: By,
    pub(crate) descending: bool,
    /// Where NULLs were asked to be.
    pub(crate) nulls_first: Option<bool>,
}

/// Reads `order`, or another parameter with a sort. Whether the route declares it is for the planner to say.
pub(crate) fn read(scope: Scope<'_>, parameter: &str, text: &str) -> Result<Vec<AskedTerm>, Problem> {
    let mut terms: Vec<AskedTerm> = Vec::new();
    let mut scanner = Scanner::new(text);
    loop {
        scanner.skip_spaces();
        let name = scanner.name(b".,()");
        let by = subject(scope, parameter, &name, &mut scanner)?;
        if terms.iter().any(|term| term.by == by) {
            return Err(invalid(parameter, format!("`{}` is there twice", echo(&name))));
        }
        let mut term = AskedTerm { by, descending: false, nulls_first: None };
        let mut direction_may_follow = true;
        while scanner.eat(".") {
            match scanner.until(b".,() ") {
                "asc" if direction_may_follow => {}
                "desc" if direction_may_follow => term.descending = true,
                "nullsfirst" if term.nulls_first.is_none() => term.nulls_first = Some(true),
                "nullslast" if term.nulls_first.is_none() => term.nulls_first = Some(false),
                other => {
                    let allowed = ["asc", "desc", "nullsfirst", "nullslast"];
                    return Err(invalid_name(parameter, "direction", other, allowed.into_iter()));
                }
            }
            direction_may_follow = false;
        }
        terms.push(term);
        scanner.skip_spaces();
        if scanner.at_end() {
            return Ok(terms);
        }
        if !scanner.eat(",") {
            return Err(invalid(parameter, format!("expected `,` before `{}`", echo(scanner.rest()))));
        }
    }
}

/// A column, or `author(name)`: one of the only row that an embed has.
fn subject(scope: Scope<'_>, parameter: &str, name: &str, scanner: &mut Scanner<'_>) -> Result<By, Problem> {
    if !scanner.eat("(") {
        let columns = scope.columns;
        let place = columns.sortable(name).map(By::Column);
        return place
            .ok_or_else(|| invalid_name(parameter, "column to sort by", name, columns.sortable_names()));
    }
    let place = scope
        .branch(name, None)
        .map_err(|_| invalid_name(parameter, "embed to sort by", name, scope.branch_names()))?;
    let columns = &scope.branches[place].columns;
    let column = scanner.name(b".,()");
    let found = columns.selectable(&column);
    let column = found
        .ok_or_else(|| invalid_name(parameter, "column to sort by", &column, columns.selectable_names()))?;
    if !scanner.eat(")") {
        return Err(invalid(parameter, format!("expected `)` after the column of `{}`", echo(name))));
    }
    Ok(By::Related(place, column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_sorts_are_read_and_faults_named() {
        let term = |column: &str, descending| OrderTerm { column: column.into(), descending };
        assert_eq!(parse_sort("-id"), Ok(Sort(vec![term("id", true)])));
        assert_eq!(parse_sort("-price, id"), Ok(Sort(vec![term("price", true), term("id", false)])));
        for empty in ["", "-", "a,", ",a"] {
            assert_eq!(parse_sort(empty), Err(SortFault::Empty), "{empty:?}");
        }
        assert_eq!(parse_sort("a,-A"), Err(SortFault::Repeated));
    }
}
