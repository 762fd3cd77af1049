//! Replicas: what is read from them shows what it must, and whoever cannot show it is not asked.

use std::time::Instant;

use kasoku_coherence::{Floors, Landmark, Position, Snapshot, Tag};

use super::*;
use crate::{
    CommitListener, DataChange, Newness, ReadNeeds, ReadTransaction, ReplicaChoice, ReplicaFacts, WatchMode,
    WatchedTable,
};

const SCHEMA: &str = "create table item (id int primary key, name text not null);
    create table other (id int primary key);
    insert into item values (1, 'old');";

const NAME: &str = "select name from item where id = 1";

/// A server with standbys, and a database on it that is read from them.
struct Stand {
    standbys: Vec<Postgres>,
    primary: Postgres,
    database: Arc<Database>,
}

/// Names each table that a change touches.
struct Touching(Arc<Floors>);

impl CommitListener for Touching {
    fn changed(&self, position: Position, changes: &[DataChange]) {
        for change in changes {
            match change {
                DataChange::Row(row) => self.0.touch(position, &[Tag::named(&row.table)]),
                DataChange::Table(table) => self.0.touch(position, &[Tag::named(table)]),
                DataChange::Everything => self.0.touch_all(position),
            }
        }
    }
}

impl Stand {
    async fn new(standbys: usize, set: impl FnOnce(&mut PostgresSettings)) -> Self {
        let primary = Postgres::start();
        primary.psql(SCHEMA);
        let standbys: Vec<Postgres> = (0..standbys).map(|_| primary.standby()).collect();
        let mut settings = PostgresSettings::new(primary.url());
        settings.watch = WatchMode::Install;
        settings.poll = Duration::from_millis(5);
        settings.bound = Duration::from_mins(1);
        settings.replicas = standbys.iter().map(Postgres::url).collect();
        settings.replica_lag = Duration::from_hours(1);
        settings.reconnect = [Duration::from_millis(20), Duration::from_millis(50)];
        set(&mut settings);
        let database = Arc::new(connect(&settings).unwrap());
        let watched = |table: &str| WatchedTable { table: table.into(), columns: vec!["id".into()] };
        database.watch(vec![watched("item"), watched("other")]).await.unwrap();
        database.listen(Arc::new(Touching(database.floors().unwrap())));
        let stand = Self { standbys, primary, database };
        stand.until("in use", |facts| facts.iter().all(|facts| facts.unfit.is_none())).await;
        // The first word of the feed is that anything may have changed before it, which replicas have to show, too.
        let lease = stand.database.lease().expect("it is watched");
        while !lease.holds(Instant::now()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for standby in &stand.standbys {
            standby.catch_up(&stand.primary);
        }
        let began = Instant::now();
        while !stand.name(&["item", "other"], None).await.1 {
            assert!(began.elapsed() < Duration::from_secs(20), "no replica is ever read from");
        }
        stand
    }

    fn facts(&self) -> Vec<ReplicaFacts> {
        self.database.replicas().expect("there are replicas").0
    }

    async fn until(&self, what: &str, holds: impl Fn(&[ReplicaFacts]) -> bool) {
        let began = Instant::now();
        while !holds(&self.facts()) {
            assert!(began.elapsed() < Duration::from_secs(20), "{what}: {:?}", self.facts());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn until_state(&self, state: Option<&str>) {
        self.until(&format!("{state:?}"), |facts| facts[0].unfit == state).await;
    }

    /// The name of the row, read where these tags allow it, and whether a replica read it.
    async fn name(&self, tags: &[&str], landmark: Option<Landmark>) -> (String, bool) {
        let count = |facts: &[ReplicaFacts]| facts.iter().map(|facts| facts.reads).sum::<u64>();
        let before = count(&self.facts());
        let statement = Statement::new("test", NAME);
        let (rows, _) = self.database.read(&statement, vec![], needs(tags, landmark), texts).await.unwrap();
        (rows.concat(), count(&self.facts()) > before)
    }

    /// As [`Self::name`], in a transaction of several statements.
    async fn name_in_many(&self, tags: &[&str]) -> String {
        let job = |transaction: &mut ReadTransaction<'_>| {
            transaction.query(&Statement::new("test", NAME), &[], texts)
        };
        self.database.read_many(needs(tags, None), job).await.unwrap().0.concat()
    }

    async fn rename(&self, name: &str) -> Landmark {
        let statement = Statement::new("test", format!("update item set name = '{name}' where id = 1"));
        let job = move |transaction: &mut WriteTransaction<'_>| transaction.execute(&statement, &[]);
        self.database.write(None, job).await.unwrap().1.landmark.expect("it is watched")
    }
}

fn needs(tags: &[&str], landmark: Option<Landmark>) -> ReadNeeds {
    let tags = tags.iter().map(|name| Tag::named(name)).collect();
    ReadNeeds { deadline: None, newness: Newness::Shows { tags, landmark } }
}

fn shown(name: &str, by_replica: bool) -> (String, bool) {
    (name.to_owned(), by_replica)
}

#[tokio::test]
async fn what_a_replica_has_not_replayed_is_read_from_the_database_itself() {
    let stand = Stand::new(1, |_| ()).await;
    assert_eq!(stand.name(&["item"], None).await, shown("old", true));
    stand.standbys[0].pause_replay();
    let landmark = stand.rename("new").await;
    // The floor is all that stands between a reader and what the standby still shows.
    assert_eq!(stand.name(&["other"], None).await, shown("old", true));
    assert_eq!(stand.name_in_many(&["other"]).await, "old");
    assert_eq!(stand.name(&["item"], None).await, shown("new", false));
    assert_eq!(stand.name_in_many(&["item"]).await, "new");
    assert_eq!(stand.name(&["other"], Some(landmark)).await, shown("new", false));
    stand.standbys[0].resume_replay();
    stand.standbys[0].catch_up(&stand.primary);
    let began = Instant::now();
    while stand.name(&["item"], Some(landmark)).await != shown("new", true) {
        assert!(began.elapsed() < Duration::from_secs(20), "the replica is not read from any more");
    }
    assert_eq!(stand.name_in_many(&["item"]).await, "new");
}

#[tokio::test]
async fn what_the_feed_has_told_is_a_floor_too() {
    let stand = Stand::new(1, |_| ()).await;
    stand.standbys[0].pause_replay();
    stand.primary.psql("update item set name = 'theirs' where id = 1");
    let began = Instant::now();
    while stand.name(&["item"], None).await != shown("theirs", false) {
        assert!(began.elapsed() < Duration::from_secs(20), "the feed does not tell");
    }
    assert_eq!(stand.name(&["other"], None).await, shown("old", true));
}

#[tokio::test]
async fn a_replica_that_lags_dies_hangs_or_is_promoted_is_left_out_until_it_is_well_again() {
    let mut stand = Stand::new(1, |settings| {
        settings.replica_lag = Duration::from_millis(300);
        settings.connect_timeout = Duration::from_millis(500);
    })
    .await;
    stand.standbys[0].pause_replay();
    stand.rename("later").await;
    stand.until_state(Some("lagging")).await;
    assert_eq!(stand.name(&["other"], None).await, shown("later", false));
    stand.standbys[0].resume_replay();
    stand.until_state(None).await;
    assert_eq!(stand.name(&["item"], None).await.0, "later");

    stand.standbys[0].kill();
    stand.until_state(Some("away")).await;
    assert_eq!(stand.name(&["item"], None).await, shown("later", false));
    stand.standbys[0].restart();
    stand.until_state(None).await;

    stand.standbys[0].hang();
    assert_eq!(stand.name(&["item"], None).await, shown("later", false));
    stand.until("silent", |facts| facts[0].unfit.is_some()).await;
    stand.standbys[0].go_on();
    stand.until_state(None).await;

    stand.standbys[0].promote();
    stand.until_state(Some("no-standby")).await;
    stand.standbys[0].psql("update item set name = 'strange' where id = 1");
    assert_eq!(stand.name(&["other"], None).await, shown("later", false));
}

#[tokio::test]
async fn a_copy_of_another_database_is_never_read_from() {
    let other = Postgres::unrelated();
    other.psql(SCHEMA);
    let strange = other.standby();
    let url = strange.url();
    let primary = Postgres::start();
    primary.psql(SCHEMA);
    let mut settings = PostgresSettings::new(primary.url());
    settings.replicas = [url].into();
    settings.poll = Duration::from_millis(5);
    let database = connect(&settings).unwrap();
    let began = Instant::now();
    while database.replicas().unwrap().0[0].unfit != Some("another-database") {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", database.replicas());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn each_choice_reads_from_those_that_it_should() {
    for choice in [ReplicaChoice::LeastLoaded, ReplicaChoice::Nearest, ReplicaChoice::RoundRobin] {
        let stand = Stand::new(2, |settings| settings.replica_choice = choice).await;
        let reads = || -> Vec<u64> { stand.facts().iter().map(|facts| facts.reads).collect() };
        while reads().iter().sum::<u64>() % 2 == 1 {
            stand.name(&["item"], None).await;
        }
        let before = reads();
        for _ in 0..20 {
            assert_eq!(stand.name(&["item"], None).await, shown("old", true));
        }
        let reads: Vec<u64> = reads().iter().zip(before).map(|(now, before)| now - before).collect();
        assert_eq!(reads.iter().sum::<u64>(), 20);
        assert!(choice == ReplicaChoice::Nearest || reads == [10, 10], "{choice:?}: {reads:?}");
        stand.standbys[0].pause_replay();
        stand.rename("new").await;
        stand.standbys[1].catch_up(&stand.primary);
        let began = Instant::now();
        while stand.name(&["item"], None).await != shown("new", true) {
            assert!(began.elapsed() < Duration::from_secs(20), "{choice:?}: the other one is not asked");
        }
    }
}

#[tokio::test]
async fn what_is_being_committed_is_read_from_the_database_itself() {
    let stand = Stand::new(1, |_| ()).await;
    let floors = stand.database.floors().unwrap();
    // Nobody publishes it: it is as if somebody were committing.
    floors.touch(Position(u64::MAX), &[Tag::named("item")]);
    assert_eq!(stand.name(&["item"], None).await, shown("old", false));
    assert_eq!(stand.name(&["other"], None).await, shown("old", true));
    assert_eq!(floors.floor(Position(u64::MAX), Snapshot(9)), kasoku_coherence::Floor::Unknown);
}
