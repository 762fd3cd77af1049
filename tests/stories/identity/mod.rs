//! Who asks, and which rows there are for whom: on both engines, cached and not.

mod rows;
mod tokens;

use http::Method;
use kasoku_testkit::tokens::Signer;
use kasoku_testkit::{Answer, Client, Kasoku, Postgres, Start, TempApp};
use serde_json::{Value, json};

const SECRET: &str = "a secret of tests that is long enough for all";

const KASOKU_TOML: &str = r#"
[database]
url = "sqlite:notes.db"
schema = "schema/"

[cache]
memory = "16MiB"
audit = 1.0

[identity.jwt]
secret = "a secret of tests that is long enough for all"
audience = "notes"

[[route]]
path = "/notes"
table = "notes"
where = "user_id = :caller.id"
filter = ["id", "kind", "user_id", "title"]
order = ["id", "title"]
page = { default = 3, most = 50, offset = 100 }
count = { default = "none", allowed = ["exact", "capped", "estimated"] }
write = ["insert", "update", "update-each", "upsert", "delete"]
aggregate = true
cache = { fresh = "1h" }
embed = { remarks = { select = ["id", "body"] } }

[[route]]
path = "/remarks"
table = "remarks"
where = "user_id = :caller.id"
write = ["insert", "update", "delete"]
soft_delete = "deleted_at"
embed = { note = { select = ["id", "title"] } }

[[route]]
path = "/mine"
query = "select title from notes where user_id = :caller.id and kind = :kind order by title"
params = { caller_id = "integer" }
cache = { fresh = "1h" }

[[route]]
path = "/posts"
table = "posts"
where = "public = true or user_id = :caller.id"
requires = { read = "anyone", write = "caller", delete = ["editor", "admin"] }
select = ["id", "title", "public", "user_id"]
write = ["insert", "update", "delete"]
cache = { fresh = "1h" }
"#;

const SCHEMA: &str = "
create table notes (
    id integer primary key, user_id integer not null, title text not null unique, kind text not null default 'plain');
create index notes_by_user on notes (user_id, id);
create index notes_by_user_and_title on notes (user_id, title, id);
create table remarks (
    id integer primary key, note_id integer not null references notes (id) on delete cascade,
    user_id integer not null, body text not null, deleted_at text);
create index remarks_by_note on remarks (note_id, id);
create table posts (
    id integer primary key, user_id integer not null, title text not null, public boolean not null default false);
insert into notes values
    (1, 7, 'a', 'x'), (2, 8, 'b', 'x'), (3, 7, 'c', 'y'), (4, 8, 'd', 'y'), (5, 7, 'e', 'x'), (6, 7, 'f', 'x');
insert into remarks values
    (1, 1, 7, 'mine on mine', null), (2, 1, 8, 'theirs on mine', null), (3, 2, 7, 'mine on theirs', null),
    (4, 2, 8, 'theirs on theirs', null);
insert into posts values (1, 7, 'secret of 7', false), (2, 7, 'news of 7', true), (3, 8, 'secret of 8', false);
";

/// The app on each engine.
fn apps() -> [(&'static str, TempApp); 2] {
    let url = Postgres::shared().database().url();
    let on_postgres = KASOKU_TOML.replace("sqlite:notes.db", &url);
    let on_postgres = on_postgres.replace("schema/\"", "schema/\"\nwatch = \"install\"\nbound = \"30s\"");
    let app = |text: &str| TempApp::new(text).file("schema/001-notes.sql", SCHEMA);
    [("sqlite", app(KASOKU_TOML)), ("postgres", app(&on_postgres))]
}

fn open(app: &TempApp) -> Kasoku {
    Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready()
}

/// Somebody who asks.
struct Asker<'c> {
    client: &'c Client,
    bearer: Option<String>,
}

impl<'c> Asker<'c> {
    fn of(client: &'c Client, claims: &Value) -> Self {
        let token = Signer::new("HS256", SECRET).token(claims);
        Self { client, bearer: Some(format!("Bearer {token}")) }
    }

    fn user(client: &'c Client, id: &str) -> Self {
        Self::of(client, &json!({ "sub": id, "aud": "notes" }))
    }

    fn nobody(client: &'c Client) -> Self {
        Self { client, bearer: None }
    }

    async fn get(&self, target: &str) -> Answer {
        self.send(Method::GET, target, &[], None).await
    }

    async fn send(&self, method: Method, target: &str, more: &[(&str, &str)], body: Option<Value>) -> Answer {
        let mut headers = more.to_vec();
        headers.extend(self.bearer.as_deref().map(|bearer| ("authorization", bearer)));
        let text = body.map(|body| body.to_string()).unwrap_or_default();
        if !text.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        self.client.send(method, target, &headers, text).await
    }

    /// What the answer shows under a member of each row.
    async fn list(&self, target: &str, member: &str) -> Vec<Value> {
        let answer = self.get(target).await;
        assert_eq!(answer.status, 200, "{target}: {answer:?}");
        answer.json().as_array().unwrap().iter().map(|row| row[member].clone()).collect()
    }
}
