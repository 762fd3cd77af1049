//! `kasoku purge`: removes answers from a running server's cache.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Failure, Outcome};
use crate::arguments::Purge;

/// How long the server may take. A purge by prefix walks through all keys.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn run(arguments: &Purge) -> Outcome {
    let mut order = Map::new();
    let named =
        [("key", &arguments.what.key), ("prefix", &arguments.what.prefix), ("tag", &arguments.what.tag)];
    order
        .extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?.into()))));
    if arguments.what.all {
        order.insert("all".into(), true.into());
    }
    order.insert("soft".into(), arguments.soft.into());

    let url = format!("http://{}/api/cache/purge", arguments.admin);
    let agent =
        ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).build();
    let mut request =
        ureq::Agent::new_with_config(agent).post(&url).header("content-type", "application/json");
    if let Some(token) = &arguments.token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let unreachable =
        |error: ureq::Error| Failure(format!("error: {} cannot be asked: {error}", arguments.admin));
    let mut response = request.send(Value::Object(order).to_string()).map_err(unreachable)?;
    let said = response.body_mut().read_to_string().map_err(unreachable)?;
    let said: Value = serde_json::from_str(&said).unwrap_or(Value::Null);
    if !response.status().is_success() {
        let detail = said["detail"].as_str().or(said["title"].as_str()).unwrap_or("no reason was given");
        return Err(Failure(format!(
            "error: the server refused with status {}: {detail}",
            response.status()
        )));
    }
    if arguments.json {
        println!("{said}");
    } else {
        println!("{} answers removed", said["removed"]);
    }
    Ok(ExitCode::SUCCESS)
}
