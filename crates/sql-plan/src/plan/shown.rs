//! What is shown of a row, as SQL.

use crate::columns::Columns;
use crate::dialect::Dialect;
use crate::grammar::path::{End, JsonPath};
use crate::grammar::select::{Aggregate, Cast, Shown, What};
use crate::sql::SqlText;
use crate::{ColumnKind, Value};

/// Writes one expression.
pub(crate) fn write(shown: &Shown, columns: &Columns, sql: &mut SqlText) {
    let Some(cast) = shown.cast else { return write_what(&shown.what, columns, sql) };
    let is_truth =
        matches!(shown.what, What::Column(place) if columns.field(place).kind == ColumnKind::Boolean);
    if is_truth && cast == Cast::Text {
        // A database that keeps truth as a number would show that.
        sql.push("case when ");
        write_what(&shown.what, columns, sql);
        sql.push(" then 'true' when not ");
        write_what(&shown.what, columns, sql);
        sql.push(" then 'false' end");
        return;
    }
    sql.push("cast(");
    write_what(&shown.what, columns, sql);
    let name = sql.dialect.types[cast as usize];
    sql.push(" as ").push(name).push(")");
}

/// Adds the values of what [`write`] writes: ways into documents.
pub(crate) fn bind<'a>(
    shown: impl IntoIterator<Item = &'a Shown>,
    dialect: &'static Dialect,
    out: &mut Vec<Value>,
) {
    for shown in shown {
        if let What::Within(_, path) = &shown.what {
            out.push(Value::Text((dialect.json.path)(path)));
        }
    }
}

/// Writes several with commas between.
pub(crate) fn write_all<'a>(
    shown: impl IntoIterator<Item = &'a Shown>,
    columns: &Columns,
    sql: &mut SqlText,
) {
    for (place, shown) in shown.into_iter().enumerate() {
        sql.push(if place > 0 { ", " } else { "" });
        write(shown, columns, sql);
    }
}

/// A way into a document takes the next parameter.
fn write_within(place: usize, path: &JsonPath, columns: &Columns, sql: &mut SqlText) {
    let forms = &sql.dialect.json;
    let number = sql.reserve();
    let parameter = sql.placeholder(number);
    let document = forms.at.replace("{p}", &parameter).replace("{c}", &columns.field(place).quoted);
    let text = match path.end {
        End::Document => document,
        End::Text => forms.text.replace("{j}", &document),
    };
    sql.push(&text);
}

fn write_what(what: &What, columns: &Columns, sql: &mut SqlText) {
    let (aggregate, place) = match what {
        What::Column(place) => {
            sql.push(&columns.field(*place).quoted);
            return;
        }
        What::Count => {
            sql.push("count(*)");
            return;
        }
        What::Within(place, path) => return write_within(*place, path, columns, sql),
        What::Aggregate(aggregate, place) => (*aggregate, *place),
    };
    let field = columns.field(place);
    // Sums and means of whole numbers are of another type than their column in some databases.
    let as_type = match aggregate {
        Aggregate::Avg => Some(Cast::Real),
        Aggregate::Sum if field.kind == ColumnKind::Integer => Some(Cast::Integer),
        _ => None,
    };
    sql.push(if as_type.is_some() { "cast(" } else { "" });
    sql.push(aggregate.word()).push("(").push(&field.quoted).push(")");
    if let Some(cast) = as_type {
        let name = sql.dialect.types[cast as usize];
        sql.push(" as ").push(name).push(")");
    }
}
