//! Configurations that can be served, and what they mean.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use kasoku_policies::cache::CacheRules;
use kasoku_policies::rfc9111::HttpCacheRules;
use kasoku_source_origin::{HostRule, Protocol};
use kasoku_sql_plan::{ColumnKind, CountRule, Value};
use serde_json::Value as Json;

use super::App;
use crate::reference::EXAMPLE;
use crate::schema::{properties, settings, variants};
use crate::{CachePlan, LogFormat, Overrides, Plan, RoutePlan, SourcePlan, load};

const PEM: &str = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n";

/// The plan of a text, without warnings.
fn plan(app: &App, text: &str) -> Plan {
    let loaded = app.load(text).unwrap_or_else(|found| panic!("{found}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    loaded.plan
}

fn route(text: &str) -> RoutePlan {
    let head = "[database]\nurl = \"sqlite::memory:\"\nschema = \"schema\"\n[[route]]\n";
    plan(&App::new(), &format!("{head}{text}")).routes.remove(0)
}

#[test]
fn the_catalogue_can_be_served() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../apps/catalog");
    let loaded =
        load(&folder, &Overrides::default(), &BTreeMap::new()).unwrap_or_else(|found| panic!("{found}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    assert_eq!(loaded.plan.name, "catalog");
    let sources: Vec<_> = loaded.plan.sources.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    assert_eq!(sources, ["kasoku.toml", "schema", "001-items.sql", "seed.sql"]);
}

#[test]
fn a_route_is_all_that_is_needed_and_the_rest_is_safe() {
    let app = App::new();
    let plan = plan(&app, "[[route]]\npath = \"/\"\nfiles = \"static\"\n");
    assert_eq!(plan.folder, app.path());
    assert_eq!(plan.server.listen.address.to_string(), "127.0.0.1:8080");
    assert_eq!(plan.admin.address.map(|address| address.to_string()).as_deref(), Some("127.0.0.1:9090"));
    assert!(plan.server.threads >= 1 && plan.server.secret.is_none() && plan.admin.token.is_none());
    assert_eq!(plan.server.limits.header_bytes_max, 16 << 10);
    assert_eq!(plan.log.format, LogFormat::Text);
    assert!(plan.database.is_none());
    let [route] = plan.routes.as_slice() else { panic!("one route") };
    assert_eq!(&*route.name.pattern, "/{*rest}");
    assert_eq!(route.deadline, Duration::from_secs(10));
    assert_eq!(route.shape.compress_above, Some(1_024));
    assert_eq!(route.body_bytes_max, 2 << 20);
    assert!(route.cache.is_none(), "files are not kept in the store");
    let SourcePlan::Files(files) = &route.source else { panic!("files") };
    assert_eq!((files.folder.clone(), files.index.as_str()), (app.path().join("static"), "index.html"));
}

#[test]
fn a_table_route_reads_everything_writes_nothing_and_is_cached() {
    let route = route("path = \"/v1/items\"\ntable = \"ITEMS\"\n");
    let SourcePlan::Table(rules) = &route.source else { panic!("a table") };
    assert_eq!(rules.table, "items", "as the database spells it");
    assert_eq!(rules.select, ["id", "title", "category", "price", "maker", "deleted_at"]);
    assert!(rules.filter.is_empty());
    assert_eq!((rules.order[0].0[0].column.as_str(), rules.order[0].0[0].descending), ("id", false));
    assert_eq!((rules.page.default, rules.page.most, rules.page.offset_most), (20, 100, 0));
    assert_eq!(rules.counts.allowed, [CountRule::None]);
    assert!(!(rules.write.insert || rules.write.update || rules.write.upsert || rules.write.delete));
    let cache = declared(&route);
    assert_eq!((cache.fresh, cache.stale_if_error), (Duration::from_hours(1), Duration::ZERO));
    assert_eq!(cache.client, Duration::ZERO, "callers ask each time");
}

#[test]
fn settings_of_a_table_route_reach_its_rules() {
    let route = route(
        "path = \"/v1/items\"\ntable = \"items\"\nfilter = [\"Price\"]\nplain = [\"price\"]\n\
         order = [\"category,-price\"]\ncount = { default = \"capped\", allowed = [\"exact\", \"capped\"], cap = 5 }\n\
         write = { allow = [\"update\", \"update-each\"], rows = 7 }\npage = { offset = 500 }\nenvelope = \"items\"\n\
         soft_delete = \"deleted_at\"\nplans = true\n\
         cache = { fresh = \"30s\", fresh_row = \"1m\", client = \"5s\" }\ncompress = false\nbody = \"1KiB\"\ndeadline = \"1s\"\n\
         admit = { concurrent = 2, queue = 0 }\n",
    );
    let SourcePlan::Table(rules) = &route.source else { panic!("a table") };
    assert_eq!(
        (rules.filter.as_slice(), rules.plain.as_slice()),
        (&["price".into()][..], &["price".into()][..])
    );
    let terms: Vec<_> = rules.order[0].0.iter().map(|term| (term.column.as_str(), term.descending)).collect();
    assert_eq!(terms, [("category", false), ("price", true)]);
    assert_eq!((rules.counts.default, rules.counts.cap), (CountRule::Capped, 5));
    assert_eq!(rules.counts.allowed, [CountRule::Capped, CountRule::Exact]);
    assert!(rules.write.update && rules.write.update_each && !rules.write.insert);
    assert_eq!(rules.page.offset_most, 500);
    assert_eq!((rules.write.rows_most, rules.envelope.as_deref()), (7, Some("items")));
    assert_eq!(rules.soft_delete.as_deref(), Some("deleted_at"));
    assert!(route.shows_plans);
    assert_eq!(declared(&route).client, Duration::from_secs(5));
    let seconds = |route: &RoutePlan| declared(route).fresh.as_secs();
    assert_eq!((seconds(&route), seconds(&route.of_rows())), (30, 60), "rows have a lifetime of their own");
    assert_eq!((route.shape.compress_above, route.body_bytes_max), (None, 1_024));
    assert_eq!((route.admit.concurrent, route.admit.queue), (2, 0));
    assert_eq!(route.deadline, Duration::from_secs(1));
}

#[test]
fn names_of_columns_may_have_spaces_and_dots() {
    let app = App::new();
    app.write(
        "schema/002_odd.sql",
        "create table odd (id integer primary key, a text, \"a desc\" text, \"a.b\" text);",
    );
    let plan = plan(
        &app,
        "[database]\nurl = \"sqlite::memory:\"\nschema = \"schema\"\n[[route]]\npath = \"/odd\"\ntable = \"odd\"\n\
         filter = [\"a desc\"]\norder = [\"-a desc\", \"a.b,a\"]\n",
    );
    let SourcePlan::Table(rules) = &plan.routes[0].source else { panic!("a table") };
    assert_eq!((rules.order[0].0[0].column.as_str(), rules.order[1].0[0].column.as_str()), ("a desc", "a.b"));
}

#[test]
fn parameters_of_a_query_come_in_the_order_of_first_use() {
    let route = route(
        "path = \"/c/{category}\"\n\
         query = \"select id from items where price < :most and category = :category and :strict\"\n\
         params = { most = { type = \"real\", default = 10 }, strict = \"boolean\" }\none = true\nrows = 5\n",
    );
    let SourcePlan::Query(rules) = &route.source else { panic!("a query") };
    let params: Vec<_> = rules.params.iter().map(|param| (param.name.as_str(), param.kind)).collect();
    let expected =
        [("most", ColumnKind::Real), ("category", ColumnKind::Text), ("strict", ColumnKind::Boolean)];
    assert_eq!(params, expected);
    assert_eq!(rules.params[0].default, Some(Value::Real(10.0)));
    assert!(rules.one && rules.rows_most == 5);
}

#[test]
fn a_query_that_changes_by_itself_can_be_cached_for_a_time_or_not_at_all() {
    let query = "path = \"/now\"\nquery = \"select date('now') as today\"\n";
    assert!(route(&format!("{query}cache = {{ fresh = \"10s\" }}\n")).cache.is_some());
    assert!(route(&format!("{query}cache = false\n")).cache.is_none());
}

#[test]
fn a_database_without_a_schema_is_served_as_it_is() {
    let app = App::new().with_database("there.db");
    let plan = plan(
        &app,
        "[database]\nurl = \"sqlite:there.db\"\nread_only = true\n[[route]]\npath = \"/v1/notes\"\ntable = \"notes\"\n",
    );
    let database = plan.database.expect("a database");
    assert!(database.engine.is_read_only() && database.migrations.is_empty());
    assert_eq!(database.engine.file(), Some(app.path().join("there.db").as_path()));
    assert!(database.schema.table("notes").is_some());
}

#[test]
fn schema_files_are_applied_in_the_order_of_their_numbers() {
    let app = App::new();
    app.write("schema/10_more.sql", "alter table notes add column more text;");
    app.write("schema/2_column.sql", "alter table notes add column two text;");
    app.write("schema/readme.txt", "not one of them");
    let plan = plan(
        &app,
        "[database]\nurl = \"sqlite:a.db\"\nschema = \"schema/\"\n[[route]]\npath = \"/n\"\ntable = \"notes\"\n",
    );
    let database = plan.database.expect("a database");
    let names: Vec<_> =
        database.migrations.iter().filter_map(|(path, _)| path.file_name()?.to_str()).collect();
    assert_eq!(names, ["001_items.sql", "2_column.sql", "10_more.sql"]);
    let columns: Vec<_> =
        database.schema.table("notes").unwrap().columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(columns, ["body", "two", "more"]);
    assert!(!app.path().join("a.db").exists(), "a check makes no database");
}

#[test]
fn the_example_of_the_reference_can_be_served_and_holds_every_setting() {
    let app = App::new();
    app.write(
        "schema/002_books.sql",
        "create table books (id integer primary key, title text not null,
        author text not null, price real not null, updated_at text, deleted_at text);
        create table reviewers (id integer primary key, name text not null);
        create table reviews (id integer primary key, book_id integer not null references books (id),
        reviewer_id integer references reviewers (id), stars integer not null, body text, deleted_at text);",
    );
    app.write("cert.pem", PEM);
    app.write("key.pem", PEM);
    app.write("ca.pem", &certificate());
    let secret = "sixteen bytes and more";
    let environment = [
        ("CURSOR_SECRET", secret),
        ("ADMIN_TOKEN", secret),
        ("JWT_SECRET", "thirty-two bytes or more are needed"),
        ("DATA_FOLDER", app.path().to_str().unwrap()),
        ("REDIS_URL", "redis://:password@127.0.0.1:6379/1"),
    ];
    let loaded =
        app.load_with(EXAMPLE, &Overrides::default(), &environment).unwrap_or_else(|found| panic!("{found}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    assert_eq!(loaded.plan.routes.len(), 6);

    let written: toml::Table = EXAMPLE.parse().unwrap();
    let mut missing = BTreeSet::new();
    keys_missing(settings(), &[&serde_json::to_value(written).unwrap()], "", &mut missing);
    // An app has one database, and the example's is a file; settings of servers have tests of their own. And tokens are
    // verified by a secret or by public keys.
    let others = [
        ".database.bound",
        ".database.poll",
        ".database.pool",
        ".database.replica_choice",
        ".database.replica_lag",
        ".database.replicas",
        ".database.watch",
        ".identity.jwt.keys",
    ];
    assert_eq!(missing, BTreeSet::from(others.map(str::to_owned)));
}

/// A certificate that can be trusted, in PEM form.
fn certificate() -> String {
    rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem()
}

#[test]
fn an_origin_is_a_url_and_takes_what_comes() {
    let app = App::new();
    let plan = plan(&app, "[[route]]\npath = \"/{*rest}\"\norigin = \"http://127.0.0.1:3000\"\n");
    let [route] = plan.routes.as_slice() else { panic!("one route") };
    assert_eq!((&*route.name.pattern, route.deadline), ("/{*rest}", Duration::from_mins(1)));
    assert_eq!(route.body_bytes_max, 1 << 30);
    let SourcePlan::Origin(rules) = &route.source else { panic!("an origin") };
    assert_eq!(rules.client.servers[0].to_string(), "http://127.0.0.1:3000");
    assert_eq!((rules.client.protocol, rules.host), (Protocol::Negotiated, HostRule::Caller));
    assert_eq!((rules.body_bytes_max, rules.strip.as_deref()), (1 << 30, None));
    assert!(!rules.trusted.contains("127.0.0.1".parse().unwrap()), "nobody is trusted by default");
}

#[test]
fn settings_of_an_origin_reach_its_rules() {
    let app = App::new();
    app.write("ca.pem", &certificate());
    let plan = plan(
        &app,
        "[[route]]\npath = \"/old/{*rest}\"\nstrip = \"/old/\"\nbody = \"5GiB\"\ndeadline = \"1s\"\n\
         cache = false\ncompress = false\n[route.origin]\nservers = [\"https://a\", \"http://b:81\"]\nhost = \"origin\"\n\
         protocol = \"http1\"\nca = \"ca.pem\"\nconnect_timeout = \"1ms\"\nfirst_byte_timeout = \"2ms\"\n\
         between_bytes_timeout = \"3ms\"\nidle_timeout = \"4ms\"\nsilence_timeout = \"5ms\"\nconnections = 6\n\
         trusted_proxies = [\"10.0.0.0/8\"]\n",
    );
    let SourcePlan::Origin(rules) = &plan.routes[0].source else { panic!("an origin") };
    let client = &rules.client;
    assert_eq!(
        client.servers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["https://a", "http://b:81"]
    );
    assert_eq!((client.protocol, rules.host), (Protocol::Http1, HostRule::Origin));
    assert_eq!((rules.strip.as_deref(), rules.body_bytes_max), (Some("/old"), 5 << 30));
    let times = [
        client.connect_timeout,
        client.first_byte_timeout,
        client.between_bytes_timeout,
        client.idle_timeout,
        rules.silence_max,
    ];
    assert_eq!(times.map(|time| time.as_millis()), [1, 2, 3, 4, 5]);
    assert_eq!(client.connections_max, 6);
    assert!(rules.trusted.contains("10.1.2.3".parse().unwrap()));
    assert!(plan.sources.iter().any(|path| path.ends_with("ca.pem")), "a new one is read");
}

/// Settings that no table of the example has.
fn keys_missing(schema: &Json, written: &[&Json], path: &str, missing: &mut BTreeSet<String>) {
    for variant in variants(schema) {
        let tables: Vec<&Json> = match variant.get("items") {
            Some(_) => written.iter().filter_map(|list| list.as_array()).flatten().collect(),
            None => written.to_vec(),
        };
        for (name, schema) in properties(variant.get("items").unwrap_or(variant)) {
            let path = format!("{path}.{name}");
            let written: Vec<&Json> = tables.iter().filter_map(|table| table.get(name)).collect();
            if written.is_empty() {
                missing.insert(path);
            } else {
                keys_missing(schema, &written, &path, missing);
            }
        }
    }
}

#[test]
fn the_schema_has_words_and_no_null_for_every_setting() {
    fn walk(schema: &Json, path: &str) {
        assert!(schema.get("default").is_none_or(|default| !default.to_string().contains("null")), "{path}");
        for (name, schema) in variants(schema).into_iter().flat_map(properties) {
            let path = format!("{path}.{name}");
            let text = schema.get("description").and_then(Json::as_str).unwrap_or_default();
            assert!(text.ends_with('.') && !text.contains('\n'), "{path} has no sentence: {text:?}");
            walk(schema, &path);
        }
        if let Some(items) = schema.get("items") {
            walk(items, path);
        }
    }
    walk(settings(), "");
    assert!(!settings().to_string().contains("\"null\""));
}

#[test]
fn the_reference_names_every_setting_and_its_variable() {
    let page = crate::reference();
    for name in crate::tree::variables(settings()).keys() {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
    for (name, _) in properties(&settings()["properties"]["route"]["items"]) {
        let is_there =
            page.contains(&format!("#### `{name}`\n")) || page.contains(&format!("`{name}` of a route"));
        assert!(is_there || page.contains(&format!("`{name}.NAME` of a route")), "{name}");
    }
    assert!(page.contains(EXAMPLE.trim_end()));
    assert!(!page.contains("\n\n\n"), "no gaps");
}

/// The lifetimes that a route declares.
fn declared(route: &RoutePlan) -> CacheRules {
    match &route.cache {
        Some(CachePlan::Declared(rules)) => *rules,
        other => panic!("{other:?}"),
    }
}

/// The rules of the one route of an app in front of an origin.
fn rfc9111(cache: &str) -> Option<CachePlan> {
    let text = format!("[[route]]\npath = \"/{{*rest}}\"\norigin = \"http://127.0.0.1:1\"\n{cache}");
    plan(&App::new(), &text).routes.remove(0).cache
}

#[test]
fn answers_of_origins_are_reused_as_they_say() {
    let usual = Some(CachePlan::Rfc9111(HttpCacheRules::default()));
    assert_eq!(rfc9111(""), usual);
    assert_eq!(rfc9111("cache = \"rfc9111\""), usual);
    assert_eq!(rfc9111("cache = false"), None);
    let Some(CachePlan::Rfc9111(rules)) = rfc9111(
        "cache = { fresh = \"5m\", variants = 3, retry = \"2s\", soft_timeout = \"200ms\", eager = 0.5, \
         show = [\"User-Agent\"], hide = [\"accept-language\"], body = \"1KiB\" }",
    ) else {
        panic!("an origin has the rules of RFC 9111")
    };
    assert_eq!(rules.storing.fresh, Some(Duration::from_mins(5)));
    assert_eq!((rules.variants_max, rules.retry, rules.eager), (3, Duration::from_secs(2), Some(0.5)));
    assert_eq!((rules.soft_timeout, rules.body_bytes_max), (Some(Duration::from_millis(200)), 1_024));
    assert_eq!(
        (rules.fields.keyed[0].as_str(), rules.fields.hidden[0].as_str()),
        ("user-agent", "accept-language")
    );
}

#[test]
fn a_second_tier_is_a_url_or_a_table() {
    let app = App::new();
    let with = |cache: &str| {
        let text =
            format!("name = \"shop\"\n[cache]\n{cache}\n[[route]]\npath = \"/\"\nfiles = \"static\"\n");
        plan(&app, &text).cache.second_tier.expect("it is written")
    };
    let settings = with("redis = \"redis://:secret-password@127.0.0.1:6379\"");
    assert_eq!((settings.prefix.as_str(), settings.budget), ("kasoku:shop", Duration::from_millis(25)));
    assert!(!format!("{settings:?}").contains("secret-password"));
    let settings = with("redis = { url = \"redis://a\", prefix = \"p\", budget = \"5ms\", bound = \"2s\" }");
    assert_eq!((settings.prefix.as_str(), settings.budget), ("p", Duration::from_millis(5)));
    assert_eq!((settings.bound, settings.node_lifetime), (Duration::from_secs(2), Duration::from_secs(6)));
}

#[test]
fn what_is_warmed_is_a_path_or_a_whole_url() {
    let app = App::new();
    let plan = plan(
        &app,
        "[database]\nurl = \"sqlite::memory:\"\nschema = \"schema\"\n[[route]]\npath = \"/v1/items\"\ntable = \"items\"\n\
         [[route]]\npath = \"/{*rest}\"\norigin = \"http://127.0.0.1:1\"\n[cache]\n\
         warm = [\"/v1/items?limit=3\", \"/v1/items/7\", \"https://WWW.example.com\"]\nhot = \"hot.keys\"\n",
    );
    let warm = plan.cache.warm;
    let targets: Vec<String> = warm.targets.iter().map(ToString::to_string).collect();
    assert_eq!(targets, ["/v1/items?limit=3", "/v1/items/7", "http://www.example.com/"]);
    assert_eq!(warm.timeout, Duration::from_secs(10));
    let hot = warm.hot.expect("a file");
    assert_eq!((hot.file, hot.count), (app.path().join("hot.keys"), 1_000));
}
