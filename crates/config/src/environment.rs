//! The environment as a trait, so that tests bring their own.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// Environment variables.
pub trait Environment {
    /// The value of a variable, if it is set.
    fn value(&self, name: &str) -> Option<OsString>;

    /// The names of all variables that are set, as far as they are Unicode.
    fn names(&self) -> Vec<String>;
}

/// The environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

/// A variable that is set to something that is not text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable `{name}` is not valid UTF-8")]
pub(crate) struct NotText {
    name: String,
}

impl Environment for ProcessEnvironment {
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    fn value(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    fn names(&self) -> Vec<String> {
        std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect()
    }
}

impl Environment for BTreeMap<String, String> {
    fn value(&self, name: &str) -> Option<OsString> {
        self.get(name).map(OsString::from)
    }

    fn names(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }
}

/// The value of a variable as text.
pub(crate) fn read_variable(environment: &dyn Environment, name: &str) -> Result<Option<String>, NotText> {
    environment
        .value(name)
        .map(OsString::into_string)
        .transpose()
        .map_err(|_| NotText { name: name.to_owned() })
}
