//! Tables of schemas and rules, and what is said of them. Whatever is refused passes once what is offered is applied.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use kasoku_config::{Overrides, load_text};

use super::{Proof, SpareReason, prove};

const ITEMS: &str = "create table items (id integer primary key, name text not null, shelf integer not null,
    price real not null, live boolean not null, due text, gone_at text);";

/// Proves an app of one route; `further` is a second schema file.
fn proof_of(schema: &str, further: &str, database: &str, route: &str) -> Proof {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("schema")).unwrap();
    std::fs::write(folder.path().join("schema/001.sql"), schema).unwrap();
    if !further.is_empty() {
        std::fs::write(folder.path().join("schema/002.sql"), further).unwrap();
    }
    let toml = format!(
        "[database]\nurl = \"sqlite::memory:\"\nschema = \"schema/\"\n{database}\n[[route]]\npath = \"/items\"\n{route}\n"
    );
    let loaded = load_text(&toml, "kasoku.toml", folder.path(), &Overrides::default(), &BTreeMap::new());
    let loaded = loaded.unwrap_or_else(|found| panic!("{found}"));
    prove(&loaded.plan).unwrap()
}

fn offered(proof: &Proof) -> Vec<&str> {
    proof.migration.iter().map(|offer| offer.create.as_str()).collect()
}

#[test]
fn what_is_refused_passes_once_the_offered_indexes_are_there_and_not_before() {
    let cases: &[(&str, &str, &[&str])] = &[
        // (more of the schema, the route, the indexes that are offered)
        ("", r#"table = "items""#, &[]),
        ("", r#"table = "items"
            order = ["price"]"#, &["create index items_by_price on items (price, id);"]),
        ("", r#"table = "items"
            order = ["-price,name"]"#, &["create index items_by_price_and_name on items (price, name desc, id desc);"]),
        ("", r#"table = "items"
            order = ["due"]"#, &["create index items_by_due on items (due, id);"]),
        ("", r#"table = "items"
            filter = ["live"]"#, &["create index items_by_live_and_id on items (live, id);"]),
        // One index serves both the filter alone, in the order of the sort, and nothing shorter is offered.
        ("", r#"table = "items"
            filter = ["shelf"]
            order = ["price"]
            proof = { may_skip = ["shelf"], may_sort = ["shelf"] }"#,
            &["create index items_by_price on items (price, id);"]),
        ("create index by_shelf on items (shelf);", r#"table = "items"
            filter = ["live"]
            order = ["price"]"#,
            &["create index items_by_live_and_price on items (live, price, id);",
              "create index items_by_price on items (price, id);"]),
        // Deleted rows are in no index of the route.
        ("", r#"table = "items"
            order = ["price"]
            soft_delete = "gone_at""#, &["create index items_by_price on items (price, id) where gone_at is null;"]),
        ("", r#"table = "items"
            filter = ["live", "name"]
            proof = { together = [["live", "name"]], may_skip = ["name", "live"], may_sort = ["name"] }
            write = ["update"]"#,
            &["create index items_by_live_and_id on items (live, id);",
                "create index items_by_live_and_name on items (live, name);",
              "create index items_by_name on items (name);"]),
        ("", r#"query = "select name from items where shelf = :shelf order by price""#,
            &["create index items_by_shelf_and_price on items (shelf, price);"]),
        ("create table shelves (id integer primary key, room text not null);",
            r#"query = "select i.name from shelves s join items i on i.shelf = s.id where s.room = :room""#,
            &["create index items_by_shelf on items (shelf);", "create index shelves_by_room on shelves (room);"]),
        ("create table parts (item integer references items (id) on delete cascade, number integer primary key);
          create table screws (part integer references parts (number), length integer);",
            r#"table = "items"
            write = ["delete"]"#,
            &["create index parts_by_item on parts (item);", "create index screws_by_part on screws (part);"]),
        // What a trigger reads is planned with what sets it off.
        ("create table log (item integer, note text); create index log_by_item on log (item);
          create trigger logged after update on items begin delete from log where item = new.id; end;",
            r#"table = "items"
            write = ["update"]"#, &[]),
    ];
    let mut wrong: Vec<String> = Vec::new();
    for (more, route, expected) in cases {
        let schema = format!("{ITEMS}\n{more}");
        let before = proof_of(&schema, "", "", route);
        if before.has_errors() == expected.is_empty() || offered(&before) != *expected {
            wrong.push(format!("{route}\nexpected {expected:?}\n{before}\n"));
        }
        let after = proof_of(&schema, &before.migration_sql(), "", route);
        if !after.findings.is_empty() || !after.migration.is_empty() {
            wrong.push(format!("{route}\nafterwards\n{after}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn what_no_index_gives_is_refused_with_advice_until_the_route_accepts_it() {
    let indexed = format!(
        "{ITEMS}
        create index by_price on items (price, id); create index by_shelf on items (shelf, id);"
    );
    let cases: &[(&str, &str, &str, &str)] = &[
        (
            r#"table = "items"
            filter = ["price"]"#,
            "skips",
            "proof.may_skip",
            r#"proof = { may_skip = ["price"] }"#,
        ),
        (
            r#"table = "items"
            filter = ["shelf"]"#,
            "skips",
            "proof.may_skip",
            r#"proof = { may_skip = ["shelf"] }"#,
        ),
    ];
    for (route, reason, advice, accepted) in cases {
        let refused = proof_of(&indexed, "", "", route);
        let found: Vec<&str> = refused.findings.iter().map(|finding| finding.reason).collect();
        assert_eq!(found, [*reason], "{route}\n{refused}");
        let said = refused.findings[0].advice.as_deref().unwrap_or_default();
        assert!(said.contains(advice), "{said}");
        assert!(refused.migration.is_empty(), "{refused}");
        let accepting = proof_of(&indexed, "", "", &format!("{route}\n{accepted}"));
        assert!(accepting.findings.is_empty(), "{route}\n{accepting}");
    }
}

#[test]
fn a_request_at_fault_is_named_as_a_caller_would_write_it() {
    let proof = proof_of(
        ITEMS,
        "",
        "",
        "table = \"items\"\nfilter = [\"name\"]\norder = [\"-id\", \"price\"]\nproof = { may_skip = [\"name\"] }",
    );
    let requests: Vec<&String> = proof
        .findings
        .iter()
        .flat_map(|finding| std::iter::once(&finding.request).chain(&finding.others))
        .collect();
    assert!(requests.iter().any(|request| *request == "GET /items?order=price.asc"), "{requests:?}");
    assert!(
        requests.iter().any(|request| request.starts_with("GET /items?name=eq.…&order=price.desc")),
        "{requests:?}"
    );
    let text = proof.to_string();
    assert!(text.contains("error[proof]: GET /items?") && text.contains("undo: drop index"), "{text}");
}

#[test]
fn levels_decide_whether_a_refusal_is_an_error_a_warning_or_nothing() {
    let route = "table = \"items\"\norder = [\"price\"]";
    let found = |database: &str, route: &str| {
        let proof = proof_of(ITEMS, "", database, route);
        (proof.has_errors(), proof.findings.first().map(|finding| finding.severity))
    };
    assert_eq!(found("", route), (true, Some("error")));
    assert_eq!(found("proof = \"warn\"", route), (false, Some("warning")));
    assert_eq!(found("proof = \"off\"", route), (false, None));
    assert_eq!(found("proof = \"off\"", &format!("{route}\nproof = \"require\"")), (true, Some("error")));
    assert_eq!(found("", &format!("{route}\nproof = {{ level = \"warn\" }}")), (false, Some("warning")));
    assert_eq!(found("small = [\"items\"]", route), (false, None));
}

#[test]
fn indexes_that_serve_nothing_are_told_and_those_that_serve_are_not() {
    let schema = format!(
        "{ITEMS}
        create index by_price on items (price, id); create index again on items (price, id);
        create index beginning on items (shelf); create index whole on items (shelf, price, id);
        create index unread on items (due); create unique index kept_apart on items (name, due);
        create index of_deleted on items (live) where gone_at is not null;"
    );
    let route =
        "table = \"items\"\nfilter = [\"shelf\"]\norder = [\"price\"]\nproof = { may_skip = [\"shelf\"] }";
    let proof = proof_of(&schema, "", "", route);
    assert!(proof.findings.is_empty(), "{proof}");
    let told: Vec<_> = proof.spare.iter().map(|spare| (spare.name.as_str(), spare.reason)).collect();
    assert_eq!(
        told,
        [
            ("again", SpareReason::Duplicate),
            ("beginning", SpareReason::Beginning),
            ("unread", SpareReason::Unread),
            ("of_deleted", SpareReason::Unread),
        ],
        "{proof}"
    );
}

#[test]
fn an_index_is_not_called_spare_where_a_statement_would_miss_it() {
    // The order of `id` within a shelf is what the shorter one gives.
    let schema = format!(
        "{ITEMS}
        create index by_shelf on items (shelf, id); create index longer on items (shelf, price, id);"
    );
    let route =
        "table = \"items\"\nfilter = [\"shelf\"]\norder = [\"id\"]\nproof = { may_skip = [\"shelf\"] }";
    let proof = proof_of(&schema, "", "", route);
    assert!(proof.spare.iter().all(|spare| spare.name != "by_shelf"), "{proof}");
}

#[test]
fn a_file_without_schema_files_is_proven_as_it_is_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let migrations = [kasoku_database::Migration { name: "1".into(), sql: format!("{ITEMS}
        create index \"odd (name\" on items (price, id) where live is null;
        create virtual table words using fts5(word); create view cheap as select id from items where price < 3;") }];
    let settings = kasoku_database::Settings { path: Some(file.clone()), ..Default::default() };
    let sequence = Arc::new(kasoku_coherence::Sequence::new());
    let database =
        kasoku_database::Database::open(&settings, &migrations, sequence, Arc::new(kasoku_observe::Silent));
    let database = database.unwrap();
    database.close();
    drop(database);
    let before = std::fs::read(&file).unwrap();
    let toml = "[database]\nurl = \"sqlite:shop.db\"\n[[route]]\npath = \"/items\"\ntable = \"items\"\norder = [\"price\"]\n";
    let loaded =
        load_text(toml, "kasoku.toml", Path::new(folder.path()), &Overrides::default(), &BTreeMap::new())
            .unwrap();
    let proof = prove(&loaded.plan).unwrap();
    assert_eq!(offered(&proof), ["create index items_by_price on items (price, id);"], "{proof}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn an_app_without_a_database_has_nothing_to_prove() {
    let folder = tempfile::tempdir().unwrap();
    let toml = "[[route]]\npath = \"/{*rest}\"\norigin = \"http://127.0.0.1:3000\"\n";
    let loaded =
        load_text(toml, "kasoku.toml", folder.path(), &Overrides::default(), &BTreeMap::new()).unwrap();
    assert_eq!(prove(&loaded.plan).unwrap().to_string(), "");
}
