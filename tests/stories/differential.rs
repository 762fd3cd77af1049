//! Whatever is written, in whatever way, a cached answer is what the database would say now.
//!
//! Each cached route has a twin over the same table that caches nothing. Random writes of every form go to a schema
//! with all that makes equality and dependence hard (NULL, booleans, 1 and 1.0, -0.0, doubles beyond 2^53, NOCASE,
//! loose types, cascades, triggers, views, soft deletes, keys that change); after each, cached targets that were
//! stored before it are compared with their twins.

use std::fmt::Write as _;

use http::{Method, StatusCode};
use kasoku_testkit::{Client, Start, TempApp};
use serde_json::{Map, Value, json};

/// Path, and the lines of its route; the twin has the same lines.
const ROUTES: [(&str, &str); 9] = [
    (
        "/goods",
        "table = \"goods\"\nfilter = [\"id\", \"kind\", \"flag\", \"price\", \"amount\", \"tone\", \"loose\", \"day\", \"twice\", \"sku\"]\n\
         order = [\"id\", \"price\"]\npage = { default = 50, most = 50 }\nwrite = [\"insert\", \"update\", \"upsert\", \"delete\"]",
    ),
    (
        "/parts",
        "table = \"parts\"\nfilter = [\"goods\", \"id\"]\norder = [\"id\"]\npage = { default = 50, most = 50 }\n\
         write = [\"insert\", \"update\", \"upsert\", \"delete\"]",
    ),
    (
        "/labels",
        "table = \"labels\"\nfilter = [\"code\", \"rank\"]\norder = [\"code\"]\npage = { default = 50, most = 50 }\n\
         write = [\"insert\", \"update\", \"upsert\", \"delete\"]",
    ),
    (
        "/memos",
        "table = \"memos\"\nselect = [\"id\", \"topic\", \"text\"]\nfilter = [\"topic\"]\norder = [\"id\"]\nsoft_delete = \"gone_at\"\n\
         page = { default = 50, most = 50 }\nwrite = [\"insert\", \"update\", \"upsert\", \"delete\"]",
    ),
    (
        "/tallies",
        "table = \"tallies\"\nfilter = [\"kind\"]\norder = [\"kind\"]\npage = { default = 50, most = 50 }",
    ),
    ("/cheap", "query = \"select id, price from cheap order by id\""),
    ("/by-kind/{kind}", "query = \"select id, price from goods where kind = :kind order by id\""),
    (
        "/by-price/{price}",
        "query = \"select id, price from goods indexed by goods_by_price where price = :price order by id\"\n\
         params = { price = \"integer\" }",
    ),
    ("/found", "query = \"select rowid as id from words where words match :q order by rowid\""),
];

const SCHEMA: &str = "
create table goods (
    id integer primary key,
    sku text unique on conflict replace,
    kind text,
    flag boolean,
    price real,
    amount integer,
    tone text collate nocase,
    loose,
    day date,
    twice integer generated always as (amount * 2) stored,
    edits integer not null default 0
);
create index goods_by_price on goods (price, id);
create table parts (
    id integer primary key,
    goods integer references goods (id) on delete cascade on update cascade,
    spare integer references goods (id) on delete set null,
    name text
);
create table labels (code text, rank integer, word text, primary key (code, rank)) without rowid;
create table memos (id integer primary key, topic text, text text, gone_at text);
create table tallies (kind text primary key, things integer not null);
create trigger count_goods after insert on goods begin
    insert into tallies values (coalesce(new.kind, '-'), 1) on conflict do update set things = things + 1;
end;
create trigger count_edits after update of price on goods begin
    update goods set edits = edits + 1 where id = new.id;
end;
create view cheap as select id, price from goods where price < 10;
create virtual table words using fts5 (text);
create trigger find_memos after insert on memos begin insert into words (rowid, text) values (new.id, new.text); end;
create trigger lose_memos after update of text on memos begin update words set text = new.text where rowid = new.id; end;
";

/// A small generator of our own: a failure names its seed and comes again with it.
struct Dice(u64);

impl Dice {
    /// A number below `sides` (splitmix64).
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }
}

const KINDS: [&str; 6] = ["red", "Red", "", "1", "1.0", "null"];
const TONES: [&str; 4] = ["Dark", "dark", "DARK", "light"];
const PRICES: [f64; 8] = [0.0, -0.0, 1.0, 0.1, 9_007_199_254_740_992.0, 9_007_199_254_740_994.0, 1e300, 12.5];
const AMOUNTS: [i64; 6] = [0, 1, -1, i64::MAX, i64::MIN, 9_007_199_254_740_993];

/// What is asked for, again and again.
fn targets() -> Vec<String> {
    let mut targets: Vec<String> = [
        "/goods",
        "/goods?order=price.asc",
        "/goods?kind=is.null",
        "/goods?flag=is.null",
        "/goods?flag=is.true",
        "/goods?flag=is.false",
        "/goods?flag=eq.true",
        "/goods?price=is.null",
        "/goods?price=gt.1",
        "/goods?amount=is.null",
        "/goods?amount=in.(0,1,2)",
        "/goods?twice=eq.2",
        "/goods?loose=eq.1",
        "/goods?loose=eq.a",
        "/goods?loose=is.null",
        "/goods?day=eq.2024",
        "/goods?day=eq.2024-01-01",
        "/goods?kind=not.eq.red",
        "/goods?kind=in.(red,1)",
        "/goods?kind=eq.red&flag=is.true",
        "/goods?or=(kind.eq.red,price.eq.1)",
        "/goods?kind=like.r*",
        "/goods?kind=ilike.r*",
        "/goods?price=eq.1.0&amount=eq.1",
        "/goods?id=in.(1,2,3)",
        "/goods?sku=eq.s1",
        "/goods?sku=is.null",
        "/parts",
        "/parts?goods=eq.1",
        "/parts?goods=eq.2",
        "/parts?goods=is.null",
        "/labels",
        "/labels/a,1",
        "/labels/A,1",
        "/labels/1,1",
        "/labels?code=eq.a",
        "/labels?rank=eq.1",
        "/memos",
        "/memos?topic=eq.x",
        "/memos?topic=is.null",
        "/tallies",
        "/tallies/red",
        "/tallies?kind=eq.-",
        "/cheap",
        "/found?q=alpha",
        "/found?q=beta",
    ]
    .map(str::to_owned)
    .into();
    targets.extend(KINDS.iter().filter(|kind| !kind.is_empty()).map(|kind| format!("/by-kind/{kind}")));
    targets.extend(KINDS.iter().map(|kind| format!("/goods?kind=eq.{kind}")));
    targets.extend(TONES.iter().map(|tone| format!("/goods?tone=eq.{tone}")));
    targets.extend(PRICES.iter().map(|price| format!("/goods?price=eq.{price:?}").replace('+', "%2B")));
    targets.extend(AMOUNTS.iter().map(|amount| format!("/goods?amount=eq.{amount}")));
    targets.extend(
        [0, 1, 9_007_199_254_740_992_i64, 9_007_199_254_740_993].map(|price| format!("/by-price/{price}")),
    );
    for path in ["/goods", "/parts", "/memos"] {
        targets.extend((1..=6).map(|id| format!("{path}/{id}")));
    }
    targets
}

/// A row of `/goods`, with some columns left out.
fn goods(dice: &mut Dice) -> Map<String, Value> {
    let mut row = Map::new();
    let mut put = |dice: &mut Dice, name: &str, value: Value| {
        if dice.roll(3) > 0 {
            row.insert(name.to_owned(), if dice.roll(5) == 0 { Value::Null } else { value });
        }
    };
    let value = json!(format!("s{}", dice.roll(5)));
    put(dice, "sku", value);
    let value = json!(dice.pick(&KINDS));
    put(dice, "kind", value);
    let value = json!(dice.roll(2) == 0);
    put(dice, "flag", value);
    let value = json!(dice.pick(&PRICES));
    put(dice, "price", value);
    let value = json!(dice.pick(&AMOUNTS) / 2);
    put(dice, "amount", value);
    let value = json!(dice.pick(&TONES));
    put(dice, "tone", value);
    let value = dice.pick(&[json!(1), json!(1.0), json!("1"), json!("a"), json!(true), json!(0.5)]).clone();
    put(dice, "loose", value);
    let value = json!(dice.pick(&["2024", "2024-01-01", "2024.0", "x"]));
    put(dice, "day", value);
    row
}

fn with(mut row: Map<String, Value>, name: &str, value: impl Into<Value>) -> Map<String, Value> {
    row.insert(name.to_owned(), value.into());
    row
}

/// A write: method, target, preference, body.
fn write(dice: &mut Dice) -> (Method, String, &'static str, Value) {
    let (id, other) = (1 + dice.roll(6), 1 + dice.roll(6));
    let merge = "resolution=merge-duplicates";
    let filter = *dice.pick(&[
        "kind=eq.red",
        "kind=is.null",
        "flag=is.true",
        "price=eq.1",
        "tone=eq.dark",
        "loose=eq.1",
        "id=lte.3",
        "twice=eq.2",
    ]);
    match dice.roll(22) {
        0 => (Method::POST, "/goods".into(), "", goods(dice).into()),
        1 => (Method::POST, "/goods".into(), "", with(goods(dice), "id", id).into()),
        2 => (Method::POST, "/goods".into(), "", json!([goods(dice), goods(dice), goods(dice)])),
        3 | 4 => (Method::PATCH, format!("/goods/{id}"), "", goods(dice).into()),
        5 => (Method::PATCH, format!("/goods/{id}"), "", json!({ "id": other })),
        6 => (Method::PATCH, format!("/goods?{filter}"), "", goods(dice).into()),
        7 => (Method::PUT, format!("/goods/{id}"), "", goods(dice).into()),
        8 => (
            Method::POST,
            "/goods".into(),
            merge,
            json!([with(goods(dice), "id", id), with(goods(dice), "id", other)]),
        ),
        9 => (
            Method::POST,
            "/goods".into(),
            "resolution=ignore-duplicates",
            json!([with(goods(dice), "id", id)]),
        ),
        10 => (Method::POST, "/goods?on_conflict=sku".into(), merge, with(goods(dice), "sku", "s1").into()),
        11 => (Method::DELETE, format!("/goods/{id}"), "", Value::Null),
        12 => (Method::DELETE, format!("/goods?{filter}&limit=2"), "", Value::Null),
        13 => (Method::DELETE, format!("/goods?{filter}"), "return=minimal", Value::Null),
        14 => (Method::POST, "/parts".into(), "", json!([{"goods": id, "spare": other}, {"goods": null}])),
        15 => (Method::PUT, format!("/parts/{id}"), "", json!({"goods": other, "name": "p"})),
        16 => (Method::DELETE, format!("/parts/{id}"), "", Value::Null),
        17 => (
            Method::PUT,
            format!("/labels/{},{}", dice.pick(&["a", "A", "1"]), dice.roll(3)),
            "",
            json!({"word": format!("w{id}")}),
        ),
        18 => (Method::PATCH, "/labels?rank=eq.1".into(), "", json!({"code": dice.pick(&["a", "A", "b"])})),
        19 => (
            Method::PUT,
            format!("/memos/{id}"),
            "",
            json!({"topic": dice.pick(&["x", "y"]), "text": dice.pick(&["alpha", "beta"])}),
        ),
        20 => (Method::PATCH, format!("/memos/{id}"), "", json!({"text": dice.pick(&["alpha", "beta"])})),
        _ => (Method::DELETE, format!("/memos/{id}"), "", Value::Null),
    }
}

/// Always the same, unless somebody looks for more.
#[expect(clippy::disallowed_methods, reason = "it is a setting of the test, which has no configuration")]
fn seed() -> u64 {
    let other = std::env::var("KASOKU_STORY_SEED").ok();
    other.map_or(20_240_229, |seed| seed.parse().expect("a number"))
}

async fn answers(client: &Client, target: &str) -> (StatusCode, Value) {
    let answer = client.get(target).await;
    let body = if answer.status.is_success() { answer.json() } else { Value::Null };
    (answer.status, body)
}

fn app() -> TempApp {
    let mut toml = String::from("[database]\nurl = \"sqlite:twins.db\"\nschema = \"schema/\"\n");
    for (path, lines) in ROUTES {
        write!(toml, "\n[[route]]\npath = \"{path}\"\n{lines}\ncache = {{ fresh = \"1h\" }}\n").unwrap();
        write!(toml, "\n[[route]]\npath = \"/now{path}\"\n{lines}\ncache = false\n").unwrap();
    }
    TempApp::new(&toml).file("schema/001-twins.sql", SCHEMA)
}

#[tokio::test]
async fn cached_answers_are_those_of_an_uncached_twin_after_every_write() {
    const STEPS: usize = 120;
    const COMPARED: usize = 14;
    let mut dice = Dice(seed());
    let seed = dice.0;
    let app = app();
    let kasoku = Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready();
    let client = kasoku.client();
    let targets = targets();
    let (mut written, mut reused) = (0, 0);
    for step in 0..STEPS {
        let warmed: Vec<&String> = (0..COMPARED).map(|_| dice.pick(&targets)).collect();
        for target in &warmed {
            let answer = client.get(target).await;
            assert!(matches!(answer.status.as_u16(), 200 | 404), "{target}: {answer:?}");
        }
        let (method, target, prefer, body) = write(&mut dice);
        let headers = [("content-type", "application/json"), ("prefer", prefer)];
        let write = format!("seed {seed} step {step}: {method} {target} {prefer} {body}");
        let done = client.send(method, &target, &headers, body.to_string()).await;
        assert!(!done.status.is_server_error(), "{write}: {done:?}");
        written += usize::from(done.status.is_success());
        for target in &warmed {
            let cached = client.get(target).await;
            reused += usize::from(cached.cache() == "HIT");
            let status = cached.header("cache-status").to_owned();
            let cached =
                (cached.status, if cached.status.is_success() { cached.json() } else { Value::Null });
            assert_eq!(
                cached,
                answers(&client, &format!("/now{target}")).await,
                "{target} ({status}) after {write}"
            );
        }
    }
    assert!(written > STEPS / 2, "only {written} writes of {STEPS} were accepted");
    assert!(reused > STEPS * COMPARED / 10, "only {reused} answers were reused: that proves little");
}
