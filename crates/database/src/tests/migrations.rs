//! Schema files: each is applied once, in order, whole or not at all.

use super::*;
use crate::{MigrationError, describe_migrations};

fn check(name: &str, first: &[Migration], second: &[Migration], expected: Result<&[&str], &str>) {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { path: Some(folder.path().join("test.db")), ..Settings::default() };
    open(&settings, first).unwrap_or_else(|error| panic!("{name}: {error}"));
    let opened = open(&settings, second);
    match (opened, expected) {
        (Ok(database), Ok(tables)) => {
            let schema = database.inspector().unwrap().schema().unwrap();
            let names: Vec<_> = schema.tables.iter().map(|table| table.name.as_str()).collect();
            assert_eq!(names, tables, "{name}");
        }
        (Err(error), Err(text)) => {
            assert!(error.to_string().contains(text), "{name}: {error}");
            open(&settings, first).unwrap_or_else(|error| panic!("{name}: the old files still fit: {error}"));
        }
        (Ok(_), Err(text)) => panic!("{name}: opened, but should have said {text}"),
        (Err(error), Ok(_)) => panic!("{name}: {error}"),
    }
}

#[test]
fn files_are_applied_once_each_in_order_and_never_changed() {
    let a = || file("001-a.sql", "CREATE TABLE a (x);\n");
    let b = || file("002-b.sql", "CREATE TABLE b (x);");
    let c = || file("003-c.sql", "CREATE TABLE c (x);");
    check("again", &[a(), b()], &[a(), b()], Ok(&["a", "b"]));
    check("one more", &[a()], &[a(), b()], Ok(&["a", "b"]));
    check("other ends of lines", &[a()], &[file("001-a.sql", "CREATE TABLE a (x);\r\n")], Ok(&["a"]));
    check("changed", &[a()], &[file("001-a.sql", "CREATE TABLE a (y);")], Err("`001-a.sql` was changed"));
    check("missing", &[a(), b()], &[a()], Err("`002-b.sql` was applied"));
    check("renamed", &[a()], &[file("001-z.sql", "CREATE TABLE a (x);\n")], Err("`001-a.sql` was applied"));
    check(
        "in between",
        &[a(), c()],
        &[a(), b(), c()],
        Err("`002-b.sql` is new, but comes before `003-c.sql`"),
    );
    check("twice", &[a()], &[a(), a()], Err("two files called `001-a.sql`"));
    check(
        "half of it fails",
        &[a()],
        &[
            a(),
            file("002.sql", "CREATE TABLE half (x);\nINSERT INTO half VALUES (1);\n  CREATE TABLE a (y);"),
        ],
        Err("`002.sql`"),
    );
    check(
        "its own transaction",
        &[a()],
        &[a(), file("002.sql", "COMMIT; CREATE TABLE z (x);")],
        Err("`002.sql`"),
    );
    check("attaches", &[a()], &[a(), file("002.sql", "ATTACH 'x.db' AS x;")], Err("`002.sql`"));
}

#[test]
fn a_mistake_is_shown_by_file_line_and_column() {
    let cases = [
        ("CREATE TABLE a (x);\n\nCREATE TABEL b (y);", 3, 8),
        ("-- ü\nSELECT 'ü', nothing;", 2, 13),
        ("CREATE TABLE a (x); SELECT y FROM a;", 1, 28),
        ("SELECT 'open", 1, 8),
        ("CREATE TABLE a (x);\n\0CREATE TABLE b (y);", 2, 1),
    ];
    for (sql, line, column) in cases {
        let error = describe_migrations(&[file("7.sql", sql)]).unwrap_err();
        let DatabaseError::Migration(MigrationError::Failed { line: l, column: c, file, message }) = error
        else {
            panic!("{sql}: {error}")
        };
        assert_eq!((file.as_str(), l, c), ("7.sql", line, column), "{sql}: {message}");
    }
}

#[test]
fn a_table_can_be_rebuilt_without_losing_the_rows_that_refer_to_it() {
    let first = file(
        "1.sql",
        "CREATE TABLE shelf (id INTEGER PRIMARY KEY); \
         CREATE TABLE book (shelf INTEGER REFERENCES shelf(id) ON DELETE CASCADE); \
         INSERT INTO shelf VALUES (1); INSERT INTO book VALUES (1);",
    );
    let rebuild = "CREATE TABLE shelf2 (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO shelf2 (id) SELECT id FROM shelf; \
                   DROP TABLE shelf; ALTER TABLE shelf2 RENAME TO shelf;";
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { path: Some(folder.path().join("test.db")), ..Settings::default() };
    let lost = file("2.sql", "DELETE FROM shelf;");
    let error = open(&settings, &[first.clone(), lost]).err().expect("a refusal");
    assert!(error.to_string().contains("`2.sql` leaves rows in `book`"), "{error}");
    let database = open(&settings, &[first, file("2.sql", rebuild)]).unwrap();
    let count = Statement::new("count", "SELECT count(*) FROM book JOIN shelf ON shelf.id = book.shelf");
    assert_eq!(database.read_here(&count, &[], None, first_integer).unwrap().0, 1);
}
