//! Changes: one's own before they are answered, everybody else's by the feed.

use kasoku_coherence::{Lease, Snapshot};

use super::super::Told;
use super::*;
use crate::{WatchMode, WatchedTable};

const SCHEMA: &str = "create table shelf (id int primary key, name text not null, room int);
    create table book (id int primary key, shelf int references shelf on delete cascade on update cascade);
    insert into shelf values (1, 'a', 1), (2, 'b', 1); insert into book values (10, 1), (11, 1), (20, 2);";

/// A watched database, and what is told of it.
struct Watching {
    site: Site,
    told: Arc<Told>,
}

impl Watching {
    async fn new(schema: &str, tables: &[(&str, &[&str])]) -> Self {
        let site = Site::with(schema, |settings| {
            settings.watch = WatchMode::Install;
            settings.poll = Duration::from_millis(5);
        });
        Self::over(site, tables).await
    }

    async fn over(site: Site, tables: &[(&str, &[&str])]) -> Self {
        let told = Arc::new(Told::default());
        site.database.watch(watched(tables)).await.unwrap();
        let lease = site.database.lease().expect("it is watched");
        // The first word of a feed is that anything may have changed before it.
        while !lease.holds(std::time::Instant::now()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        site.database.listen(Arc::clone(&told) as _);
        Self { site, told }
    }

    /// What was told, once the feed has seen all that is committed by now.
    async fn heard(&self) -> Vec<String> {
        let lease = self.site.database.lease().expect("it is watched");
        heard_since(&lease, std::time::Instant::now()).await;
        let mut told = self.told.take();
        told.sort();
        told
    }
}

/// Waits until the feed has asked after this time and was answered.
async fn heard_since(lease: &Lease, since: std::time::Instant) {
    while lease.age(std::time::Instant::now()).is_none_or(|age| std::time::Instant::now() < since + age) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn watched(tables: &[(&str, &[&str])]) -> Vec<WatchedTable> {
    let watched = |(table, columns): &(&str, &[&str])| WatchedTable {
        table: (*table).to_owned(),
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
    };
    tables.iter().map(watched).collect()
}

const BOTH: &[(&str, &[&str])] = &[("shelf", &["id", "name"]), ("book", &["id", "shelf"])];

#[tokio::test]
async fn whoever_writes_is_told_with_old_and_new_values() {
    let watching = Watching::new(SCHEMA, BOTH).await;
    let check = async |sql: &str, expected: &[&str]| {
        watching.site.place.psql(sql);
        assert_eq!(watching.heard().await, expected, "{sql}");
    };
    check("insert into shelf values (3, 'c', 1)", &["shelf · -> 3,c"]).await;
    check("update shelf set name = 'd' where id = 3", &["shelf 3,c -> ·", "shelf · -> 3,d"]).await;
    check("update shelf set room = 9 where id = 3", &["shelf · -> 3,d"]).await;
    check("update shelf set room = 9 where id = 99", &[]).await;
    check("begin; insert into shelf values (4, 'e', 1); rollback", &[]).await;
    check(r#"copy book from program 'printf "30\t3\n31\t3\n"'"#, &["book · -> 30,3", "book · -> 31,3"]).await;
    check("delete from shelf where id = 3", &["book 30,3 -> ·", "book 31,3 -> ·", "shelf 3,d -> ·"]).await;
    check(
        "insert into shelf values (2, 'x', 1), (5, 'f', 1) on conflict (id) do update set name = excluded.name",
        &["shelf 2,b -> ·", "shelf · -> 2,x", "shelf · -> 5,f"],
    )
    .await;
    check(
        "merge into shelf s using (values (2, 'y'), (6, 'g')) v (id, name) on s.id = v.id \
         when matched then delete when not matched then insert values (v.id, v.name, 1)",
        &["book 20,2 -> ·", "shelf 2,x -> ·", "shelf · -> 6,g"],
    )
    .await;
    check(
        "with gone as (delete from book where id = 10 returning *) update shelf set name = 'w' where id = 1",
        &["book 10,1 -> ·", "shelf 1,a -> ·", "shelf · -> 1,w"],
    )
    .await;
    check(
        "update shelf set id = 7 where id = 1",
        &["book 11,1 -> ·", "book · -> 11,7", "shelf 1,w -> ·", "shelf · -> 7,w"],
    )
    .await;
    check("insert into shelf select i, 'n', 1 from generate_series(1000, 1256) i", &["shelf whole"]).await;
    check("truncate shelf cascade", &["book whole", "shelf whole"]).await;
}

#[tokio::test]
async fn ones_own_write_is_told_before_it_is_answered_and_not_twice() {
    let watching = Watching::new(SCHEMA, BOTH).await;
    watching.site.write("delete from shelf where id = 1").await.unwrap();
    let mut told = watching.told.take();
    told.sort();
    assert_eq!(told, ["book 10,1 -> ·", "book 11,1 -> ·", "shelf 1,a -> ·"]);
    watching.site.place.psql("update shelf set name = 'z' where id = 2");
    assert_eq!(watching.heard().await, ["shelf 2,b -> ·", "shelf · -> 2,z"]);
    assert!(watching.site.write("insert into shelf values (2, 'again', 1)").await.is_err());
    assert_eq!(watching.heard().await, [""; 0]);
}

#[tokio::test]
async fn a_commit_is_named_so_that_other_nodes_know_whether_they_have_heard_of_it() {
    let watching = Watching::new(SCHEMA, BOTH).await;
    let job = |write: &mut WriteTransaction<'_>| {
        write.execute(&Statement::new("move", "update shelf set room = 2 where id = 1"), &[])
    };
    let (_, commit) = watching.site.database.write::<_, DatabaseError>(None, job).await.unwrap();
    let landmark = commit.landmark.expect("it changed something");
    assert!(landmark.mark.log > 0);
    watching.heard().await;
    assert!(watching.site.database.lease().unwrap().shows(landmark));
    let later = kasoku_coherence::Landmark { transaction: landmark.transaction + 1_000, ..landmark };
    assert!(!watching.site.database.lease().unwrap().shows(later));
    let nothing = |write: &mut WriteTransaction<'_>| {
        write.execute(&Statement::new("none", "update shelf set room = 2 where id = 99"), &[])
    };
    let (_, commit) = watching.site.database.write::<_, DatabaseError>(None, nothing).await.unwrap();
    assert_eq!(commit.landmark, None);
}

#[tokio::test]
async fn what_was_written_early_and_committed_late_is_told() {
    let watching = Watching::new(SCHEMA, BOTH).await;
    let early = connect(&PostgresSettings::new(watching.site.place.url())).unwrap();
    let (wrote, written) = tokio::sync::oneshot::channel();
    let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
    let mut wrote = Some(wrote);
    let job = move |write: &mut WriteTransaction<'_>| {
        write.execute(&Statement::new("early", "update shelf set name = 'early' where id = 1"), &[])?;
        if let Some(wrote) = wrote.take() {
            wrote.send(()).unwrap();
            may_go_on.recv().unwrap();
        }
        Ok::<_, DatabaseError>(())
    };
    let early = tokio::spawn(async move { early.write(None, job).await.map(|_| ()) });
    written.await.unwrap();
    watching.site.place.psql("update shelf set name = 'late' where id = 2");
    assert_eq!(watching.heard().await, ["shelf 2,b -> ·", "shelf · -> 2,late"]);
    go_on.send(()).unwrap();
    early.await.unwrap().unwrap();
    assert_eq!(watching.heard().await, ["shelf 1,a -> ·", "shelf · -> 1,early"]);
}

#[tokio::test]
async fn a_writers_temporary_table_does_not_take_the_place_of_the_record() {
    let watching = Watching::new(SCHEMA, BOTH).await;
    watching.site.place.psql(
        "create temp table _kasoku_change (relation text, before jsonb, after jsonb, whole boolean); \
         update shelf set room = 3 where id = 1",
    );
    assert_eq!(watching.heard().await, ["shelf · -> 1,a"]);
}

#[tokio::test]
async fn a_partition_is_told_as_its_table_however_it_is_written() {
    let schema = "create table log (day int, text text) partition by range (day);
        create table log_old partition of log for values from (0) to (10);
        create table log_new partition of log for values from (10) to (20);";
    let watching = Watching::new(schema, &[("log", &["day"])]).await;
    watching.site.place.psql("insert into log values (1, 'a'), (11, 'b')");
    assert_eq!(watching.heard().await, ["log · -> 1", "log · -> 11"]);
    watching.site.place.psql("insert into log_old values (2, 'c')");
    assert_eq!(watching.heard().await, ["log · -> 2"]);
}

#[tokio::test]
async fn a_column_that_is_gone_makes_no_writer_fail() {
    let watching = Watching::new(SCHEMA, BOTH).await;
    watching.site.place.psql("alter table shelf rename name to title");
    watching.site.place.psql("update shelf set title = 'q' where id = 1");
    assert_eq!(watching.heard().await, ["shelf whole"]);
    let odd = "create table \"Odd 'name\" (\"a \"\"b\\\" int primary key)";
    let watching = Watching::new(odd, &[("Odd 'name", &["a \"b\\"])]).await;
    watching.site.place.psql("insert into \"Odd 'name\" values (1)");
    assert_eq!(watching.heard().await, ["Odd 'name · -> 1"]);
}

#[tokio::test]
async fn a_server_that_crashed_makes_everything_doubtful() {
    let mut server = Postgres::start();
    let place = server.database();
    place.psql(SCHEMA);
    let mut settings = PostgresSettings::new(place.url());
    settings.watch = WatchMode::Install;
    settings.poll = Duration::from_millis(5);
    let database = Arc::new(connect(&settings).unwrap());
    let watching = Watching::over(Site { place, database }, BOTH).await;
    watching.heard().await;
    server.kill();
    server.restart();
    assert!(watching.heard().await.contains(&"everything".to_owned()));
    watching.site.place.psql("update shelf set name = 'z' where id = 2");
    assert_eq!(watching.heard().await, ["shelf 2,b -> ·", "shelf · -> 2,z"]);
}

#[tokio::test]
async fn a_feed_that_hears_nothing_lets_its_lease_end() {
    let server = Postgres::start();
    let place = server.database();
    place.psql(SCHEMA);
    let mut settings = PostgresSettings::new(place.url());
    settings.watch = WatchMode::Install;
    settings.bound = Duration::from_millis(200);
    let database = Arc::new(connect(&settings).unwrap());
    let watching = Watching::over(Site { place, database }, BOTH).await;
    let lease = watching.site.database.lease().unwrap();
    server.hang();
    while lease.holds(std::time::Instant::now()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.go_on();
    heard_since(&lease, std::time::Instant::now()).await;
    assert!(lease.holds(std::time::Instant::now()));
}

#[tokio::test]
async fn without_triggers_ones_own_writes_change_whole_tables_cascades_too() {
    let site = Site::new(SCHEMA);
    assert!(site.database.lease().is_none());
    let told = Arc::new(Told::default());
    site.database.listen(Arc::clone(&told) as _);
    let before = site.database.read(&Statement::new("one", "select 1"), vec![], None, texts).await.unwrap().1;
    site.write("delete from shelf where id = 1").await.unwrap();
    let after = site.database.read(&Statement::new("one", "select 1"), vec![], None, texts).await.unwrap().1;
    assert!(Snapshot(before.0 + 1) == after, "{before:?} {after:?}");
    let mut told = told.take();
    told.sort();
    assert_eq!(told, ["book whole", "shelf whole"]);
}

#[tokio::test]
async fn what_was_installed_can_be_taken_away_again() {
    let watching = Watching::new(SCHEMA, BOTH).await;
    let place = &watching.site.place;
    let status = crate::watch_status(&PostgresSettings::new(place.url())).unwrap();
    let tables: Vec<_> = status.iter().flatten().map(|watched| watched.table.as_str()).collect();
    assert_eq!(tables, ["book", "shelf"]);
    crate::watch_remove(&PostgresSettings::new(place.url())).unwrap();
    assert_eq!(crate::watch_status(&PostgresSettings::new(place.url())).unwrap(), None);
    place.psql("insert into shelf values (3, 'c', 1)");
    let left = "select count(*) from pg_proc where proname like '\\_kasoku%'";
    assert_eq!(place.psql(left).trim(), "0");
    let installed = crate::watch_install(&PostgresSettings::new(place.url()), &watched(BOTH)).unwrap();
    assert_eq!(installed, ["shelf", "book"]);
    assert_eq!(crate::watch_install(&PostgresSettings::new(place.url()), &watched(BOTH)).unwrap(), [""; 0]);
}
