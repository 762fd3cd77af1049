//! What the environment and the command line say instead of the file.

use insta::assert_snapshot;

use super::App;
use crate::{LogFormat, Overrides, Plan};

const FILE: &str = "[server]\nlisten = \"127.0.0.1:1\"\n[database]\nurl = \"sqlite:file.db\"\nschema = \"schema\"\n\
                    [[route]]\npath = \"/\"\nfiles = \"static\"\n";

fn plan(text: &str, environment: &[(&str, &str)]) -> Plan {
    let loaded = App::new().load_with(text, &Overrides::default(), environment);
    loaded.unwrap_or_else(|found| panic!("{found}")).plan
}

fn findings(text: &str, environment: &[(&str, &str)]) -> String {
    App::new().findings_with(text, &Overrides::default(), environment)
}

#[test]
fn single_settings_are_overridden_in_their_own_types() {
    let plan = plan(
        FILE,
        &[
            ("KASOKU_SERVER_LISTEN", "0.0.0.0:2"),
            ("KASOKU_SERVER_ADMIN", "false"),
            ("KASOKU_SERVER_LIMITS_STREAMS", "7"),
            ("KASOKU_CACHE_MEMORY", "1MiB"),
            ("KASOKU_LOG_ACCESS", "1"),
            ("KASOKU_LOG_FORMAT", "json"),
            ("KASOKU_NAME", "42"),
        ],
    );
    assert_eq!(plan.server.listen.address.to_string(), "0.0.0.0:2");
    assert_eq!(plan.admin.address, None);
    assert_eq!(plan.server.limits.streams_max, 7);
    assert_eq!(plan.cache.memory_bytes, 1 << 20);
    assert!((plan.log.access_share - 1.0).abs() < f64::EPSILON);
    assert_eq!(plan.log.format, LogFormat::Json);
    assert_eq!(plan.name, "42", "a name is a text even if it looks like a number");
}

#[test]
fn the_databases_url_is_overridden_by_the_variable_that_everybody_uses() {
    let name = |plan: Plan| {
        plan.database.unwrap().engine.file().unwrap().file_name().unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!(name(plan(FILE, &[])), "file.db");
    assert_eq!(name(plan(FILE, &[("DATABASE_URL", "sqlite:usual.db")])), "usual.db");
    let both = [("DATABASE_URL", "sqlite:usual.db"), ("KASOKU_DATABASE_URL", "sqlite:own.db")];
    assert_eq!(name(plan(FILE, &both)), "own.db");
    let files = "[[route]]\npath = \"/\"\nfiles = \"static\"\n";
    assert!(
        plan(files, &[("DATABASE_URL", "postgres://x/y")]).database.is_none(),
        "no database was asked for"
    );
}

#[test]
fn flags_win_over_variables() {
    let overrides = Overrides {
        listen: Some("127.0.0.1:3".into()),
        admin: Some("false".into()),
        log_json: true,
        seed_rows: Some(5),
    };
    let text =
        FILE.replace("schema = ", "seed = { table = \"items\", file = \"seed.sql\", rows = 1 }\nschema = ");
    let loaded = App::new().load_with(&text, &overrides, &[("KASOKU_SERVER_LISTEN", "0.0.0.0:2")]);
    let plan = loaded.unwrap_or_else(|found| panic!("{found}")).plan;
    assert_eq!(plan.server.listen.address.to_string(), "127.0.0.1:3");
    assert_eq!((plan.admin.address, plan.log.format), (None, LogFormat::Json));
    assert_eq!(plan.database.unwrap().seed.unwrap().rows, 5);
}

#[test]
fn values_are_put_into_strings_and_never_become_syntax() {
    let with = |written: &str, environment: &[(&str, &str)]| {
        let text = format!("name = '{written}'\n[[route]]\npath = \"/\"\nfiles = \"static\"\n");
        plan(&text, environment).name
    };
    assert_eq!(with("${A}", &[("A", "x")]), "x");
    assert_eq!(with("a${A}b${B_2}c", &[("A", "1"), ("B_2", "2")]), "a1b2c");
    assert_eq!(with("${A}", &[("A", "\"\n[server]\nlisten = 1")]), "\"\n[server]\nlisten = 1");
    assert_eq!(with("${A}", &[("A", "${B}"), ("B", "no")]), "${B}", "values are not read again");
    assert_eq!(with("$${A}", &[("A", "x")]), "${A}");
    assert_eq!(with("$$${A}", &[("A", "x")]), "$${A}");
    assert_eq!(with("$A {A} $", &[("A", "x")]), "$A {A} $");
}

#[test]
fn mistakes_in_variables_and_flags_are_quoted_like_those_in_files() {
    assert_snapshot!(findings(FILE, &[("KASOKU_SERVER_LISTEN", "nowhere"), ("KASOKU_CACHE_MEMORY", "")]), @r#"
    error[cache.memory]: `memory` is not a size such as "64KiB"
     --> environment:1:1
      |
    1 | KASOKU_CACHE_MEMORY=
      | ^^^^^^^^^^^^^^^^^^^^ `` is not a whole number with a unit, as in "256MiB"

    error[server.listen]: `nowhere` is not an address to listen on
     --> environment:1:22
      |
    1 | KASOKU_SERVER_LISTEN=nowhere
      |                      ^^^^^^^ expected an IP address and a port such as "127.0.0.1:8080"
    "#);
    assert_snapshot!(findings(FILE, &[("KASOKU_SERVER_THREADS", "many"), ("KASOKU_LOG_ACCESS", "2")]), @r"
    error[log.access]: `access` is out of range
     --> environment:1:19
      |
    1 | KASOKU_LOG_ACCESS=2
      |                   ^ expected a number from 0 to 1

    error[server.threads]: `threads` cannot be a string
     --> environment:1:23
      |
    1 | KASOKU_SERVER_THREADS=many
      |                       ^^^^ expected a whole number
    ");
    assert_snapshot!(findings(FILE, &[("DATABASE_URL", "mysql://me:canary@host/db")]), @r"
    error[database.url]: this version serves SQLite and PostgreSQL, and no `mysql:` databases
     --> environment:1:14
      |
    1 | DATABASE_URL=mysql://me:******@host/db
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^ expected `sqlite:` and a file, or `postgres:` and a server
    ");
    assert_snapshot!(findings(FILE, &[("KASOKU_SERVER_LISTN", "127.0.0.1:1"), ("KASOKU_HOME", "/")]), @r"
    warning[KASOKU_SERVER_LISTN]: the environment variable `KASOKU_SERVER_LISTN` names no setting
     --> environment:1:1
      |
    1 | KASOKU_SERVER_LISTN
      | ^^^^^^^^^^^^^^^^^^^ not read
      |
      = help: did you mean `KASOKU_SERVER_LISTEN`?
    ");
    let overrides = Overrides { admin: Some("0.0.0.0:9".into()), seed_rows: Some(5), ..Overrides::default() };
    assert_snapshot!(App::new().findings_with(FILE, &overrides, &[]), @r#"
    error[server.admin]: the admin listener would accept everyone from elsewhere
     --> command line:1:9
      |
    1 | --admin 0.0.0.0:9
      |         ^^^^^^^^^ not a loopback address, and there is no token
      |
      = help: add `[admin]` with `token = "env:ADMIN_TOKEN"`, or listen on 127.0.0.1

    error[database.seed.table]: [database.seed] needs `table`
     --> command line:1:1
      |
    1 | --rows 5
      | ^^^^^^ expected `table = …`, a string

    error[database.seed.file]: [database.seed] needs `file`
     --> command line:1:1
      |
    1 | --rows 5
      | ^^^^^^ expected `file = …`, a string
    "#);
}

#[test]
fn findings_about_a_value_that_came_from_the_environment_do_not_show_it() {
    let text = FILE.replace("127.0.0.1:1", "${ADDRESS}");
    assert_snapshot!(findings(&text, &[("ADDRESS", "canary-value")]), @r#"
    error[server.listen]: `***` is not an address to listen on
     --> kasoku.toml:2:10
      |
    2 | listen = "${ADDRESS}"
      |          ^^^^^^^^^^^^ expected an IP address and a port such as "127.0.0.1:8080"
    "#);
    let text = FILE.replace("127.0.0.1:1", "${ADRESS}");
    assert_snapshot!(findings(&text, &[("ADDRESS", "canary-value")]), @r#"
    error[server.listen]: the environment variable `ADRESS` is not set
     --> kasoku.toml:2:10
      |
    2 | listen = "${ADRESS}"
      |          ^^^^^^^^^^^ its value was to be put in here
      |
      = help: did you mean `ADDRESS`?
    "#);
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text_is_found() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    struct Odd;
    impl crate::Environment for Odd {
        fn value(&self, name: &str) -> Option<OsString> {
            (name == "KASOKU_SERVER_LISTEN").then(|| OsString::from_vec(vec![0xff]))
        }
        fn names(&self) -> Vec<String> {
            Vec::new()
        }
    }
    let app = App::new();
    let found = crate::load_text(FILE, "kasoku.toml", app.path(), &Overrides::default(), &Odd).unwrap_err();
    assert_snapshot!(found.render(false), @r"
    error[server.listen]: the environment variable `KASOKU_SERVER_LISTEN` is not valid UTF-8
     --> environment:1:1
      |
    1 | KASOKU_SERVER_LISTEN
      | ^^^^^^^^^^^^^^^^^^^^
    ");
}
