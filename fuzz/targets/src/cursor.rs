//! Cursors: sealed, opened, changed.
//!
//! The first line is a list's query string, the second a cursor that a caller sends, the rest values of the row
//! that the page ends with. Holds for every input: a cursor is good for its own list, and after any change for none.

use kasoku_problem::Kind;
use kasoku_sql_plan::{ListPlan, Value};

use crate::parts::{lines, text};
use crate::shop::{CURSORS, PLANNER};

/// Takes any bytes.
pub fn run(input: &[u8]) {
    let [query, sent, values] = lines(input);
    let query = &*text(query);
    let _ = PLANNER.list(Some(&format!("cursor={}", text(sent))), None, &CURSORS);
    let Ok(plan) = PLANNER.list(Some(query), None, &CURSORS) else { return };
    let values = row(values);
    let mut rows = vec![(); plan.limit as usize + 1];
    let page = plan.page(&mut rows, |(), place| values[place % values.len()].clone(), &CURSORS);
    let Ok(page) = page else { return };
    for cursor in [page.next, page.prev].into_iter().flatten() {
        match follow(query, &cursor) {
            // A NULL can only stand where the schema allows it, which no row contradicts.
            Err(Kind::CursorInvalid) if values.contains(&Value::Null) => {}
            // Two cursors in one query string, or a longer one than is read.
            Ok(_) | Err(Kind::InvalidParameter | Kind::Malformed) => {}
            Err(kind) => panic!("{kind:?} of a cursor of its own: {query} {cursor}"),
        }
        changed(query, &cursor, sent);
    }
}

fn follow(query: &str, cursor: &str) -> Result<ListPlan, Kind> {
    let query = format!("{query}&cursor={cursor}");
    PLANNER.list(Some(&query), None, &CURSORS).map_err(|problem| problem.kind())
}

/// Another character at a place that the input chooses.
fn changed(query: &str, cursor: &str, chooser: &[u8]) {
    let [place, other] = [0, 1].map(|at| usize::from(chooser.get(at).copied().unwrap_or_default()));
    let (mut bytes, place) = (cursor.as_bytes().to_vec(), place % cursor.len());
    bytes[place] = b"ABCabc019-_."[other % 12];
    let other = String::from_utf8(bytes).expect("cursors are ASCII");
    assert!(other == cursor || follow(query, &other).is_err(), "{other} is taken for {cursor}");
}

/// Values from bytes: their kind by the first, then what is left of eight.
fn row(bytes: &[u8]) -> Vec<Value> {
    let value = |bytes: &[u8]| {
        let number = bytes[1..].iter().fold(0, |number, byte| (number << 8) | i64::from(*byte));
        match bytes[0] % 5 {
            0 => Value::Null,
            1 => Value::Integer(number.wrapping_neg()),
            2 => Value::Real(f64::from_bits(number as u64)),
            3 => Value::Text(text(&bytes[1..]).into_owned()),
            _ => Value::Blob(bytes[1..].to_vec()),
        }
    };
    let values: Vec<Value> = bytes.chunks(9).map(value).collect();
    if values.is_empty() { vec![Value::Integer(1)] } else { values }
}
