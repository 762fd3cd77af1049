//! The door: arguments in, exit code out.
//!
//! Nothing is decided here. Each command is a few lines that call the floors below and say how it went.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line answers on its standard streams"
)]

mod allocator;
mod arguments;
mod banner;
mod commands;
mod progress;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, Command};

fn main() -> ExitCode {
    allocator::give_back_at_once();
    // Wrong use ends with code 2 here.
    let outcome = match Arguments::parse().command {
        Command::Serve(arguments) => commands::serve::run(&arguments),
        Command::Check(arguments) => commands::check::run(&arguments),
        Command::Explain(arguments) => commands::explain::run(&arguments),
        Command::Openapi(arguments) => commands::openapi::run(&arguments),
        Command::Purge(arguments) => commands::purge::run(&arguments),
        Command::Report(arguments) => commands::report::run(&arguments),
        Command::Cache(arguments) => commands::cache::run(&arguments),
        Command::Watch(arguments) => commands::watch::run(&arguments),
        Command::Schema(arguments) => Ok(commands::schema::run(&arguments)),
        Command::New(arguments) => commands::new::run(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
