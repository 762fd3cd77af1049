//! Rows of a JSON body as columns and values, or what is wrong with them and where.

use kasoku_problem::{Kind, Problem};
use serde_json::{Map, Value as Json};

use super::Missing;
use crate::Value;
use crate::convert::value_of_json;
use crate::fault::{echo, unprocessable, with_hint};
use crate::plan::TablePlanner;

/// Places of the columns that a row gives, in the order of the table, and their values.
pub(super) type Row = (Vec<usize>, Vec<Value>);
/// What a row gives: places of columns, and their values.
pub(super) type Members = Vec<(usize, Value)>;

impl TablePlanner {
    /// One row of many that come one by one.
    pub(super) fn row_of_load(
        &self,
        at: usize,
        row: &Json,
        only: Option<&[usize]>,
        missing: Missing,
    ) -> Result<Row, Problem> {
        let mut members = self.members(at, row, only)?;
        if let (Some(places), Missing::Null) = (only, missing) {
            self.fill(at, places, &mut members)?;
        }
        self.new_row(at, members)
    }

    /// The rows of an insert. If `only` is given, other members of a row are passed over, and every row has these.
    pub(super) fn rows_of_body(
        &self,
        body: &Json,
        only: Option<&[usize]>,
        missing: Missing,
    ) -> Result<Vec<Row>, Problem> {
        let rows = self.given_rows(body, only)?.into_iter().enumerate();
        let filled = |(at, mut members): (usize, Members)| {
            if let (Some(places), Missing::Null) = (only, missing) {
                self.fill(at, places, &mut members)?;
            }
            self.follow_rule(&mut members);
            self.new_row(at, members)
        };
        rows.map(filled).collect()
    }

    /// What the rows of a body give; one alone may stand without an array.
    pub(super) fn given_rows(&self, body: &Json, only: Option<&[usize]>) -> Result<Vec<Members>, Problem> {
        let rows = match body {
            Json::Array(rows) => rows.as_slice(),
            one => std::slice::from_ref(one),
        };
        let most = self.writes.rows_most as usize;
        if rows.len() > most {
            let detail = format!("the body has {} rows; a request may have {most}", rows.len());
            return Err(Problem::new(Kind::Unprocessable).detail(detail).member("most", most));
        }
        rows.iter().enumerate().map(|(at, row)| self.members(at, row, only)).collect()
    }

    /// Adds NULL for each column that a row lacks.
    fn fill(&self, at: usize, places: &[usize], members: &mut Members) -> Result<(), Problem> {
        for place in places {
            if members.iter().any(|(given, _)| given == place) {
                continue;
            }
            let field = self.columns.field(*place);
            if !field.nullable || self.key.contains(place) {
                let detail = format!(
                    "row {at}: `{0}` is missing and cannot be null; `Prefer: missing=default` gives it its default",
                    field.name()
                );
                return Err(unprocessable(at, Some(field.name()), detail));
            }
            members.push((*place, Value::Null));
        }
        members.sort_by_key(|(place, _)| *place);
        Ok(())
    }

    /// Adds what the rule says of the columns that a row lacks.
    fn follow_rule(&self, members: &mut Members) {
        for (place, value) in self.given_by_rule() {
            if members.iter().all(|(given, _)| *given != place) && value != Value::Null {
                members.push((place, value));
            }
        }
        members.sort_by_key(|(place, _)| *place);
    }

    /// The columns that a patch sets.
    pub(super) fn patch_of_body(&self, body: &Json, only: Option<&[usize]>) -> Result<Members, Problem> {
        self.members(0, body, only)
    }

    /// The row of a body, whose key is in the path; if the body has it too, it must be the same.
    pub(super) fn row_with_key(&self, body: &Json, key: &[Value]) -> Result<Row, Problem> {
        let mut members = self.members(0, body, None)?;
        for (place, value) in self.key.iter().zip(key) {
            match members.iter().find(|(given, _)| given == place) {
                Some((_, given)) if given != value => {
                    let name = self.columns.field(*place).name();
                    return Err(unprocessable(
                        0,
                        Some(name),
                        format!("`{name}` differs from the path's key"),
                    ));
                }
                Some(_) => {}
                None => members.push((*place, value.clone())),
            }
        }
        self.follow_rule(&mut members);
        members.sort_by_key(|(place, _)| *place);
        self.new_row(0, members)
    }

    fn members(&self, at: usize, row: &Json, only: Option<&[usize]>) -> Result<Members, Problem> {
        let Json::Object(members) = row else {
            return Err(unprocessable(at, None, format!("row {at} is not an object")));
        };
        let mut read = self.known_members(at, members, only)?;
        read.sort_by_key(|(place, _)| *place);
        Ok(read)
    }

    fn known_members(
        &self,
        at: usize,
        members: &Map<String, Json>,
        only: Option<&[usize]>,
    ) -> Result<Members, Problem> {
        let mut read = Vec::with_capacity(members.len());
        for (name, json) in members {
            let Some(place) = self.columns.selectable(name) else {
                if only.is_some() {
                    continue;
                }
                return Err(self.not_written(at, name, "there is no column"));
            };
            if only.is_some_and(|only| !only.contains(&place)) {
                continue;
            }
            let field = self.columns.field(place);
            if !field.writable {
                return Err(self.not_written(at, name, "this route does not write the column"));
            }
            let value = value_of_json(field.kind, json).map_err(|expected| {
                let detail =
                    format!("row {at}: `{name}` holds {expected}, and {} was given", type_name(json));
                unprocessable(at, Some(name), detail).code("22P02")
            })?;
            if value == Value::Null && (!field.nullable || self.key.contains(&place)) {
                let detail = format!("row {at}: `{name}` cannot be null");
                return Err(unprocessable(at, Some(name), detail).code("23502"));
            }
            read.push((place, value));
        }
        Ok(read)
    }

    /// A row that is to be there afterwards needs all columns that have no default.
    fn new_row(&self, at: usize, members: Members) -> Result<Row, Problem> {
        let given = |place| members.iter().any(|(given, _)| *given == place);
        let missing =
            |field: &&crate::columns::Field| field.writable && !field.optional && !given(field.place);
        if let Some(field) = self.columns.fields().iter().find(missing) {
            let detail = format!("row {at}: `{}` is missing", field.name());
            return Err(unprocessable(at, Some(field.name()), detail).code("23502"));
        }
        Ok(members.into_iter().unzip())
    }

    fn not_written(&self, at: usize, name: &str, what: &str) -> Problem {
        let names = self.columns.writable_names();
        let detail = with_hint(format!("row {at}: {what} `{}`", echo(name)), name, names.clone());
        unprocessable(at, Some(name), detail).code("PGRST204").member("allowed", names.collect::<Vec<_>>())
    }
}

fn type_name(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(number) if !number.is_i64() => "a number with a fraction or beyond 64 bits",
        Json::Number(_) => "a whole number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}
