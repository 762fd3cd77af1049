//! Descriptions that hold together: every reference leads somewhere, every path has its parameters, every route is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use http::Method;
use kasoku_config::{Overrides, load_text};
use kasoku_policies::identify::{Requirement, Requires};
use serde_json::{Value, json};

use super::openapi;

const SCHEMA: &str = "
create table shelves (id integer primary key, room text not null);
create table items (id integer primary key, title text not null, shelf integer references shelves (id), price real,
    live boolean not null default 1, extra json, picture blob, \"order\" text, gone_at text);
create table parts (item integer, number integer, label text not null default '', primary key (item, number));";

const TOML: &str = r#"
[database]
url = "sqlite::memory:"
schema = "schema/"
proof = "off"

[[route]]
path = "/v1/items"
table = "items"
filter = ["title", "price", "live", "order"]
plain = ["live"]
order = ["-id", "price,title"]
page = { default = 10, most = 50, offset = 1000 }
count = { default = "none", allowed = ["capped", "exact"] }
write = ["insert", "update", "upsert", "delete"]
export = ["csv", "ndjson"]
soft_delete = "gone_at"
envelope = "items"
cache = { fresh = "1m" }
embed = { shelf = { select = ["id", "room"], filter = ["room"] } }

[[route]]
path = "/shelves"
table = "shelves"
aggregate = ["id"]
[route.embed.items]
select = ["id", "title"]
filter = ["title"]
order = ["id"]

[[route]]
path = "/parts"
table = "parts"
write = ["update"]

[[route]]
path = "/counts/{room}"
query = "select count(*) as items, max(i.price) as most from items i join shelves s on s.id = i.shelf where s.room = :room and i.live = :live"
params = { live = { type = "boolean", default = true } }
one = true

[[route]]
path = "/legacy/{*rest}"
origin = "http://127.0.0.1:1"

[[route]]
path = "/{*page}"
files = "static"
"#;

fn described() -> Value {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("schema")).unwrap();
    std::fs::create_dir(folder.path().join("static")).unwrap();
    std::fs::write(folder.path().join("schema/001.sql"), SCHEMA).unwrap();
    let loaded = load_text(TOML, "kasoku.toml", folder.path(), &Overrides::default(), &BTreeMap::new());
    openapi(&loaded.unwrap_or_else(|found| panic!("{found}")).plan)
}

/// All references in a value.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// What holds for every description.
fn check(described: &Value) {
    assert_eq!(described["openapi"], "3.1.0");
    let mut found = BTreeSet::new();
    references(described, &mut found);
    assert!(!found.is_empty());
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(described.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let mut names = BTreeSet::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        let captured: BTreeSet<&str> =
            path.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
        let declared: BTreeSet<&str> = item["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        assert_eq!(captured, declared, "{path}");
        for (method, operation) in
            item.as_object().unwrap().iter().filter(|(method, _)| *method != "parameters")
        {
            let name = operation["operationId"].as_str().unwrap().to_owned();
            assert!(names.insert(name), "{method} {path} has the name of another");
            assert!(
                operation["responses"].as_object().is_some_and(|all| all.contains_key("default")),
                "{path}"
            );
            let mut seen = BTreeSet::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let parameter = match parameter["$ref"].as_str() {
                    Some(reference) => described.pointer(&reference[1..]).unwrap(),
                    None => parameter,
                };
                let key = (parameter["name"].as_str().unwrap(), parameter["in"].as_str().unwrap());
                assert!(seen.insert(key), "{method} {path} has {key:?} twice");
            }
        }
    }
}

/// The names of an operation's parameters.
fn names(described: &Value, path: &str, method: &str) -> Vec<String> {
    let parameters = described["paths"][path][method]["parameters"].as_array();
    let parameters = parameters.unwrap_or_else(|| panic!("{method} {path}: {described:#}"));
    parameters.iter().filter_map(|parameter| Some(parameter["name"].as_str()?.to_owned())).collect()
}

#[test]
fn a_description_holds_together_and_has_every_route() {
    let described = described();
    check(&described);
    let paths: Vec<&str> = described["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "/counts/{room}",
            "/legacy/{rest}",
            "/parts",
            "/parts/{key}",
            "/shelves",
            "/shelves/{key}",
            "/v1/items",
            "/v1/items.csv",
            "/v1/items.ndjson",
            "/v1/items/{key}",
            "/{page}"
        ]
    );
    let methods = |path: &str| -> Vec<&str> {
        let item = described["paths"][path].as_object().unwrap();
        item.keys().map(String::as_str).filter(|name| *name != "parameters").collect()
    };
    assert_eq!(methods("/v1/items"), ["delete", "get", "patch", "post"]);
    assert_eq!(methods("/v1/items/{key}"), ["delete", "get", "patch", "put"]);
    assert_eq!(methods("/shelves"), ["get"]);
    assert_eq!(methods("/parts/{key}"), ["get", "patch"]);
}

#[test]
fn parameters_are_those_that_the_route_takes() {
    let described = described();
    let of_items = names(&described, "/v1/items", "get");
    for name in [
        "select",
        "title",
        "price",
        "live",
        "or",
        "order",
        "limit",
        "cursor",
        "offset",
        "shelf.room",
        "Prefer",
    ] {
        assert!(of_items.iter().any(|known| known == name), "{name}: {of_items:?}");
    }
    // It means the sort; the column is reached by `and=(order.eq.a)`.
    assert_eq!(of_items.iter().filter(|name| *name == "order").count(), 1);
    let of_shelves = names(&described, "/shelves", "get");
    for name in ["items.title", "items.order", "items.limit"] {
        assert!(of_shelves.iter().any(|known| known == name), "{name}: {of_shelves:?}");
    }
    assert!(
        !of_shelves.iter().any(|name| name == "offset" || name == "room" || name == "or"),
        "{of_shelves:?}"
    );
    let limit = &described["paths"]["/v1/items"]["get"]["parameters"];
    let limit = limit.as_array().unwrap().iter().find(|parameter| parameter["name"] == "limit").unwrap();
    assert_eq!(limit["schema"], json!({ "type": "integer", "maximum": 50, "default": 10 }));
    let live = &described["paths"]["/counts/{room}"]["get"]["parameters"][0];
    assert_eq!(
        (&live["name"], &live["required"], &live["schema"]),
        (&json!("live"), &json!(false), &json!({ "type": "boolean", "default": true }))
    );
}

#[test]
fn bodies_and_answers_have_the_types_of_the_columns() {
    let described = described();
    let schemas = &described["components"]["schemas"];
    let row = &schemas["row_v1_items"]["properties"];
    for (column, expected) in [
        ("id", json!({ "type": "integer", "format": "int64" })),
        ("title", json!({ "type": "string" })),
        (
            "shelf",
            json!({ "oneOf": [schemas["row_v1_items"]["properties"]["shelf"]["oneOf"][0], { "type": "null" }] }),
        ),
        ("price", json!({ "type": ["number", "null"], "format": "double" })),
        ("live", json!({ "type": "boolean" })),
        ("extra", json!({})),
        ("picture", json!({ "type": ["string", "null"], "contentEncoding": "base64" })),
    ] {
        assert_eq!(row[column], expected, "{column}");
    }
    let made = &schemas["row_v1_items_new"];
    assert_eq!(made["required"], json!(["title"]));
    assert!(made["properties"]["gone_at"].is_null(), "callers do not write it: {made:#}");
    let list =
        &described["paths"]["/v1/items"]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(list["required"], json!(["items", "next_cursor"]));
    let counted =
        &described["paths"]["/counts/{room}"]["get"]["responses"]["200"]["content"]["application/json"];
    assert_eq!(counted["schema"]["type"], "object");
    assert!(counted["schema"]["properties"]["most"].is_object(), "{counted:#}");
    let shelves = &schemas["row_shelves"]["properties"]["items"];
    assert_eq!(shelves["type"], "array");
    assert_eq!(schemas["row_shelves_new"], Value::Null);
}

#[test]
fn the_catalog_is_described_whole_and_its_version_is_that_of_its_content() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../apps/catalog");
    let loaded = kasoku_config::load(&folder, &Overrides::default(), &BTreeMap::new());
    let mut plan = loaded.unwrap_or_else(|found| panic!("{found}")).plan;
    let described = openapi(&plan);
    check(&described);
    for route in &plan.routes {
        let path = super::path_of(&route.name.pattern);
        assert!(described["paths"][&path].is_object(), "{path} is not described");
    }
    assert!(described["paths"]["/v1/items/{key}"]["put"].is_object());
    assert_eq!(openapi(&plan), described);
    plan.routes.pop();
    assert_ne!(openapi(&plan)["info"]["version"], described["info"]["version"]);
}

#[test]
fn where_callers_are_asked_who_they_are_the_description_says_how() {
    let schemes = super::parts::security_schemes();
    let mut item = json!({ "parameters": [], "get": { "responses": {} }, "post": { "responses": {} }, "delete": { "responses": {} } });
    let requires = Requires {
        read: Requirement::Anyone,
        write: Requirement::Caller,
        methods: vec![(Method::DELETE, Requirement::AnyRole(vec!["editor".into()]))],
    };
    super::parts::guard(&mut item, &requires);
    for method in ["post", "delete"] {
        for scheme in item[method]["security"].as_array().unwrap() {
            let name = scheme.as_object().unwrap().keys().next().unwrap();
            assert!(schemes[name].is_object(), "{name} is not described");
        }
        assert!(item[method]["responses"]["401"].is_object(), "{method}: {item}");
    }
    assert_eq!((&item["get"], &item["parameters"]), (&json!({ "responses": {} }), &json!([])));
    assert!(described()["components"]["securitySchemes"].is_null(), "no route asks");
}
