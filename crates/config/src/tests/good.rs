//! Configurations that can be served, and what they mean.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{Loaded, Overrides, load};

#[test]
fn the_catalogue_can_be_served() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../apps/catalog");
    let loaded: Loaded =
        load(&folder, &Overrides::default(), &BTreeMap::new()).unwrap_or_else(|found| panic!("{found}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    std::fs::write("/tmp/ref.md", crate::reference()).unwrap();
    std::fs::write("/tmp/schema.json", serde_json::to_string_pretty(&crate::schema()).unwrap()).unwrap();
}
