//! Empty copies of a schema: how statements would be run on them, and what they hold.

use kasoku_sql_plan::proof::{Reach, SortWork};

use super::*;
use crate::SchemaCopy;

const SCHEMA: &str = "
    create table shelf (code text primary key, room text not null) without rowid;
    create table item (id integer primary key, shelf text not null references shelf (code) on delete cascade,
        price real, note text, gone_at text);
    create table pair (a int not null, b int not null, foreign key (a, b) references other (x, y));
    create index by_shelf on item (shelf, price desc) where gone_at is null;
    create index by_word on item (lower(note));
    create unique index by_note on item (note, price);
    insert into shelf values ('a', 'b'); analyze;";

fn copy() -> SchemaCopy {
    SchemaCopy::of_migrations(&[file("1.sql", SCHEMA)]).unwrap()
}

#[test]
fn plans_are_told_in_words_of_the_schema() {
    let cases = [
        ("select * from item where id = ?1", "item Point - [id] -", SortWork::None),
        ("select * from item where id > ?1 order by id", "item Part - [] id", SortWork::None),
        ("select * from item order by id", "item All - [] -", SortWork::None),
        ("select * from item order by price", "item All - [] -", SortWork::All),
        (
            "select * from item where shelf = ?1 and price < ?2 and gone_at is null order by price desc, id limit 2",
            "item Part by_shelf [shelf] price",
            SortWork::None,
        ),
        (
            "select * from item where gone_at is null and shelf = ?1 order by price desc, note",
            "item Part by_shelf [shelf] -",
            SortWork::Ties,
        ),
        (
            "select * from item where note = ?1 and price = ?2",
            "item Point by_note [note price] -",
            SortWork::None,
        ),
        ("select * from shelf where code > ?1", "shelf Part - [] code", SortWork::None),
        (
            "select * from item i, pair p where p.a = i.price and i.id = ?1",
            "i Point - [rowid] -; p All - [] -",
            SortWork::None,
        ),
        ("select * from pair x join pair y on x.a = y.b", "x All - [] -; y All - [b] -", SortWork::None),
    ];
    for (sql, expected, sort) in cases {
        let planned = copy().plan(sql).unwrap();
        let step = |step: &kasoku_sql_plan::proof::Step| {
            let index = step.index.as_deref().unwrap_or("-");
            let bounded = step.bounded.as_deref().unwrap_or("-");
            format!("{} {:?} {index} [{}] {bounded}", step.table, step.reach, step.equal.join(" "))
        };
        let told: Vec<String> = planned.steps.iter().map(step).collect();
        assert_eq!((told.join("; ").as_str(), planned.sort), (expected, sort), "{sql}: {planned:?}");
    }
}

#[test]
fn indexes_and_references_are_described() {
    let copy = copy();
    let told: Vec<String> = copy
        .indexes()
        .iter()
        .map(|index| {
            let columns = index.columns.iter().map(|column| {
                let name = column.name.as_deref().unwrap_or("(expression)");
                format!("{name}{}", if column.descending { " desc" } else { "" })
            });
            let columns = columns.collect::<Vec<_>>().join(", ");
            let condition = index.condition.as_deref().unwrap_or("-");
            format!("{} {columns}; {} {} {condition}", index.name, index.unique, index.owned)
        })
        .collect();
    let expected = [
        "by_shelf shelf, price desc; false false gone_at is null",
        "by_word (expression); false false -",
        "by_note note, price; true false -",
        "sqlite_autoindex_shelf_1 code; true true -",
    ];
    assert_eq!(told, expected);
    let references: Vec<String> = copy
        .references()
        .unwrap()
        .iter()
        .map(|found| {
            format!("{} {} {} {}", found.table, found.columns.join(","), found.parent, found.cascades)
        })
        .collect();
    assert_eq!(references, ["item shelf shelf true", "pair a,b other false"]);
}

#[test]
fn an_index_that_is_made_changes_plans_until_it_is_dropped() {
    let mut copy = copy();
    let sql = "select * from pair where a = ?1";
    let reach = |copy: &SchemaCopy| copy.plan(sql).unwrap().steps[0].reach;
    assert_eq!(reach(&copy), Reach::All);
    copy.change("create index by_a on pair (a);").unwrap();
    assert_eq!(reach(&copy), Reach::Part);
    assert!(copy.indexes().iter().any(|index| index.name == "by_a"));
    copy.change("drop index by_a;").unwrap();
    assert_eq!(reach(&copy), Reach::All);
    assert!(copy.change("create index by_z on pair (z)").is_err());
    assert!(copy.plan("select nothing from pair").is_err());
}
