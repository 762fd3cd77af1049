//! `kasoku watch`: the triggers by which changes of others are noticed.

use std::process::ExitCode;

use kasoku_config::{EngineSettings, Overrides, Plan, ProcessEnvironment, load};
use kasoku_database::{Watchable, Watched, watch_install, watch_remove, watch_status};
use kasoku_server::tables_to_watch;
use serde_json::json;

use super::{Failure, Outcome};
use crate::arguments::{Watch, WatchWhat};

pub(crate) fn run(arguments: &Watch) -> Outcome {
    let (WatchWhat::Install(target) | WatchWhat::Remove(target) | WatchWhat::Status(target)) =
        &arguments.what;
    let loaded = load(&target.app, &Overrides::default(), &ProcessEnvironment)
        .map_err(|found| Failure::found(&found))?;
    let place = place(&loaded.plan)?;
    match arguments.what {
        WatchWhat::Install(_) => {
            let tables = tables_to_watch(&loaded.plan).map_err(|error| Failure::of(&error))?;
            let changed = watch_install(place, &tables).map_err(|error| Failure::of(&error))?;
            if target.json {
                println!("{:#}", json!({ "installed": changed }));
            } else if changed.is_empty() {
                println!("The triggers of {} tables are as they should be.", tables.len());
            } else {
                println!("Changes are written down from now on: {}.", changed.join(", "));
            }
            Ok(ExitCode::SUCCESS)
        }
        WatchWhat::Remove(_) => {
            watch_remove(place).map_err(|error| Failure::of(&error))?;
            if target.json {
                println!("{:#}", json!({ "removed": true }));
            } else {
                println!("The triggers and what they wrote are gone.");
            }
            Ok(ExitCode::SUCCESS)
        }
        WatchWhat::Status(_) => status(place, &loaded.plan, target.json),
    }
}

/// Says what is watched and what is not; not everything is code 1.
fn status(place: Watchable<'_>, plan: &Plan, as_json: bool) -> Outcome {
    let watched = watch_status(place).map_err(|error| Failure::of(&error))?;
    let wanted = tables_to_watch(plan).map_err(|error| Failure::of(&error))?;
    let known = watched.as_deref().unwrap_or_default();
    let is_told = |table: &str, columns: &[String]| {
        known.iter().any(|known: &Watched| {
            known.table == table && columns.iter().all(|column| known.columns.contains(column))
        })
    };
    let tables: Vec<(&str, bool)> = wanted
        .iter()
        .map(|wanted| (wanted.table.as_str(), is_told(&wanted.table, &wanted.columns)))
        .collect();
    let all = watched.is_some() && tables.iter().all(|(_, told)| *told);
    if as_json {
        let tables: Vec<_> =
            tables.iter().map(|(table, told)| json!({ "table": table, "watched": told })).collect();
        println!("{:#}", json!({ "installed": watched.is_some(), "tables": tables }));
    } else if watched.is_none() {
        println!(
            "Nothing is installed: what others write is not noticed, or not in detail. `kasoku watch install` changes that."
        );
    } else {
        for (table, told) in &tables {
            println!(
                "{table}: {}",
                if *told { "watched" } else { "not watched, or not by all of its columns" }
            );
        }
    }
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The database of an app, if others can write it.
fn place(plan: &Plan) -> Result<Watchable<'_>, Failure> {
    match plan.database.as_ref().map(|database| &database.engine) {
        Some(EngineSettings::Postgres(settings)) => Ok(Watchable::Server(settings)),
        Some(EngineSettings::Sqlite(settings)) => match &settings.path {
            Some(path) if path.exists() => Ok(Watchable::File(path)),
            Some(_) => Err(Failure::because("the database does not exist yet; serving the app makes it")),
            None => Err(Failure::because("the database is in memory; nobody else can write it")),
        },
        None => Err(Failure::because("this app has no database; there is nothing to watch")),
    }
}
