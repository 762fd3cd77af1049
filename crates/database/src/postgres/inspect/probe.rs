//! A view that is made of a statement, and what the server writes down about it.
//!
//! The server keeps the parsed query of each view as a tree, in text form. The tree names everything that is read and
//! called; what the view depends on, it keeps beside it, columns among them.

use std::collections::BTreeSet;

use kasoku_sql_plan::named;

use super::Inspector;
use crate::error::DatabaseError;

/// The rules of the probe, of the views behind it, and the policies of the tables that have some.
const SOURCES: &str = "
    with recursive source(class, id, relation, tree) as (
        select 'pg_rewrite'::regclass::oid, r.oid, r.ev_class, r.ev_action::text
        from pg_rewrite r where r.ev_class = 'pg_temp.kasoku_probe'::regclass
        union
        select next.class, next.id, next.relation, next.tree
        from source s
        join pg_depend d on d.classid = s.class and d.objid = s.id
             and d.refclassid = 'pg_class'::regclass and d.refobjid <> s.relation
        join pg_class c on c.oid = d.refobjid
        cross join lateral (
            select 'pg_rewrite'::regclass::oid as class, r.oid as id, r.ev_class as relation,
                   r.ev_action::text as tree
            from pg_rewrite r where r.ev_class = c.oid and c.relkind = 'v' and r.rulename = '_RETURN'
            union all
            select 'pg_policy'::regclass::oid, p.oid, p.polrelid, p.polqual::text
            from pg_policy p where p.polrelid = c.oid and c.relrowsecurity and p.polcmd in ('r', '*')
        ) next
    )";

/// What a statement is made of.
#[derive(Debug, Default)]
pub(super) struct Probe {
    /// The numbers of the relations.
    pub(super) relations: BTreeSet<u32>,
    /// The numbers of the functions, also of those behind operators and aggregates.
    pub(super) functions: BTreeSet<u32>,
    /// Words of SQL that stand for a function: `current_date`, `current_user`.
    pub(super) words: BTreeSet<&'static str>,
    /// Whether rows are locked.
    pub(super) locks: bool,
    /// Relations with the columns that are read from them.
    pub(super) columns: Vec<(u32, String)>,
}

/// Words of SQL that stand for a function, by their number in the tree.
const VALUE_WORDS: &[&str] = &[
    "current_date",
    "current_time",
    "current_time",
    "current_timestamp",
    "current_timestamp",
    "localtime",
    "localtime",
    "localtimestamp",
    "localtimestamp",
    "current_role",
    "current_user",
    "user",
    "session_user",
    "current_catalog",
    "current_schema",
];

impl Probe {
    /// Makes a view of a statement, and looks at it; `None` if it writes, and so can be none.
    pub(super) fn of(
        inspector: &Inspector,
        sql: &str,
        prepared: &tokio_postgres::Statement,
    ) -> Result<Option<Self>, DatabaseError> {
        let types: Vec<u32> = prepared.params().iter().map(tokio_postgres::types::Type::oid).collect();
        let names = "select format_type(oid, null) from unnest($1::oid[]) with ordinality as p(oid, place) \
                     order by place";
        let types: Vec<String> = inspector.query(names, &[&types])?.iter().map(|row| row.get(0)).collect();
        let numbered = named::numbered(sql, |_| true);
        let valued = named::valued(&numbered.text, |number| match types.get(number - 1) {
            Some(name) => format!("cast(null as {name})"),
            None => "null".to_owned(),
        });
        let statements = named::statements(&valued);
        let [statement] = statements.as_slice() else {
            let message = format!("there must be exactly one statement, and there are {}", statements.len());
            return Err(DatabaseError::Sql { code: "42601".into(), message: message.into(), offset: None });
        };
        // Below `exists` columns may have any type, and one name. The line's end ends a comment.
        let view = format!("create temporary view kasoku_probe as select exists (\n{statement}\n) as found");
        inspector.run("savepoint kasoku_probe")?;
        match inspector.run(&view) {
            Ok(()) => {}
            // It was prepared before, so it is right in itself: it is no query, or a part of it writes.
            Err(DatabaseError::Sql { code, .. }) if matches!(&*code, "42601" | "0A000") => {
                inspector.run("rollback to kasoku_probe")?;
                return Ok(None);
            }
            Err(DatabaseError::ReadOnly | DatabaseError::Refused(_)) => {
                let message = "the user may not make a temporary view, by which queries are inspected";
                return Err(DatabaseError::Refused(message.into()));
            }
            Err(error) => return Err(error),
        }
        let mut probe = Self::default();
        let trees =
            inspector.query(&format!("{SOURCES} select tree from source where tree is not null"), &[])?;
        for row in &trees {
            probe.read(row.get(0));
        }
        let columns = inspector.query(
            &format!(
                "{SOURCES} select distinct d.refobjid, a.attname::text from source s
                 join pg_depend d on d.classid = s.class and d.objid = s.id
                      and d.refclassid = 'pg_class'::regclass and d.refobjid <> s.relation
                 join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
                 where d.refobjsubid > 0"
            ),
            &[],
        )?;
        probe.columns = columns.iter().map(|row| (row.get(0), row.get(1))).collect();
        Ok(Some(probe))
    }

    /// Reads a tree: `{FUNCEXPR :funcid 1299 …}`.
    fn read(&mut self, tree: &str) {
        let mut words = tree.split([' ', '\n', '(', ')', '{', '}']).filter(|word| !word.is_empty());
        let mut value_word = false;
        while let Some(word) = words.next() {
            let mut number = || words.next().and_then(|text| text.parse::<u32>().ok()).filter(|oid| *oid > 0);
            match word {
                ":relid" => self.relations.extend(number()),
                ":funcid" | ":opfuncid" | ":aggfnoid" | ":winfnoid" => self.functions.extend(number()),
                ":hasForUpdate" => self.locks |= words.next() == Some("true"),
                "SQLVALUEFUNCTION" => value_word = true,
                ":op" if value_word => {
                    let number = words.next().and_then(|text| text.parse::<usize>().ok());
                    self.words.extend(number.and_then(|number| VALUE_WORDS.get(number)));
                    value_word = false;
                }
                "TABLESAMPLECLAUSE" => {
                    self.words.insert("tablesample");
                }
                _ => {}
            }
        }
    }
}
