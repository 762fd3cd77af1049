//! Loading from disk, and findings as programs read them.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::json;

use super::App;
use crate::{Diagnostics, Loaded, Overrides, load};

const FILE: &str = "[[route]]\npath = \"/\"\nfiles = \"static\"\n";

fn load_from(app: &App, name: &str) -> Result<Loaded, Diagnostics> {
    load(&app.path().join(name), &Overrides::default(), &BTreeMap::new())
}

fn findings(app: &App, name: &str) -> String {
    let found = load_from(app, name).unwrap_err();
    found.to_string().replace(&app.path().display().to_string(), "APP")
}

#[test]
fn an_app_is_a_folder_or_a_file() {
    let app = App::new();
    app.write("kasoku.toml", FILE);
    app.write("other.toml", FILE);
    for (name, file) in [("", "kasoku.toml"), ("kasoku.toml", "kasoku.toml"), ("other.toml", "other.toml")] {
        let plan = load_from(&app, name).unwrap_or_else(|found| panic!("{found}")).plan;
        assert_eq!(plan.folder, app.path(), "{name}");
        assert_eq!(plan.sources, [app.path().join(file)], "{name}");
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_named() {
    let app = App::new();
    assert_snapshot!(findings(&app, ""), @r"
    error: the configuration cannot be read: it does not exist
    --> APP/kasoku.toml:1:1
     = help: `kasoku new DIR` writes one to start with
    ");
    assert_snapshot!(findings(&app, "none.toml"), @r"
    error: the configuration cannot be read: it does not exist
    --> APP/none.toml:1:1
    ");
    std::fs::write(app.path().join("odd.toml"), b"name = \"\xff\"").unwrap();
    assert_snapshot!(findings(&app, "odd.toml"), @r"
    error: the configuration cannot be read: it is not UTF-8 text
    --> APP/odd.toml:1:1
    ");
    app.write("large.toml", &"# \n".repeat(400_000));
    assert_snapshot!(findings(&app, "large.toml"), @r"
    error: the configuration cannot be read: it is larger than 1MiB
    --> APP/large.toml:1:1
    ");
}

#[test]
fn everything_that_the_plan_was_made_from_is_listed() {
    let app = App::new();
    app.write("token.txt", "0123456789abcdef");
    app.write(
        "kasoku.toml",
        &format!(
            "[admin]\ntoken = \"file:token.txt\"\n[database]\nurl = \"sqlite:a.db\"\nschema = \"schema\"\n\
             seed = {{ table = \"items\", file = \"seed.sql\", rows = 1 }}\n{FILE}"
        ),
    );
    let plan = load_from(&app, "").unwrap_or_else(|found| panic!("{found}")).plan;
    let expected = ["kasoku.toml", "token.txt", "schema", "schema/001_items.sql", "seed.sql"];
    assert_eq!(plan.sources, expected.map(|name| app.path().join(name)));
}

#[test]
fn findings_have_a_form_for_programs() {
    let found = App::new().load(&format!("[server]\nlisen = \"x\"\n{FILE}")).unwrap_err();
    let expected = json!([{
        "severity": "error",
        "key": "server.lisen",
        "message": "there is no setting `lisen` in [server]",
        "file": "kasoku.toml",
        "line": 2,
        "column": 1,
        "expected": "not a setting",
        "hint": "did you mean `listen`?",
    }]);
    assert_eq!(found.to_json(), expected);
}

#[test]
fn columns_are_counted_in_characters() {
    let found = App::new().load(&format!("name = \"é陶\" x\n{FILE}")).unwrap_err();
    assert_eq!(found.position(&found.list[0].place), (1, 13));
}

#[test]
fn findings_can_be_coloured() {
    let found = App::new().load("colour = 1").unwrap_err();
    assert!(found.render(true).contains("\u{1b}["));
    assert!(!found.render(false).contains('\u{1b}'));
}

#[test]
fn there_is_an_end_to_findings() {
    let lines: Vec<String> = (0..500).map(|number| format!("wrong_{number} = 1\n")).collect();
    let text = lines.concat();
    let found = App::new().load(&format!("{text}{FILE}")).unwrap_err();
    assert_eq!((found.list.len(), found.left_out), (100, 400));
    assert!(found.render(false).ends_with("\nand 400 more\n"));
}
