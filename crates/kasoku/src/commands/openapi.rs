//! `kasoku openapi`: prints the description of an app's API.

use std::process::ExitCode;

use kasoku_config::{Overrides, ProcessEnvironment, load};
use kasoku_server::openapi;

use super::{Failure, Outcome};
use crate::arguments::Openapi;

pub(crate) fn run(arguments: &Openapi) -> Outcome {
    let loaded = load(&arguments.app, &Overrides::default(), &ProcessEnvironment);
    let loaded = loaded.map_err(|found| Failure::found(&found))?;
    println!("{:#}", openapi(&loaded.plan));
    Ok(ExitCode::SUCCESS)
}
