//! Asking the admin listener of a running server.

use std::time::Duration;

use serde_json::Value;

use super::Failure;
use crate::arguments::Admin;

/// How long the server may take. A purge by prefix walks through all keys.
const PATIENCE: Duration = Duration::from_secs(30);

/// More of an answer than this was not written by the admin listener.
const SHOWN_MAX: usize = 300;

/// Asks at a path, with a body or (`None`) for what is there. What comes back has this member.
pub(super) fn ask(admin: &Admin, path: &str, body: Option<&Value>, member: &str) -> Result<Value, Failure> {
    let url = format!("http://{}{path}", admin.admin);
    let agent =
        ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).build();
    let agent = ureq::Agent::new_with_config(agent);
    let token = admin.token.as_ref().map(|token| format!("Bearer {token}"));
    let sent = if let Some(body) = body {
        let mut request = agent.post(&url).header("content-type", "application/json");
        if let Some(token) = &token {
            request = request.header("authorization", token);
        }
        request.send(body.to_string())
    } else {
        let mut request = agent.get(&url);
        if let Some(token) = &token {
            request = request.header("authorization", token);
        }
        request.call()
    };
    let unreachable = |error: ureq::Error| {
        Failure(format!(
            "error: {} cannot be asked: {error}\n  help: is the server running, and is this its `server.admin`? \
             `--admin` names another",
            admin.admin
        ))
    };
    let mut response = sent.map_err(unreachable)?;
    let status = response.status();
    let text = response.body_mut().read_to_string().map_err(unreachable)?;
    let said = serde_json::from_str::<Value>(&text).unwrap_or(Value::Null);
    if status.is_success() && said.get(member).is_some() {
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
