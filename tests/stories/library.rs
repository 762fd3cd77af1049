//! The app that stories of related rows are told in.

use kasoku_testkit::{Kasoku, Start, TempApp};

/// Its configuration; `listen` and `admin` come from the kit.
pub(crate) const KASOKU_TOML: &str = r#"
[database]
url = "sqlite:library.db"
schema = "schema/"

[cache]
memory = "16MiB"
audit = 1.0

[[route]]
path = "/books"
table = "books"
select = ["id", "title", "kind", "pages", "extra", "author_id"]
filter = ["id", "kind", "pages", "title"]
order = ["id", "pages", "author(name)"]
page = { default = 10, most = 50 }
count = { default = "none", allowed = ["exact"] }
write = ["insert", "update", "delete"]
aggregate = ["pages"]
embed_rows = 12
export = ["csv", "ndjson"]
cache = { fresh = "1h" }

[route.embed]
author = { select = ["id", "name"], filter = ["name"] }
editor = { table = "people", by = "editor_id", select = ["name"], embed = { books = { by = "author_id", select = ["title"] } } }
tags = { select = ["id", "name"], filter = ["name"], order = ["name", "id"] }

[route.embed.reviews]
select = ["id", "stars", "body"]
filter = ["stars"]
order = ["id", "-stars"]
most = 5
soft_delete = "deleted_at"
aggregate = true
embed = { reviewer = { by = "person_id", select = ["name"] } }

[[route]]
path = "/reviews"
table = "reviews"
write = ["insert", "update", "delete"]

[[route]]
path = "/people"
table = "people"
write = ["insert", "update", "delete"]

[[route]]
path = "/tags"
table = "tags"
write = ["insert", "update", "delete"]

[[route]]
path = "/labels"
table = "labels"
write = ["insert", "delete"]
"#;

/// Its schema.
const SCHEMA: &str = "
create table people (id integer primary key, name text not null);
create table books (
    id integer primary key, title text not null, kind text, pages integer, extra json,
    author_id integer references people (id), editor_id integer references people (id));
create index books_by_author on books (author_id);
create table reviews (
    id integer primary key, book_id integer not null references books (id) on delete cascade,
    person_id integer references people (id), stars integer not null, body text, deleted_at text);
create index reviews_by_book on reviews (book_id, id);
create table tags (id integer primary key, name text not null);
create table labels (
    book_id integer not null references books (id), tag_id integer not null references tags (id),
    primary key (book_id, tag_id)) without rowid;
insert into people values (1, 'Ada'), (2, 'Bob'), (3, 'Cem');
insert into books values
    (1, 'One', 'a', 100, '{\"k\":[1,2]}', 1, 2), (2, 'Two', 'a', 200, null, 1, null),
    (3, 'Three', 'b', 300, null, 2, 3), (4, 'Four', 'b', 50, null, null, null);
insert into reviews values
    (1, 1, 2, 5, 'good', null), (2, 1, 3, 2, 'bad', null), (3, 2, null, 4, null, null),
    (4, 1, 2, 1, 'gone', '2020-01-01'), (5, 3, 1, 3, 'fair', null);
insert into tags values (1, 'red'), (2, 'blue'), (3, 'green');
insert into labels values (1, 1), (1, 2), (2, 2);
";

/// The app in a folder of its own.
pub(crate) fn app() -> TempApp {
    TempApp::new(KASOKU_TOML).file("schema/001-library.sql", SCHEMA)
}

/// The app, running.
pub(crate) fn open(app: &TempApp) -> Kasoku {
    Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready()
}
