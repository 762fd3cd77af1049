//! Control of the cache while it works: purges of all kinds, and the switch of each route.

use std::process::{Command, Output};
use std::sync::{Arc, Condvar, Mutex};

use http::{Method, StatusCode};
use kasoku_testkit::{Answer, Client, Kasoku, RecordingOrigin, Start, TempApp};
use serde_json::{Value, json};

use crate::shop;

const BINARY: &str = env!("CARGO_BIN_EXE_kasoku");

/// Both kinds of cached routes: an origin, a table and a view of it.
struct Site {
    kasoku: Kasoku,
    origin: RecordingOrigin,
    gate: Arc<Gate>,
    app: TempApp,
}

/// Closed, it keeps answers of the origin back that were asked for at `/slow`.
#[derive(Default)]
struct Gate {
    is_closed: Mutex<bool>,
    moved: Condvar,
}

impl Gate {
    fn close(&self) {
        *self.is_closed.lock().unwrap() = true;
    }

    fn open(&self) {
        *self.is_closed.lock().unwrap() = false;
        self.moved.notify_all();
    }

    fn wait(&self) {
        drop(self.moved.wait_while(self.is_closed.lock().unwrap(), |closed| *closed).unwrap());
    }
}

impl Drop for Site {
    /// Threads of the origin must not wait for ever.
    fn drop(&mut self) {
        self.gate.open();
    }
}

impl Site {
    fn start() -> Self {
        let gate = Arc::new(Gate::default());
        let origin = RecordingOrigin::new({
            let gate = Arc::clone(&gate);
            move |exchange| {
                let body = exchange.number().to_string();
                if exchange.target().starts_with("/slow") {
                    gate.wait();
                }
                let length = body.len();
                exchange.send(format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nsurrogate-key: front all\r\ncache-groups: \"news\"\r\n\
                     cache-control: max-age=600, stale-while-revalidate=600\r\n\r\n{body}"
                ));
            }
        });
        let app = TempApp::new(&text(&origin)).file("schema/001-shop.sql", SCHEMA);
        let kasoku = Start::serve(BINARY, app.path()).ready();
        Self { kasoku, origin, gate, app }
    }

    async fn purge(&self, order: &Value) -> Value {
        let answer = self.kasoku.admin().json(Method::POST, "/api/cache/purge", order).await;
        assert_eq!(answer.status, StatusCode::OK, "{order}: {answer:?}");
        answer.json()
    }

    async fn switch(&self, route: &str, cache: bool) -> Answer {
        let order = json!({ "route": route, "cache": cache });
        self.kasoku.admin().json(Method::POST, "/api/cache/routes", &order).await
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let admin = self.kasoku.admin_address().to_string();
        let mut command = Command::new(BINARY);
        command.arg("purge").args(arguments).args(["--admin", &admin]).env_remove("KASOKU_ADMIN_TOKEN");
        command.output().expect("the command runs")
    }
}

const SCHEMA: &str = "create table things (id integer primary key, name text not null);
create view shown as select id, name from things;
insert into things (name) values ('a'), ('b');";

fn text(origin: &RecordingOrigin) -> String {
    format!(
        r#"
[database]
url = "sqlite:shop.db"
schema = "schema/"

[[route]]
path = "/things"
table = "things"
filter = ["name"]
write = ["insert"]

[[route]]
path = "/shown"
query = "select count(*) as things from shown"

[[route]]
path = "/raw"
query = "select 1 as one"
cache = false

[[route]]
path = "/{{*rest}}"
origin = "{}"
"#,
        origin.url()
    )
}

/// A target, and the host that it is asked at.
type Ask = (&'static str, &'static str);

async fn get(client: &Client, (target, host): Ask) -> Answer {
    client.get_with(target, &[("host", host), ("accept-encoding", "gzip")]).await
}

const ALL: [Ask; 7] = [
    ("/things", "a.example"),
    ("/things/1", "a.example"),
    ("/shown", "a.example"),
    ("/page", "a.example"),
    ("/page", "b.example:81"),
    ("/page?n=1", "a.example"),
    ("/pages/2", "a.example"),
];

#[tokio::test]
async fn each_purge_reaches_what_it_names_and_nothing_else() {
    let site = Site::start();
    let client = site.kasoku.client();
    for (order, reached) in [
        (json!({"url": "/page"}), &[3, 4][..]),
        (json!({"url": "/page", "host": "B.example:81"}), &[4]),
        (json!({"url": "https://a.example/page?n=1"}), &[5]),
        (json!({"url": "http://a.example:80/page"}), &[3]),
        (json!({"url": "/things"}), &[0]),
        (json!({"url": "/things/1", "host": "a.example"}), &[1]),
        (json!({"url": "/nothing"}), &[]),
        (json!({"prefix": "/page"}), &[3, 4, 5, 6]),
        (json!({"prefix": "/page", "host": "a.example"}), &[3, 5, 6]),
        (json!({"prefix": "/things"}), &[0, 1]),
        (json!({"prefix": "/", "host": "b.example:81"}), &[0, 1, 2, 4]),
        (json!({"tag": "things"}), &[0, 1, 2]),
        (json!({"tag": "front"}), &[3, 4, 5, 6]),
        (json!({"group": "news", "host": "a.example"}), &[3, 5, 6]),
        (json!({"group": "news", "host": "B.example:81"}), &[4]),
        (json!({"group": "olds", "host": "a.example"}), &[]),
        (json!({"all": true}), &[0, 1, 2, 3, 4, 5, 6]),
    ] {
        for (soft, verdict) in [(true, ["STALE", "MISS"]), (false, ["MISS", "MISS"])] {
            for ask in ALL {
                get(&client, ask).await;
                assert_eq!(get(&client, ask).await.cache(), "HIT", "{ask:?} before {order}");
            }
            let mut order = order.clone();
            order["soft"] = json!(soft);
            let purged = site.purge(&order).await;
            assert_eq!(purged["nodes"], json!({ "reached": 1, "of": 1 }));
            // Forms and fields of the same target may be stored beside it; what was not reached is not counted.
            assert_eq!(purged["entries"].as_u64().unwrap() > 0, !reached.is_empty(), "{order}: {purged}");
            for (place, ask) in ALL.into_iter().enumerate() {
                let is_origin = place > 2;
                let expected = match (reached.contains(&place), is_origin) {
                    (true, true) => verdict[0],
                    (true, false) => verdict[1],
                    (false, _) => "HIT",
                };
                assert_eq!(get(&client, ask).await.cache(), expected, "{ask:?} after {order}");
            }
            // What is stale is being refreshed behind the caller's back.
            site.purge(&json!({"all": true})).await;
        }
    }
}

#[tokio::test]
async fn what_is_on_its_way_while_a_purge_comes_is_neither_kept_nor_shared() {
    let ask: Ask = ("/slow", "a.example");
    for order in [
        json!({"url": "/slow"}),
        json!({"url": "http://a.example/slow"}),
        json!({"prefix": "/sl"}),
        json!({"prefix": "/", "host": "a.example"}),
        json!({"tag": "all"}),
        json!({"group": "news", "host": "a.example"}),
        json!({"all": true}),
        json!({"all": true, "soft": true}),
        json!({"tag": "front", "soft": true}),
    ] {
        let site = Site::start();
        let client = site.kasoku.client();
        site.gate.close();
        let asked = |client: &Client| {
            let client = client.clone();
            tokio::spawn(async move { get(&client, ask).await })
        };
        let before = asked(&client);
        until_requests(&site.origin, 1).await;
        site.purge(&order).await;
        let after = asked(&client);
        // A name is known by the answer alone, for which the second then waits.
        if order.get("tag").is_none() && order.get("group").is_none() {
            until_requests(&site.origin, 2).await;
        }
        site.gate.open();
        assert_eq!(before.await.unwrap().text(), "0", "{order}");
        let after = after.await.unwrap();
        assert_eq!(after.text(), "1", "{order}: {after:?}");
        let kept = get(&client, ask).await;
        assert_eq!((kept.text(), kept.cache()), ("1", "HIT"), "{order}");
    }
}

async fn until_requests(origin: &RecordingOrigin, count: usize) {
    while origin.requests().len() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_command_says_how_much_it_reached() {
    let site = Site::start();
    let client = site.kasoku.client();
    for (arguments, ask, said) in [
        (&["--url", "http://a.example/page"][..], ALL[3], "1 answer removed\n"),
        (&["--key", "/page", "--host", "b.example:81"], ALL[4], "1 answer removed\n"),
        (&["--prefix", "/pages"], ALL[6], "1 answer removed\n"),
        (&["--tag", "things"], ALL[0], "1 answer removed\n"),
        (&["--group", "news", "--host", "a.example", "--soft"], ALL[3], "1 answer marked stale\n"),
        (&["--all", "--json"], ALL[3], "{\"entries\":1,\"nodes\":{\"of\":1,\"reached\":1}}\n"),
    ] {
        site.purge(&json!({"prefix": "/"})).await;
        client.get_with(ask.0, &[("host", ask.1)]).await;
        let output = site.run(arguments);
        assert_eq!(String::from_utf8_lossy(&output.stdout), said, "{arguments:?}: {output:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_ne!(client.get_with(ask.0, &[("host", ask.1)]).await.cache(), "HIT", "{arguments:?}");
    }
}

#[tokio::test]
async fn the_command_explains_what_is_wrong() {
    let site = Site::start();
    for (arguments, code, said) in [
        (&["--group", "news"][..], 2, "--host"),
        (&["--tag", "a", "--host", "b"], 2, "cannot be used with"),
        (&["--tag", "a", "--all"], 2, "cannot be used with"),
        (&[], 2, "--url"),
        (&["--url", "page"], 1, "`page` is neither a path that begins with `/` nor a URL of HTTP"),
        (&["--url", "/page#top"], 1, "fragment"),
        (&["--prefix", "/page?n"], 1, "without a query"),
        (&["--url", "http://a/b", "--host", "c"], 1, "another host"),
    ] {
        let output = site.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(said), "{arguments:?}: {told}");
    }
    // The public listener is no admin listener, and a closed port is none at all.
    for (admin, said) in [
        (site.kasoku.address().to_string(), "`--admin` names another"),
        ("127.0.0.1:1".to_owned(), "is the server running"),
    ] {
        let output = Command::new(BINARY).args(["purge", "--all", "--admin", &admin]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(said), "{told}");
    }
}

const OFF: &str = "kasoku; fwd=bypass; detail=switched-off";

#[tokio::test]
async fn a_route_that_is_switched_off_answers_from_its_source_and_stores_nothing() {
    let site = Site::start();
    let client = site.kasoku.client();
    for (route, ask, other) in
        [("/{*rest}", ALL[3], ALL[0]), ("/things", ALL[0], ALL[3]), ("/things", ALL[1], ALL[2])]
    {
        for ask in [ask, other] {
            get(&client, ask).await;
            assert_eq!(get(&client, ask).await.cache(), "HIT", "{ask:?}");
        }
        let turned = site.switch(route, false).await.json();
        assert_eq!((&turned["cache"], &turned["changed"]), (&json!(false), &json!(true)), "{turned}");
        assert!(turned["entries"].as_u64() > Some(0), "{turned}");
        assert_eq!(site.switch(route, false).await.json()["changed"], json!(false));
        let stored = site.kasoku.admin().get("/metrics").await.text().to_owned();
        for _ in 0..3 {
            let answer = get(&client, ask).await;
            assert_eq!((answer.header("cache-status"), answer.cache()), (OFF, "BYPASS"), "{ask:?}");
        }
        let line =
            |text: &str| text.lines().find(|line| line.starts_with("kasoku_cache_stored")).map(str::to_owned);
        assert_eq!(line(&stored), line(site.kasoku.admin().get("/metrics").await.text()));
        assert_eq!(get(&client, other).await.cache(), "HIT", "other routes go on");
        let detail = site.kasoku.admin().get("/health/detail").await.json();
        assert_eq!(detail["cache"]["switched_off"], json!([route]));
        assert_eq!(site.switch(route, true).await.json()["cache"], json!(true));
        assert_eq!(get(&client, ask).await.cache(), "MISS", "nothing of before is left");
        assert_eq!(get(&client, ask).await.cache(), "HIT");
    }
    while !site.kasoku.log().contains("the cache of a route was switched") {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_changes_while_a_route_is_off_is_seen_when_it_is_on_again() {
    let site = Site::start();
    let client = site.kasoku.client();
    let (list, page) = (ALL[0], ALL[3]);
    let before = get(&client, list).await.body;
    get(&client, page).await;
    for route in ["/things", "/{*rest}"] {
        site.switch(route, false).await;
    }
    let written = client.json(Method::POST, "/things", &json!({"name": "c"})).await;
    assert_eq!(written.status, StatusCode::CREATED);
    for route in ["/things", "/{*rest}"] {
        site.switch(route, true).await;
    }
    let after = get(&client, list).await;
    assert_eq!(after.cache(), "MISS");
    assert_ne!(after.body, before);
    assert_eq!(get(&client, page).await.cache(), "MISS");
}

#[tokio::test]
async fn what_is_on_its_way_while_a_route_is_switched_off_is_not_stored() {
    let site = Site::start();
    let client = site.kasoku.client();
    let ask: Ask = ("/slow", "a.example");
    site.gate.close();
    let before = tokio::spawn({
        let client = client.clone();
        async move { get(&client, ask).await }
    });
    until_requests(&site.origin, 1).await;
    site.switch("/{*rest}", false).await;
    site.gate.open();
    assert_eq!(before.await.unwrap().text(), "0");
    site.switch("/{*rest}", true).await;
    let after = get(&client, ask).await;
    assert_eq!((after.text(), after.cache()), ("1", "MISS"));
}

#[tokio::test]
async fn switches_are_listed_checked_and_last_until_the_next_reload() {
    let site = Site::start();
    let admin = site.kasoku.admin();
    site.switch("/things", false).await;
    let listed = admin.get("/api/cache/routes").await.json();
    let route = |route: &str, configured: bool, cache: bool| json!({ "route": route, "configured": configured, "cache": cache });
    let expected = [
        route("/things", true, false),
        route("/shown", true, true),
        route("/raw", false, false),
        route("/{*rest}", true, true),
    ];
    assert_eq!(listed, json!({ "until": "the next reload", "routes": expected }));
    for (route, status, said) in [
        ("/thing", StatusCode::NOT_FOUND, "did you mean `/things`?"),
        ("/raw", StatusCode::CONFLICT, "does not cache"),
    ] {
        let refused = site.switch(route, false).await;
        assert_eq!(refused.status, status, "{refused:?}");
        assert!(refused.text().contains(said), "{refused:?}");
    }
    site.app.write("kasoku.toml", format!("{}# changed\n", text(&site.origin)));
    site.kasoku.signal("HUP");
    loop {
        let detail = admin.get("/health/detail").await.json();
        if detail["generation"] == json!(2) {
            assert_eq!(detail["cache"]["switched_off"], json!([]));
            break;
        }
        tokio::task::yield_now().await;
    }
    let client = site.kasoku.client();
    get(&client, ALL[0]).await;
    assert_eq!(get(&client, ALL[0]).await.cache(), "HIT");
}

#[tokio::test]
async fn purges_of_the_shop_reach_answers_by_fields_and_codings() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let (client, admin) = (kasoku.client(), kasoku.admin());
    client.json(Method::POST, "/things", &json!({"name": "a"})).await;
    let asks = [("prefer", "count=exact"), ("prefer", "count=none"), ("accept-encoding", "gzip")];
    for field in asks {
        client.get_with("/things", &[field]).await;
        assert_eq!(client.get_with("/things", &[field]).await.cache(), "HIT", "{field:?}");
    }
    let purged = admin.json(Method::POST, "/api/cache/purge", &json!({"url": "/things"})).await;
    assert_eq!(purged.json()["entries"], json!(3), "two preferences and none");
    for field in asks {
        assert_eq!(client.get_with("/things", &[field]).await.cache(), "MISS", "{field:?}");
    }
}
