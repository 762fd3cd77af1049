//! Configurations that cannot be served, and all that is said about them.

use insta::assert_snapshot;

use super::App;

/// A database with tables.
const DATABASE: &str = "[database]\nurl = \"sqlite:a.db\"\nschema = \"schema/\"\n";

/// A route that needs nothing else, so that the rest can be looked at alone.
const FILES: &str = "\n[[route]]\npath = \"/\"\nfiles = \"static\"\n";

/// An app with a database that is there, and schema folders that are wrong.
fn app() -> App {
    let app = App::new().with_database("there.db");
    app.write("broken/001_x.sql", "create table a (id integer primary key);\ncreate tabel b (id integer);\n");
    app.write("twice/001_x.sql", "create table a (id integer primary key);");
    app.write("twice/1_y.sql", "create table b (id integer primary key);");
    app.write("unnumbered/x.sql", "create table a (id integer primary key);");
    app
}

/// Sections, with a route that is right.
fn beside_files(text: &str) -> String {
    whole(&format!("{text}\n{FILES}"))
}

/// Settings of a route over the table `items`.
fn of_items(text: &str) -> String {
    whole(&format!("{DATABASE}\n[[route]]\npath = \"/v1/items\"\ntable = \"items\"\n{text}\n"))
}

/// Settings of a route that caches what an HTTP server answers.
fn cached(text: &str) -> String {
    whole(&format!("[[route]]\npath = \"/{{*rest}}\"\norigin = \"http://127.0.0.1:1\"\n{text}\n"))
}

/// Settings of a route below `/q/{category}`.
fn of_query(text: &str) -> String {
    whole(&format!("{DATABASE}\n[[route]]\npath = \"/q/{{category}}\"\n{text}\n"))
}

/// A route with this path.
fn with_path(path: &str) -> String {
    whole(&format!("{DATABASE}\n[[route]]\npath = \"{path}\"\nquery = \"select 1 as one\"\n"))
}

/// A whole file.
fn whole(text: &str) -> String {
    app().findings(text)
}

#[test]
fn broken_syntax_is_underlined() {
    assert_snapshot!(beside_files(r#"[server
listen = "127.0.0.1:80""#), @r"
    error[server]: unclosed table
     --> kasoku.toml:1:8
      |
    1 | [server
      |        ^ expected `]`
    ");
    assert_snapshot!(beside_files(r#"[server]
listen = "127.0.0.1:80"#), @r#"
    error[server.listen]: invalid basic string
     --> kasoku.toml:2:23
      |
    2 | listen = "127.0.0.1:80
      |                       ^ expected `"`
    "#);
    assert_snapshot!(beside_files(r#"[server]
listen = "127.0.0.1:1"
listen = "127.0.0.1:2""#), @r#"
    error[server.listen]: duplicate key
     --> kasoku.toml:3:1
      |
    3 | listen = "127.0.0.1:2"
      | ^^^^^^
    "#);
    assert_snapshot!(beside_files(r"[server]
threads = 99999999999999999999999"), @r"
    error[server.threads]: the number is too large
     --> kasoku.toml:2:11
      |
    2 | threads = 99999999999999999999999
      |           ^^^^^^^^^^^^^^^^^^^^^^^ expected up to 64 bits
    ");
}

#[test]
fn unknown_names_come_with_the_nearest_or_right_one() {
    assert_snapshot!(beside_files(r#"[server]
lisen = "127.0.0.1:1""#), @r#"
    error[server.lisen]: there is no setting `lisen` in [server]
     --> kasoku.toml:2:1
      |
    2 | lisen = "127.0.0.1:1"
      | ^^^^^ not a setting
      |
      = help: did you mean `listen`?
    "#);
    assert_snapshot!(beside_files(r#"[sever]
listen = "127.0.0.1:1""#), @r"
    error[sever]: there is no section [sever]
     --> kasoku.toml:1:2
      |
    1 | [sever]
      |  ^^^^^ not a section
      |
      = help: did you mean `server`?
    ");
    assert_snapshot!(beside_files(r#"[server]
memory = "1MiB""#), @r#"
    error[server.memory]: there is no setting `memory` in [server]
     --> kasoku.toml:2:1
      |
    2 | memory = "****"
      | ^^^^^^ not a setting
      |
      = help: `memory` belongs to [cache]
    "#);
    assert_snapshot!(whole(r#"[[route]]
paht = "/"
files = "static"
"#), @r#"
    error[route[0].paht]: there is no setting `paht` in [[route]]
     --> kasoku.toml:2:1
      |
    2 | paht = "/"
      | ^^^^ not a setting
      |
      = help: did you mean `path`?
    "#);
    assert_snapshot!(of_items(r#"count = { default = "none", alowed = [] }"#), @r#"
    error[route[0].count.alowed]: there is no setting `alowed` in `count` of a route
     --> kasoku.toml:8:29
      |
    8 | count = { default = "none", alowed = [] }
      |                             ^^^^^^ not a setting
      |
      = help: did you mean `allowed`?
    "#);
    assert_snapshot!(of_items(r#"colour = "red""#), @r#"
    error[route[0].colour]: there is no setting `colour` in [[route]]
     --> kasoku.toml:8:1
      |
    8 | colour = "***"
      | ^^^^^^ not a setting
      |
      = help: there is `admit`, `aggregate`, `batch`, `body`, `cache`, `compress`, `count`, `deadline`, `embed`, `embed_rows`, `envelope`, `export`, `files`, `filter`, `import`, `one`, `operations`, `order`, `origin`, `page`, `params`, `path`, `plain`, `plans`, `proof`, `query`, `requires`, `rows`, `select`, `soft_delete`, `strip`, `table`, `where` and `write`
    "#);
}

#[test]
fn wrong_types_say_what_was_expected() {
    assert_snapshot!(beside_files(r#"[server]
listen = 8080
threads = "four"
drain = 30"#), @r#"
    error[server.listen]: `listen` cannot be an integer
     --> kasoku.toml:2:10
      |
    2 | listen = 8080
      |          ^^^^ expected an address such as "127.0.0.1:8080"

    error[server.threads]: `threads` cannot be a string
     --> kasoku.toml:3:11
      |
    3 | threads = "four"
      |           ^^^^^^ expected a whole number

    error[server.drain]: `drain` cannot be an integer
     --> kasoku.toml:4:9
      |
    4 | drain = 30
      |         ^^ expected a duration such as "30s"
      |
      = help: say the unit: "30s" or "30ms"
    "#);
    assert_snapshot!(of_items(r#"write = "insert"
cache = true
envelope = 5"#), @r#"
    error[route[0].write]: `write` cannot be a string
     --> kasoku.toml:8:9
      |
    8 | write = "insert"
      |         ^^^^^^^^ expected an array of "insert", "update", "update-each", "upsert", "delete" or a table with `allow` and `rows`
      |
      = help: put brackets around it: ["insert"]

    error[route[0].cache]: `cache` cannot be `true`
     --> kasoku.toml:9:9
      |
    9 | cache = true
      |         ^^^^ expected `false` or `"rfc9111"` or a table
      |
      = help: leave it out for the default

    error[route[0].envelope]: `envelope` cannot be an integer
      --> kasoku.toml:10:12
       |
    10 | envelope = 5
       |            ^ expected a string
    "#);
    assert_snapshot!(whole(r#"[route]
path = "/"
files = "static"
"#), @r"
    error[route]: `route` cannot be a table
     --> kasoku.toml:1:1
      |
    1 | [route]
      | ^^^^^^^ expected an array of tables
      |
      = help: each one has its own header with two brackets: [[route]]
    ");
    assert_snapshot!(of_items(r"select = [1, true]
page = 20"), @r"
    error[route[0].select[0]]: `select` cannot be an integer
     --> kasoku.toml:8:11
      |
    8 | select = [1, true]
      |           ^ expected a string

    error[route[0].select[1]]: `select` cannot be a boolean
     --> kasoku.toml:8:14
      |
    8 | select = [1, true]
      |              ^^^^ expected a string

    error[route[0].page]: `page` cannot be an integer
     --> kasoku.toml:9:8
      |
    9 | page = 20
      |        ^^ expected a table with `default`, `most` and `offset`
    ");
}

#[test]
fn wrong_units_ranges_and_words_are_found() {
    assert_snapshot!(beside_files(r#"[server]
drain = "30"
[cache]
memory = "12 parsecs""#), @r#"
    error[server.drain]: `drain` is not a duration such as "30s"
     --> kasoku.toml:2:9
      |
    2 | drain = "30"
      |         ^^^^ a duration needs a unit: ms, s, m, h or d, as in "30s"

    error[cache.memory]: `memory` is not a size such as "64KiB"
     --> kasoku.toml:4:10
      |
    4 | memory = "12 parsecs"
      |          ^^^^^^^^^^^^ `12 parsecs` is not a whole number with a unit, as in "256MiB"
    "#);
    assert_snapshot!(beside_files(r"[log]
access = 1.5
[server]
threads = 0"), @r"
    error[log.access]: `access` is out of range
     --> kasoku.toml:2:10
      |
    2 | access = 1.5
      |          ^^^ expected a number from 0 to 1

    error[server.threads]: `threads` is out of range
     --> kasoku.toml:4:11
      |
    4 | threads = 0
      |           ^ expected a number from 1 to 1024
    ");
    assert_snapshot!(beside_files(r#"[log]
format = "jsn""#), @r#"
    error[log.format]: `jsn` is not a value of `format`
     --> kasoku.toml:2:10
      |
    2 | format = "jsn"
      |          ^^^^^ expected "text" or "json"
      |
      = help: did you mean "json"?
    "#);
    assert_snapshot!(beside_files(r#"[log]
level = "info,kasoku_database=verbos""#), @r#"
    error[log.level]: `verbos` is not a log level
     --> kasoku.toml:2:9
      |
    2 | level = "info,kasoku_database=verbos"
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected a level such as "info", and parts such as "info,kasoku_database=debug"
      |
      = help: there is `error`, `warn`, `info`, `debug`, `trace` and `off`
    "#);
    assert_snapshot!(beside_files(r#"[server.limits]
body = "2GiB"
header_timeout = "0s"
header_bytes = "1GiB""#), @r#"
    error[server.limits.body]: `body` is out of range
     --> kasoku.toml:2:8
      |
    2 | body = "2GiB"
      |        ^^^^^^ expected from 0B to 1GiB

    error[server.limits.header_timeout]: `header_timeout` is out of range
     --> kasoku.toml:3:18
      |
    3 | header_timeout = "0s"
      |                  ^^^^ expected from 1ms to 1d

    error[server.limits.header_bytes]: `header_bytes` is out of range
     --> kasoku.toml:4:16
      |
    4 | header_bytes = "1GiB"
      |                ^^^^^^ expected from 1KiB to 1MiB
    "#);
    assert_snapshot!(of_items(r#"count = "exakt"
write = ["insrt"]"#), @r#"
    error[route[0].count]: `exakt` is not a value of `count`
     --> kasoku.toml:8:9
      |
    8 | count = "exakt"
      |         ^^^^^^^ expected "none", "estimated", "capped" or "exact"
      |
      = help: did you mean "exact"?

    error[route[0].write[0]]: `insrt` is not a value of `write`
     --> kasoku.toml:9:10
      |
    9 | write = ["insrt"]
      |          ^^^^^^^ expected "insert", "update", "update-each", "upsert" or "delete"
      |
      = help: did you mean "insert"?
    "#);
}

#[test]
fn settings_of_later_versions_are_refused_by_name() {
    assert_snapshot!(of_items(r#"chat = "a model"
objective = { p95 = "200ms" }"#), @r#"
    error[route[0].chat]: `chat` is not part of this version
     --> kasoku.toml:8:1
      |
    8 | chat = "*******"
      | ^^^^ answers from language models cannot be configured yet
      |
      = help: the sources of this version are `table`, `query`, `files`, `batch` and `origin`

    error[route[0].objective]: `objective` is not part of this version
     --> kasoku.toml:9:1
      |
    9 | objective = { p95 = "*****" }
      | ^^^^^^^^^ objectives cannot be configured yet
    "#);
    assert_snapshot!(whole(r#"[[route]]
path = "/"
page = "pages/post.html"
"#), @r#"
    error[route[0].page]: `page` is not part of this version
     --> kasoku.toml:3:8
      |
    3 | page = "pages/post.html"
      |        ^^^^^^^^^^^^^^^^^ pages from templates cannot be configured yet
      |
      = help: the sources of this version are `table`, `query`, `files`, `batch` and `origin`
    "#);
}

#[test]
fn addresses_are_checked() {
    assert_snapshot!(beside_files(r#"[server]
listen = "localhost:80"
admin = ":9090""#), @r#"
    error[server.listen]: `localhost:80` is not an address to listen on
     --> kasoku.toml:2:10
      |
    2 | listen = "localhost:80"
      |          ^^^^^^^^^^^^^^ expected an IP address and a port such as "127.0.0.1:8080"
      |
      = help: write "127.0.0.1:80"

    error[server.admin]: `:9090` is not an address to listen on
     --> kasoku.toml:3:9
      |
    3 | admin = ":9090"
      |         ^^^^^^^ expected an IP address and a port such as "127.0.0.1:8080"
      |
      = help: write "0.0.0.0:9090" for all addresses, "127.0.0.1:9090" for this machine
    "#);
    assert_snapshot!(beside_files(r#"[server]
listen = "127.0.0.1:99999"
admin = "127.0.0.1""#), @r#"
    error[server.listen]: `127.0.0.1:99999` is not an address to listen on
     --> kasoku.toml:2:10
      |
    2 | listen = "127.0.0.1:99999"
      |          ^^^^^^^^^^^^^^^^^ expected an IP address and a port such as "127.0.0.1:8080"
      |
      = help: ports go from 0 to 65535; 0 lets the system choose

    error[server.admin]: `127.0.0.1` is not an address to listen on
     --> kasoku.toml:3:9
      |
    3 | admin = "127.0.0.1"
      |         ^^^^^^^^^^^ expected an IP address and a port such as "127.0.0.1:8080"
      |
      = help: add a port: "127.0.0.1:8080"
    "#);
    assert_snapshot!(beside_files(r#"[server]
listen = "127.0.0.1:80"
admin = "127.0.0.1:80""#), @r#"
    error[server.admin]: the admin listener cannot share the address of the public one
     --> kasoku.toml:3:9
      |
    2 | listen = "127.0.0.1:80"
      | ------ the public listener
    3 | admin = "127.0.0.1:80"
      |         ^^^^^^^^^^^^^^ the same as `server.listen`
    "#);
    assert_snapshot!(beside_files(r#"[server]
admin = "0.0.0.0:9090""#), @r#"
    error[server.admin]: the admin listener would accept everyone from elsewhere
     --> kasoku.toml:2:9
      |
    2 | admin = "0.0.0.0:9090"
      |         ^^^^^^^^^^^^^^ not a loopback address, and there is no token
      |
      = help: add `[admin]` with `token = "env:ADMIN_TOKEN"`, or listen on 127.0.0.1
    "#);
}

#[test]
fn secrets_and_certificates_are_checked() {
    assert_snapshot!(beside_files(r#"[server]
secret = "swordfish"
[admin]
token = "env:NOT_SET""#), @r#"
    error[server.secret]: `secret` is too short to be safe
     --> kasoku.toml:2:10
      |
    2 | secret = "*********"
      |          ^^^^^^^^^^^ has 9 bytes, expected 16 or more
      |
      = help: `openssl rand -hex 32` makes a good one

    error[admin.token]: the environment variable `NOT_SET` is not set
     --> kasoku.toml:4:9
      |
    4 | token = "env:NOT_SET"
      |         ^^^^^^^^^^^^^ its value was to be put in here
      |
      = help: set it before the start, as in `NOT_SET=… kasoku serve`
    "#);
    assert_snapshot!(beside_files(r#"[server.tls]
certificate = "static/index.html"
key = "key.pem""#), @r#"
    error[server.tls.certificate]: the certificate is not in PEM form
     --> kasoku.toml:2:15
      |
    2 | certificate = "static/index.html"
      |               ^^^^^^^^^^^^^^^^^^^ expected a file with `-----BEGIN CERTIFICATE-----`

    error[server.tls.key]: the private key cannot be read: it does not exist
     --> kasoku.toml:3:7
      |
    3 | key = "key.pem"
      |       ^^^^^^^^^ looked for APP/key.pem
    "#);
}

#[test]
fn a_database_that_cannot_be_served_is_refused() {
    assert_snapshot!(whole(r#"[database]
url = "mysql://me:hunter22@host/db"
schema = "schema/"

[[route]]
path = "/v1/items"
table = "items"
"#), @r#"
    error[database.url]: this version serves SQLite and PostgreSQL, and no `mysql:` databases
     --> kasoku.toml:2:7
      |
    2 | url = "mysql://me:********@host/db"
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected `sqlite:` and a file, or `postgres:` and a server
    "#);
    assert_snapshot!(whole(r#"[database]
url = "a.db"
schema = "schema/"

[[route]]
path = "/v1/items"
table = "items"
"#), @r#"
    error[database.url]: the database's URL has no known scheme
     --> kasoku.toml:2:7
      |
    2 | url = "a.db"
      |       ^^^^^^ expected `sqlite:` and a file, or `sqlite::memory:`
      |
      = help: write "sqlite:a.db"
    "#);
    assert_snapshot!(whole(r#"[database]
url = "sqlite::memory:"

[[route]]
path = "/v1/items"
table = "items"
"#), @r#"
    error[database.url]: a database in memory is empty at the start
     --> kasoku.toml:2:7
      |
    2 | url = "sqlite::memory:"
      |       ^^^^^^^^^^^^^^^^^ needs a `schema`, and cannot be `read_only`
    "#);
    assert_snapshot!(whole(r#"[database]
url = "sqlite:a.db"
read_only = true

[[route]]
path = "/v1/items"
table = "items"
"#), @r#"
    error[database.url]: the database does not exist
     --> kasoku.toml:2:7
      |
    2 | url = "sqlite:a.db"
      |       ^^^^^^^^^^^^^ looked for APP/a.db
      |
      = help: a database for reading only must be there already
    "#);
    assert_snapshot!(whole(r#"[database]
url = "sqlite:there.db"
schema = "schema/"
read_only = true

[[route]]
path = "/v1/items"
table = "items"
"#), @r#"
    error[database.schema]: a database for reading only takes no schema
     --> kasoku.toml:3:1
      |
    3 | schema = "schema/"
      | ^^^^^^ would have to write it
      |
      = help: leave out `schema` or `read_only`
    "#);
    assert_snapshot!(whole(r#"[database]
url = "sqlite:none/a.db"
schema = "schema/"

[[route]]
path = "/v1/items"
table = "items"
"#), @r#"
    error[database.url]: the folder of the database does not exist
     --> kasoku.toml:2:7
      |
    2 | url = "sqlite:none/a.db"
      |       ^^^^^^^^^^^^^^^^^^ looked for APP/none
    "#);
    assert_snapshot!(whole(r#"[[route]]
path = "/v1/items"
table = "items"
"#), @r#"
    error[route[0].table]: a `table` route needs a database, and there is none
     --> kasoku.toml:3:1
      |
    3 | table = "items"
      | ^^^^^ answers from a database
      |
      = help: add `[database]` with `url = "sqlite:app.db"` and `schema = "schema/"`
    "#);
}

#[test]
fn schema_files_are_checked() {
    assert_snapshot!(whole(r#"[database]
url = "sqlite:a.db"
schema = "schemas/"

[[route]]
path = "/v1/items"
table = "items"
"#), @r#"
    error[database.schema]: the schema folder cannot be read: it does not exist
     --> kasoku.toml:3:10
      |
    3 | schema = "schemas/"
      |          ^^^^^^^^^^ looked for APP/schemas/
    "#);
    assert_snapshot!(whole(r#"[database]
url = "sqlite:a.db"
schema = "broken"

[[route]]
path = "/v1/items"
table = "items"
"#), @r#"
    error[database.schema]: the schema cannot be applied
     --> APP/broken/001_x.sql:2:8
      |
    2 | create tabel b (id integer);
      |        ^^^^^ near "tabel": syntax error
      |
     ::: kasoku.toml:3:10
      |
    3 | schema = "broken"
      |          -------- a file of this folder
    "#);
    assert_snapshot!(whole(r#"[database]
url = "sqlite:a.db"
schema = "twice"

[[route]]
path = "/v1/items"
table = "items"
"#), @r#"
    error[database.schema]: two schema files have the number 1
     --> kasoku.toml:3:10
      |
    3 | schema = "twice"
      |          ^^^^^^^ `001_x.sql` and `1_y.sql`
    "#);
    assert_snapshot!(whole(r#"[database]
url = "sqlite:a.db"
schema = "unnumbered"

[[route]]
path = "/v1/items"
table = "items"
"#), @r#"
    error[database.schema]: the schema file `x.sql` has no number
     --> kasoku.toml:3:10
      |
    3 | schema = "unnumbered"
      |          ^^^^^^^^^^^^ expected names such as `001_items.sql`: the numbers give the order
    "#);
    assert_snapshot!(whole(r#"[database]
url = "sqlite:a.db"
schema = "static"

[[route]]
path = "/v1/items"
table = "items"
"#), @r#"
    error[database.schema]: the schema folder holds no numbered files
     --> kasoku.toml:3:10
      |
    3 | schema = "static"
      |          ^^^^^^^^ expected files such as `001_items.sql` in it
    "#);
}

#[test]
fn seeds_are_checked() {
    assert_snapshot!(whole(r#"[database]
url = "sqlite:a.db"
schema = "schema/"
seed = { table = "itms", also = ["items", "categries"], file = "static/index.html", rows = 10 }

[[route]]
path = "/"
files = "static"
"#), @r#"
    error[database.seed.table]: there is no table `itms`
     --> kasoku.toml:4:18
      |
    4 | seed = { table = "itms", also = ["items", "categries"], file = "static/index.html", rows = 10 }
      |                  ^^^^^^ expected a table of the schema
      |
      = help: did you mean `items`?

    error[database.seed.also[1]]: there is no table `categries`
     --> kasoku.toml:4:43
      |
    4 | seed = { table = "itms", also = ["items", "categries"], file = "static/index.html", rows = 10 }
      |                                           ^^^^^^^^^^^ expected a table of the schema
      |
      = help: did you mean `categories`?

    error[database.seed.file]: the seed file does not use `:first`
     --> kasoku.toml:4:64
      |
    4 | seed = { table = "itms", also = ["items", "categries"], file = "static/index.html", rows = 10 }
      |                                                                ^^^^^^^^^^^^^^^^^^^ expected statements for the rows numbered `:first` to `:last`
    "#);
}

#[test]
fn names_of_tables_and_columns_are_checked() {
    assert_snapshot!(whole(r#"[database]
url = "sqlite:a.db"
schema = "schema/"

[[route]]
path = "/v1/items"
table = "itmes"
"#), @r#"
    error[route[0].table]: there is no table `itmes`
     --> kasoku.toml:7:9
      |
    7 | table = "itmes"
      |         ^^^^^^^ expected a table or view of the database
      |
      = help: did you mean `items`?
    "#);
    assert_snapshot!(of_items(r#"select = ["id", "tilte"]
filter = ["prise", "price", "price"]
plain = ["title"]
soft_delete = "title""#), @r#"
    error[route[0].select[1]]: `items` has no column `tilte`
     --> kasoku.toml:8:17
      |
    8 | select = ["id", "tilte"]
      |                 ^^^^^^^ expected a column of `items`
      |
      = help: did you mean `title`?

    error[route[0].filter[0]]: `items` has no column `prise`
     --> kasoku.toml:9:11
      |
    9 | filter = ["prise", "price", "price"]
      |           ^^^^^^^ expected a column of `items`
      |
      = help: did you mean `price`?

    error[route[0].filter[2]]: `price` is there twice
     --> kasoku.toml:9:29
      |
    9 | filter = ["prise", "price", "price"]
      |                             ^^^^^^^

    error[route[0].plain[0]]: `title` must be in `filter` too
      --> kasoku.toml:10:10
       |
    10 | plain = ["title"]
       |          ^^^^^^^
       |
       = help: add "title" to `filter`, or take it out here

    error[route[0].soft_delete]: `title` must be able to be NULL, which is how a row is not deleted
      --> kasoku.toml:11:15
       |
    11 | soft_delete = "title"
       |               ^^^^^^^ expected a column that is NULL in rows that are not deleted
    "#);
    assert_snapshot!(of_items(r#"select = ["title"]"#), @r#"
    error[route[0].select]: `id` tells rows apart and stands in cursors, so it must be in `select`
     --> kasoku.toml:8:10
      |
    8 | select = ["title"]
      |          ^^^^^^^^^
      |
      = help: add "id" to `select`
    "#);
    assert_snapshot!(whole(r#"[database]
url = "sqlite:a.db"
schema = "schema/"

[[route]]
path = "/v1/items"
table = "cheap"
write = ["insert"]"#), @r#"
    error[route[0].table]: `cheap` has no key that tells its rows apart
     --> kasoku.toml:7:9
      |
    7 | table = "cheap"
      |         ^^^^^^^ pages need a key to go on from, and a view has none
      |
      = help: use a `query` route

    error[route[0].write]: a view cannot be written
     --> kasoku.toml:8:9
      |
    8 | write = ["insert"]
      |         ^^^^^^^^^^
    "#);
}

#[test]
fn orders_are_checked() {
    assert_snapshot!(of_items(r#"order = ["-idd", "price desc", "price", "-price", "id,id", ""]"#), @r#"
    error[route[0].order[0]]: `items` has no column `idd`
     --> kasoku.toml:8:10
      |
    8 | order = ["-idd", "price desc", "price", "-price", "id,id", ""]
      |          ^^^^^^ expected a column of `items`
      |
      = help: did you mean `id`?

    error[route[0].order[1]]: `price desc` is not an order
     --> kasoku.toml:8:18
      |
    8 | order = ["-idd", "price desc", "price", "-price", "id,id", ""]
      |                  ^^^^^^^^^^^^ expected columns such as "price", "-id" or "category,-price"
      |
      = help: write "-price"

    error[route[0].order[4]]: `id,id` is not an order: a column is there twice
     --> kasoku.toml:8:51
      |
    8 | order = ["-idd", "price desc", "price", "-price", "id,id", ""]
      |                                                   ^^^^^^^ expected columns such as "price", "-id" or "category,-price"

    error[route[0].order[5]]: `` is not an order: a column name is missing
     --> kasoku.toml:8:60
      |
    8 | order = ["-idd", "price desc", "price", "-price", "id,id", ""]
      |                                                            ^^ expected columns such as "price", "-id" or "category,-price"

    warning[route[0].order[3]]: the order `-price` is there already
     --> kasoku.toml:8:41
      |
    8 | order = ["-idd", "price desc", "price", "-price", "id,id", ""]
      |                                         ^^^^^^^^ each order can also be asked for in reverse
    "#);
    assert_snapshot!(of_items(r"order = []"), @r"
    error[route[0].order]: a list needs an order
     --> kasoku.toml:8:9
      |
    8 | order = []
      |         ^^ expected one at the least, or leave it out
    ");
}

#[test]
fn pages_and_envelopes_are_checked() {
    assert_snapshot!(of_items(r#"page = { default = 200 }
envelope = "next_cursor""#), @r#"
    error[route[0].page.default]: a page would have more rows by default than at the most
     --> kasoku.toml:8:20
      |
    8 | page = { default = 200 }
      |                    ^^^ 200 by default, 100 at the most

    error[route[0].envelope]: `next_cursor` cannot be the envelope
     --> kasoku.toml:9:12
      |
    9 | envelope = "next_cursor"
      |            ^^^^^^^^^^^^^ expected the name of a member, such as "items"
    "#);
}

#[test]
fn writes_are_checked() {
    assert_snapshot!(of_items(r#"select = ["id"]
write = ["insert"]"#), @r#"
    error[route[0].write]: `title` must be in `select`: no row can be inserted without it
     --> kasoku.toml:9:9
      |
    9 | write = ["insert"]
      |         ^^^^^^^^^^ callers write the columns in `select`
      |
      = help: add "title" to `select`, or give the column a default

    error[route[0].write]: `category` must be in `select`: no row can be inserted without it
     --> kasoku.toml:9:9
      |
    9 | write = ["insert"]
      |         ^^^^^^^^^^ callers write the columns in `select`
      |
      = help: add "category" to `select`, or give the column a default
    "#);
    assert_snapshot!(whole(r#"[database]
url = "sqlite:there.db"
read_only = true

[[route]]
path = "/v1/items"
table = "items"
write = ["update"]"#), @r#"
    error[route[0].write]: the database is open for reading only
     --> kasoku.toml:8:9
      |
    8 | write = ["update"]
      |         ^^^^^^^^^^ cannot be written
      |
      = help: take `read_only` out of [database]
    "#);
}

#[test]
fn origins_are_servers_that_can_be_asked() {
    let of_origin = |text: &str| whole(&format!("[[route]]\npath = \"/old/{{*rest}}\"\n{text}\n"));
    for url in ["127.0.0.1:3000", "ftp://a", "http://a/b", "http://user:word@a", "http://a:0", "a b"] {
        assert!(
            of_origin(&format!("origin = \"{url}\"")).contains("does not say where a server is"),
            "{url}"
        );
    }
    assert!(!of_origin("origin = \"http://user:word@a\"").contains("word"), "a password is not repeated");
    assert_snapshot!(of_origin(r#"origin = "127.0.0.1:3000"
strip = "/ol""#), @r#"
    error[route[0].origin]: `127.0.0.1:3000` does not say where a server is: it is not a URL
     --> kasoku.toml:3:10
      |
    3 | origin = "127.0.0.1:3000"
      |          ^^^^^^^^^^^^^^^^ expected a URL such as "http://127.0.0.1:3000"
      |
      = help: write "http://127.0.0.1:3000"

    error[route[0].strip]: `/ol` cannot be taken from the paths of this route
     --> kasoku.toml:4:9
      |
    2 | path = "/old/{*rest}"
      |        -------------- the path
    3 | origin = "127.0.0.1:3000"
    4 | strip = "/ol"
      |         ^^^^^ expected the first segments of `path`
    "#);
    assert_snapshot!(of_origin(r#"strip = "/"
[route.origin]
servers = ["http://a/b", "ftp://a"]
host = "both"
connect_timeout = "0s"
connections = 0
ca = "none.pem"
trusted_proxies = ["10.0.0.0/99"]"#), @r#"
    error[route[0].origin.host]: `both` is not a value of `host`
     --> kasoku.toml:6:8
      |
    6 | host = "both"
      |        ^^^^^^ expected "caller" or "origin"

    error[route[0].origin.connections]: `connections` is out of range
     --> kasoku.toml:8:15
      |
    8 | connections = 0
      |               ^ expected a number from 1 to 100000
    "#);
    assert_snapshot!(of_origin(r#"origin = { servers = ["http://a/b"], connect_timeout = "0s", ca = "static/index.html", trusted_proxies = ["10.0.0.0/99"] }"#), @r#"
    error[route[0].origin.servers[0]]: `http://a/b` does not say where a server is: a server has no path
     --> kasoku.toml:3:23
      |
    3 | origin = { servers = ["http://a/b"], connect_timeout = "0s", ca = "static/index.html", trusted_proxies = ["10.0.0...
      |                       ^^^^^^^^^^^^ expected a URL such as "http://127.0.0.1:3000"
      |
      = help: requests bring their paths; `strip` takes a part of them away

    error[route[0].origin.connect_timeout]: `connect_timeout` is out of range
     --> kasoku.toml:3:56
      |
    3 | origin = { servers = ["http://a/b"], connect_timeout = "0s", ca = "static/index.html", trusted_proxies = ["10.0.0...
      |                                                        ^^^^ expected from 1ms to 1d

    error[route[0].origin.ca]: the file of certificates cannot be used: it holds no certificate in PEM form
     --> kasoku.toml:3:67
      |
    3 | ...imeout = "0s", ca = "static/index.html", trusted_proxies = ["10.0.0.0/99"] }
      |                        ^^^^^^^^^^^^^^^^^^^ expected a file with `-----BEGIN CERTIFICATE-----`

    error[route[0].origin.trusted_proxies[0]]: `10.0.0.0/99` names no proxies: it is neither an address nor a network such as 10.0.0.0/8
     --> kasoku.toml:3:107
      |
    3 | ...dex.html", trusted_proxies = ["10.0.0.0/99"] }
      |                                  ^^^^^^^^^^^^^ expected an IP address or a network
    "#);
    assert_snapshot!(of_origin(r"origin = { servers = [] }"), @r#"
    error[route[0].origin.servers]: an origin has from 1 to 256 servers
     --> kasoku.toml:3:22
      |
    3 | origin = { servers = [] }
      |                      ^^ expected URLs such as "http://127.0.0.1:3000"
    "#);
    assert_snapshot!(of_origin(r#"origin = { servers = ["http://a", "http://a"] }"#), @r#"
    error[route[0].origin.servers[1]]: the server is written twice
     --> kasoku.toml:3:35
      |
    3 | origin = { servers = ["http://a", "http://a"] }
      |                       ----------  ^^^^^^^^^^ would get two turns
      |                       |
      |                       the first time
    "#);
    assert_snapshot!(of_origin(r#"origin = { servers = ["https://a"], protocol = "h2c" }"#), @r#"
    error[route[0].origin.protocol]: `h2c` is HTTP/2 without TLS
     --> kasoku.toml:3:48
      |
    3 | origin = { servers = ["https://a"], protocol = "h2c" }
      |                                                ^^^^^ a server of this origin speaks TLS
      |
      = help: leave it out: with TLS, HTTP/2 is agreed on
    "#);
    assert_snapshot!(of_origin(r#"origin = "http://a"
filter = ["id"]
compress = "1KiB"
body = "2TiB""#), @r#"
    error[route[0].filter]: `filter` means nothing to an `origin` route
     --> kasoku.toml:4:1
      |
    4 | filter = ["id"]
      | ^^^^^^ belongs to `table` routes

    error[route[0].body]: `body` is out of range
     --> kasoku.toml:6:8
      |
    6 | body = "2TiB"
      |        ^^^^^^ expected from 0B to 1TiB
    "#);
    assert_snapshot!(of_items(r#"strip = "/v1""#), @r#"
    error[route[0].strip]: `strip` means nothing to a `table` route
     --> kasoku.toml:8:1
      |
    8 | strip = "/v1"
      | ^^^^^ belongs to `origin` routes
    "#);
}

#[test]
fn a_route_has_exactly_one_source() {
    assert_snapshot!(of_items(r#"query = "select 1""#), @r#"
    error[route[0].query]: the route has two sources: `table` and `query`
     --> kasoku.toml:8:1
      |
    7 | table = "items"
      | ----- one source
    8 | query = "select 1"
      | ^^^^^ a route answers from one source
    "#);
    assert_snapshot!(whole(r#"[database]
url = "sqlite:a.db"
schema = "schema/"
[[route]]
path = "/a"
deadline = "1s"
"#), @r"
    error[route[0]]: the route has no source
     --> kasoku.toml:4:1
      |
    4 | [[route]]
      | ^^^^^^^^^ expected `table`, `query`, `files`, `batch` or `origin` in it
    ");
    assert_snapshot!(of_query(r#"query = "select 1 as a where :category = ''"
select = ["a"]
envelope = "a""#), @r#"
    error[route[0].select]: `select` means nothing to a `query` route
     --> kasoku.toml:8:1
      |
    8 | select = ["a"]
      | ^^^^^^ belongs to `table` routes

    error[route[0].envelope]: `envelope` means nothing to a `query` route
     --> kasoku.toml:9:1
      |
    9 | envelope = "a"
      | ^^^^^^^^ belongs to `table` routes
    "#);
    assert_snapshot!(whole(r""), @r#"
    error[route]: nothing is served: there is no [[route]]
    --> kasoku.toml:1:1
     = help: add one, as in `[[route]]` with `path = "/"` and `files = "static/"`
    "#);
}

#[test]
fn mistakes_in_queries_are_underlined() {
    assert_snapshot!(of_query(r#"query = "select catgory from items where category = :category""#), @r#"
    error[route[0].query]: the query cannot be prepared
     --> kasoku.toml:7:17
      |
    7 | query = "select catgory from items where category = :category"
      |                 ^^^^^^^ no such column: catgory
      |
      = help: did you mean `category`?
    "#);
    assert_snapshot!(of_query(r#"query = """
select category
from itmes
where category = :category""""#), @r"
    error[route[0].query]: the query cannot be prepared
     --> kasoku.toml:9:6
      |
    9 | from itmes
      |      ^^^^^ no such table: itmes
      |
      = help: did you mean `items`?
    ");
    assert_snapshot!(of_query(r#"query = "select category frm items""#), @r#"
    error[route[0].query]: the query cannot be prepared
     --> kasoku.toml:7:30
      |
    7 | query = "select category frm items"
      |                              ^^^^^ near "items": syntax error
    "#);
    assert_snapshot!(of_query(r#"query = "delete from items where category = :category""#), @r#"
    error[route[0].query]: the query writes; only an `action` may
     --> kasoku.toml:7:9
      |
    7 | query = "delete from items where category = :category"
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected one `select`
    "#);
    assert_snapshot!(of_query(r#"query = "select 1; select 2""#), @r#"
    error[route[0].query]: there must be exactly one statement, and there are 2
     --> kasoku.toml:7:9
      |
    7 | query = "select 1; select 2"
      |         ^^^^^^^^^^^^^^^^^^^^ expected one `select`
    "#);
    assert_snapshot!(of_query(r#"query = "select id, id from items where category = :category""#), @r#"
    error[route[0].query]: two columns of the query are called `id`
     --> kasoku.toml:7:9
      |
    7 | query = "select id, id from items where category = :category"
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ would be one member of the answer
      |
      = help: name one of them with `as`
    "#);
}

#[test]
fn parameters_of_queries_are_checked() {
    assert_snapshot!(of_query(r#"query = "select id from items where price > :price"
params = { prise = "real" }"#), @r#"
    error[route[0].path]: the query does not use the path's `category`
     --> kasoku.toml:6:8
      |
    6 | path = "/q/{category}"
      |        ^^^^^^^^^^^^^^^ would give the same answer for each value
      |
      = help: use it as `:category`

    error[route[0].params.prise]: the query has no parameter `prise`
     --> kasoku.toml:8:12
      |
    8 | params = { prise = "real" }
      |            ^^^^^ not used
      |
      = help: did you mean `price`?
    "#);
    assert_snapshot!(of_query(r#"query = "select id from items where price > :price and category = :category"
params = { price = { type = "integer", default = "x" }, category = { default = "x" } }"#), @r#"
    error[route[0].params.price.default]: the default is not of the parameter's type
     --> kasoku.toml:8:50
      |
    8 | params = { price = { type = "integer", default = "x" }, category = { default = "x" } }
      |                                                  ^^^ expected a whole number
      |
      = help: say the type, as in `{ type = "integer", default = 10 }`

    error[route[0].params.category.default]: `category` is in the path and needs no default
     --> kasoku.toml:8:70
      |
    8 | params = { price = { type = "integer", default = "x" }, category = { default = "x" } }
      |                                                                      ^^^^^^^ the path always has it
    "#);
    assert_snapshot!(of_query(r#"query = "select id from items where price > ? and category = :category""#), @r#"
    error[route[0].query]: `?` is not a named parameter; write `:name`
     --> kasoku.toml:7:9
      |
    7 | query = "select id from items where price > ? and category = :category"
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected `:name` for each parameter
    "#);
}

#[test]
fn answers_that_change_by_themselves_need_a_lifetime() {
    assert_snapshot!(of_query(r#"query = "select random() as x where :category = ''""#), @r#"
    error[route[0].query]: `random` changes by itself, and no write tells when
     --> kasoku.toml:7:17
      |
    7 | query = "select random() as x where :category = ''"
      |                 ^^^^^^ answers with it cannot be kept without a lifetime
      |
      = help: say how old they may be, as in `cache = { fresh = "10s" }`, or write `cache = false`
    "#);
    assert_snapshot!(of_query(r#"query = "select id from items where category = :category and maker < date('now')"
cache = { stale_if_error = "1m" }"#), @r#"
    error[route[0].query]: `date('now')` changes by itself, and no write tells when
     --> kasoku.toml:7:70
      |
    7 | query = "select id from items where category = :category and maker < date('now')"
      |                                                                      ^^^^ answers with it cannot be kept without a lifetime
      |
      = help: say how old they may be, as in `cache = { fresh = "10s" }`, or write `cache = false`
    "#);
}

#[test]
fn lifetimes_are_checked() {
    assert_snapshot!(of_items(r#"cache = { fresh = "10s", client = "1m", stale_while_revalidate = "1m", stale_if_error = "5s" }"#), @r#"
    error[route[0].cache.client]: callers would keep an answer for longer than it is fresh here
     --> kasoku.toml:8:35
      |
    8 | cache = { fresh = "10s", client = "1m", stale_while_revalidate = "1m", stale_if_error = "5s" }
      |           ----- fresh for less    ^^^^ longer than `fresh`

    warning[route[0].cache.stale_if_error]: `stale_if_error` has no effect: an answer this old is given anyway
     --> kasoku.toml:8:89
      |
    8 | cache = { fresh = "10s", client = "1m", stale_while_revalidate = "1m", stale_if_error = "5s" }
      |                                                                                         ^^^^ shorter than `stale_while_revalidate`
    "#);
    assert_snapshot!(of_items(r#"cache = { fresh = "0s", body = "1GiB" }"#), @r#"
    error[route[0].cache.fresh]: answers that are never fresh need no cache
     --> kasoku.toml:8:19
      |
    8 | cache = { fresh = "0s", body = "1GiB" }
      |                   ^^^^ expected more than 0s
      |
      = help: write `cache = false`

    error[route[0].cache.body]: an answer larger than the whole cache can never be stored
     --> kasoku.toml:8:32
      |
    8 | cache = { fresh = "0s", body = "1GiB" }
      |                                ^^^^^^ `cache.memory` is 256MiB
    "#);
    assert_snapshot!(of_items(r#"cache = { fresh = "1000d" }
body = "3MiB"
deadline = "0s""#), @r#"
    error[route[0].cache.fresh]: `fresh` is longer than a year
     --> kasoku.toml:8:19
      |
    8 | cache = { fresh = "1000d" }
      |                   ^^^^^^^ expected up to 366d

    error[route[0].body]: the route would take larger bodies than the server
     --> kasoku.toml:9:8
      |
    9 | body = "3MiB"
      |        ^^^^^^ `server.limits.body` is 2MiB

    error[route[0].deadline]: `deadline` is out of range
      --> kasoku.toml:10:12
       |
    10 | deadline = "0s"
       |            ^^^^ expected from 1ms to 1d
    "#);
}

#[test]
fn routes_that_want_the_same_paths_are_found() {
    assert_snapshot!(of_items(r#"
[[route]]
path = "/v1/items"
files = "static"
"#), @r#"
    error[route[1].path]: `/v1/items/{*rest}` and `/v1/items/{key}` match the same paths
      --> kasoku.toml:10:8
       |
     6 | path = "/v1/items"
       |        ----------- the other route
    ...
    10 | path = "/v1/items"
       |        ^^^^^^^^^^^ the other route also serves `/v1/items/{key}`
    "#);
    assert_snapshot!(of_items(r#"[[route]]
path = "/v1/items"
query = "select 1 as one""#), @r#"
    error[route[1].path]: two routes would serve `/v1/items`
     --> kasoku.toml:9:8
      |
    6 | path = "/v1/items"
      |        ----------- the other route
    ...
    9 | path = "/v1/items"
      |        ^^^^^^^^^^^ expected another path
    "#);
    assert_snapshot!(of_items(r#"[[route]]
path = "/v1/items/{id}"
query = "select :id as id""#), @r#"
    error[route[1].path]: `/v1/items/{id}` and `/v1/items/{key}` match the same paths
     --> kasoku.toml:9:8
      |
    6 | path = "/v1/items"
      |        ----------- the other route
    ...
    9 | path = "/v1/items/{id}"
      |        ^^^^^^^^^^^^^^^^ the other route also serves `/v1/items/{key}`
    "#);
    assert_snapshot!(whole(r#"[database]
url = "sqlite:a.db"
schema = "schema/"
[[route]]
path = "/a/{x}"
query = "select :x as x"
[[route]]
path = "/a/{y}"
query = "select :y as y"
"#), @r#"
    error[route[1].path]: `/a/{y}` and `/a/{x}` match the same paths
     --> kasoku.toml:8:8
      |
    5 | path = "/a/{x}"
      |        -------- the other route
    ...
    8 | path = "/a/{y}"
      |        ^^^^^^^^ expected another path
    "#);
    assert_snapshot!(whole(r#"[[route]]
path = "/a"
files = "static"
[[route]]
path = "/a/{*all}"
files = "static"
"#), @r#"
    error[route[1].path]: `/a/{*all}` and `/a/{*rest}` match the same paths
     --> kasoku.toml:5:8
      |
    2 | path = "/a"
      |        ---- the other route
    ...
    5 | path = "/a/{*all}"
      |        ^^^^^^^^^^^ expected another path
    "#);
}

#[test]
fn malformed_paths_are_found() {
    assert_snapshot!(with_path(r"a"), @r#"
    error[route[0].path]: a path begins with `/`
     --> kasoku.toml:6:8
      |
    6 | path = "a"
      |        ^^^ expected a path such as "/v1/items"
      |
      = help: write "/a"
    "#);
    assert_snapshot!(with_path(r"/a/"), @r#"
    error[route[0].path]: a path does not end in `/`
     --> kasoku.toml:6:8
      |
    6 | path = "/a/"
      |        ^^^^^ callers who add one are sent to the path without it
      |
      = help: write "/a"
    "#);
    assert_snapshot!(with_path(r"/a/{x"), @r#"
    error[route[0].path]: the path's braces are not in order
     --> kasoku.toml:6:8
      |
    6 | path = "/a/{x"
      |        ^^^^^^^ expected `{name}` for one segment, `{*name}` for all that are left
      |
      = help: write `{{` and `}}` for the characters themselves
    "#);
    assert_snapshot!(with_path(r"/a/{x}-{y}"), @r#"
    error[route[0].path]: a segment has more than one parameter
     --> kasoku.toml:6:8
      |
    6 | path = "/a/{x}-{y}"
      |        ^^^^^^^^^^^^ expected one `{name}` between slashes
    "#);
    assert_snapshot!(with_path(r"/a/{*x}/b"), @r#"
    error[route[0].path]: `{*name}` can only be the end of a path
     --> kasoku.toml:6:8
      |
    6 | path = "/a/{*x}/b"
      |        ^^^^^^^^^^^ expected nothing behind it
    "#);
    assert_snapshot!(with_path(r"/a?x"), @r#"
    error[route[0].path]: a path cannot hold '?'
     --> kasoku.toml:6:8
      |
    6 | path = "/a?x"
      |        ^^^^^^ expected segments between slashes, without a query string
    "#);
    assert_snapshot!(with_path(r"/a//b"), @r#"
    error[route[0].path]: a path has an empty segment, `.` or `..`
     --> kasoku.toml:6:8
      |
    6 | path = "/a//b"
      |        ^^^^^^^ callers never send it like this
    "#);
    assert_snapshot!(with_path(r"/ü"), @r#"
    error[route[0].path]: paths are matched as they are sent
     --> kasoku.toml:6:8
      |
    6 | path = "/ü"
      |        ^^^^ expected other characters as `%` and two digits each
    "#);
    assert_snapshot!(with_path(r"/{x}/{x}"), @r#"
    error[route[0].path]: the parameter `x` stands in the path twice
     --> kasoku.toml:6:8
      |
    6 | path = "/{x}/{x}"
      |        ^^^^^^^^^^ expected different names
    "#);
    assert_snapshot!(with_path(r"/{}"), @r#"
    error[route[0].path]: a parameter of the path has no name
     --> kasoku.toml:6:8
      |
    6 | path = "/{}"
      |        ^^^^^ expected a name between the braces
    "#);
    assert_snapshot!(with_path(r"/{a-b}"), @r#"
    error[route[0].path]: `a-b` is not the name of a parameter
     --> kasoku.toml:6:8
      |
    6 | path = "/{a-b}"
      |        ^^^^^^^^ expected letters, digits and `_` in the braces
    "#);
    assert_snapshot!(with_path(r"/health"), @r#"
    error[route[0].path]: `/health` is answered by the server itself
     --> kasoku.toml:6:8
      |
    6 | path = "/health"
      |        ^^^^^^^^^ expected another path
    "#);
}

#[test]
fn paths_suit_their_source() {
    assert_snapshot!(whole(r#"[[route]]
path = "/{x}"
files = "static"
"#), @r#"
    error[route[0].path]: the path of a `files` route has no `{name}`
     --> kasoku.toml:2:8
      |
    2 | path = "/{x}"
      |        ^^^^^^ expected a path such as "/static"
    "#);
    assert_snapshot!(whole(r#"[database]
url = "sqlite:a.db"
schema = "schema/"

[[route]]
path = "/{shop}/items"
table = "items"
"#), @r#"
    error[route[0].path]: the path of a `table` route has no parameters
     --> kasoku.toml:6:8
      |
    6 | path = "/{shop}/items"
      |        ^^^^^^^^^^^^^^^ expected a path such as "/v1/items"
      |
      = help: filter with `?column=eq.value`, or use a `query` route
    "#);
}

#[test]
fn folders_are_checked() {
    assert_snapshot!(whole(r#"[[route]]
path = "/b"
files = { folder = "statc" }
"#), @r#"
    error[route[0].files.folder]: the folder cannot be read: it does not exist
     --> kasoku.toml:3:20
      |
    3 | files = { folder = "statc" }
      |                    ^^^^^^^ looked for APP/statc
    "#);
    assert_snapshot!(whole(r#"[[route]]
path = "/c"
files = { folder = "static", fallback = "app.html", index = "../x" }
cache = { fresh = "1s" }
"#), @r#"
    error[route[0].files.fallback]: the fallback does not exist
     --> kasoku.toml:3:41
      |
    3 | files = { folder = "static", fallback = "app.html", index = "../x" }
      |                                         ^^^^^^^^^^ looked for APP/static/app.html

    error[route[0].files.index]: `../x` cannot be the `index`
     --> kasoku.toml:3:61
      |
    3 | files = { folder = "static", fallback = "app.html", index = "../x" }
      |                                                             ^^^^^^ expected the name of a file in the folder

    error[route[0].cache]: `cache` means nothing to a `files` route
     --> kasoku.toml:4:1
      |
    4 | cache = { fresh = "1s" }
      | ^^^^^ belongs to `table` and `query` and `origin` routes
      |
      = help: how long callers may keep a file is `max_age` in `files`
    "#);
}

#[test]
fn values_of_the_environment_must_exist() {
    assert_snapshot!(beside_files(r#"[server]
listen = "${HOST}:80"
[log]
level = "${LEVEL"
[cache]
memory = "${a b}""#), @r#"
    error[server.listen]: the environment variable `HOST` is not set
     --> kasoku.toml:2:10
      |
    2 | listen = "${HOST}:80"
      |          ^^^^^^^^^^^^ its value was to be put in here
      |
      = help: set it before the start, as in `HOST=… kasoku serve`

    error[log.level]: a `${` is never closed
     --> kasoku.toml:4:9
      |
    4 | level = "${LEVEL"
      |         ^^^^^^^^^ expected `}` behind the name of an environment variable
      |
      = help: write `$${` for the characters themselves

    error[cache.memory]: `a b` is not the name of an environment variable
     --> kasoku.toml:6:10
      |
    6 | memory = "${a b}"
      |          ^^^^^^^^ expected letters, digits and `_` between `${` and `}`
      |
      = help: write `$${` for the characters themselves
    "#);
}

#[test]
fn rules_of_one_kind_of_cache_are_not_those_of_the_other() {
    assert_snapshot!(of_items(r#"cache = "rfc9111""#), @r#"
    error[route[0].cache]: the rules of RFC 9111 are for answers of an `origin`
     --> kasoku.toml:8:9
      |
    8 | cache = "rfc9111"
      |         ^^^^^^^^^ expected a table or `false`
    "#);
    assert_snapshot!(of_items("cache = { variants = 3 }"), @r#"
    error[route[0].cache.variants]: `cache.variants` means nothing here
     --> kasoku.toml:8:11
      |
    8 | cache = { variants = 3 }
      |           ^^^^^^^^ belongs to `origin` routes
    "#);
    assert_snapshot!(of_query("query = \"select :category as c\"\ncache = { fresh_row = \"5s\" }"), @r#"
    error[route[0].cache.fresh_row]: `cache.fresh_row` means nothing here
     --> kasoku.toml:8:11
      |
    8 | cache = { fresh_row = "5s" }
      |           ^^^^^^^^^ belongs to `table` routes
    "#);
    assert_snapshot!(of_items(r#"cache = { fresh = "1h", fresh_row = "0s", client = "1m" }"#), @r#"
    error[route[0].cache.fresh_row]: answers that are never fresh need no cache
     --> kasoku.toml:8:37
      |
    8 | cache = { fresh = "1h", fresh_row = "0s", client = "1m" }
      |                                     ^^^^ expected more than 0s

    error[route[0].cache.client]: callers would keep an answer for longer than it is fresh here
     --> kasoku.toml:8:52
      |
    8 | cache = { fresh = "1h", fresh_row = "0s", client = "1m" }
      |                         --------- fresh for less   ^^^^ longer than `fresh_row`
    "#);
    assert_snapshot!(cached(r#"cache = { client = "5s" }"#), @r#"
    error[route[0].cache.client]: `cache.client` means nothing here
     --> kasoku.toml:4:11
      |
    4 | cache = { client = "5s" }
      |           ^^^^^^ belongs to `table` and `query` routes
    "#);
    assert_snapshot!(cached(r#"cache = "rfc9112""#), @r#"
    error[route[0].cache]: `cache` cannot be `"rfc9112"`
     --> kasoku.toml:4:9
      |
    4 | cache = "rfc9112"
      |         ^^^^^^^^^ expected `false` or `"rfc9111"` or a table
      |
      = help: leave it out for the default
    "#);
    assert_snapshot!(cached(r#"cache = { show = ["a b"], hide = ["x"] }"#), @r#"
    error[route[0].cache.show[0]]: `a b` cannot be the name of a field
     --> kasoku.toml:4:19
      |
    4 | cache = { show = ["a b"], hide = ["x"] }
      |                   ^^^^^ expected a name such as "user-agent"
    "#);
    assert_snapshot!(cached(r#"cache = { show = ["x"], hide = ["x"] }"#), @r#"
    error[route[0].cache.hide]: `x` is both shown and hidden
     --> kasoku.toml:4:32
      |
    4 | cache = { show = ["x"], hide = ["x"] }
      |           ---- shown here      ^^^^^ expected in one of them
    "#);
    assert_snapshot!(cached("cache = { eager = 2.0 }"), @r#"
    error[route[0].cache.eager]: `eager` is out of range
     --> kasoku.toml:4:19
      |
    4 | cache = { eager = 2.0 }
      |                   ^^^ expected a number from 0.1 to 1
    "#);
}

#[test]
fn a_second_tier_that_cannot_be_used_is_said_without_its_password() {
    assert_snapshot!(beside_files(r#"[cache]
redis = "http://:secret-password@127.0.0.1""#), @r#"
    error[cache.redis]: the address of the second tier cannot be used
     --> kasoku.toml:2:9
      |
    2 | redis = "http://:***************@127.0.0.1"
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected a URL such as "redis://127.0.0.1:6379"
    "#);
    assert_snapshot!(beside_files(r#"[cache]
redis = { url = "redis://a", budget = "0s", bound = "1d" }"#), @r#"
    error[cache.redis.budget]: `budget` of the second tier is out of range
     --> kasoku.toml:2:39
      |
    2 | redis = { url = "*********", budget = "0s", bound = "1d" }
      |                                       ^^^^ expected more
    "#);
    assert_snapshot!(beside_files(r#"[cache]
redis = "env:NO_SUCH_URL""#), @r#"
    error[cache.redis]: the environment variable `NO_SUCH_URL` is not set
     --> kasoku.toml:2:9
      |
    2 | redis = "env:NO_SUCH_URL"
      |         ^^^^^^^^^^^^^^^^^ its value was to be put in here
      |
      = help: set it before the start, as in `NO_SUCH_URL=… kasoku serve`
    "#);
}

#[test]
fn what_cannot_be_warmed_is_named() {
    let api = format!(
        "{DATABASE}\n[[route]]\npath = \"/v1/items\"\ntable = \"items\"\n[[route]]\npath = \"/raw\"\nquery = \"select 1 as one\"\n\
         cache = false\n[[route]]\npath = \"/old/{{*rest}}\"\norigin = \"http://127.0.0.1:1\"\n[cache]\n"
    );
    assert_snapshot!(whole(&format!(r#"{api}warm = ["v1/items", "/v1/items#top", "/v1/ä", "ftp://a/b", "/v1/item", "/raw", "/old/a"]"#)), @r#"
    error[cache.warm[0]]: `v1/items` is neither a path nor a URL of HTTP
      --> kasoku.toml:16:9
       |
    16 | warm = ["v1/items", "/v1/items#top", "/v1/ä", "ftp://a/b", "/v1/item", "/raw", "/old/a"]
       |         ^^^^^^^^^^ expected a target such as "/v1/items?limit=20"
       |
       = help: write "/v1/items"

    error[cache.warm[1]]: a target has no fragment
      --> kasoku.toml:16:21
       |
    16 | warm = ["v1/items", "/v1/items#top", "/v1/ä", "ftp://a/b", "/v1/item", "/raw", "/old/a"]
       |                     ^^^^^^^^^^^^^^^ `#` and what follows is never sent

    error[cache.warm[2]]: a target cannot hold 'ä'
      --> kasoku.toml:16:38
       |
    16 | warm = ["v1/items", "/v1/items#top", "/v1/ä", "ftp://a/b", "/v1/item", "/raw", "/old/a"]
       |                                      ^^^^^^^ expected other characters as `%` and two digits each

    error[cache.warm[3]]: `ftp://a/b` is neither a path nor a URL of HTTP
      --> kasoku.toml:16:47
       |
    16 | warm = ["v1/items", "/v1/items#top", "/v1/ä", "ftp://a/b", "/v1/item", "/raw", "/old/a"]
       |                                               ^^^^^^^^^^^ expected a target such as "/v1/items?limit=20"

    error[cache.warm[4]]: no route serves `/v1/item`
      --> kasoku.toml:16:60
       |
    16 | warm = ["v1/items", "/v1/items#top", "/v1/ä", "ftp://a/b", "/v1/item", "/raw", "/old/a"]
       |                                                            ^^^^^^^^^^ expected a path that is served
       |
       = help: did you mean `/v1/items`?

    error[cache.warm[5]]: the route `/raw` is not cached, so that nothing can be warmed
      --> kasoku.toml:16:72
       |
    16 | warm = ["v1/items", "/v1/items#top", "/v1/ä", "ftp://a/b", "/v1/item", "/raw", "/old/a"]
       |                                                                        ^^^^^^ expected a target of a cached route

    error[cache.warm[6]]: answers of the origin at `/old/{*rest}` are stored for each host that callers ask
      --> kasoku.toml:16:80
       |
    16 | warm = ["v1/items", "/v1/items#top", "/v1/ä", "ftp://a/b", "/v1/item", "/raw", "/old/a"]
       |                                                                                ^^^^^^^^ expected a whole URL
       |
       = help: write "http://HOST/old/a" with the host that callers use
    "#);
    assert_snapshot!(whole(&format!("{api}warm = \"/v1/items\"")), @r#"
    error[cache.warm]: `warm` cannot be a string
      --> kasoku.toml:16:8
       |
    16 | warm = "/v1/items"
       |        ^^^^^^^^^^^ expected an array of strings
       |
       = help: put brackets around it: ["/v1/items"]
    "#);
    assert_snapshot!(whole(&format!("{api}warm_timeout = \"5s\"\nhot_count = 5")), @r#"
    error[cache.warm_timeout]: `warm_timeout` means nothing without `warm` or `hot`
      --> kasoku.toml:16:1
       |
    16 | warm_timeout = "5s"
       | ^^^^^^^^^^^^ nothing is warmed

    error[cache.hot_count]: `hot_count` means nothing without `hot`
      --> kasoku.toml:17:1
       |
    17 | hot_count = 5
       | ^^^^^^^^^ nothing is warmed
    "#);
    assert_snapshot!(whole(&format!("{api}hot = \"static\"\nwarm_timeout = \"0s\"")), @r#"
    error[cache.hot]: `hot` is a folder
      --> kasoku.toml:16:7
       |
    16 | hot = "static"
       |       ^^^^^^^^ expected a file that the server may write, such as "hot.keys"

    error[cache.warm_timeout]: `warm_timeout` is out of range
      --> kasoku.toml:17:16
       |
    17 | warm_timeout = "0s"
       |                ^^^^ expected from 1ms to 1d
    "#);
    assert_snapshot!(whole(&format!("{api}hot = \"hot.keys\"\nhot_count = 0")), @r"
    error[cache.hot_count]: `hot_count` is out of range
      --> kasoku.toml:17:13
       |
    17 | hot_count = 0
       |             ^ expected a number from 1 to 10000
    ");
    assert_snapshot!(whole(&format!("{api}hot = \"nowhere/hot.keys\"\nwarm_timeout = \"2d\"")), @r#"
    error[cache.hot]: the folder for the hottest targets cannot be read: it does not exist
      --> kasoku.toml:16:7
       |
    16 | hot = "nowhere/hot.keys"
       |       ^^^^^^^^^^^^^^^^^^ looked for APP/nowhere

    error[cache.warm_timeout]: `warm_timeout` is out of range
      --> kasoku.toml:17:16
       |
    17 | warm_timeout = "2d"
       |                ^^^^ expected from 1ms to 1d
    "#);
    assert_snapshot!(whole(&format!("{api}hot = \"\"")), @r#"
    error[cache.hot]: `hot` is empty
      --> kasoku.toml:16:7
       |
    16 | hot = ""
       |       ^^ expected a file that the server may write, such as "hot.keys"
    "#);
}
