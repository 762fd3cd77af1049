//! `kasoku cache`: which routes of a running server are cached, and switching one off and on.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::Outcome;
use super::admin::ask;
use crate::arguments::{Cache, Switch};

const PATH: &str = "/api/cache/routes";

pub(crate) fn run(arguments: &Cache) -> Outcome {
    let (route, cache) = match &arguments.switch {
        Switch::List => return list(arguments),
        Switch::Off { route } => (route, false),
        Switch::On { route } => (route, true),
    };
    let order = json!({ "route": route, "cache": cache });
    let said = ask(&arguments.admin, PATH, Some(&order), "changed")?;
    if arguments.json {
        println!("{said}");
        return Ok(ExitCode::SUCCESS);
    }
    let state = word(cache);
    if said["changed"] == true {
        println!(
            "the cache of {route} is {state} until the next reload; {} answers removed",
            said["entries"]
        );
    } else {
        println!("the cache of {route} was {state} already");
    }
    Ok(ExitCode::SUCCESS)
}

fn list(arguments: &Cache) -> Outcome {
    let said = ask(&arguments.admin, PATH, None, "routes")?;
    if arguments.json {
        println!("{said}");
        return Ok(ExitCode::SUCCESS);
    }
    for route in said["routes"].as_array().into_iter().flatten() {
        let state = match (&route["configured"], &route["cache"]) {
            (Value::Bool(false), _) => "none",
            (_, Value::Bool(cache)) => word(*cache),
            _ => "unknown",
        };
        println!("{state:<8}{}", route["route"].as_str().unwrap_or_default());
    }
    Ok(ExitCode::SUCCESS)
}

fn word(cache: bool) -> &'static str {
    if cache { "on" } else { "off" }
}
