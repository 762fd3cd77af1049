//! The crate from outside: what is read, what is found, what is shown.

mod good;
mod wrong;

use std::collections::BTreeMap;
use std::path::Path;

use crate::{Diagnostics, Loaded, Overrides, load_text};

/// What every app here has in its folder.
const SCHEMA: &str = "create table categories (slug text primary key, name text not null);
create table items (
    id integer primary key,
    title text not null,
    category text not null references categories (slug),
    price real not null default 0,
    maker text,
    deleted_at text
);
create table notes (body text);
create view cheap as select id, title from items where price < 10;
";

/// An app's folder, gone when it is dropped.
pub(super) struct App {
    folder: tempfile::TempDir,
}

impl App {
    pub(super) fn new() -> Self {
        let app = Self { folder: tempfile::tempdir().unwrap() };
        app.write("schema/001_items.sql", SCHEMA);
        app.write("static/index.html", "<p>");
        app.write("seed.sql", "insert into items (id) select value from generate_series(:first, :last)");
        app
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(super) fn load(&self, text: &str) -> Result<Loaded, Diagnostics> {
        self.load_with(text, &Overrides::default(), &[])
    }

    pub(super) fn load_with(
        &self,
        text: &str,
        overrides: &Overrides,
        environment: &[(&str, &str)],
    ) -> Result<Loaded, Diagnostics> {
        let environment: BTreeMap<String, String> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        load_text(text, "kasoku.toml", self.path(), overrides, &environment)
    }

    /// What is said about a text, with the folder's name replaced.
    pub(super) fn findings(&self, text: &str) -> String {
        let found = self.load(text).map_or_else(|found| found, |loaded| loaded.warnings);
        self.shown(&found)
    }

    pub(super) fn shown(&self, found: &Diagnostics) -> String {
        found.render(false).replace(&self.path().display().to_string(), "APP")
    }
}
