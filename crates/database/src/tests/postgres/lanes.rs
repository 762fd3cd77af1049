//! Shared and exclusive connections: reads, jobs, limits, and a server that goes away.

use tokio::task::JoinSet;

use super::*;
use crate::{ConstraintKind, ReadTransaction};

const SCHEMA: &str =
    "create table shelf (id int primary key, name text not null unique, full_at timestamptz);
    create table book (id bigint generated always as identity primary key,
        shelf int not null references shelf on delete cascade, title text);
    insert into shelf values (1, 'a', null), (2, 'b', '2024-05-06 07:08:09.5+02');";

#[tokio::test]
async fn values_are_bound_by_the_types_of_the_statement() {
    let site = Site::new(SCHEMA);
    let check = async |sql: &str, params: Vec<Value>, expected: &[&str]| {
        assert_eq!(site.rows(sql, params).await, expected, "{sql}");
    };
    check("select name from shelf where id = $1", vec![Value::Integer(2)], &["b"]).await;
    check(
        "select $1::bool, $2::float8, $3::text",
        vec![Value::Integer(1), Value::Real(0.1), "ü".into()],
        &["1,0.1,ü"],
    )
    .await;
    check("select id from shelf where full_at = $1", vec!["2024-05-06T05:08:09.5Z".into()], &["2"]).await;
    check("select $1::bytea", vec![Value::Blob(vec![0, 255])], &["[0, 255]"]).await;
    check("select id from shelf where id = any($1) order by id", vec!["{1,2,3}".into()], &["1", "2"]).await;
    check("select $1::text is null", vec![Value::Null], &["1"]).await;
}

#[tokio::test]
async fn many_reads_share_a_few_connections() {
    let site = Site::with(SCHEMA, |settings| settings.shared = 2);
    let mut reads = JoinSet::new();
    for number in 0..200_i64 {
        let database = Arc::clone(&site.database);
        reads.spawn(async move {
            let statement = Statement::new("echo", "select $1::bigint, pg_backend_pid()");
            let read = database.read(&statement, vec![Value::Integer(number)], None, |rows| {
                let row = rows.next()?.expect("one row");
                Ok::<_, DatabaseError>((row.get(0).as_integer(), row.get(1).as_integer()))
            });
            (Some(number), read.await.unwrap().0)
        });
    }
    let mut backends = std::collections::BTreeSet::new();
    while let Some(read) = reads.join_next().await {
        let (number, (echoed, backend)) = read.unwrap();
        assert_eq!(number, echoed);
        backends.insert(backend);
    }
    assert!(backends.len() <= 2, "{backends:?}");
}

#[tokio::test]
async fn reads_of_one_transaction_see_one_moment() {
    let site = Site::new(SCHEMA);
    let (url, count) = (site.place.url(), Statement::new("count", "select count(*) from shelf"));
    let read = site.database.read_many(None, move |transaction: &mut ReadTransaction<'_>| {
        let before = transaction.query(&count, &[], texts)?;
        let other = connect(&PostgresSettings::new(url.clone()))?;
        other.bulk(|bulk| bulk.run("insert into shelf values (3, 'c')"))?;
        let after = transaction.query(&count, &[], texts)?;
        Ok::<_, DatabaseError>((before, after))
    });
    let ((before, after), _) = read.await.unwrap();
    assert_eq!(before, after);
    assert_eq!(site.rows("select count(*) from shelf", vec![]).await, ["3"]);
}

#[tokio::test]
async fn a_read_cannot_write() {
    let site = Site::new(SCHEMA);
    let statement = Statement::new("sly", "delete from shelf returning id");
    let read = site.database.read(&statement, vec![], None, texts).await;
    assert!(matches!(read, Err(DatabaseError::ReadOnly)), "{read:?}");
    let many = site.database.read_many(None, move |transaction: &mut ReadTransaction<'_>| {
        transaction.query(&statement, &[], texts)
    });
    assert!(matches!(many.await, Err(DatabaseError::ReadOnly)));
    assert_eq!(site.rows("select count(*) from shelf", vec![]).await, ["2"]);
}

#[tokio::test]
async fn what_a_server_refuses_is_told_in_our_words() {
    let site = Site::new(SCHEMA);
    let check = async |sql: &str, kind: ConstraintKind, columns: &[&str]| match site.write(sql).await {
        Err(DatabaseError::Constraint { kind: found, columns: named, .. }) => {
            assert_eq!((found, named.as_slice()), (kind, columns.map_owned().as_slice()), "{sql}");
        }
        other => panic!("{sql}: {other:?}"),
    };
    check("insert into shelf values (1, 'z')", ConstraintKind::Unique, &["id"]).await;
    check("insert into shelf values (9, 'a')", ConstraintKind::Unique, &["name"]).await;
    check("insert into shelf values (9, null)", ConstraintKind::NotNull, &["name"]).await;
    check("insert into book (shelf) values (77)", ConstraintKind::ForeignKey, &["shelf"]).await;
    check("insert into shelf values (9, 'z', 'no time')", ConstraintKind::DataType, &[]).await;
    let unknown = site.write("delete from nothing").await;
    assert!(matches!(&unknown, Err(DatabaseError::Sql { code, .. }) if &**code == "42P01"), "{unknown:?}");
}

trait MapOwned {
    fn map_owned(&self) -> Vec<String>;
}

impl MapOwned for [&str] {
    fn map_owned(&self) -> Vec<String> {
        self.iter().map(|text| (*text).to_owned()).collect()
    }
}

#[tokio::test]
async fn a_job_that_fails_leaves_nothing_and_a_part_can_be_undone_alone() {
    let site = Site::new(SCHEMA);
    let insert = |id: i64, name: &str| {
        (Statement::new("insert", "insert into shelf values ($1, $2)"), [Value::Integer(id), name.into()])
    };
    let (good, bad) = (insert(3, "c"), insert(4, "c"));
    let job = {
        let (good, bad) = (good.clone(), bad.clone());
        move |write: &mut WriteTransaction<'_>| {
            write.execute(&good.0, &good.1)?;
            write.execute(&bad.0, &bad.1)
        }
    };
    assert!(site.database.write::<_, DatabaseError>(None, job).await.is_err());
    assert_eq!(site.rows("select count(*) from shelf", vec![]).await, ["2"]);
    let job = move |write: &mut WriteTransaction<'_>| {
        write.execute(&good.0, &good.1)?;
        let part = write.attempt(|write| write.execute(&bad.0, &bad.1));
        assert!(part.is_err());
        Ok(())
    };
    site.database.write::<_, DatabaseError>(None, job).await.unwrap();
    assert_eq!(site.rows("select name from shelf order by id", vec![]).await, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_job_that_decides_by_what_it_read_loses_no_update() {
    let site = Site::new("create table counter (value int); insert into counter values (0)");
    let mut jobs = JoinSet::new();
    for _ in 0..12 {
        let database = Arc::clone(&site.database);
        jobs.spawn(async move {
            let job = |write: &mut WriteTransaction<'_>| {
                let read = Statement::new("read", "select value from counter");
                let value = write.query(&read, &[], super::super::first_integer)?;
                let set = Statement::new("set", "update counter set value = $1");
                write.execute(&set, &[Value::Integer(value + 1)])
            };
            database.write_isolated::<_, DatabaseError>(None, job).await.unwrap();
        });
    }
    jobs.join_all().await;
    assert_eq!(site.rows("select value from counter", vec![]).await, ["12"]);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_stopped_on_the_server_too() {
    let site = Site::with(SCHEMA, |settings| settings.statement_timeout = Duration::from_millis(200));
    let sleep = Statement::new("sleep", "select pg_sleep(60)");
    let short = site.database.read(&sleep, vec![], None, texts).await;
    assert!(matches!(short, Err(DatabaseError::Deadline)), "{short:?}");
    let many = site.database.read_many(None, move |transaction: &mut ReadTransaction<'_>| {
        transaction.query(&Statement::new("sleep", "select pg_sleep(60)"), &[], texts)
    });
    assert!(matches!(many.await, Err(DatabaseError::Deadline)));
    let sleeping =
        "select count(*) from pg_stat_activity where state = 'active' and query like 'select pg_sleep%'";
    // The server hears of it on another connection, and takes its own time to stop.
    while site.place.psql(sleeping).trim() != "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_changed_table_is_read_by_a_statement_that_was_prepared_before() {
    let site = Site::new("create table book_of (id int, title text); insert into book_of values (1, 'a')");
    let all = "select * from book_of where id = 1";
    assert_eq!(site.rows(all, vec![]).await, ["1,a"]);
    site.place.psql("alter table book_of add column room int default 7");
    assert_eq!(site.rows(all, vec![]).await, ["1,a,7"]);
}

#[tokio::test]
async fn more_jobs_than_may_wait_are_refused() {
    let site = Site::with(SCHEMA, |settings| {
        settings.exclusive = 1;
        settings.queue = 1;
        settings.wait = Duration::from_mins(1);
    });
    let (began, has_begun) = tokio::sync::oneshot::channel();
    let (let_go, may_go) = std::sync::mpsc::channel::<()>();
    let mut began = Some(began);
    let database = Arc::clone(&site.database);
    let holds = tokio::spawn(async move {
        let job = move |_: &mut WriteTransaction<'_>| {
            if let Some(began) = began.take() {
                began.send(()).unwrap();
                may_go.recv().unwrap();
            }
            Ok::<_, DatabaseError>(())
        };
        database.write(None, job).await.map(|_| ())
    });
    has_begun.await.unwrap();
    let mut waits = Box::pin(site.write("update shelf set name = 'w' where id = 1"));
    // Its first poll puts it into the queue.
    tokio::select! {
        biased;
        done = &mut waits => panic!("nobody is free for it: {done:?}"),
        () = std::future::ready(()) => {}
    }
    let refused = site.write("update shelf set name = 'r' where id = 1").await;
    assert!(matches!(refused, Err(DatabaseError::QueueFull)), "{refused:?}");
    let_go.send(()).unwrap();
    holds.await.unwrap().unwrap();
    assert_eq!(waits.await.unwrap(), 1);
}

#[tokio::test]
async fn a_server_that_was_restarted_is_used_again_without_a_restart_of_ours() {
    let mut server = Postgres::start();
    let place = server.database();
    place.psql(SCHEMA);
    let database = connect(&PostgresSettings::new(place.url())).unwrap();
    let read = async || {
        let statement = Statement::new("names", "select name from shelf order by id");
        database.read::<_, DatabaseError>(&statement, vec![], None, texts).await
    };
    let write = async || {
        let job = |write: &mut WriteTransaction<'_>| {
            write.execute(&Statement::new("touch", "update shelf set full_at = now()"), &[])
        };
        database.write::<_, DatabaseError>(None, job).await
    };
    assert_eq!(read().await.unwrap().0, ["a", "b"]);
    assert_eq!(write().await.unwrap().0, 2);
    server.kill();
    assert!(read().await.is_err());
    assert!(write().await.is_err());
    server.restart();
    while read().await.is_err() || write().await.is_err() {}
}

#[tokio::test]
async fn loads_fill_copy_and_undo() {
    let site = Site::new("create table n (id bigint primary key, half float8, text text, bytes bytea)");
    let progress = std::cell::Cell::new(0);
    site.database
        .bulk(|bulk| {
            bulk.fill(
                "insert into n select i, i / 2.0, ':first', '\\x00' from generate_series(:first, :last) i;",
                45_000,
                20_000,
                |done| progress.set(done),
            )?;
            let rows = (45_001..=45_003_i64).map(|id| {
                Ok::<_, DatabaseError>(vec![
                    Value::Integer(id),
                    Value::Null,
                    "tab\there".into(),
                    Value::Blob(vec![1, 2]),
                ])
            });
            bulk.insert_rows("n", &["id", "half", "text", "bytes"], rows, |_| ())?;
            bulk.analyze()
        })
        .unwrap();
    assert_eq!(progress.get(), 45_000);
    assert_eq!(site.rows("select count(*), max(half) from n", vec![]).await, ["45003,22500"]);
    assert_eq!(site.rows("select text, bytes from n where id > 45002", vec![]).await, ["tab\there,[1, 2]"]);
    let failed = site.database.bulk(|bulk| bulk.run("delete from n; select 1/0"));
    assert!(failed.is_err());
    assert_eq!(site.rows("select count(*) from n", vec![]).await, ["45003"]);
}

#[test]
fn what_cannot_be_connected_to_is_said_without_the_password() {
    let check = |url: &str, expected: &str| {
        let error = connect(&PostgresSettings::new(url)).err().expect("a refusal").to_string();
        assert!(error.contains(expected) && !error.contains("secret"), "{url}: {error}");
    };
    check("postgres://u:secret@127.0.0.1:1/d", "error connecting");
    check("postgres://u:secret@127.0.0.1:1/d?sslmode=often", "cannot be read");
    check("postgres://u:secret@h/d?sslmode=verify-full&sslrootcert=/nowhere", "/nowhere");
    let place = Postgres::shared().database();
    check(&place.url().replace(place.name(), "missing"), "does not exist");
}
