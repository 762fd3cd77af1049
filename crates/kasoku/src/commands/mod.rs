//! One file a command.

mod admin;
pub(crate) mod cache;
pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod new;
pub(crate) mod openapi;
pub(crate) mod purge;
pub(crate) mod report;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod watch;

use std::fmt;
use std::process::ExitCode;

/// How a command ended.
pub(crate) type Outcome = Result<ExitCode, Failure>;

/// Why a command could not do its work, as it is printed.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Failure {
    /// An error and what caused it.
    pub(crate) fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut text = format!("error: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            let line = error.to_string();
            if !text.contains(&line) {
                text.push_str("\n  because: ");
                text.push_str(&line);
            }
            cause = error.source();
        }
        Self(text)
    }

    /// An error in these words.
    pub(crate) fn because(text: &str) -> Self {
        Self(format!("error: {text}"))
    }

    /// What a check found, with or without colour, as the terminal allows.
    pub(crate) fn found(diagnostics: &kasoku_config::Diagnostics) -> Self {
        Self(diagnostics.render(crate::progress::is_terminal()))
    }
}
