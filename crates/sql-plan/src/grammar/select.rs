//! What is to be answered: `select=id,name:title,*`.

use std::borrow::Cow;
use std::sync::Arc;

use kasoku_problem::Problem;

use super::scan::Scanner;
use crate::columns::{Columns, OutputColumn};
use crate::fault::{echo, invalid, invalid_name};
use crate::limits::SELECT_MAX;

/// The columns to answer with.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    /// Their places in the table.
    pub(crate) places: Vec<u16>,
    /// Their names in the answer, if one differs from its column's.
    pub(crate) renamed: Option<Arc<[OutputColumn]>>,
}

/// Reads `select` or `fields`. An empty text asks for all columns.
pub(crate) fn read(columns: &Columns, parameter: &str, text: &str) -> Result<Option<Selection>, Problem> {
    let mut reader = Reader { columns, parameter, places: Vec::new(), outputs: Vec::new(), renamed: false };
    let mut scanner = Scanner::new(text);
    scanner.skip_spaces();
    if scanner.at_end() {
        return Ok(None);
    }
    loop {
        reader.item(&mut scanner)?;
        if scanner.at_end() {
            break;
        }
        if !scanner.eat(",") {
            let detail = format!("`{}` cannot follow a column here", echo(scanner.rest()));
            return Err(invalid(parameter, detail));
        }
    }
    let renamed = reader.renamed.then(|| reader.outputs.into());
    Ok(Some(Selection { places: reader.places, renamed }))
}

struct Reader<'c> {
    columns: &'c Columns,
    parameter: &'c str,
    places: Vec<u16>,
    outputs: Vec<OutputColumn>,
    renamed: bool,
}

impl Reader<'_> {
    fn item(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Problem> {
        let first = name(scanner);
        if !scanner.eat(":") {
            if first == "*" {
                let all: Vec<usize> = self.columns.selectable_places().collect();
                return all.into_iter().try_for_each(|place| self.add(place, None));
            }
            return self.add(self.place(&first)?, None);
        }
        if scanner.eat(":") {
            return Err(invalid(
                self.parameter,
                "there are no casts; values are shown by their column's type",
            ));
        }
        let column = name(scanner);
        let place = self.place(&column)?;
        if first.is_empty() {
            return Err(invalid(self.parameter, "a name is missing before `:`"));
        }
        self.add(place, Some(&first))
    }

    fn place(&self, name: &str) -> Result<usize, Problem> {
        let unknown = || invalid_name(self.parameter, "column", name, self.columns.selectable_names());
        self.columns.selectable(name).ok_or_else(unknown)
    }

    fn add(&mut self, place: usize, alias: Option<&str>) -> Result<(), Problem> {
        let field = self.columns.field(place);
        let output = match alias {
            Some(alias) if alias != field.name() => {
                self.renamed = true;
                OutputColumn::new(alias, field.kind)
            }
            _ => field.output.clone(),
        };
        if self.outputs.iter().any(|other| other.name == output.name) {
            return Err(invalid(self.parameter, format!("`{}` is there twice", echo(&output.name))));
        }
        if self.places.len() >= SELECT_MAX.max(self.columns.len()) {
            return Err(invalid(self.parameter, "there are too many columns"));
        }
        self.places.push(place as u16);
        self.outputs.push(output);
        Ok(())
    }
}

/// A name, and the spaces around it.
fn name<'a>(scanner: &mut Scanner<'a>) -> Cow<'a, str> {
    scanner.skip_spaces();
    match scanner.name(b",:()") {
        Cow::Borrowed(name) => Cow::Borrowed(name.trim_end_matches(' ')),
        owned @ Cow::Owned(_) => owned,
    }
}
