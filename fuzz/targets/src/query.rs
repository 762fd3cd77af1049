//! Query strings of lists, rows and changes.
//!
//! Holds for every input: planning it again gives the same text and values, whatever was planned in between.

use kasoku_sql_plan::{CountRule, Missing, Resolution, Target, Value};

use crate::parts::text;
use crate::shop::{CURSORS, PLANNER};

/// Takes any bytes.
pub fn run(input: &[u8]) {
    let query = &*text(input);
    let list = || PLANNER.list(Some(query), Some(CountRule::Exact), &CURSORS);
    let planned = list().ok();
    let _ = PLANNER.one(query, Some(query));
    let body = serde_json::from_str(query).unwrap_or_else(|_| serde_json::Value::from(query));
    let _ = PLANNER.insert(Some(query), &body, Missing::Null);
    let _ = PLANNER.upsert(Some(query), &body, Resolution::Merge, Missing::Null);
    let _ = PLANNER.update_each(Some(query), &body);
    let _ = PLANNER.put(query, None, &body);
    let _ = PLANNER.update(Target::Filters, Some(query), &body, Some(1));
    let _ = PLANNER.delete(Target::Filters, Some(query), None, Value::Null);
    if let Some(planned) = planned {
        let again = list().expect("what was planned once can be planned again");
        assert_eq!(planned.statement, again.statement);
        assert_eq!(planned.tags, again.tags);
    }
}
