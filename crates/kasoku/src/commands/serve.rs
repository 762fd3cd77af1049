//! `kasoku serve`: serves an app, a file of rows, an existing database, or an HTTP server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::UNIX_EPOCH;

use kasoku_coherence::KeyBuilder;
use kasoku_config::{LogFormat, Overrides, Plan, ProcessEnvironment, load, load_text};
use kasoku_dataset::{AppAccess, AppOptions, Format, Input, app_text, describe, import, recognise};
use kasoku_server::{Load, Serving};

use super::{Failure, Outcome};
use crate::arguments::Serve;
use crate::banner;
use crate::progress::{FillBar, ImportBar};

pub(crate) fn run(arguments: &Serve) -> Outcome {
    let overrides = Overrides {
        listen: arguments.listen.map(|address| address.to_string()),
        admin: arguments.admin.map(|address| address.to_string()),
        log_json: arguments.json,
        ..Overrides::default()
    };
    keep_pages_small();
    let load = loader(arguments, overrides)?;
    let loaded = load().map_err(|found| Failure::found(&found))?;
    if !loaded.warnings.is_empty() {
        eprint!("{}", Failure::found(&loaded.warnings));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::of(&error))?;
    runtime.block_on(serve(loaded.plan, load))
}

/// Pages of 2 MiB would stay resident for a few bytes each: with lists of 200 KB in a cache of 64 MiB, growth was a
/// third more than the budget.
fn keep_pages_small() {
    // A kernel that does not know them has none.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

async fn serve(plan: Plan, load: Load) -> Outcome {
    let for_people = plan.log.format == LogFormat::Text;
    let mut bar = FillBar::new();
    let serving = Serving::start(plan, load, &mut |done, rows| bar.show(done, rows)).await;
    let serving = serving.map_err(|error| Failure::of(&error))?;
    if for_people {
        banner::print(&serving.plan(), &serving.addresses());
    }
    let drained = serving.run().await.map_err(|error| Failure::of(&error))?;
    if drained.abandoned > 0 {
        eprintln!("{} requests were still in progress when their time was over", drained.abandoned);
    }
    Ok(ExitCode::SUCCESS)
}

/// How the configuration is read: from a file each time, or from what was made of the data once.
fn loader(arguments: &Serve, overrides: Overrides) -> Result<Load, Failure> {
    if !arguments.origin.is_empty() {
        let text = origin_app(&arguments.origin);
        let origin = "the configuration made of --origin";
        return Ok(Box::new(move || {
            load_text(&text, origin, Path::new(""), &overrides, &ProcessEnvironment)
        }));
    }
    let target = arguments.target.clone();
    let is_app = target.is_dir() || target.extension().is_some_and(|extension| extension == "toml");
    if is_app {
        if arguments.write || arguments.database.is_some() {
            let text = "error: `--write` and `--database` are for DATA; an app's configuration says both";
            return Err(Failure(text.to_owned()));
        }
        return Ok(Box::new(move || load(&target, &overrides, &ProcessEnvironment)));
    }
    let text = data_app(arguments)?;
    let folder = target.parent().unwrap_or(Path::new("")).to_owned();
    let origin = format!("the configuration made of {}", target.display());
    Ok(Box::new(move || load_text(&text, &origin, &folder, &overrides, &ProcessEnvironment)))
}

/// The configuration that serves HTTP servers.
pub(super) fn origin_app(servers: &[String]) -> String {
    // A dollar sign would be taken for a variable; URLs have no quotes.
    let servers: Vec<String> = servers
        .iter()
        .map(|url| format!("\"{}\"", url.replace('$', "$$").replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    format!(
        "name = \"origin\"\n[[route]]\npath = \"/{{*rest}}\"\norigin = {{ servers = [{}] }}\n",
        servers.join(", ")
    )
}

/// The configuration that serves a file.
fn data_app(arguments: &Serve) -> Result<String, Failure> {
    let input = recognise(&arguments.target).map_err(|error| Failure::of(&error))?;
    let database = match input.format {
        Format::Sqlite => absolute(&input.path)?,
        _ => imported(&input, arguments)?,
    };
    let tables = describe(&database).map_err(|error| Failure::of(&error))?;
    let access = if arguments.write { AppAccess::ReadWrite } else { AppAccess::ReadOnly };
    let title = format!("An API over {}.", arguments.target.display());
    let options = AppOptions { title, database: database.display().to_string(), schema: None, access };
    let name = input.stem().replace(['"', '\\'], "_");
    Ok(format!("name = \"{name}\"\n{}", app_text(&tables, &options)))
}

/// The database with the rows of a file: imported now, or kept from before if the file is the same.
fn imported(input: &Input, arguments: &Serve) -> Result<PathBuf, Failure> {
    let path = match &arguments.database {
        Some(path) => absolute(path)?,
        None => kept_at(input, arguments)?,
    };
    if path.exists() {
        return Ok(path);
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Failure::of(&error))?;
    }
    let mut bar = ImportBar::new();
    let report = import(input, &path, &mut |progress| bar.show(progress));
    bar.clear();
    let report = report.map_err(|error| Failure::of(&error))?;
    if !arguments.json {
        eprintln!("Imported {} rows in {:.1} s.", report.rows(), report.took.as_secs_f64());
        report.remarks.iter().for_each(|remark| eprintln!("note: {remark}"));
    }
    Ok(path)
}

/// A name in the user's cache folder that changes with the file.
fn kept_at(input: &Input, arguments: &Serve) -> Result<PathBuf, Failure> {
    let home = arguments.cache_home.clone().or_else(|| Some(arguments.home.clone()?.join(".cache")));
    let folder = home.unwrap_or_else(std::env::temp_dir).join("kasoku");
    let path = absolute(&input.path)?;
    let facts = std::fs::metadata(&path).map_err(|error| Failure::of(&error))?;
    let modified = facts.modified().ok().and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
    let name = KeyBuilder::new()
        .part(path.as_os_str().as_encoded_bytes())
        .part(&facts.len().to_le_bytes())
        .part(&modified.map_or(0, |since| since.as_nanos()).to_le_bytes())
        .part(env!("CARGO_PKG_VERSION").as_bytes())
        .build();
    Ok(folder.join(format!("{}-{:016x}.db", input.stem(), name.hash64())))
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::of(&error))
}
