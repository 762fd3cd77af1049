//! `kasoku check`: says what is wrong with an app, and serves nothing.

use std::process::ExitCode;

use kasoku_config::{Diagnostics, Overrides, ProcessEnvironment, load};
use kasoku_server::{Proof, prove};
use serde_json::json;

use super::{Failure, Outcome};
use crate::arguments::Check;

pub(crate) fn run(arguments: &Check) -> Outcome {
    let loaded = match load(&arguments.app, &Overrides::default(), &ProcessEnvironment) {
        Ok(loaded) => loaded,
        Err(found) if arguments.json => {
            print_json(&found, None);
            return Ok(ExitCode::FAILURE);
        }
        Err(found) => return Err(Failure::found(&found)),
    };
    let proof = prove(&loaded.plan).map_err(|error| Failure::of(&error))?;
    let failed = proof.has_errors();
    if arguments.json {
        print_json(&loaded.warnings, Some(&proof));
    } else if arguments.sql {
        print!("{}", proof.migration_sql());
    } else {
        eprint!("{}", Failure::found(&loaded.warnings));
        let routes = loaded.plan.routes.len();
        let noun = if routes == 1 { "route" } else { "routes" };
        let found = if failed { "statements without an index" } else { "nothing wrong" };
        print!("{proof}");
        println!("{}: {routes} {noun}, {found}", loaded.plan.name);
        if let Some(server) = loaded.plan.database.and_then(|database| database.engine.server()) {
            println!("PostgreSQL at {server} was asked what it holds.");
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print_json(findings: &Diagnostics, proof: Option<&Proof>) {
    println!("{:#}", json!({ "findings": findings.to_json(), "proof": proof }));
}
