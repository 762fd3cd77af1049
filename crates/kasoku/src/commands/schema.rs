//! `kasoku schema`: prints what can be configured, for editors or for people.

use std::process::ExitCode;

use crate::arguments::Schema;

pub(crate) fn run(arguments: &Schema) -> ExitCode {
    if arguments.reference {
        print!("{}", kasoku_config::reference());
    } else {
        println!("{:#}", kasoku_config::schema());
    }
    ExitCode::SUCCESS
}
