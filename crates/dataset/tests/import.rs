//! Small nasty files, and what becomes of them.

use std::path::Path;
use std::sync::Arc;

use kasoku_coherence::Sequence;
use kasoku_database::{Database, DatabaseError, Settings, Statement};
use kasoku_dataset::{DatasetError, KeyShape, Report, TableShape, import, recognise};
use kasoku_observe::Silent;
use kasoku_sql_plan::{ColumnKind, Value};

/// A file in a folder of its own, and what was imported from it.
struct Imported {
    folder: tempfile::TempDir,
    report: Report,
}

impl Imported {
    fn table(&self) -> &TableShape {
        assert_eq!(self.report.tables.len(), 1, "{:?}", self.report.tables);
        &self.report.tables[0]
    }

    /// Names and kinds of all columns.
    fn columns(&self) -> Vec<(&str, ColumnKind)> {
        self.table().columns.iter().map(|column| (column.name.as_str(), column.kind)).collect()
    }

    /// All rows in the order of the file.
    fn rows(&self) -> Vec<Vec<Value>> {
        rows(&self.folder.path().join("out.db"), &self.table().name, self.table().columns.len())
    }
}

fn rows(database: &Path, table: &str, width: usize) -> Vec<Vec<Value>> {
    let settings = Settings { path: Some(database.to_owned()), read_only: true, ..Settings::default() };
    let database =
        Database::open(&settings, &[], Arc::new(Sequence::new()), Arc::new(Silent)).expect("it opens");
    let statement = Statement::new("all", format!("select * from \"{table}\" order by rowid"));
    let (rows, _) = database
        .read_here(&statement, &[], None, |rows| {
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                all.push((0..width).map(|place| row.get(place).to_value()).collect::<Vec<_>>());
            }
            Ok::<_, DatabaseError>(all)
        })
        .expect("it reads");
    rows
}

fn try_import(name: &str, bytes: &[u8]) -> Result<Imported, DatasetError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let report = import(&recognise(&path)?, &folder.path().join("out.db"), &mut |_| {});
    if report.is_err() {
        let left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, [path], "a failed import leaves nothing behind");
    }
    Ok(Imported { folder, report: report? })
}

fn imported(name: &str, bytes: &[u8]) -> Imported {
    try_import(name, bytes).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(name: &str, bytes: &[u8]) -> String {
    match try_import(name, bytes) {
        Ok(imported) => panic!("{name} was imported: {:?}", imported.report),
        Err(error) => error.to_string().rsplit_once('/').map_or_else(String::new, |(_, end)| end.to_owned()),
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

use ColumnKind::{Any, Boolean, Integer, Json, Real, Text};
use Value::Null;

#[test]
fn a_plain_table_gets_types_and_a_key() {
    let file = imported("shops.csv", b"id,name,zip,price,open\n1,Anna,02134,1.5,true\n2,Bo,99501,2,false\n");
    assert_eq!(
        file.columns(),
        [("id", Integer), ("name", Text), ("zip", Text), ("price", Real), ("open", Boolean)]
    );
    assert_eq!(file.table().name, "shops");
    assert_eq!(file.table().key, KeyShape::Columns(vec![0]));
    assert_eq!(
        file.rows(),
        [
            [Value::Integer(1), text("Anna"), text("02134"), Value::Real(1.5), Value::Integer(1)],
            [Value::Integer(2), text("Bo"), text("99501"), Value::Real(2.0), Value::Integer(0)],
        ]
    );
}

#[test]
fn without_a_key_of_its_own_a_table_gets_numbers() {
    let file = imported("points.csv", b"x,y\n1,0.5\n1,0.5\n");
    assert_eq!(file.columns(), [("id", Integer), ("x", Integer), ("y", Real)]);
    assert_eq!(file.table().key, KeyShape::Added);
    assert_eq!(file.rows()[1], [Value::Integer(2), Value::Integer(1), Value::Real(0.5)]);

    let file = imported("points.csv", b"ID,row\n1,a\n1,b\n");
    assert_eq!(file.columns(), [("row_id", Integer), ("ID", Integer), ("row", Text)]);
}

#[test]
fn a_type_that_changes_late_is_still_right() {
    let mut bytes = b"a,b\n".to_vec();
    for row in 0..90_000 {
        bytes.extend_from_slice(format!("{},{row}\n", row % 7).as_bytes());
    }
    bytes.extend_from_slice(b"x7,1.5\n");
    let file = imported("late.csv", &bytes);
    assert_eq!(file.columns(), [("id", Integer), ("a", Text), ("b", Real)]);
    let rows = file.rows();
    assert_eq!(rows.len(), 90_001);
    assert_eq!(rows[0][1..], [text("0"), Value::Real(0.0)]);
    assert_eq!(rows[90_000][1..], [text("x7"), Value::Real(1.5)]);
    let why = file.table().columns[1].why.as_deref();
    assert_eq!(why, Some("kept as text: line 90002 has \"x7\""));
}

#[test]
fn missing_values_are_null_and_words_for_them_only_among_numbers() {
    let file = imported("a.csv", b"n,t\n1,NA\nNA,\nnull,x\n-,\"\"\n");
    assert_eq!(file.columns(), [("id", Integer), ("n", Integer), ("t", Text)]);
    let rows = file.rows();
    assert_eq!(rows[0][1..], [Value::Integer(1), text("NA")]);
    assert_eq!(rows[1][1..], [Null, Null]);
    assert_eq!(rows[2][1..], [Null, text("x")]);
    assert_eq!(rows[3][1..], [Null, Null]);
    assert!(file.report.remarks[0].contains("3 words such as NA"), "{:?}", file.report.remarks);
}

#[test]
fn quotes_delimiters_and_line_breaks_in_fields_stay() {
    let file =
        imported("q.csv", b"a,b\r\n\"x, y\",\"say \"\"hi\"\"\"\r\n\"two\nlines\",\"\xc3\xa9t\xc3\xa9\"\r\n");
    assert_eq!(file.rows(), [[text("x, y"), text("say \"hi\"")], [text("two\nlines"), text("été")]]);
}

#[test]
fn delimiters_are_found_out() {
    for (name, bytes) in [
        ("a.csv", "a;b\n1,5;x\n2,5;y\n2,5;z\n"),
        ("a.csv", "a\tb\n1,5\tx\n2,5\ty\n2,5\tz\n"),
        ("a.tsv", "a\tb\n1,5\tx\n2,5\ty\n2,5\tz\n"),
        ("a.csv", "a|b\n1,5|x\n2,5|y\n2,5|z\n"),
        ("a.csv", "\u{feff}a,b\n\"1,5\",x\n\"2,5\",y\n\"2,5\",z\n"),
    ] {
        let file = imported(name, bytes.as_bytes());
        assert_eq!(file.columns(), [("id", Integer), ("a", Text), ("b", Text)], "{bytes}");
        assert_eq!(file.rows()[0][1..], [text("1,5"), text("x")], "{bytes}");
    }
}

#[test]
fn one_column_is_a_table_too() {
    let file = imported("words.csv", b"word\nalpha\nbeta\n");
    assert_eq!(file.columns(), [("word", Text)]);
    assert_eq!(file.table().key, KeyShape::Columns(vec![0]));
}

#[test]
fn headers_are_made_into_names() {
    let file = imported("h.csv", "Airport Name,,a,A,1990,größe (cm)\nx,1,2,3,4,5\n".as_bytes());
    let names: Vec<_> = file.columns().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Airport_Name", "column_2", "a", "A_2", "_1990", "größe_cm"]);
    assert_eq!(file.table().columns[0].written.as_deref(), Some("Airport Name"));
}

#[test]
fn a_first_row_of_numbers_is_no_header() {
    let file = imported("n.csv", b"1,2.5\n3,4.5\n");
    assert_eq!(file.columns(), [("column_1", Integer), ("column_2", Real)]);
    assert_eq!(file.rows().len(), 2);
}

#[test]
fn a_header_alone_is_an_empty_table() {
    let file = imported("empty.csv", b"a,b\n");
    assert_eq!(file.columns(), [("id", Integer), ("a", Text), ("b", Text)]);
    assert_eq!(file.rows(), Vec::<Vec<Value>>::new());
}

#[test]
fn short_rows_are_filled_up_and_reported() {
    let file = imported("r.csv", b"a,b,c\n1,2,3\n4\n5,6\n7,8,9,,\n");
    assert_eq!(file.rows()[1], [Value::Integer(4), Null, Null]);
    assert_eq!(file.rows()[3], [Value::Integer(7), Value::Integer(8), Value::Integer(9)]);
    let remarks = &file.report.remarks;
    assert!(remarks[0].contains("2 rows have fewer fields") && remarks[0].contains("line 3"), "{remarks:?}");
}

#[test]
fn rows_that_would_lose_something_are_refused_with_their_line() {
    for (name, bytes, expected) in [
        ("a.csv", &b"a,b\n1,2\n1,2,3\n"[..], "a.csv:3: this row has 3 fields"),
        ("a.csv", b"a,b\n1,2\n\"x,y\n3,4\n5,6\n", "a.csv:3: a quote (\") is opened in this row"),
        ("a.csv", b"a,b\n1,2\nn\xe9e,2\n", "a.csv:3: this row is not UTF-8"),
        ("a.json", b"[{\"a\": 1},\n {\"a\": }]", "a.json:2: this row is not well-formed"),
        ("a.json", b"[{\"a\": 1},\n [1]]", "a.json:2: this row is not an object"),
        ("a.json", b"[{\"a\": 1},\n {\"a\": \"x\n", "a.json:2: the value that begins here does not end"),
        ("a.json", b"[{\"a\": 1}\n {\"a\": 2}]", "a.json:2: expected `,` or `]`, found `{`"),
        ("a.json", b"[{\"a\": 1}] x", "a.json:1: expected the end of the file, found `x`"),
        ("a.json", b"[{\"a\": \"\xff\"}]", "a.json:1: this row is not UTF-8"),
        ("a.json", b"nothing", "a.json:1: expected an array or an object"),
        ("a.ndjson", b"{\"a\": 1}\n{\"a\": 2\n", "a.ndjson:2: the value that begins here does not end"),
    ] {
        let text = refused(name, bytes);
        assert!(text.starts_with(expected), "{text}");
    }
}

#[test]
fn a_row_without_end_is_refused_before_it_fills_the_memory() {
    let mut bytes = b"a,b\n1,\"".to_vec();
    bytes.extend(std::iter::repeat_n(b'x', 40 << 20));
    assert!(refused("a.csv", &bytes).starts_with("a.csv:2: a row of more than 16 MiB begins here"));
    let mut bytes = b"[\n{\"a\": \"".to_vec();
    bytes.extend(std::iter::repeat_n(b'x', 40 << 20));
    assert!(refused("a.json", &bytes).starts_with("a.json:2: a row of more than 16 MiB begins here"));
}

#[test]
fn files_without_rows_are_refused() {
    for (name, bytes) in
        [("a.json", "[]"), ("a.json", "{}"), ("a.json", "{\"a\": 1, \"b\": [1, 2]}"), ("a.csv", "\n\n")]
    {
        let text = refused(name, bytes.as_bytes());
        assert!(text.contains("there are no rows in it"), "{bytes}: {text}");
    }
}

#[test]
fn json_keeps_its_types_and_all_keys_of_all_rows() {
    let file = imported(
        "a.json",
        br#"[{"id": "b", "n": 1, "o": {"x": [1, 2]}, "m": 1}, {"id": "a", "n": 2.5, "late": true, "m": "one", "o": null}]"#,
    );
    assert_eq!(file.columns(), [("id", Text), ("n", Real), ("o", Json), ("m", Any), ("late", Boolean)]);
    assert_eq!(
        file.rows(),
        [
            [text("b"), Value::Real(1.0), text("{\"x\":[1,2]}"), Value::Integer(1), Null],
            [text("a"), Value::Real(2.5), Null, text("one"), Value::Integer(1)],
        ]
    );
}

#[test]
fn json_may_be_built_in_many_ways() {
    let check = |name: &str, bytes: &str, columns: &[(&str, ColumnKind)], first: &[Value]| {
        let file = imported(name, bytes.as_bytes());
        assert_eq!(file.columns(), columns, "{bytes}");
        assert_eq!(file.rows()[0], first, "{bytes}");
    };
    let one = Value::Integer(1);
    check("a.ndjson", "{\"a\": 1}\n\n{\"a\": 2}\n", &[("a", Integer)], std::slice::from_ref(&one));
    check("a.json", "{\"a\": 1}\n{\"a\": 2}\n", &[("a", Integer)], std::slice::from_ref(&one));
    check("a.jsonl", "{\"a\": 1}{\"a\": 2}", &[("a", Integer)], std::slice::from_ref(&one));
    check(
        "a.json",
        "{\"meta\": {\"n\": 1}, \"data\": [{\"a\": 1}]}",
        &[("a", Integer)],
        std::slice::from_ref(&one),
    );
    check(
        "a.json",
        "{\"r\": {\"data\": [{\"a\": 1}], \"b\": {}}}",
        &[("a", Integer)],
        std::slice::from_ref(&one),
    );
    check(
        "a.json",
        "{\"x\": {\"a\": 1, \"key\": 5}, \"y\": {\"a\": 2, \"key\": 5}}",
        &[("key", Text), ("a", Integer), ("key_2", Integer)],
        &[text("x"), one.clone(), Value::Integer(5)],
    );
    check(
        "a.json",
        "[[\"x\", 1], [\"y\", 2, true]]",
        &[("column_1", Text), ("column_2", Integer), ("column_3", Boolean)],
        &[text("x"), one.clone(), Null],
    );
    check("words.json", "[\"x\", \"y\\n\\u00e9\"]", &[("value", Text)], &[text("x")]);
    check(
        "a.geojson",
        r#"{"type": "FeatureCollection", "features": [
            {"type": "Feature", "id": "q1", "properties": {"mag": 1, "id": 5}, "geometry": {"type": "Point"}}]}"#,
        &[("id", Text), ("mag", Integer), ("properties_id", Integer), ("geometry", Json)],
        &[text("q1"), one, Value::Integer(5), text("{\"type\":\"Point\"}")],
    );
}

#[test]
fn several_arrays_are_several_tables() {
    let file = imported(
        "shop.json",
        br#"{"users": [{"id": 1}], "tags": [], "orders": [{"id": 7, "user": 1}, {"id": 8}], "bounds": [1, 2]}"#,
    );
    let names: Vec<_> = file.report.tables.iter().map(|table| (table.name.as_str(), table.rows)).collect();
    assert_eq!(names, [("users", Some(1)), ("orders", Some(2))]);
    assert_eq!(file.report.remarks, ["left out, as they are no lists of rows: `bounds`"]);
    let rows = rows(&file.folder.path().join("out.db"), "orders", 2);
    assert_eq!(rows, [[Value::Integer(7), Value::Integer(1)], [Value::Integer(8), Null]]);
}

#[test]
fn numbers_that_no_number_holds_stay_texts() {
    let file = imported("n.csv", b"a,b\n18446744073709551616,1\n1,9007199254740993\n2,0.5\n");
    assert_eq!(file.columns(), [("a", Text), ("b", Text)]);
    assert_eq!(file.rows()[0][0], text("18446744073709551616"));
    let file = imported("n.json", b"[{\"a\": 18446744073709551616}]");
    assert_eq!(file.columns(), [("a", Text)]);
    assert_eq!(file.rows(), [[text("18446744073709551616")]]);
}

#[test]
fn compressed_files_are_read_like_others() {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all("\u{feff}a,b\n1,2\n".as_bytes()).unwrap();
    let file = imported("a.csv.gz", &encoder.finish().unwrap());
    assert_eq!(file.table().name, "a");
    assert_eq!(file.rows(), [[Value::Integer(1), Value::Integer(2)]]);
}

#[test]
fn useful_indexes_are_made() {
    let mut bytes = b"id,category,price\n".to_vec();
    for row in 0..5_000 {
        bytes.extend_from_slice(format!("{row},c{},{}.5\n", row % 9, row % 700).as_bytes());
    }
    let file = imported("items.csv", &bytes);
    let indexed: Vec<_> = file.table().indexes.iter().map(|index| index.column).collect();
    assert_eq!(indexed, [1, 2]);
    let described = kasoku_dataset::describe(&file.folder.path().join("out.db")).unwrap();
    assert!(described[0].is_indexed(0) && described[0].is_indexed(1) && described[0].is_indexed(2));
}

#[test]
fn an_existing_database_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (csv, database) = (folder.path().join("a.csv"), folder.path().join("a.db"));
    std::fs::write(&csv, "a\n1\n").unwrap();
    std::fs::write(&database, "mine").unwrap();
    let error = import(&recognise(&csv).unwrap(), &database, &mut |_| {}).unwrap_err();
    assert!(matches!(error, DatasetError::Exists { .. }), "{error}");
    assert_eq!(std::fs::read(&database).unwrap(), b"mine");
}

#[test]
fn what_a_killed_import_left_is_cleared_away_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("a.csv");
    std::fs::write(&csv, "a\n1\n").unwrap();
    for name in ["a.db.partial-1-0", "a.db.partial-1-0-wal", "a.db.partial-1-0-lock", "a.db-wal"] {
        std::fs::write(folder.path().join(name), "left").unwrap();
    }
    import(&recognise(&csv).unwrap(), &folder.path().join("a.db"), &mut |_| {}).unwrap();
    let mut left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["a.csv", "a.db"]);
}

#[test]
fn an_import_that_panics_midway_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("a.csv");
    let rows: Vec<String> = (0..50_000).map(|row| format!("{row},x\n")).collect();
    std::fs::write(&csv, format!("a,b\n{}", rows.concat())).unwrap();
    let target = folder.path().join("a.db");
    let result = std::panic::catch_unwind(|| {
        import(&recognise(&csv).unwrap(), &target, &mut |progress| {
            let storing = progress.stage == kasoku_dataset::Stage::Storing;
            assert!(!(storing && progress.rows > 30_000), "stopped");
        })
    });
    assert!(result.is_err());
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["a.csv"]);
}

#[test]
fn a_file_that_changes_between_the_readings_is_refused() {
    for later in ["a,b\nx,2\n3,4\n", "a,b\n1,2\n", "a,b\n1,2\n3,4\n5,6\n", "a\n1\n3\n"] {
        let folder = tempfile::tempdir().unwrap();
        let csv = folder.path().join("a.csv");
        std::fs::write(&csv, "a,b\n1,2\n3,4\n").unwrap();
        let input = recognise(&csv).unwrap();
        let mut change = |progress: kasoku_dataset::Progress| {
            if progress.stage == kasoku_dataset::Stage::Storing && progress.rows == 0 {
                std::fs::write(&csv, later).unwrap();
            }
        };
        let error = import(&input, &folder.path().join("a.db"), &mut change).unwrap_err();
        assert!(matches!(error, DatasetError::Changed { .. }), "{later}: {error}");
        assert!(!folder.path().join("a.db").exists());
    }
}
