//! What plans ask of a caller, in the words of the seam.

use kasoku_pipeline::{Caller, CallerPart};

/// What a source promises to depend on, of its callers.
pub(crate) fn parts(asked: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<CallerPart> {
    asked.into_iter().map(|name| CallerPart::named(name.as_ref())).collect()
}

/// What is known under a name.
pub(crate) fn known<'c>(caller: Option<&'c Caller>, name: &str) -> Option<&'c str> {
    caller?.text(&CallerPart::named(name))
}
