//! Schema files on a server.

use super::{Site, connect};
use crate::tests::file;
use crate::{Database, DatabaseError, Migration, MigrationError, PostgresSettings};
use kasoku_coherence::Sequence;
use kasoku_observe::Silent;
use kasoku_testkit::{Postgres, PostgresDatabase};

const ITEMS: &str = "create table items (id bigint primary key, name text not null);";

fn apply(place: &PostgresDatabase, files: &[Migration]) -> Result<Database, DatabaseError> {
    Database::connect(
        &PostgresSettings::new(place.url()),
        files,
        std::sync::Arc::new(Sequence::new()),
        std::sync::Arc::new(Silent),
    )
}

fn refusal(place: &PostgresDatabase, files: &[Migration]) -> MigrationError {
    match apply(place, files).err() {
        Some(DatabaseError::Migration(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn files_are_applied_once_each_and_in_order() {
    let place = Postgres::shared().database();
    let mut files = vec![file("1.sql", ITEMS), file("2.sql", "insert into items values (1, 'a')")];
    drop(apply(&place, &files).unwrap());
    files.push(file("3.sql", "alter table items add column price int; insert into items values (2, 'b', 3)"));
    drop(apply(&place, &files).unwrap());
    drop(apply(&place, &files).unwrap());
    assert_eq!(place.psql("select id, name, price from items order by id"), "1|a|\n2|b|3");
    assert_eq!(
        place.psql("select place, name from _kasoku_migration order by 1"),
        "1|1.sql\n2|2.sql\n3|3.sql"
    );
    let age =
        "select count(*) from _kasoku_migration where applied_at::timestamptz > now() - interval '1 hour'";
    assert_eq!(place.psql(age), "3");
}

#[test]
fn what_was_applied_may_not_change_go_or_be_preceded() {
    let place = Postgres::shared().database();
    let (one, three) = (file("1.sql", ITEMS), file("3.sql", "create table three ()"));
    drop(apply(&place, &[one.clone(), three.clone()]).unwrap());
    let check = |files: &[Migration], expected: &str| {
        assert_eq!(refusal(&place, files).to_string(), expected);
    };
    check(
        &[file("1.sql", "create table items ()"), three.clone()],
        "`1.sql` was changed after it was applied; put it back and write the change into a new file",
    );
    check(
        std::slice::from_ref(&one),
        "`3.sql` was applied to this database, but is missing from the schema folder",
    );
    check(
        &[one.clone(), file("2.sql", "create table two ()"), three.clone()],
        "`2.sql` is new, but comes before `3.sql`, which was applied already; give it a higher number",
    );
    check(&[one.clone(), one.clone()], "there are two files called `1.sql`");
    let same = file("1.sql", &format!("{ITEMS}\r\n").replace("\r\n", ""));
    drop(apply(&place, &[same, three]).unwrap());
}

#[test]
fn a_mistake_is_told_by_line_and_column_and_nothing_of_its_file_is_kept() {
    let place = Postgres::shared().database();
    let check = |sql: &str, expected: &str| {
        let files = [file("1.sql", ITEMS), file("2.sql", sql)];
        assert_eq!(refusal(&place, &files).to_string(), expected, "{sql}");
        assert_eq!(place.psql("select count(*) from items"), "0");
        assert_eq!(place.psql("select name from _kasoku_migration"), "1.sql");
    };
    check(
        "insert into items values (1, 'ü');\n  selec 1;",
        "`2.sql`, line 2, column 3: syntax error at or near \"selec\"",
    );
    check(
        "insert into items values (1, 'é'); insert into itms values (2, 'b');",
        "`2.sql`, line 1, column 48: relation \"itms\" does not exist",
    );
    check(
        "insert into items values (1, 'a');\ninsert into items values (1, 'b')",
        "`2.sql`: duplicate key value violates unique constraint \"items_pkey\"; Key (id)=(1) already exists.",
    );
    check(
        "create index concurrently by_name on items (name)",
        "`2.sql`: CREATE INDEX CONCURRENTLY cannot run inside a transaction block",
    );
}

#[test]
fn a_file_may_not_begin_or_end_a_transaction_or_wait_for_rows() {
    let place = Postgres::shared().database();
    let check = |sql: &str, place_of: &str, says: &str| {
        let error = refusal(&place, &[file("1.sql", sql)]).to_string();
        assert_eq!(error, format!("`1.sql`, {place_of}: {says}"), "{sql}");
        assert_eq!(place.psql("select count(*) from pg_class where relname = 'kept'"), "0");
    };
    let transaction = "a schema file runs in a transaction; it may not begin or end one";
    check("begin; create table kept (); commit;", "line 1, column 1", transaction);
    check("create table kept ();\n  -- done\n  COMMIT", "line 3, column 3", transaction);
    check("create table kept (); end;", "line 1, column 23", transaction);
    check("create table kept (); start transaction", "line 1, column 23", transaction);
    check("create table kept (); prepare transaction 'x'", "line 1, column 23", transaction);
    check("create table kept (); rollback", "line 1, column 23", transaction);
    check(
        "create table kept (a int);\ncopy kept from stdin;\n1\n\\.\n",
        "line 2, column 1",
        "nobody sends rows to a schema file; write them as `insert`",
    );
    check("create table kept (); \0", "line 1, column 23", "a NUL character, which the server does not take");
    let allowed = "
        create function f() returns int language sql begin atomic select 1; select case when true then 2 end; end;
        create function g() returns int language plpgsql as $$ begin return 1; end $$;
        savepoint a; create table gone (); rollback to savepoint a; create table there ();
        do $$ begin perform 1; end $$;";
    drop(apply(&place, &[file("1.sql", allowed)]).unwrap());
    assert_eq!(
        place.psql("select f(), g(), to_regclass('gone') is null, to_regclass('there')"),
        "2|1|t|there"
    );
}

#[test]
fn a_file_may_look_elsewhere_for_names_without_misleading_those_after_it() {
    let place = Postgres::shared().database();
    let dump = "select pg_catalog.set_config('search_path', '', false); create table public.dumped (id int);";
    drop(apply(&place, &[file("1.sql", dump), file("2.sql", "create table public.after (id int)")]).unwrap());
    assert_eq!(place.psql("select count(*) from public._kasoku_migration"), "2");
}

#[test]
fn nodes_that_start_at_once_apply_each_file_once() {
    let place = Postgres::shared().database();
    let files: Vec<Migration> = (0..8)
        .map(|number| {
            file(&format!("{number}.sql"), &format!("create table t{number} (id int); select pg_sleep(0.01)"))
        })
        .collect();
    std::thread::scope(|scope| {
        let nodes: Vec<_> = (0..4).map(|_| scope.spawn(|| apply(&place, &files).map(drop))).collect();
        for node in nodes {
            node.join().unwrap().unwrap();
        }
    });
    assert_eq!(place.psql("select count(*) from _kasoku_migration"), "8");
}

#[test]
fn a_database_without_schema_files_is_left_as_it_is() {
    let site = Site::new(ITEMS);
    drop(connect(&PostgresSettings::new(site.place.url())).unwrap());
    assert_eq!(site.place.psql("select count(*) from pg_class where relname = '_kasoku_migration'"), "0");
}
