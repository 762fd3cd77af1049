//! What `kasoku explain` says is what the running server then does.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use http::Method;
use kasoku_testkit::{Answer, RecordingOrigin, Start, TempApp};
use serde_json::Value;

use crate::shop;

const BINARY: &str = env!("CARGO_BIN_EXE_kasoku");

/// A request to a route before an origin, and what the origin answers.
struct Case {
    /// `cache` of the route, if it is said.
    cache: &'static str,
    target: &'static str,
    fields: &'static [(&'static str, &'static str)],
    /// Status line and fields; a body of four bytes follows.
    answer: &'static str,
}

const fn case(answer: &'static str) -> Case {
    Case { cache: "", target: "/a?b=c", fields: &[], answer }
}

/// A line a case.
const CASES: &[Case] = &[
    case("200 OK\r\ncache-control: max-age=600\r\netag: \"a\""),
    case("200 OK\r\ncache-control: max-age=600, s-maxage=900"),
    case("200 OK\r\ncache-control: no-store"),
    case("200 OK\r\ncache-control: private, max-age=600"),
    case("200 OK\r\ncache-control: max-age=600\r\nset-cookie: a=b"),
    case("200 OK\r\ncache-control: max-age=600\r\nvary: *"),
    case("200 OK\r\ncache-control: max-age=600\r\nkasoku-cache-control: no-store"),
    case("200 OK\r\ncache-control: no-store\r\ncdn-cache-control: max-age=600"),
    case("200 OK"),
    case("200 OK\r\netag: \"a\""),
    case("200 OK\r\ncache-control: no-cache\r\netag: \"a\""),
    case("200 OK\r\ncache-control: max-age=60\r\nage: 100\r\netag: \"a\""),
    case("200 OK\r\ncache-control: max-age=60, stale-while-revalidate=600\r\nage: 100"),
    case("200 OK\r\ncache-control: max-age=60, must-revalidate\r\nage: 100\r\netag: \"a\""),
    case("404 Not Found\r\ncache-control: max-age=600"),
    case("302 Found\r\nlocation: /b"),
    case("503 Service Unavailable\r\ncache-control: max-age=600"),
    case("206 Partial Content\r\ncache-control: max-age=600"),
    Case { fields: &[("cookie", "a=b"), ("user-agent", "x"), ("sec-ch-ua", "y")], ..CASES_FRESH },
    Case { fields: &[("authorization", "Bearer t")], ..CASES_FRESH },
    Case { fields: &[("authorization", "Bearer t")], ..case("200 OK\r\ncache-control: public, max-age=600") },
    Case { fields: &[("cache-control", "no-cache")], ..CASES_FRESH },
    Case { fields: &[("cache-control", "no-store")], ..CASES_FRESH },
    Case {
        fields: &[("cache-control", "max-age=5")],
        ..case("200 OK\r\ncache-control: max-age=600\r\nage: 9")
    },
    Case {
        fields: &[("cache-control", "max-stale")],
        ..case("200 OK\r\ncache-control: max-age=60\r\nage: 100\r\netag: \"a\"")
    },
    Case { fields: &[("cache-control", "only-if-cached")], ..CASES_FRESH },
    Case { fields: &[("if-none-match", "\"a\"")], ..CASES_FRESH },
    Case { fields: &[("if-match", "\"a\"")], ..CASES_FRESH },
    Case { fields: &[("range", "bytes=1-2")], ..CASES_FRESH },
    Case {
        fields: &[("accept-language", "ja"), ("accept-encoding", "gzip, br"), ("accept", "text/html")],
        ..case("200 OK\r\ncache-control: max-age=600\r\nvary: accept-language, accept-encoding")
    },
    Case { fields: &[("x-forwarded-host", "evil"), ("foo", "bar"), ("te", "trailers")], ..CASES_FRESH },
    Case {
        fields: &[("foo", "fourteen four")],
        ..case("200 OK\r\ncache-control: max-age=600\r\nbar: fourteen four")
    },
    Case { cache: "cache = false", ..CASES_FRESH },
    Case { cache: "cache = { fresh = \"10m\" }", ..case("200 OK") },
    Case { cache: "cache = { body = \"2B\" }", ..CASES_FRESH },
    Case {
        cache: "cache = { show = [\"user-agent\"], hide = [\"cookie\"] }",
        fields: &[("user-agent", "x"), ("cookie", "a=b")],
        ..CASES_FRESH
    },
];

const CASES_FRESH: Case = case("200 OK\r\ncache-control: max-age=600\r\netag: \"a\"");

/// A case, told and done.
struct Told {
    explained: Value,
    first: Answer,
    second: Answer,
    /// What the origin was sent first.
    sent: Option<String>,
}

impl Case {
    fn raw(&self) -> String {
        format!("HTTP/1.1 {}\r\ncontent-length: 4\r\n\r\nfour", self.answer)
    }

    fn app(&self, origin: &RecordingOrigin) -> TempApp {
        let text = format!(
            "[server]\npseudonym = \"edge\"\n[[route]]\npath = \"/{{*rest}}\"\norigin = \"{}\"\n{}\n",
            origin.url(),
            self.cache
        );
        TempApp::new(&text)
    }

    /// Explains it as `explained` would be served, and serves it as it is.
    async fn tell(&self, explained: &Self) -> Told {
        let origin = RecordingOrigin::always(self.raw());
        let app = self.app(&origin);
        let kasoku = Start::serve(BINARY, app.path()).ready();
        let noted = explained.app(&origin).file("answer", explained.raw());
        let url = format!("http://{}{}", kasoku.address(), explained.target);
        let told = explain(noted.path(), "GET", &url, explained.fields, Some(&noted.join("answer")));
        assert_eq!((origin.requests().len(), origin.connections()), (0, 0), "nothing is contacted");
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        let first = kasoku.client().get_with(self.target, self.fields).await;
        let sent = origin.requests().first().cloned();
        let second = kasoku.client().get_with(self.target, self.fields).await;
        Told { explained: serde_json::from_slice(&told.stdout).expect("it is JSON"), first, second, sent }
    }
}

impl Told {
    /// Where the two differ.
    fn difference(&self) -> Option<String> {
        let answer = &self.explained["answer"];
        let outcomes =
            [("first", &answer["first"], &self.first), ("then", &answer["then"][0]["outcome"], &self.second)];
        let mut compared = Vec::new();
        if answer.is_null() {
            let told = &self.explained["refused"]["outcome"];
            compared.push(("first", outcome(told), served(&self.first)));
        } else if self.explained["cache"]["by"] == "off" {
            compared.push(("first", outcome(&answer["first"]), served(&self.first)));
        } else {
            compared.extend(outcomes.map(|(when, told, done)| (when, outcome(told), served(done))));
        }
        let mut found: Vec<String> = compared
            .into_iter()
            .filter(|(_, told, done)| !alike(told, done))
            .map(|(when, told, done)| format!("{when}: told {told:?}, done {done:?}"))
            .collect();
        let (told, sent) = (self.forwarded(), self.sent.as_deref().map(fields));
        if told != sent {
            found.push(format!("forwarded: told {told:?}, done {sent:?}"));
        }
        (!found.is_empty()).then(|| found.join("\n"))
    }

    fn forwarded(&self) -> Option<BTreeMap<String, String>> {
        let fields = self.explained["forward"]["request"]["fields"].as_array()?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let fields = fields.iter().map(|field| (text(&field["name"]), text(&field["value"])));
        Some(fields.filter(|(name, _)| !is_of_one_request(name)).map(covered).collect())
    }
}

/// Status, `X-Cache`, `Cache-Status` without the seconds, and the seconds.
type Seen = (u64, String, String, Option<i64>);

fn outcome(told: &Value) -> Seen {
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let (line, ttl) = without_ttl(&text("cache_status"));
    (told["status"].as_u64().unwrap_or(0), text("x_cache"), line, ttl)
}

fn served(done: &Answer) -> Seen {
    let (line, ttl) = without_ttl(done.header("cache-status"));
    (done.status.as_u16().into(), done.header("x-cache").to_owned(), line, ttl)
}

/// Apart from the seconds that passed while it was done.
fn alike(told: &Seen, done: &Seen) -> bool {
    let passed = match (told.3, done.3) {
        (Some(told), Some(done)) => (0..60).contains(&(told - done)),
        (told, done) => told == done,
    };
    (told.0, &told.1, &told.2) == (done.0, &done.1, &done.2) && passed
}

/// A `Cache-Status` without what is known only afterwards, and the seconds in it.
fn without_ttl(line: &str) -> (String, Option<i64>) {
    let members: Vec<&str> = line.split("; ").collect();
    let ttl = members.iter().find_map(|member| member.strip_prefix("ttl=")?.parse().ok());
    let is_known = |member: &&&str| !member.starts_with("ttl=") && !member.starts_with("detail=\"as-of=");
    (members.iter().filter(is_known).copied().collect::<Vec<_>>().join("; "), ttl)
}

/// The fields of a raw request.
fn fields(request: &str) -> BTreeMap<String, String> {
    let head = request.split("\r\n\r\n").next().unwrap_or_default();
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let fields = lines.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    fields.filter(|(name, _)| !is_of_one_request(name)).map(covered).collect()
}

fn is_of_one_request(name: &str) -> bool {
    name == "x-request-id"
}

/// Credentials are not shown.
fn covered((name, value): (String, String)) -> (String, String) {
    let is_secret = name == "authorization";
    (name, if is_secret { value.split(' ').next().unwrap_or_default().to_owned() } else { value })
}

fn explain(app: &Path, method: &str, url: &str, fields: &[(&str, &str)], answer: Option<&Path>) -> Output {
    let mut command = Command::new(BINARY);
    command.arg("explain").arg(app).args([method, url, "--json"]).env_remove("DATABASE_URL");
    for (name, value) in fields {
        command.args(["-H", &format!("{name}: {value}")]);
    }
    if let Some(answer) = answer {
        command.arg("--response").arg(answer);
    }
    command.output().expect("the binary can be run")
}

#[tokio::test]
async fn what_is_told_of_an_origin_is_what_is_done() {
    let mut wrong = Vec::new();
    for case in CASES {
        if let Some(difference) = case.tell(case).await.difference() {
            wrong.push(format!("{:?} {:?} {}\n{difference}", case.answer, case.fields, case.cache));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test]
async fn what_is_told_of_something_else_is_seen_to_differ() {
    let fresh = CASES_FRESH;
    for other in [
        case("200 OK\r\ncache-control: no-store"),
        case("200 OK\r\ncache-control: max-age=60\r\netag: \"a\""),
        Case { fields: &[("cookie", "a=b")], ..CASES_FRESH },
        Case { fields: &[("cache-control", "no-cache")], ..CASES_FRESH },
        Case { cache: "cache = false", ..CASES_FRESH },
    ] {
        let told = fresh.tell(&other).await;
        assert!(told.difference().is_some(), "{:?} {:?} {}", other.answer, other.fields, other.cache);
    }
}

#[tokio::test]
async fn what_is_told_of_tables_and_queries_is_what_is_done() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let thing = serde_json::json!({"id": 1, "name": "a"});
    kasoku.client().json(Method::POST, "/things", &thing).await;
    for (method, target, keyed) in [
        ("GET", "/things", "no prefer"),
        ("GET", "/things?kind=eq.plain&order=-price", ""),
        ("GET", "/things/1", ""),
        ("HEAD", "/things/1?select=id,name", ""),
        ("GET", "/kinds", ""),
        ("GET", "/kinds/plain", ""),
        ("GET", "/things?colour=eq.red", ""),
        ("GET", "/things/", ""),
        ("GET", "/nothing", ""),
        ("OPTIONS", "/things", ""),
        ("PUT", "/things", ""),
        ("TRACE", "/things", ""),
    ] {
        let told = explain(app.path(), method, target, &[], None);
        let told: Value = serde_json::from_slice(&told.stdout).expect("it is JSON");
        let verb: Method = method.parse().unwrap();
        let client = kasoku.client();
        let ask = || client.send(verb.clone(), target, &[], "");
        let (first, second) = (ask().await, ask().await);
        let answer = &told["answer"];
        if answer.is_null() {
            let (told, done) = (outcome(&told["refused"]["outcome"]), served(&first));
            assert!(alike(&told, &done), "{method} {target}: told {told:?}, done {done:?}");
            continue;
        }
        let compared = [(&answer["first"], &first), (&answer["then"][0]["outcome"], &second)];
        for (told, done) in compared {
            let (told, done) = (outcome(told), served(done));
            assert!(alike(&told, &done), "{method} {target}: told {told:?}, done {done:?}");
        }
        assert!(keyed.is_empty() || told["key"].to_string().contains("prefer"), "{told:#}");
    }
}

#[test]
fn the_key_has_the_form_that_was_chosen_and_not_how_it_was_asked_for() {
    let app = shop::app();
    for (accept, expected) in [
        ("text/csv;q=0.9, image/png", Some("text/csv")),
        ("text/html, */*;q=0.1", None),
        ("application/json; charset=utf-8", None),
    ] {
        let told = explain(app.path(), "GET", "/things", &[("accept", accept)], None);
        let told: Value = serde_json::from_slice(&told.stdout).expect("it is JSON");
        let mut parts = told["key"].as_array().expect("it has a key").iter();
        let part = parts.find(|part| part["name"] == "accept").expect("the form is part of it");
        assert_eq!(part["value"].as_str(), expected, "{accept}");
    }
}

#[tokio::test]
async fn what_an_answer_is_told_to_depend_on_removes_it() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let add = |id: i64, kind: &'static str| {
        let client = kasoku.client();
        let thing = serde_json::json!({"id": id, "name": format!("{id}"), "kind": kind});
        async move { client.json(Method::POST, "/things", &thing).await }
    };
    add(1, "round").await;
    for (target, depends_on, other, own) in [
        ("/things?kind=eq.round", "rows of things where kind is \"round\"", "square", "round"),
        ("/kinds/round", "rows of things where kind is \"round\"", "square", "round"),
        ("/kinds", "all rows of things", "", "square"),
    ] {
        let told = explain(app.path(), "GET", target, &[], None);
        let told: Value = serde_json::from_slice(&told.stdout).expect("it is JSON");
        assert_eq!(told["answer"]["depends_on"], serde_json::json!([depends_on]), "{target}");
        kasoku.client().get(target).await;
        let id = |turn: i64| target.len() as i64 * 10 + turn;
        if !other.is_empty() {
            add(id(0), other).await;
            assert_eq!(kasoku.client().get(target).await.header("x-cache"), "HIT", "{target}");
        }
        add(id(1), own).await;
        assert_eq!(kasoku.client().get(target).await.header("x-cache"), "MISS", "{target}");
    }
}

#[test]
fn an_answer_is_judged_as_of_the_moment_when_it_was_made() {
    let app = TempApp::new("[[route]]\npath = \"/{*rest}\"\norigin = \"http://127.0.0.1:9\"\n");
    for (noted, stored, reason, [age_s, lifetime_s]) in [
        ("date: Sun, 06 Nov 1994 08:49:37 GMT\ncache-control: max-age=60\n", true, "", [0, 60]),
        (
            "date: Sun, 06 Nov 1994 08:49:37 GMT\nexpires: Sun, 06 Nov 1994 08:50:37 GMT\nage: 7\n",
            true,
            "",
            [7, 60],
        ),
        ("content-length: 70000\ncache-control: max-age=60\n", true, "", [0, 60]),
        ("content-length: 70000000\ncache-control: max-age=60\n", false, "too-large", [0, 0]),
    ] {
        app.write("noted", format!("HTTP/1.1 200 OK\n{noted}"));
        let told = explain(app.path(), "GET", "/", &[], Some(&app.join("noted")));
        let told: Value = serde_json::from_slice(&told.stdout).expect("it is JSON");
        let answer = &told["answer"];
        assert_eq!(answer["stored"], stored, "{noted}: {answer:#}");
        assert_eq!(answer["because"]["reason"].as_str().unwrap_or_default(), reason, "{noted}: {answer:#}");
        let seconds = |name: &str| answer["freshness"][name].as_u64().unwrap_or_default();
        assert_eq!([seconds("age_s"), seconds("lifetime_s")], [age_s, lifetime_s], "{noted}: {answer:#}");
    }
}

#[test]
fn explaining_leaves_no_trace() {
    let listed = |app: &TempApp| -> Vec<_> {
        let entries = std::fs::read_dir(app.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            entries.filter(|path| path.is_file()).map(|path| (std::fs::read(&path).unwrap(), path)).collect();
        files.sort();
        files
    };
    let made = shop::app();
    let before = listed(&made);
    assert!(explain(made.path(), "GET", "/things", &[], None).status.success());
    assert_eq!(listed(&made), before, "an app whose database is not there yet");
    let existing = TempApp::new(
        "[database]\nurl = \"sqlite:old.db\"\n[[route]]\npath = \"/old\"\ntable = \"old\"\norder = [\"id\"]\n",
    );
    kasoku_testkit::sqlite(&existing.join("old.db"), "create table old (id integer primary key, a text)");
    let before = listed(&existing);
    let told = explain(existing.path(), "GET", "/old/7", &[], None);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    assert_eq!(listed(&existing), before, "an app over a database that is there");
}

#[test]
fn wrong_use_and_what_is_not_served_have_codes_of_their_own() {
    let app = TempApp::new("[[route]]\npath = \"/news/{*rest}\"\norigin = \"http://127.0.0.1:9\"\n");
    let folder = app.path().to_str().unwrap();
    for (expected, arguments, said) in [
        (0, &[folder, "GET", "/news/x"][..], "Route       /news/{*rest}"),
        (0, &["--origin", "http://127.0.0.1:9", "GET", "/x"], "Route       /{*rest}"),
        (1, &[folder, "GET", "/newz"], "none; the nearest is /news/{*rest}"),
        (1, &[folder, "GET", "/news/x", "--response", "/no/such/file"], "cannot be read"),
        (1, &[folder, "GET", "/news/x", "--response", file!()], "no HTTP answer"),
        (1, &["/no/such/app", "GET", "/"], "cannot be read"),
        (2, &[folder], "METHOD URL"),
        (2, &[folder, "GET", "x"], "neither an http URL nor a path"),
        (2, &[folder, "G T", "/x"], "cannot be a method"),
        (2, &[folder, "GET", "/x", "-H", "no colon"], "expected `Name: value`"),
        (2, &[folder, "--origin", "http://127.0.0.1:9", "GET", "/x"], "together"),
    ] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let told = Command::new(BINARY).arg("explain").args(arguments).current_dir(root).output().unwrap();
        let text = [told.stdout, told.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert_eq!(told.status.code(), Some(expected), "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
}

#[tokio::test]
async fn the_same_word_stands_in_metrics_and_log() {
    let case = case("200 OK\r\ncache-control: max-age=60\r\nage: 100\r\netag: \"a\"");
    let origin = RecordingOrigin::always(case.raw());
    let app = case.app(&origin);
    app.write("kasoku.toml", format!("[log]\naccess = 1.0\n{}", app.read("kasoku.toml")));
    let kasoku = Start::serve(BINARY, app.path()).ready();
    for _ in 0..3 {
        kasoku.client().get(case.target).await;
    }
    let metrics = kasoku.admin().get("/metrics").await;
    let line = "kasoku_cache_reasons_total{route=\"/{*rest}\",reason=\"expired\"} 2";
    assert!(metrics.text().lines().any(|known| known == line), "{}", metrics.text());
    let told = || kasoku.log().lines().filter(|line| line.contains("\"cache_reason\":\"expired\"")).count();
    // The log is written beside what is served.
    for _ in 0..10_000 {
        if told() == 2 {
            break;
        }
        kasoku.client().get("/health").await;
    }
    assert_eq!(told(), 2, "{}", kasoku.log());
}
