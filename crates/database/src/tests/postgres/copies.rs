//! Copies of a schema on a server: what plans and indexes say, and that nothing of them is left.

use kasoku_sql_plan::proof::{Reach, SortWork};

use super::*;
use crate::{Migration, SchemaCopy};

const SCHEMA: &str = "
    create table shelf (code text primary key, room text not null);
    create table item (id bigint generated always as identity primary key,
        shelf text not null references shelf (code) on delete cascade,
        price double precision, name varchar(20) not null unique, gone_at timestamptz);
    create index by_shelf on item (shelf, price desc nulls last) where gone_at is null;
    create index by_word on item (lower(name));
    create index by_price on item (price, id);
    create view cheap as select id, price from item where price < 3;";

fn migration() -> Migration {
    Migration { name: "1.sql".into(), sql: SCHEMA.into() }
}

#[test]
fn plans_are_told_in_words_of_the_schema() {
    let place = Postgres::shared().database();
    let copy = SchemaCopy::of_server(&PostgresSettings::new(place.url()), &[migration()]).unwrap();
    let cases = [
        ("select * from item where id = $1", "item Point item_pkey [id] -", SortWork::None),
        ("select * from item where name = $1", "item Point item_name_key [name] -", SortWork::None),
        ("select * from item where id = any($1)", "item Point item_pkey [id] -", SortWork::None),
        (
            "select * from item where id > $1 order by id limit $2",
            "item Part item_pkey [] id",
            SortWork::None,
        ),
        ("select * from item order by id limit $1", "item All item_pkey [] -", SortWork::None),
        ("select * from item order by name desc, price", "item All item_name_key [] -", SortWork::Ties),
        ("select * from item order by gone_at", "item All - [] -", SortWork::All),
        (
            "select * from item where (price, id) > ($1, $2) order by price, id limit 3",
            "item Part by_price [] price",
            SortWork::None,
        ),
        (
            "select * from item where gone_at is null and shelf = $1 and price < $2 order by price desc nulls last",
            "item Part by_shelf [shelf] price",
            SortWork::None,
        ),
        ("select * from item where lower(name) = $1", "item All by_word [] -", SortWork::None),
        ("select * from item where gone_at > $1", "item All - [] -", SortWork::None),
        (
            "select i.id from shelf s join item i on i.shelf = s.code and i.gone_at is null where s.code = $1",
            "i Part by_shelf [shelf] -; s Point shelf_pkey [code] -",
            SortWork::None,
        ),
        ("delete from item where id = $1", "item Point item_pkey [id] -", SortWork::None),
        ("select id from cheap where price > $1", "item Part by_price [] price", SortWork::None),
    ];
    for (sql, expected, sort) in cases {
        let planned = copy.plan(sql).unwrap();
        let step = |step: &kasoku_sql_plan::proof::Step| {
            let index = step.index.as_deref().filter(|_| step.reach != Reach::All || sort != SortWork::All);
            let index = index.filter(|_| !sql.contains("gone_at > ")).unwrap_or("-");
            let bounded = step.bounded.as_deref().unwrap_or("-");
            format!("{} {:?} {index} [{}] {bounded}", step.table, step.reach, step.equal.join(" "))
        };
        let mut told: Vec<String> = planned.steps.iter().map(step).collect();
        told.sort();
        assert_eq!((told.join("; ").as_str(), planned.sort), (expected, sort), "{sql}: {planned:?}");
    }
    assert!(copy.plan("select nothing from item").is_err());
    assert!(copy.plan("select 1").is_ok(), "a statement that cannot be planned ends nothing");
}

#[test]
fn a_copy_of_a_database_has_its_indexes_and_leaves_no_trace() {
    let place = Postgres::shared().database();
    place.psql(SCHEMA);
    let before = place.psql("select count(*) from pg_class union all select count(*) from pg_namespace");
    let settings = PostgresSettings::new(place.url());
    let told = |copy: &SchemaCopy| -> Vec<String> {
        let index = |index: &kasoku_sql_plan::proof::Index| {
            let column = |column: &kasoku_sql_plan::proof::IndexColumn| {
                let name = column.name.as_deref().unwrap_or("(expression)");
                let direction = if column.descending { " desc" } else { "" };
                format!("{name}{direction}{}", if column.nulls_first { " nulls first" } else { "" })
            };
            let columns: Vec<String> = index.columns.iter().map(column).collect();
            let condition = index.condition.as_deref().unwrap_or("-");
            format!("{} {}; {} {} {condition}", index.name, columns.join(", "), index.unique, index.owned)
        };
        let mut told: Vec<String> = copy.indexes().iter().map(index).collect();
        told.sort();
        told
    };
    let expected = [
        "by_price price, id; false false -",
        "by_shelf shelf, price desc; false false (gone_at IS NULL)",
        "by_word (expression); false false -",
        "item_name_key name; true true -",
        "item_pkey id; true true -",
        "shelf_pkey code; true true -",
    ];
    let mut copy = SchemaCopy::of_server(&settings, &[]).unwrap();
    assert_eq!(told(&copy), expected);
    let references = copy.references().unwrap();
    assert_eq!((references.len(), &references[0].columns[..]), (1, &["shelf".to_owned()][..]));
    assert!(references[0].cascades && references[0].parent == "shelf");
    copy.change("create index further on item (gone_at, id);").unwrap();
    assert_eq!(copy.plan("select * from item where gone_at > $1").unwrap().steps[0].reach, Reach::Part);
    copy.change("drop index further;").unwrap();
    assert_eq!(told(&copy), expected);
    drop(copy);
    let of_files = SchemaCopy::of_server(&settings, &[migration()]).unwrap();
    assert_eq!(told(&of_files), expected);
    drop(of_files);
    let after = place.psql("select count(*) from pg_class union all select count(*) from pg_namespace");
    assert_eq!(after, before);
}

#[test]
fn files_that_cannot_be_applied_are_an_error_and_not_a_hang() {
    let place = Postgres::shared().database();
    let settings = PostgresSettings::new(place.url());
    let wrong = Migration { name: "1.sql".into(), sql: "create table broken (".into() };
    assert!(SchemaCopy::of_server(&settings, &[wrong]).is_err());
    let nobody = PostgresSettings::new("postgres://nobody@127.0.0.1:1/none");
    assert!(SchemaCopy::of_server(&nobody, &[]).is_err());
}
