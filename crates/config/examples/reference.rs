//! Prints the reference of the configuration: `cargo run -p kasoku-config --example reference -- page|schema`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what it is for")]

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("page") => print!("{}", kasoku_config::reference()),
        Some("schema") => println!("{:#}", kasoku_config::schema()),
        _ => {
            eprintln!("say `page` for Markdown or `schema` for JSON Schema");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
