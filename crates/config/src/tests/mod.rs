//! The crate from outside: what is read, what is found, what is shown.

mod embeds;
mod environment;
mod files;
mod good;
mod mutations;
mod openapi;
mod postgres;
mod secrets;
mod transfers;
mod wrong;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use kasoku_database::{Database, Migration, Settings};

use crate::{Diagnostics, Loaded, Overrides, load_text};

/// The tables of every app here.
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
struct App {
    folder: tempfile::TempDir,
}

impl App {
    fn new() -> Self {
        let app = Self { folder: tempfile::tempdir().unwrap() };
        app.write("schema/001_items.sql", SCHEMA);
        app.write("static/index.html", "<p>");
        app.write("seed.sql", "insert into items (id) select value from generate_series(:first, :last)");
        app
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Makes a database with the tables.
    fn with_database(self, name: &str) -> Self {
        let settings = Settings { path: Some(self.path().join(name)), ..Settings::default() };
        let migration = Migration { name: "001_items.sql".into(), sql: SCHEMA.into() };
        Database::open(&settings, &[migration], Arc::default(), Arc::new(kasoku_observe::Silent))
            .unwrap()
            .close();
        self
    }

    fn load(&self, text: &str) -> Result<Loaded, Diagnostics> {
        self.load_with(text, &Overrides::default(), &[])
    }

    fn load_with(
        &self,
        text: &str,
        overrides: &Overrides,
        environment: &[(&str, &str)],
    ) -> Result<Loaded, Diagnostics> {
        let pairs = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load_text(text, "kasoku.toml", self.path(), overrides, &pairs.collect::<BTreeMap<_, _>>())
    }

    /// What is said about a text.
    fn findings(&self, text: &str) -> String {
        self.findings_with(text, &Overrides::default(), &[])
    }

    /// What is said about a text, with the folder's name replaced.
    fn findings_with(&self, text: &str, overrides: &Overrides, environment: &[(&str, &str)]) -> String {
        let loaded = self.load_with(text, overrides, environment);
        let found = loaded.map_or_else(|found| found, |loaded| loaded.warnings);
        found.render(false).replace(&self.path().display().to_string(), "APP")
    }
}
