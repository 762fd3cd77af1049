//! `kasoku check`: says what is wrong with an app, and serves nothing.

use std::process::ExitCode;

use kasoku_config::{Overrides, ProcessEnvironment, load};

use super::{Failure, Outcome};
use crate::arguments::Check;

pub(crate) fn run(arguments: &Check) -> Outcome {
    let found = match load(&arguments.app, &Overrides::default(), &ProcessEnvironment) {
        Ok(loaded) => {
            if !arguments.json {
                let routes = loaded.plan.routes.len();
                eprint!("{}", Failure::found(&loaded.warnings));
                let noun = if routes == 1 { "route" } else { "routes" };
                println!("{}: {routes} {noun}, nothing wrong", loaded.plan.name);
                return Ok(ExitCode::SUCCESS);
            }
            loaded.warnings
        }
        Err(found) if !arguments.json => return Err(Failure::found(&found)),
        Err(found) => found,
    };
    println!("{:#}", found.to_json());
    Ok(if found.has_errors() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
