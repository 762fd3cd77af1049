//! Writes the folder of a new app: around the data of a file, or a small example to begin with.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::app_text::{AppAccess, AppOptions, app_text, grouped, paths};
use crate::error::DatasetError;
use crate::existing::describe;
use crate::import::{Report, import};
use crate::input::{Format, Input};
use crate::names::clean;
use crate::progress::Progress;
use crate::schema_text::schema_file;
use crate::shape::{KeyShape, TableShape};

/// The folder of schema files, and the first of them.
const SCHEMA_FOLDER: &str = "schema";
const SCHEMA_FILE: &str = "001-tables.sql";

/// The example of an app without data of its own.
const STARTER: [(&str, &str); 3] = [
    ("kasoku.toml", include_str!("starter/kasoku.toml")),
    ("schema/001-tasks.sql", include_str!("starter/schema.sql")),
    ("README.md", include_str!("starter/README.md")),
];

/// What databases and their companions are called, so that they are not taken into version control.
const IGNORED: &str = "*.db\n*.db-*\n";

/// What a new app consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApp {
    /// The files that were written.
    pub files: Vec<PathBuf>,
    /// What was imported, if the app was made from a file that had to be.
    pub report: Option<Report>,
}

/// Writes a new app. The folder must be empty or not exist; what cannot be completed is removed again.
pub fn new_app(
    folder: &Path,
    from: Option<&Input>,
    progress: &mut dyn FnMut(Progress),
) -> Result<NewApp, DatasetError> {
    let mut written = Written::begin(folder)?;
    let report = match from {
        None => {
            for (name, text) in STARTER {
                written.write(name, text)?;
            }
            None
        }
        Some(input) if input.format == Format::Sqlite => {
            around_database(input, &mut written)?;
            None
        }
        Some(input) => Some(from_rows(input, &mut written, progress)?),
    };
    written.write(".gitignore", IGNORED)?;
    Ok(NewApp { files: written.keep(), report })
}

/// Imports the file into a database of the app's own, which its schema file describes.
fn from_rows(
    input: &Input,
    written: &mut Written,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, DatasetError> {
    let database = format!("{}.db", clean(&input.stem()).unwrap_or_else(|| "rows".into()));
    let report = import(input, &written.claim(&database), progress)?;
    let name = input.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let schema = format!(
        "-- The tables of {}. They exist already in {database}; where it is missing, this makes them anew, empty.\n\n{}",
        comment(&name),
        schema_file(&report.tables)
    );
    written.write(&format!("{SCHEMA_FOLDER}/{SCHEMA_FILE}"), &schema)?;
    let options = AppOptions {
        title: format!("An API over {name}."),
        database: database.clone(),
        schema: Some(format!("{SCHEMA_FOLDER}/")),
        access: AppAccess::ReadWrite,
    };
    written.write("kasoku.toml", &app_text(&report.tables, &options))?;
    written.write("README.md", &readme(&name, &database, &report.tables))?;
    Ok(report)
}

/// Serves a database where it lies: a copy would soon be another database.
fn around_database(input: &Input, written: &mut Written) -> Result<(), DatasetError> {
    let path = fs::canonicalize(&input.path)
        .map_err(|source| DatasetError::File { path: input.path.clone(), source })?;
    let tables = describe(&path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let database = path.to_string_lossy().into_owned();
    let options = AppOptions {
        title: format!(
            "An API over {name}, which is only read: `read_only = false` and `write` change that."
        ),
        database: database.clone(),
        schema: None,
        access: AppAccess::ReadOnly,
    };
    written.write("kasoku.toml", &app_text(&tables, &options))?;
    written.write("README.md", &readme(&name, &database, &tables))
}

fn readme(name: &str, database: &str, tables: &[TableShape]) -> String {
    let mut text = format!(
        "# {name}\n\nAn API over `{name}`, served by Kasoku.\n\n\
         ```sh\nkasoku serve .\n```\n\nThe rows are in `{database}`. What is served where is said in `kasoku.toml`.\n\n\
         | path | table | rows |\n|---|---|---:|\n"
    );
    for served in paths(tables) {
        let rows = served.table.rows.map_or_else(|| "many".to_owned(), grouped);
        let _ = writeln!(text, "| `{}` | `{}` | {rows} |", served.path, served.table.name);
    }
    text.push_str("\nTry:\n\n```sh\n");
    for served in paths(tables).iter().take(3) {
        for query in examples(served.table) {
            let _ = writeln!(text, "curl 'http://127.0.0.1:8080{}{query}'", served.path);
        }
    }
    text.push_str("```\n");
    text
}

/// Requests to a table's list that have something to show.
fn examples(table: &TableShape) -> Vec<String> {
    let mut examples = vec!["?limit=5".to_owned()];
    if table.key == KeyShape::None {
        return examples;
    }
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let indexed = table.indexes.iter().map(|index| &table.columns[index.column]);
    for column in indexed.filter(|column| plain(&column.name)).take(2) {
        if let Some(example) = column.example.as_deref().filter(|example| plain(example)) {
            examples.push(format!("?{}=eq.{example}&limit=5", column.name));
        }
        examples.push(format!("?order={}.desc&limit=5", column.name));
    }
    examples.truncate(3);
    examples
}

fn comment(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// Files of an app that is not complete yet; dropping it removes them.
struct Written {
    folder: PathBuf,
    made_folder: bool,
    files: Vec<PathBuf>,
    complete: bool,
}

impl Written {
    fn begin(folder: &Path) -> Result<Self, DatasetError> {
        let file_error = |source| DatasetError::File { path: folder.to_owned(), source };
        let made_folder = !folder.exists();
        if made_folder {
            fs::create_dir_all(folder).map_err(file_error)?;
        }
        if fs::read_dir(folder).map_err(file_error)?.next().is_some() {
            return Err(DatasetError::FolderInUse { path: folder.to_owned() });
        }
        Ok(Self { folder: folder.to_owned(), made_folder, files: Vec::new(), complete: false })
    }

    /// The path of a file that somebody else writes.
    fn claim(&mut self, name: &str) -> PathBuf {
        let path = self.folder.join(name);
        self.files.push(path.clone());
        path
    }

    fn write(&mut self, name: &str, text: &str) -> Result<(), DatasetError> {
        let path = self.claim(name);
        let parent = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(|source| DatasetError::File { path: path.clone(), source })
    }

    fn keep(mut self) -> Vec<PathBuf> {
        self.complete = true;
        std::mem::take(&mut self.files)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if self.complete {
            return;
        }
        // What cannot be removed is left for the person to see; the error that led here is the one to report.
        for file in &self.files {
            let _kept = fs::remove_file(file);
        }
        let _kept = fs::remove_dir(self.folder.join(SCHEMA_FOLDER));
        if self.made_folder {
            let _kept = fs::remove_dir(&self.folder);
        }
    }
}
