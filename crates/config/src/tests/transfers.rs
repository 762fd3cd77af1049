//! Whole lists as files: what is written, what it means, and what cannot be.

use std::time::Duration;

use kasoku_source_data::{ExportRules, TransferFormat, TransferRules};

use super::App;
use crate::SourcePlan;

/// Settings of a route over the table `items`.
fn of_items(text: &str) -> String {
    format!(
        "[database]\nurl = \"sqlite:a.db\"\nschema = \"schema/\"\n[[route]]\npath = \"/v1/items\"\n\
         table = \"items\"\n{text}\n"
    )
}

#[test]
fn a_list_of_forms_is_enough_and_limits_can_be_said() {
    let check = |text: &str, expected: Option<ExportRules>| {
        let loaded = App::new().load(&of_items(text)).unwrap_or_else(|found| panic!("{found}"));
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
        assert_eq!(
            loaded.plan.routes[0].transfers,
            TransferRules { export: expected, import: None },
            "{text}"
        );
    };
    let usual = ExportRules {
        formats: vec![TransferFormat::Ndjson],
        concurrent: 4,
        rows_most: 1_000,
        deadline: Duration::from_hours(1),
    };
    check("", None);
    check("export = [\"ndjson\"]", Some(usual.clone()));
    check(
        "export = { formats = [\"csv\", \"ndjson\"], concurrent = 1, rows = 7, deadline = \"1m\" }",
        Some(ExportRules {
            formats: vec![TransferFormat::Csv, TransferFormat::Ndjson],
            concurrent: 1,
            rows_most: 7,
            deadline: Duration::from_mins(1),
        }),
    );
}

#[test]
fn a_batch_names_routes_that_can_be_written_to() {
    let batch =
        |text: &str| of_items(&format!("write = [\"insert\"]\n[[route]]\npath = \"/_batch\"\n{text}"));
    let loaded = App::new().load(&batch("batch = [\"/v1/items\"]")).unwrap_or_else(|found| panic!("{found}"));
    let SourcePlan::Batch(rules) = &loaded.plan.routes[1].source else { panic!("a batch") };
    assert_eq!((rules.routes.as_slice(), rules.operations_most), (&["/v1/items".to_owned()][..], 100));
    let check = |text: &str, mentions: &str| {
        let found = App::new().findings(text);
        assert!(found.contains(mentions), "{text}\n{found}");
    };
    check(&batch("batch = []"), "one route at the least");
    check(&batch("batch = [\"/v1/item\"]"), "did you mean `/v1/items`?");
    check(&batch("batch = [\"/v1/items\", \"/v1/items\"]"), "is there already");
    check(&batch("batch = [\"/_batch\"]"), "is no `table` route");
    check(&batch("batch = [\"/v1/items\"]").replace("write = [\"insert\"]\n", ""), "has no `write`");
    check(&batch("batch = [\"/v1/items\"]\noperations = 0"), "operations");
    check(&batch("batch = [\"/v1/items\"]\ncache = { fresh = \"1s\" }"), "`cache` means nothing");
    check(&batch("batch = [\"/v1/items\"]").replace("/_batch", "/{name}"), "has no parameters");
    check("[[route]]\npath = \"/\"\nbatch = [\"/x\"]", "needs a database");
    let guarded = |route: &str, batch: &str| {
        let jwt = "[identity.jwt]\nsecret = \"sixteen bytes and many more of them\"\n";
        let text = of_items(&format!(
            "write = [\"insert\"]\n{route}\n[[route]]\npath = \"/_batch\"\nbatch = [\"/v1/items\"]\n{batch}"
        ));
        App::new().findings(&format!("{jwt}{text}"))
    };
    for (route, batch, is_refused) in [
        ("requires = \"editor\"", "requires = \"editor\"", false),
        ("requires = { read = \"caller\", write = \"editor\" }", "requires = \"editor\"", false),
        ("requires = { read = \"caller\", write = \"anyone\" }", "", false),
        ("requires = \"editor\"", "", true),
        ("requires = \"editor\"", "requires = \"caller\"", true),
        (
            "requires = { read = \"anyone\", write = \"editor\", delete = \"admin\" }",
            "requires = \"editor\"",
            true,
        ),
    ] {
        let found = guarded(route, batch);
        assert_eq!(found.contains("requires other callers"), is_refused, "{route} {batch}\n{found}");
    }
    let owned = guarded("requires = \"caller\"\nwhere = \"category = :caller.id\"", "requires = \"caller\"");
    assert!(owned.contains("belong to callers"), "{owned}");
}

#[test]
fn what_cannot_be_served_is_named() {
    let check = |text: &str, mentions: &str| {
        let found = App::new().findings(text);
        assert!(found.contains(mentions), "{text}\n{found}");
    };
    check(&of_items("export = []"), "nothing would be exported");
    check(&of_items("export = [\"csv\", \"csv\"]"), "the form is there already");
    check(&of_items("export = [\"xlsx\"]"), "xlsx");
    check(&of_items("export = { formats = [\"csv\"], concurrent = 0 }"), "concurrent");
    check(&of_items("export = { formats = [\"csv\"], deadline = \"0s\" }"), "deadline");
    check(&of_items("export = [\"csv\"]").replace("/v1/items", "/"), "a file needs a name");
    check(&of_items("import = [\"csv\"]"), "no rows can be inserted");
    check(&of_items("import = []\nwrite = [\"insert\"]"), "nothing would be imported");
    check(&of_items("import = { formats = [\"csv\"], file = \"0B\" }\nwrite = [\"insert\"]"), "file");
    let other = "[[route]]\npath = \"/v1/items.csv\"\nquery = \"select 1 as one\"";
    check(&of_items(&format!("export = [\"csv\"]\n{other}")), "two routes would serve `/v1/items.csv`");
    check(
        "[[route]]\npath = \"/\"\nfiles = \"static\"\nexport = [\"csv\"]",
        "`export` means nothing to a `files` route",
    );
}
