//! Prints what is generated from the settings: `page` is the reference in Markdown, `schema` the JSON Schema.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let text = match std::env::args().nth(1).as_deref() {
        Some("page") => kasoku_config::reference(),
        Some("schema") => format!("{:#}\n", kasoku_config::schema()),
        _ => return ExitCode::from(2),
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
