//! What a reload keeps of the cache, and what it must not keep.

use http::Method;
use kasoku_testkit::{Kasoku, RecordingOrigin, Redis, Start, TempApp};
use serde_json::json;

const BINARY: &str = env!("CARGO_BIN_EXE_kasoku");

/// An origin that numbers its answers, so that one which was stored is known by its number.
fn numbering(more: &'static str) -> RecordingOrigin {
    RecordingOrigin::new(move |exchange| {
        let body = exchange.number().to_string();
        let length = body.len();
        exchange.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{more}\r\n{body}"));
    })
}

/// An app with a table, and what else is in its file.
struct Site {
    app: TempApp,
    kasoku: Kasoku,
    generation: u64,
}

impl Site {
    fn start(text: &str) -> Self {
        let app = TempApp::new(text)
            .file(
                "schema/001.sql",
                "create table things (id integer primary key, name text not null, kind text);",
            )
            .file("static/a.txt", "a");
        let kasoku = Start::serve(BINARY, app.path()).ready();
        Self { app, kasoku, generation: 1 }
    }

    /// Puts another text in force.
    async fn reload(&mut self, text: &str) {
        self.app.write("kasoku.toml", text);
        self.kasoku.signal("HUP");
        self.generation += 1;
        loop {
            let detail = self.kasoku.admin().get("/health/detail").await.json();
            if detail["generation"].as_u64() >= Some(self.generation) {
                break;
            }
            let refused = self.kasoku.log().contains("refused");
            assert!(!refused, "{}", self.kasoku.log());
            tokio::task::yield_now().await;
        }
    }

    async fn get(&self, target: &str) -> (String, String) {
        let answer = self.kasoku.client().get(target).await;
        assert!(answer.status.is_success(), "{answer:?}");
        (answer.text().to_owned(), answer.cache().to_owned())
    }
}

const DATABASE: &str = "[database]\nurl = \"sqlite:site.db\"\nschema = \"schema/\"\n";

const TABLE: &str = "[[route]]\npath = \"/things\"\ntable = \"things\"\nfilter = [\"name\"]\nwrite = [\"insert\"]\n\
                     cache = { fresh = \"1h\" }\n";

fn of_origin(path: &str, origin: &RecordingOrigin, settings: &str) -> String {
    format!("[[route]]\npath = \"{path}/{{*rest}}\"\norigin = \"{}\"\n{settings}\n", origin.url())
}

fn hit(number: &str) -> (String, String) {
    (number.to_owned(), "HIT".to_owned())
}

#[tokio::test]
async fn routes_that_did_not_change_keep_what_is_stored_and_their_connections() {
    let origin = numbering("cache-control: max-age=600\r\n");
    let routes = of_origin("/one", &origin, "") + &of_origin("/two", &origin, "cache = { fresh = \"1m\" }");
    let mut site = Site::start(&format!("{DATABASE}{TABLE}{routes}"));
    for (target, number) in [("/one/a", "0"), ("/two/a", "1")] {
        assert_eq!(site.get(target).await.0, number);
    }
    site.get("/things").await;
    assert_eq!(site.get("/things").await.1, "HIT");
    let connections = origin.connections();
    // Another route before all others, another log level, and one route with another setting.
    let more = "[log]\nlevel = \"warn\"\n";
    let before = "[[route]]\npath = \"/static/{*rest}\"\nfiles = \"static/\"\n";
    let routes = of_origin("/one", &origin, "") + &of_origin("/two", &origin, "cache = { fresh = \"2m\" }");
    site.reload(&format!("{more}{DATABASE}{before}{TABLE}{routes}")).await;
    assert_eq!(site.get("/one/a").await, hit("0"), "its plan is equal");
    assert_eq!(
        site.get("/things").await.1,
        "HIT",
        "its plan is equal, and so is every other over the database"
    );
    assert_eq!(site.get("/two/a").await.0, "2", "what was stored under another lifetime is not used");
    assert_eq!(site.get("/one/b").await.0, "3");
    assert_eq!(origin.connections(), connections + 1, "only the changed route connects anew");
    // And back: what was stored before the change is not found again.
    let routes = of_origin("/one", &origin, "") + &of_origin("/two", &origin, "cache = { fresh = \"1m\" }");
    site.reload(&format!("{DATABASE}{TABLE}{routes}")).await;
    assert_eq!(site.get("/one/a").await, hit("0"));
    assert_eq!(site.get("/two/a").await.0, "4");
}

#[tokio::test]
async fn no_changed_setting_lets_anything_be_used_that_was_stored_under_another() {
    let (origin, other) =
        (numbering("cache-control: max-age=600\r\n"), numbering("cache-control: max-age=600\r\n"));
    let route = |settings: &str| of_origin("", &origin, settings);
    let mut site = Site::start(&route(""));
    let mut asked = 0;
    assert_eq!(site.get("/a").await.0, asked.to_string());
    for text in [
        route("cache = { fresh = \"1s\" }"),
        route("cache = { stale_if_error = \"1m\" }"),
        route("cache = { hide = [\"accept-language\"] }"),
        route("cache = { show = [\"user-agent\"] }"),
        route("cache = { variants = 3 }"),
        route("cache = { jitter = 0.5 }"),
        route("cache = { body = \"2MiB\" }"),
        route("deadline = \"9s\""),
        format!("[cache]\nmemory = \"100MiB\"\n{}", route("deadline = \"9s\"")),
        format!("[cache]\naudit = 0.1\nmemory = \"100MiB\"\n{}", route("deadline = \"9s\"")),
        format!("[server]\npseudonym = \"edge\"\n{}", route("deadline = \"9s\"")),
    ] {
        site.reload(&text).await;
        asked += 1;
        assert_eq!(site.get("/a").await.0, asked.to_string(), "{text}");
        assert_eq!(site.get("/a").await, hit(&asked.to_string()), "{text}");
    }
    site.reload(&of_origin("", &other, "")).await;
    assert_eq!(site.get("/a").await.0, "0", "another origin is another source");
    assert_eq!(origin.requests().len(), asked + 1);
}

#[tokio::test]
async fn what_is_kept_is_reached_by_purges_writes_and_switches() {
    let origin =
        numbering("cache-control: max-age=600\r\nno-vary-search: params=(\"utm\")\r\ncache-tag: all\r\n");
    let kept = of_origin("/one", &origin, "");
    let mut site = Site::start(&format!("{DATABASE}{TABLE}{kept}"));
    let (client, admin) = (site.kasoku.client(), site.kasoku.admin());
    assert_eq!(site.get("/one/a?utm=1").await.0, "0");
    let mut lifetime = 0;
    let mut next = async |site: &mut Site| {
        lifetime += 1;
        let changes = of_origin("/two", &origin, &format!("cache = {{ fresh = \"{lifetime}s\" }}"));
        site.reload(&format!("{DATABASE}{TABLE}{kept}{changes}")).await;
    };
    next(&mut site).await;
    assert_eq!(site.get("/one/a?utm=2").await, hit("0"), "what it learned of its targets is kept, too");
    client.send(Method::POST, "/one/a?utm=3", &[], "").await;
    assert_eq!(site.get("/one/a?utm=2").await.0, "2", "an unsafe request reaches it");
    for (asked, order) in
        [("3", json!({"prefix": "/one/"})), ("4", json!({"tag": "all"})), ("5", json!({"all": true}))]
    {
        next(&mut site).await;
        let before = site.get("/one/a?utm=2").await;
        assert_eq!(before.1, "HIT", "{order}");
        let purged = admin.json(Method::POST, "/api/cache/purge", &order).await;
        assert!(purged.json()["entries"].as_u64() >= Some(1), "{order}: {}", purged.text());
        assert_eq!(site.get("/one/a?utm=2").await.0, asked, "{order}");
    }
    site.get("/things").await;
    next(&mut site).await;
    assert_eq!(site.get("/things").await.1, "HIT");
    client.json(Method::POST, "/things", &json!({"name": "new"})).await;
    let (things, cache) = site.get("/things").await;
    assert!(things.contains("new") && cache != "HIT", "a write reaches what was stored before the reload");
    // A route over the database that comes lets all of them begin anew, because tags may be others.
    site.get("/things").await;
    let other = TABLE.replace("/things", "/kinds").replace("\"name\"", "\"kind\"");
    site.reload(&format!("{DATABASE}{TABLE}{other}{kept}")).await;
    assert_ne!(site.get("/things").await.1, "HIT");
    client.json(Method::POST, "/things", &json!({"name": "newer"})).await;
    assert!(site.get("/things").await.0.contains("newer"));
    assert_eq!(site.get("/one/a?utm=2").await.1, "HIT", "an origin does not depend on that");
}

#[tokio::test]
async fn nodes_share_only_what_they_stored_under_the_same_settings() {
    const HOST: (&str, &str) = ("host", "shop.example");
    let origin = numbering("cache-control: max-age=600\r\ncache-tag: all\r\n");
    let redis = Redis::start();
    let text = |settings: &str| {
        let tier = format!(
            "redis = {{ url = \"{}\", prefix = \"reload\", budget = \"2s\", bound = \"5s\" }}",
            redis.url()
        );
        format!("[cache]\n{tier}\n{}", of_origin("/one", &origin, "") + &of_origin("/two", &origin, settings))
    };
    let (mut first, second) = (Site::start(&text("")), Site::start(&text("")));
    for site in [&first, &second] {
        while site.kasoku.admin().get("/health/detail").await.json()["cache"]["second_tier"]["current"]
            != true
        {
            tokio::task::yield_now().await;
        }
    }
    let get = async |site: &Site, target: &str| {
        let answer = site.kasoku.client().get_with(target, &[HOST]).await;
        assert!(answer.status.is_success(), "{answer:?}");
        answer.text().to_owned()
    };
    for (target, number) in [("/one/a", "0"), ("/two/a", "1")] {
        assert_eq!(get(&first, target).await, number);
        assert_eq!(get(&second, target).await, number, "both nodes share it");
    }
    first.reload(&text("cache = { fresh = \"7s\" }")).await;
    assert_eq!(get(&first, "/one/a").await, "0");
    assert_eq!(get(&first, "/two/a").await, "2", "the other node's was stored under other settings");
    assert_eq!(get(&second, "/two/a").await, "1");
    // What another node purges goes here, too, though it was stored before the reload.
    let purged = second.kasoku.admin().json(Method::POST, "/api/cache/purge", &json!({"tag": "all"})).await;
    assert_eq!(purged.status, 200);
    assert_eq!(get(&first, "/one/a").await, "3");
    assert_eq!(get(&second, "/one/a").await, "3", "and is shared again");
}
