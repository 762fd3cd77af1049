//! Statements that are sent together: their order, the errors among them, and what is left of a transaction that nobody
//! waited for the end of.

use super::*;
use crate::ReadTransaction;

const SCHEMA: &str = "create table line (place int primary key, text text not null);
    create function stamp() returns trigger language plpgsql as $$ begin
        new.text := new.text || ' after ' || (select count(*) from line); return new; end $$;
    create trigger stamp before insert on line for each row execute function stamp();";

/// More than are on their way at once.
const MANY: i64 = 300;

fn inserts(places: impl Iterator<Item = i64>) -> Vec<(Statement, Vec<Value>)> {
    let statement = Statement::new("insert", "insert into line values ($1, $2) returning place, text");
    places
        .map(|place| {
            (statement.clone(), vec![Value::Integer(place), format!("line {place}").as_str().into()])
        })
        .collect()
}

/// Writes all of these, and gives what each returned.
async fn write_all(site: &Site, lines: Vec<(Statement, Vec<Value>)>) -> Result<Vec<String>, DatabaseError> {
    let job = move |transaction: &mut WriteTransaction<'_>| {
        let lent: Vec<_> = lines.iter().map(|(statement, params)| (statement.clone(), &params[..])).collect();
        let mut returned = Vec::new();
        transaction.query_all(&lent, |place, rows| {
            assert_eq!(place, returned.len());
            returned.push(texts(rows)?.join("; "));
            Ok::<_, DatabaseError>(())
        })?;
        Ok(returned)
    };
    site.database.write(None, job).await.map(|(returned, _)| returned)
}

#[tokio::test]
async fn statements_of_a_job_run_in_their_order_and_answer_in_it() {
    let site = Site::new(SCHEMA);
    let returned = write_all(&site, inserts((0..MANY).rev())).await.unwrap();
    let expected: Vec<String> = (0..MANY)
        .rev()
        .enumerate()
        .map(|(before, place)| format!("{place},line {place} after {before}"))
        .collect();
    assert_eq!(returned, expected);
}

#[tokio::test]
async fn one_that_fails_is_the_error_and_nothing_of_the_job_is_kept() {
    let site = Site::new(SCHEMA);
    for wrong in [0, 1, 127, 128, MANY - 1] {
        let twice = (0..MANY).map(|place| if place == wrong { 1_000 } else { place });
        let failed = write_all(&site, inserts(std::iter::once(1_000).chain(twice))).await;
        assert!(
            matches!(&failed, Err(DatabaseError::Constraint { columns, .. }) if columns == &["place"]),
            "{wrong}: {failed:?}"
        );
        assert_eq!(site.rows("select count(*) from line", vec![]).await, ["0"], "{wrong}");
    }
    assert_eq!(write_all(&site, inserts(0..2)).await.unwrap().len(), 2, "the connection is as before");
}

#[tokio::test]
async fn a_reader_leaves_no_transaction_open() {
    let site = Site::new(SCHEMA);
    let statement = Statement::new("own", "select pg_backend_pid()");
    let read = site.database.read_many(None, move |transaction: &mut ReadTransaction<'_>| {
        transaction.query(&statement, &[], texts)
    });
    let (backend, _) = read.await.unwrap();
    let state = format!("select state from pg_stat_activity where pid = {}", backend[0]);
    let patience = std::time::Instant::now() + Duration::from_secs(20);
    while site.place.psql(&state) != "idle" {
        assert!(std::time::Instant::now() < patience, "it is {}", site.place.psql(&state));
    }
}
