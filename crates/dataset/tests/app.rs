//! The configuration and the folders that are written around data.

use std::path::Path;

use kasoku_database::{Inspector, Migration, describe_migrations};
use kasoku_dataset::{
    AppAccess, AppOptions, DatasetError, KeyShape, TableShape, app_text, describe, import, new_app, paths,
    recognise,
};
use kasoku_sql_plan::{
    AggregateRules, CountRule, Counts, Dialect, PageRules, Schema, TableRules, WriteRules, check, parse_sort,
};

const SHOPS: &str =
    "id,Shop Name,order,opened,tags\n1,\"A \"\"b\"\"\",5,2013-07-20,[1]\n2,C,6,2014-01-01,[]\n";

/// A text as the configuration reads it: `$${` stands for `${`.
fn plain_text(value: &toml::Value) -> String {
    value.as_str().expect("it is a text").replace("$${", "${")
}

/// Holds the routes of a configuration against what the database has.
fn check_routes(text: &str, schema: &Schema) -> usize {
    let app: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    let routes = app["route"].as_array().expect("there are routes");
    let names = |route: &toml::Value, setting: &str| -> Vec<String> {
        let list = route.get(setting).and_then(toml::Value::as_array).cloned().unwrap_or_default();
        list.iter().map(plain_text).collect()
    };
    for route in routes {
        let path = route["path"].as_str().expect("a path");
        assert!(path.starts_with('/') && path.is_ascii() && path != "/health", "{path}");
        let Some(table) = route.get("table") else {
            assert!(route.get("query").is_some());
            continue;
        };
        let writes = names(route, "write");
        let rules = TableRules {
            table: plain_text(table),
            select: names(route, "select"),
            filter: names(route, "filter"),
            plain: names(route, "plain"),
            order: names(route, "order").iter().map(|sort| parse_sort(sort).expect("a sort")).collect(),
            page: PageRules { default: 20, most: 1_000, offset_most: 0 },
            counts: Counts { default: CountRule::None, allowed: Vec::new(), cap: 10_000 },
            write: WriteRules {
                insert: writes.contains(&"insert".to_owned()),
                update: writes.contains(&"update".to_owned()),
                update_each: false,
                upsert: writes.contains(&"upsert".to_owned()),
                delete: writes.contains(&"delete".to_owned()),
                rows_most: 1_000,
            },
            envelope: None,
            soft_delete: None,
            embeds: Vec::new(),
            embed_rows_most: 10_000,
            aggregate: AggregateRules::None,
            row_rule: None,
        };
        check(&rules, schema, Dialect::SQLITE).unwrap_or_else(|faults| panic!("{faults}\n{text}"));
    }
    routes.len()
}

fn options(access: AppAccess) -> AppOptions {
    AppOptions { title: "An app.".into(), database: "a.db".into(), schema: None, access }
}

/// A database made by this SQL.
fn made_by(sql: &str) -> (tempfile::TempDir, Vec<TableShape>, Schema) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let settings = kasoku_database::Settings { path: Some(path.clone()), ..Default::default() };
    let database = kasoku_database::Database::open(
        &settings,
        &[Migration { name: "001.sql".into(), sql: sql.into() }],
        std::sync::Arc::default(),
        std::sync::Arc::new(kasoku_observe::Silent),
    )
    .unwrap();
    database.close();
    let tables = describe(&path).unwrap();
    let schema = Inspector::of_file(&path).unwrap().schema().unwrap();
    (folder, tables, schema)
}

#[test]
fn an_imported_file_gets_a_configuration_with_reasons() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("Shops 2013.csv");
    std::fs::write(&csv, SHOPS).unwrap();
    let database = folder.path().join("a.db");
    let report = import(&recognise(&csv).unwrap(), &database, &mut |_| {}).unwrap();
    let text = app_text(&report.tables, &options(AppAccess::ReadOnly));
    insta::assert_snapshot!(text);
    let schema = Inspector::of_file(&database).unwrap().schema().unwrap();
    assert_eq!(check_routes(&text, &schema), 1);
    // A later start describes the imported database and serves the same.
    let described = app_text(&describe(&database).unwrap(), &options(AppAccess::ReadOnly));
    assert_eq!(described, text);
}

#[test]
fn tables_views_and_odd_names_of_a_database_are_all_served() {
    let (_folder, tables, schema) = made_by(
        "create table pairs (a text not null, b integer not null, c blob, primary key (a, b)) without rowid;
         create table loose (x, y);
         create index loose_by_y on loose (y);
         create table \"größe, \"\"x\"\"\" (\"a b\" text primary key not null, \"c,d\" text, \"$${x}\" text);
         create table 都市 (id integer primary key, 名前 text);
         create table health (id integer primary key);
         create view sums as select y, count(*) as n from loose group by y;",
    );
    for access in [AppAccess::ReadOnly, AppAccess::ReadWrite] {
        assert_eq!(check_routes(&app_text(&tables, &options(access)), &schema), 6);
    }
    let served: Vec<_> = paths(&tables).into_iter().map(|served| served.path).collect();
    assert_eq!(
        served,
        ["/gr%C3%B6%C3%9Fe_x", "/health_2", "/loose", "/pairs", "/sums", "/%E9%83%BD%E5%B8%82"]
    );
    let keys: Vec<_> = tables.iter().map(|table| table.key.clone()).collect();
    assert_eq!(keys[2], KeyShape::RowNumber);
    assert_eq!(keys[3], KeyShape::Columns(vec![0, 1]));
    assert_eq!(keys[4], KeyShape::None);
    insta::assert_snapshot!(app_text(&tables, &options(AppAccess::ReadWrite)));
}

#[test]
fn large_tables_are_sorted_by_what_is_indexed_only() {
    let (_folder, tables, schema) = made_by(
        "create table numbers (id integer primary key, a integer, b integer);
         create index numbers_by_b on numbers (b);
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
         insert into numbers select i, i % 7, i % 11 from n;",
    );
    let text = app_text(&tables, &options(AppAccess::ReadOnly));
    assert!(text.contains("order = [\"id\", \"b\"]\n"), "{text}");
    assert!(text.contains("filter = [\"id\", \"a\", \"b\"]\n"), "{text}");
    assert_eq!(check_routes(&text, &schema), 1);
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn migrations(folder: &Path) -> Vec<Migration> {
    let mut files: Vec<Migration> = std::fs::read_dir(folder.join("schema"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            Migration { name, sql: std::fs::read_to_string(path).unwrap() }
        })
        .collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

#[test]
fn a_new_app_is_made_around_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("shops.csv");
    std::fs::write(&csv, SHOPS).unwrap();
    let app = folder.path().join("app");
    let made = new_app(&app, Some(&recognise(&csv).unwrap()), &mut |_| {}).unwrap();
    assert_eq!(made.report.unwrap().rows(), 2);
    assert_eq!(files(&app), [".gitignore", "README.md", "kasoku.toml", "schema", "shops.db"]);
    let text = std::fs::read_to_string(app.join("kasoku.toml")).unwrap();
    // The schema file alone gives the same tables as the database that is there.
    let schema = describe_migrations(&migrations(&app)).unwrap();
    assert_eq!(schema, Inspector::of_file(&app.join("shops.db")).unwrap().schema().unwrap());
    assert_eq!(check_routes(&text, &schema), 1);
    insta::assert_snapshot!(std::fs::read_to_string(app.join("schema/001-tables.sql")).unwrap());
}

#[test]
fn the_schema_file_of_a_new_app_applies_to_its_database() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("shops.csv");
    std::fs::write(&csv, SHOPS).unwrap();
    let app = folder.path().join("app");
    new_app(&app, Some(&recognise(&csv).unwrap()), &mut |_| {}).unwrap();
    let settings = kasoku_database::Settings { path: Some(app.join("shops.db")), ..Default::default() };
    let observer = std::sync::Arc::new(kasoku_observe::Silent);
    let database =
        kasoku_database::Database::open(&settings, &migrations(&app), std::sync::Arc::default(), observer)
            .unwrap();
    database.close();
    assert_eq!(describe(&app.join("shops.db")).unwrap()[0].rows, Some(2));
}

#[test]
fn a_new_app_without_data_is_a_small_example() {
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path().join("deep/app");
    new_app(&app, None, &mut |_| {}).unwrap();
    assert_eq!(files(&app), [".gitignore", "README.md", "kasoku.toml", "schema"]);
    let schema = describe_migrations(&migrations(&app)).unwrap();
    let text = std::fs::read_to_string(app.join("kasoku.toml")).unwrap();
    assert_eq!(check_routes(&text, &schema), 2);
}

#[test]
fn a_new_app_leaves_a_database_where_it_lies() {
    let (folder, tables, schema) = made_by("create table a (id integer primary key);");
    let app = folder.path().join("app");
    new_app(&app, Some(&recognise(&folder.path().join("a.db")).unwrap()), &mut |_| {}).unwrap();
    assert_eq!(files(&app), [".gitignore", "README.md", "kasoku.toml"]);
    let text = std::fs::read_to_string(app.join("kasoku.toml")).unwrap();
    assert!(text.contains("read_only = true") && text.contains("/a.db\""), "{text}");
    assert_eq!(check_routes(&text, &schema), tables.len());
}

#[test]
fn a_folder_in_use_is_refused_and_a_failure_leaves_none() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine.txt"), "mine").unwrap();
    let error = new_app(folder.path(), None, &mut |_| {}).unwrap_err();
    assert!(matches!(error, DatasetError::FolderInUse { .. }), "{error}");
    assert_eq!(files(folder.path()), ["mine.txt"]);

    let csv = folder.path().join("bad.csv");
    std::fs::write(&csv, "a,b\n1,2\n1,2,3\n").unwrap();
    let app = folder.path().join("app");
    new_app(&app, Some(&recognise(&csv).unwrap()), &mut |_| {}).unwrap_err();
    assert!(!app.exists());
}
