//! Random tables, written as files by others' code, come back as they were.

use std::sync::Arc;

use kasoku_coherence::Sequence;
use kasoku_database::{Database, DatabaseError, Settings, Statement};
use kasoku_dataset::{KeyShape, import, recognise};
use kasoku_observe::Silent;
use kasoku_sql_plan::{ColumnKind, Value};
use proptest::prelude::*;

/// Writes a file, imports it, and gives back kinds and rows without an added key.
fn imported(name: &str, bytes: &[u8]) -> (Vec<ColumnKind>, Vec<Vec<Value>>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    let target = folder.path().join("out.db");
    let report = import(&recognise(&path).expect("recognised"), &target, &mut |_| {}).expect("imported");
    let table = &report.tables[0];
    let added = usize::from(table.key == KeyShape::Added);
    let settings = Settings { path: Some(target), read_only: true, readers: 1, ..Settings::default() };
    let database =
        Database::open(&settings, &[], Arc::new(Sequence::new()), Arc::new(Silent)).expect("it opens");
    // A whole-number key is the rowid, so that the file's order is lost; these tables have none.
    let statement = Statement::new("all", format!("select * from \"{}\" order by rowid", table.name));
    let (rows, _) = database
        .read_here(&statement, &[], None, |rows| {
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let width = table.columns.len();
                all.push((added..width).map(|place| row.get(place).to_value()).collect::<Vec<_>>());
            }
            Ok::<_, DatabaseError>(all)
        })
        .expect("it reads");
    (table.columns[added..].iter().map(|column| column.kind).collect(), rows)
}

/// What a field may be: prose with everything that delimited files stumble over, numbers and words for nothing.
fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-z ,;|\t\"\r\n'é日\u{1f600}]{0,12}",
        "-?[0-9]{1,20}",
        "-?[0-9]{1,4}\\.[0-9]{1,4}",
        "(NA|null|true|False|-|0[0-9]{3})",
    ]
}

/// A column of fields that are all of one sort, or of any.
fn column(rows: usize) -> impl Strategy<Value = Vec<String>> {
    prop_oneof![
        prop::collection::vec(field(), rows),
        prop::collection::vec("-?[1-9][0-9]{0,17}|", rows),
        prop::collection::vec("-?[1-9][0-9]{0,4}\\.[0-9]{1,6}|NA", rows),
        prop::collection::vec("true|false|", rows),
    ]
}

fn table() -> impl Strategy<Value = Vec<Vec<String>>> {
    (1_usize..5, 1_usize..20).prop_flat_map(|(columns, rows)| prop::collection::vec(column(rows), columns))
}

/// Whether a value is the one that the field says, in a column of this kind.
fn says(field: &str, value: &Value, kind: ColumnKind) -> bool {
    let trimmed = field.trim_matches([' ', '\t']);
    match (kind, value) {
        (_, Value::Null) if field.is_empty() => true,
        (ColumnKind::Text, Value::Text(text)) => text == field,
        (_, Value::Null) => trimmed.is_empty() || ["NA", "null", "-"].contains(&trimmed),
        (ColumnKind::Integer, Value::Integer(number)) => number.to_string() == trimmed,
        (ColumnKind::Real, Value::Real(number)) => {
            trimmed.parse::<f64>().is_ok_and(|seen| seen.to_bits() == number.to_bits())
        }
        (ColumnKind::Boolean, Value::Integer(number)) => {
            trimmed.to_lowercase() == (if *number == 1 { "true" } else { "false" })
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_table_written_by_the_csv_crate_comes_back(columns in table(), delimiter in prop::sample::select(vec![b',', b'\t'])) {
        let name = if delimiter == b'\t' { "t.tsv" } else { "t.csv" };
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        // Quoted names in the header leave no doubt about the delimiter.
        let header: Vec<String> = (0..columns.len()).map(|place| format!("name {place}")).collect();
        writer.write_record(&header).expect("written");
        for row in 0..columns[0].len() {
            writer.write_record(columns.iter().map(|column| column[row].as_str())).expect("written");
        }
        let bytes = writer.into_inner().expect("written");
        let (kinds, mut rows) = imported(name, &bytes);
        let mut expected: Vec<Vec<&str>> = (0..columns[0].len())
            .map(|row| columns.iter().map(|column| column[row].as_str()).collect())
            .collect();
        if kinds[0] == ColumnKind::Integer {
            // The first column may have become the key, and its order the table's.
            let number = |row: &Vec<&str>| row[0].parse::<i64>().ok();
            expected.sort_by_key(number);
            rows.sort_by_key(|row| match row[0] { Value::Integer(number) => Some(number), _ => None });
        }
        prop_assert_eq!(rows.len(), expected.len());
        for (row, expected) in rows.iter().zip(&expected) {
            for ((value, field), kind) in row.iter().zip(expected).zip(&kinds) {
                prop_assert!(says(field, value, *kind), "{:?} as {:?} became {:?}", field, kind, value);
            }
        }
    }

    #[test]
    fn objects_written_by_serde_come_back(rows in prop::collection::vec(object(), 1..20), style in 0..3) {
        let text = match style {
            0 => serde_json::to_string(&rows).expect("written"),
            1 => serde_json::to_string_pretty(&rows).expect("written"),
            _ => rows.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        };
        let name = if style == 2 { "t.ndjson" } else { "t.json" };
        prop_assume!(rows.iter().any(|row| row.as_object().is_some_and(|row| !row.is_empty())));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, &text).expect("written");
        let target = folder.path().join("out.db");
        let report = import(&recognise(&path).expect("recognised"), &target, &mut |_| {}).expect("imported");
        let table = &report.tables[0];
        prop_assert_eq!(table.rows, Some(rows.len() as u64));
        let (kinds, found) = imported(name, text.as_bytes());
        let added = usize::from(table.key == KeyShape::Added);
        for (column, place) in table.columns[added..].iter().zip(0..) {
            let name = column.written.as_ref().unwrap_or(&column.name);
            for (row, found) in rows.iter().zip(&found) {
                let expected = row.get(name).unwrap_or(&serde_json::Value::Null);
                prop_assert!(
                    is_same(expected, &found[place], kinds[place]),
                    "{:?} as {:?} became {:?}", expected, kinds[place], found[place]
                );
            }
        }
    }
}

/// An object whose keys and values may be anything that JSON has.
fn object() -> impl Strategy<Value = serde_json::Value> {
    let scalar = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        (-1e6..1e6).prop_map(|number: f64| number.into()),
        "[a-z\"\\\\\n{}\\[\\],:é日\u{1f600}]{0,8}".prop_map(Into::into),
    ];
    let value = scalar.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            prop::collection::btree_map("[a-c ]{1,3}", inner, 0..3)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    });
    // No name that looks like a key: the rows are compared in the order of the file.
    prop::collection::btree_map("x_[a-d]", value, 0..4).prop_map(|mut map| {
        map.insert("a_first".into(), 0.5.into());
        serde_json::Value::Object(map.into_iter().collect())
    })
}

fn is_same(expected: &serde_json::Value, found: &Value, kind: ColumnKind) -> bool {
    match (kind, found) {
        (_, Value::Null) => expected.is_null(),
        (ColumnKind::Boolean, Value::Integer(number)) => expected.as_bool() == Some(*number == 1),
        (ColumnKind::Json, Value::Text(text)) => {
            serde_json::from_str::<serde_json::Value>(text).is_ok_and(|found| found == *expected)
        }
        (_, Value::Integer(number)) => expected.as_i64() == Some(*number),
        (_, Value::Real(number)) => expected.as_f64() == Some(*number),
        // Numbers beyond 64 bits are texts of their digits.
        (ColumnKind::Text, Value::Text(text)) if expected.is_number() => *expected.to_string() == **text,
        (_, Value::Text(text)) => expected.as_str() == Some(text),
        _ => false,
    }
}
