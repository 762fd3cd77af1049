//! Secrets reach the plan and nothing else.

use super::App;
use crate::{Diagnostics, Loaded, Overrides};

const SECRET: &str = "canary-0123456789";

/// Everything that can be printed of a result.
fn printed(result: &Result<Loaded, Diagnostics>) -> String {
    let found = match result {
        Ok(loaded) => &loaded.warnings,
        Err(found) => found,
    };
    format!("{}{}{}{result:?}", found.render(false), found.render(true), found.to_json())
}

fn check(text: &str, environment: &[(&str, &str)]) -> Option<String> {
    let app = App::new();
    app.write("secret.txt", &format!("{SECRET}\n"));
    let text = format!("{text}\n[[route]]\npath = \"/\"\nfiles = \"static\"\n");
    let result = app.load_with(&text, &Overrides::default(), environment);
    assert!(!printed(&result).contains("canary"), "{text}: {}", printed(&result));
    result.ok().and_then(|loaded| loaded.plan.admin.token.map(|token| token.reveal().to_owned()))
}

#[test]
fn a_secret_is_read_from_where_it_is_kept() {
    let from_environment = [("TOKEN", SECRET)];
    for (written, environment) in [
        (SECRET, &[][..]),
        ("env:TOKEN", &from_environment),
        ("${TOKEN}", &from_environment),
        ("file:secret.txt", &[]),
    ] {
        let token = check(&format!("[admin]\ntoken = \"{written}\""), environment);
        assert_eq!(token.as_deref(), Some(SECRET), "{written}");
    }
    assert_eq!(check("", &[("KASOKU_ADMIN_TOKEN", SECRET)]).as_deref(), Some(SECRET));
}

#[test]
fn a_secret_is_not_shown_beside_a_mistake() {
    for text in [
        // In the right place, with a mistake beside it or around it.
        format!("admin = {{ token = \"{SECRET}\", colour = \"red\" }}"),
        format!("admin = {{ token = \"{SECRET}\", token = 1 }}"),
        format!("[admin]\ntoken = [\"{SECRET}\"]"),
        format!("[admin]\ntoken = \"{SECRET}"),
        format!("[admin]\ntoken = {SECRET}"),
        format!("[admin]\ntoken \"{SECRET}\""),
        format!("[admin]\ntoken = \"\"\"\n{SECRET}\n\"\"\" x"),
        // In the wrong place, or under a wrong name.
        format!("[admin]\ntokn = \"{SECRET}\""),
        format!("[admin]\npassword = \"{SECRET}\""),
        format!("[server]\ntoken = \"{SECRET}\""),
        format!("token = \"{SECRET}\""),
        // The same text where it is quoted.
        format!("[admin]\ntoken = \"{SECRET}\"\n[server]\nlisten = \"{SECRET}\""),
        format!("[admin]\ntoken = \"{SECRET}\"\ncolour = \"{SECRET}\""),
        format!("[database]\nurl = \"postgres://me:{SECRET}@host/db\""),
    ] {
        assert_eq!(check(&text, &[]), None, "{text}");
    }
}

#[test]
fn a_secret_of_the_environment_is_not_shown() {
    for text in [
        "[server]\nlisten = \"env:TOKEN\"",
        "[server]\nlisten = \"${TOKEN}\"",
        "[log]\nlevel = \"a${TOKEN}\"",
    ] {
        assert_eq!(check(text, &[("TOKEN", SECRET)]), None, "{text}");
    }
    assert_eq!(check("[admin]\ntoken = \"env:TOKEN\"", &[("TOKEN", "canary")]), None, "too short");
}
