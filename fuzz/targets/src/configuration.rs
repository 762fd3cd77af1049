//! Configuration text to plan or findings.
//!
//! Holds for every input: findings can be drawn, and each points into its text.

use std::collections::BTreeMap;
use std::path::Path;

use kasoku_config::{Overrides, load_text};

use crate::parts::text;

/// Takes any bytes.
pub fn run(input: &[u8]) {
    let environment = BTreeMap::from([("SECRET".to_owned(), "hidden".to_owned())]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = match load_text(&text(input), "kasoku.toml", folder, &Overrides::default(), &environment) {
        Ok(loaded) => loaded.warnings,
        Err(found) => {
            assert!(found.has_errors());
            found
        }
    };
    assert!(found.to_string().is_empty() == found.list.is_empty());
    for finding in &found.list {
        let place = &finding.place;
        assert!(found.texts[place.text].text.get(place.span.clone()).is_some(), "{finding:?}");
    }
}
