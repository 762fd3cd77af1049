//! Keys of rows, as paths have them.

use kasoku_problem::{Kind, Problem};

use super::TablePlanner;
use crate::Value;
use crate::convert::value_of_text;
use crate::fault::echo;
use crate::grammar::scan::Scanner;
use crate::sql::SqlText;

impl TablePlanner {
    /// Reads the key of a path. A text that is no value of the key's columns is the key of no row.
    pub(crate) fn key_values(&self, text: &str) -> Result<Vec<Value>, Problem> {
        let none = || Problem::new(Kind::NotFound).detail(format!("there is no row `{}`", echo(text)));
        let mut values = Vec::with_capacity(self.key.len());
        if let [kind] = self.key_kinds[..] {
            values.push(value_of_text(kind, text).map_err(|_| none())?);
            return Ok(values);
        }
        let mut scanner = Scanner::new(text);
        for (place, kind) in self.key_kinds.iter().enumerate() {
            if place > 0 && !scanner.eat(",") {
                return Err(none());
            }
            let part = scanner.name(b",");
            values.push(value_of_text(*kind, &part).map_err(|_| none())?);
        }
        if values.is_empty() || !scanner.at_end() { Err(none()) } else { Ok(values) }
    }

    /// The conditions that the key's columns have the values of the next parameters.
    pub(crate) fn write_key(&self, sql: &mut SqlText) {
        for place in &self.key {
            sql.condition().push(&self.columns.field(*place).quoted).push(" = ");
            sql.param();
        }
    }
}
