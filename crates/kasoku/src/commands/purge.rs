//! `kasoku purge`: removes answers from a running server's cache.

use std::process::ExitCode;

use serde_json::{Map, Value};

use super::Outcome;
use super::admin::ask;
use crate::arguments::Purge;

pub(crate) fn run(arguments: &Purge) -> Outcome {
    let said = ask(&arguments.admin, "/api/cache/purge", Some(&order(arguments)), "entries")?;
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
