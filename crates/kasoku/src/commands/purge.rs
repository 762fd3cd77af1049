//! `kasoku purge`: removes answers from a running server's cache.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Failure, Outcome};
use crate::arguments::Purge;

/// How long the server may take. A purge by prefix walks through all keys.
const PATIENCE: Duration = Duration::from_secs(30);

/// More of an answer than this was not written by the admin listener.
const SHOWN_MAX: usize = 300;

pub(crate) fn run(arguments: &Purge) -> Outcome {
    let said = ask(arguments)?;
    let (reached, of) = (&said["nodes"]["reached"], &said["nodes"]["of"]);
    if arguments.json {
        println!("{said}");
    } else {
        let done = if arguments.soft { "marked stale" } else { "removed" };
        let nodes = match of.as_u64() {
            Some(1) => String::new(),
            Some(of) => format!(", on {reached} of {of} nodes"),
            None => ", on this node; the others are told when the second tier is back".to_owned(),
        };
        let answers = if said["entries"] == 1 { "answer" } else { "answers" };
        println!("{} {answers} {done}{nodes}", said["entries"]);
    }
    Ok(if reached == of { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the server said of it.
fn ask(arguments: &Purge) -> Result<Value, Failure> {
    let url = format!("http://{}/api/cache/purge", arguments.admin);
    let agent =
        ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).build();
    let mut request =
        ureq::Agent::new_with_config(agent).post(&url).header("content-type", "application/json");
    if let Some(token) = &arguments.token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let unreachable = |error: ureq::Error| {
        Failure(format!(
            "error: {} cannot be asked: {error}\n  help: is the server running, and is this its `server.admin`? \
             `--admin` names another",
            arguments.admin
        ))
    };
    let mut response = request.send(order(arguments).to_string()).map_err(unreachable)?;
    let status = response.status();
    let text = response.body_mut().read_to_string().map_err(unreachable)?;
    let said = serde_json::from_str::<Value>(&text).unwrap_or(Value::Null);
    if status.is_success() && said["entries"].is_u64() {
        return Ok(said);
    }
    let detail = said["detail"].as_str().or(said["title"].as_str());
    let help = match (status.as_u16(), detail) {
        (401, _) => "\n  help: `--token` or KASOKU_ADMIN_TOKEN brings the admin listener's token",
        (_, None) => "\n  help: this does not look like an admin listener; `--admin` names another",
        _ => "",
    };
    let detail = detail.unwrap_or(&text).chars().take(SHOWN_MAX).collect::<String>();
    Err(Failure(format!("error: the server answered {status}: {}{help}", detail.trim_end())))
}

fn order(arguments: &Purge) -> Value {
    let what = &arguments.what;
    let named = [
        ("url", &what.url),
        ("prefix", &what.prefix),
        ("tag", &what.tag),
        ("group", &what.group),
        ("host", &arguments.host),
    ];
    let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?.into())));
    let mut order: Map<String, Value> = named.collect();
    if what.all {
        order.insert("all".into(), true.into());
    }
    order.insert("soft".into(), arguments.soft.into());
    Value::Object(order)
}
