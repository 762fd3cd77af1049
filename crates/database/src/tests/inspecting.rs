//! What the database says of itself and of statements.

use kasoku_sql_plan::ColumnKind;

use super::*;
use crate::{Effort, Inspector, describe_file};

const SCHEMA: &str = "
    CREATE TABLE item (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, slug VARCHAR(20) NOT NULL UNIQUE, price DECIMAL(10, 2),
        size REAL, sold BOOLEAN NOT NULL DEFAULT 0, extra JSON, photo BLOB, anything, made_at TIMESTAMP,
        folded TEXT COLLATE NOCASE, cents INTEGER GENERATED ALWAYS AS (price * 100) VIRTUAL,
        category INTEGER REFERENCES category(id));
    CREATE INDEX item_category ON item (category, price);
    CREATE UNIQUE INDEX item_name ON item (name, size);
    CREATE UNIQUE INDEX item_partial ON item (size) WHERE sold;
    CREATE UNIQUE INDEX item_expression ON item (lower(name));
    CREATE TABLE category (id INTEGER PRIMARY KEY DESC, title TEXT);
    CREATE TABLE pair (b TEXT, a INT, c, PRIMARY KEY (a, b)) WITHOUT ROWID;
    CREATE VIEW cheap AS SELECT id, name, price * 2 AS twice FROM item WHERE price < 10;
    CREATE VIEW lately AS SELECT id FROM item WHERE made_at > datetime('now', '-1 day');
    CREATE VIRTUAL TABLE words USING fts5(word);
    CREATE TABLE audit (what TEXT);
    CREATE TRIGGER item_audit AFTER UPDATE ON item BEGIN INSERT INTO audit SELECT title FROM category; END;
    CREATE TABLE _kasoku_own (x);";

fn inspector() -> Inspector {
    Inspector::of_migrations(&[file("1.sql", SCHEMA)]).unwrap()
}

#[test]
fn a_schema_is_described_alike_from_its_files_and_from_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    stranger(&path).execute_batch(SCHEMA).unwrap();
    let schema = inspector().schema().unwrap();
    assert_eq!(describe_file(&path).unwrap(), schema);
    let names: Vec<_> = schema.tables.iter().map(|table| (table.name.as_str(), table.view)).collect();
    let expected = [
        ("audit", false),
        ("category", false),
        ("cheap", true),
        ("item", false),
        ("lately", true),
        ("pair", false),
    ];
    assert_eq!(names, expected);
}

#[test]
fn columns_are_described() {
    let schema = inspector().schema().unwrap();
    let item = schema.table("item").unwrap();
    let told: Vec<String> = item
        .columns
        .iter()
        .map(|column| {
            let mut words = vec![format!("{} {:?}", column.name, column.kind)];
            words.extend(column.nullable.then(|| "nullable".into()));
            words.extend(column.optional.then(|| "optional".into()));
            words.extend(column.generated.then(|| "generated".into()));
            words.extend(column.exact_equality.then(|| "exact".into()));
            words.join(" ")
        })
        .collect();
    let expected = [
        "id Integer optional exact",
        "name Text exact",
        "slug Text exact",
        "price Number nullable optional",
        "size Real nullable optional exact",
        "sold Boolean optional exact",
        "extra Json nullable optional",
        "photo Blob nullable optional",
        "anything Any nullable optional",
        "made_at Text nullable optional",
        "folded Text nullable optional",
        "cents Integer nullable optional generated",
        "category Integer nullable optional exact",
    ];
    assert_eq!(told, expected);
    assert_eq!(item.key, [0]);
    assert_eq!(item.unique, [vec![1, 4], vec![2]], "neither conditions nor expressions make a unique key");
    let [partial] = &item.partial[..] else { panic!("{:?}", item.partial) };
    assert_eq!((&partial.columns[..], partial.condition.as_deref()), (&[4][..], Some("sold")));
    let pair = schema.table("pair").unwrap();
    assert_eq!(pair.key, [1, 0], "in the order of the key");
    assert!(!pair.columns[1].nullable && !pair.columns[1].optional);
    let category = schema.table("category").unwrap();
    assert!(category.columns[0].nullable, "a descending key is not the rowid and may be NULL");
    let cheap = schema.table("cheap").unwrap();
    assert!(cheap.key.is_empty() && cheap.columns.iter().all(|column| !column.exact_equality));
}

#[test]
fn plans_are_classified() {
    let cases = [
        ("SELECT * FROM item WHERE id = ?1", Effort::Point),
        ("SELECT * FROM item AS i WHERE i.slug = ?1", Effort::Point),
        ("SELECT * FROM pair WHERE a = ?1 AND b = ?2", Effort::Point),
        (
            "SELECT i.name, c.title FROM item i JOIN category c ON c.id = i.category WHERE i.id = ?1",
            Effort::Point,
        ),
        ("SELECT 1", Effort::Point),
        ("SELECT * FROM pair WHERE a = ?1", Effort::Range),
        ("SELECT * FROM item WHERE name = ?1", Effort::Range),
        ("SELECT * FROM item WHERE id > ?1 ORDER BY id LIMIT 20", Effort::Range),
        ("SELECT * FROM item WHERE category = ?1 AND price > ?2 ORDER BY price LIMIT 20", Effort::Range),
        ("SELECT * FROM item ORDER BY id LIMIT 20", Effort::Walk),
        ("SELECT * FROM item ORDER BY category, price LIMIT 20", Effort::Walk),
        ("SELECT * FROM item WHERE size > 3", Effort::Walk),
        ("SELECT * FROM item WHERE category = ?1 ORDER BY name LIMIT 20", Effort::Heavy),
        ("SELECT category, count(*) FROM item GROUP BY category", Effort::Walk),
        ("SELECT size, count(*) FROM item GROUP BY size", Effort::Heavy),
        ("SELECT * FROM item a, item b WHERE a.size < b.size", Effort::Heavy),
        (
            "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 9) SELECT v FROM n",
            Effort::Heavy,
        ),
        ("UPDATE item SET name = 'x' WHERE id = ?1", Effort::Point),
    ];
    let inspector = inspector();
    for (sql, effort) in cases {
        let facts = inspector.explain(sql).unwrap();
        assert_eq!(facts.effort(), effort, "{sql}: {facts:#?}");
    }
    let facts = inspector.explain("SELECT * FROM item WHERE category = ?1 AND price > ?2").unwrap();
    let step = &facts.steps[0];
    assert_eq!(
        (step.index.as_deref(), &step.equal[..], step.bounded),
        (Some("item_category"), &["category".to_owned()][..], true)
    );
}

#[test]
fn what_a_statement_reads_is_known_through_views_and_triggers() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("SELECT name FROM item WHERE price > 1", &["item(name,price)"], &[]),
        ("SELECT count(*) FROM item", &["item()"], &[]),
        ("SELECT twice FROM cheap", &["item(id,name,price)"], &[]),
        ("SELECT 1 FROM item WHERE EXISTS (SELECT 1 FROM category)", &["category()", "item()"], &[]),
        ("WITH c AS (SELECT title FROM category) SELECT * FROM c", &["category(title)"], &[]),
        ("UPDATE item SET name = 'x' WHERE id = 1", &["category(title)", "item(id)"], &["item", "audit"]),
        ("SELECT 1", &[], &[]),
    ];
    let inspector = inspector();
    for (sql, tables, writes) in cases {
        let reads = inspector.reads(sql).unwrap();
        let told: Vec<_> =
            reads.tables.iter().map(|read| format!("{}({})", read.table, read.columns.join(","))).collect();
        assert_eq!(told, *tables, "{sql}");
        assert_eq!(reads.writes, *writes, "{sql}");
    }
    assert_eq!(inspector.reads("SELECT * FROM cheap").unwrap().views, ["cheap"]);
    assert_eq!(
        inspector.reads("SELECT upper(name), max(size) FROM item").unwrap().functions,
        ["upper", "max"]
    );
}

#[test]
fn what_depends_on_the_clock_or_on_chance_is_named() {
    let cases: &[(&str, &[&str])] = &[
        ("SELECT random()", &["random"]),
        ("SELECT name FROM item ORDER BY random()", &["random"]),
        ("SELECT current_timestamp", &["current_timestamp"]),
        ("SELECT datetime('now')", &["datetime('now')"]),
        ("SELECT DATE( 'NOW' , '-1 day')", &["date('now')"]),
        ("SELECT strftime('%Y', 'now')", &["strftime('now')"]),
        ("SELECT strftime('%Y')", &["strftime('now')"]),
        ("SELECT unixepoch()", &["unixepoch('now')"]),
        ("SELECT date(?1)", &["date('now')"]),
        ("SELECT date(coalesce(made_at, 'now')) FROM item", &["date('now')"]),
        ("SELECT timediff('2020-01-01', 'now')", &["timediff('now')"]),
        ("SELECT id FROM lately", &["datetime('now')"]),
        ("SELECT changes()", &["changes"]),
        ("SELECT date(made_at) FROM item", &[]),
        ("SELECT strftime('%Y', made_at), date(made_at, 'start of month') FROM item", &[]),
        ("SELECT 'date(''now'')' -- datetime('now')", &[]),
        ("SELECT name AS \"now\" FROM item /* random() */", &[]),
    ];
    let inspector = inspector();
    for (sql, expected) in cases {
        assert_eq!(inspector.reads(sql).unwrap().volatile, *expected, "{sql}");
    }
}

#[test]
fn results_and_parameters_are_described() {
    let inspector = inspector();
    let sql = "SELECT i.name AS label, c.title, i.price + 1 AS more, twice FROM item i, category c, cheap \
               WHERE i.id = :id AND c.id = ?2 AND i.size > @size";
    let columns = inspector.columns(sql).unwrap();
    let told: Vec<_> = columns
        .iter()
        .map(|column| {
            let origin = column.origin.as_ref().map(|(table, name)| format!("{table}.{name}"));
            (column.name.as_str(), column.kind, origin.unwrap_or_default())
        })
        .collect();
    let expected = [
        ("label", ColumnKind::Text, "item.name".to_owned()),
        ("title", ColumnKind::Text, "category.title".to_owned()),
        ("more", ColumnKind::Any, String::new()),
        ("twice", ColumnKind::Any, String::new()),
    ];
    assert_eq!(told, expected);
    let parameters = inspector.parameters(sql).unwrap();
    assert_eq!(parameters, [Some(":id".to_owned()), Some("?2".to_owned()), Some("@size".to_owned())]);
    assert!(inspector.reads_only(sql).unwrap());
    assert!(!inspector.reads_only("DELETE FROM item").unwrap());
    assert!(inspector.columns("SELECT nothing FROM item").is_err());
}

#[test]
fn what_reads_rows_that_nobody_reports_depends_on_every_table() {
    let inspector = inspector();
    let tables = |sql: &str| -> Vec<String> {
        inspector.reads(sql).unwrap().tables.into_iter().map(|read| read.table).collect()
    };
    for sql in [
        "SELECT rowid FROM words WHERE words MATCH ?1",
        "SELECT count(*) FROM words_data",
        "SELECT x FROM _kasoku_own",
        "SELECT i.name FROM item i JOIN words w ON w.rowid = i.id",
    ] {
        let tables = tables(sql);
        for table in ["audit", "category", "item", "pair"] {
            assert!(tables.iter().any(|name| name == table), "{sql} does not depend on {table}: {tables:?}");
        }
    }
    assert_eq!(tables("SELECT value FROM item, json_each(item.extra)"), ["item", "json_each"]);
}

#[test]
fn columns_of_table_valued_functions_may_hold_anything() {
    let columns = inspector().columns("SELECT value, item.name FROM item, json_each(item.extra)").unwrap();
    let kinds: Vec<_> = columns.iter().map(|column| (column.name.as_str(), column.kind)).collect();
    assert_eq!(kinds, [("value", ColumnKind::Any), ("name", ColumnKind::Text)]);
}

#[test]
fn foreign_keys_are_described_by_the_columns_that_refer_and_are_referred_to() {
    let sql = "
        CREATE TABLE author (id INTEGER PRIMARY KEY, code TEXT UNIQUE);
        CREATE TABLE pair (a INT, b INT, PRIMARY KEY (b, a));
        CREATE TABLE book (
            id INTEGER PRIMARY KEY, editor INTEGER REFERENCES author (id), author_id INTEGER REFERENCES Author,
            code TEXT REFERENCES author (code), sequel INTEGER REFERENCES book, x INT, y INT,
            gone INTEGER REFERENCES lost (id),
            FOREIGN KEY (x, y) REFERENCES pair, FOREIGN KEY (x, y) REFERENCES pair (a, b));";
    let schema = Inspector::of_migrations(&[file("1.sql", sql)]).unwrap().schema().unwrap();
    let told: Vec<String> = schema
        .table("book")
        .unwrap()
        .foreign_keys
        .iter()
        .map(|key| format!("{} {:?} {} {:?}", key.name, key.columns, key.table, key.referred))
        .collect();
    let expected = [
        "book_editor_fkey [1] author [0]",
        "book_author_id_fkey [2] author [0]",
        "book_code_fkey [3] author [1]",
        "book_sequel_fkey [4] book [0]",
        "book_x_y_fkey [5, 6] pair [0, 1]",
        "book_x_y_fkey1 [5, 6] pair [1, 0]",
    ];
    assert_eq!(told, expected);
    assert!(schema.table("author").unwrap().foreign_keys.is_empty());
}
