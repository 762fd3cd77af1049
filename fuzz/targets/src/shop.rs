//! The table that requests are planned for: a column of every kind, every operation allowed.

use std::sync::{Arc, LazyLock};

use kasoku_database::{Migration, describe_migrations};
use kasoku_sql_plan::{
    AggregateRules, CountRule, Counts, CursorKey, Dialect, PageRules, Schema, TablePlanner, TableRules,
    TagRules, WriteRules, parse_sort,
};

/// Of the table, whose name is in [`rules`] too.
pub(crate) const SQL: &str = "
    create table things (
        id integer primary key, name text not null unique, kind text not null default 'plain', price real,
        live boolean not null default 1, extra json check (extra is null or json_valid(extra)), picture blob,
        made numeric, loose, deleted_at text);
    create index things_by_price on things (price, id);
    create index things_by_kind on things (kind, price, id);";

/// The migration with the table.
pub(crate) fn migration() -> Migration {
    Migration { name: "001-things.sql".into(), sql: SQL.into() }
}

/// What the database says of it.
pub(crate) static SCHEMA: LazyLock<Schema> =
    LazyLock::new(|| describe_migrations(&[migration()]).expect("the schema is sound"));

/// Signs its cursors.
pub(crate) static CURSORS: LazyLock<CursorKey> = LazyLock::new(|| CursorKey::derive(b"a secret"));

/// Plans its requests.
pub(crate) static PLANNER: LazyLock<TablePlanner> = LazyLock::new(planner);

/// What its route serves.
pub(crate) fn rules() -> TableRules {
    let shown = ["id", "name", "kind", "price", "live", "extra", "picture", "made", "loose"];
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let sorts = ["id", "-price", "kind,-price", "-kind,price,id", "name"];
    TableRules {
        table: "things".into(),
        select: names(&shown),
        filter: names(&shown),
        plain: names(&["kind", "price"]),
        order: sorts.map(|sort| parse_sort(sort).expect("a sort")).into(),
        page: PageRules { default: 3, most: 50, offset_most: 0 },
        counts: Counts {
            default: CountRule::None,
            allowed: vec![CountRule::Estimated, CountRule::Capped, CountRule::Exact],
            cap: 20,
        },
        write: WriteRules {
            insert: true,
            update: true,
            update_each: true,
            upsert: true,
            delete: true,
            rows_most: 50,
        },
        envelope: None,
        soft_delete: Some("deleted_at".into()),
        embeds: Vec::new(),
        embed_rows_most: 1_000,
        aggregate: AggregateRules::Shown,
        row_rule: None,
    }
}

/// A planner with nothing remembered.
pub(crate) fn planner() -> TablePlanner {
    let rules = rules();
    let table = SCHEMA.table(&rules.table).expect("the table is in its schema");
    let tags = Arc::new(TagRules::new(table, &[&rules], &[]));
    TablePlanner::new("/things", &SCHEMA, &rules, Dialect::SQLITE, &|_| Arc::clone(&tags))
        .expect("the rules are sound")
}
