//! Which tables must be watched for an app's routes, and by which columns.

use kasoku_config::{EngineSettings, Plan};
use kasoku_database::{Inspector, WatchedTable};

use crate::app::StartError;
use crate::dependencies::Dependencies;

/// The tables of a database that the routes of a plan read, with the columns that answers are tagged by; none for one in
/// memory. Asks the database what it holds.
pub fn tables_to_watch(plan: &Plan) -> Result<Vec<WatchedTable>, StartError> {
    let inspector = match plan.database.as_ref().map(|database| &database.engine) {
        Some(EngineSettings::Postgres(settings)) => Inspector::of_server(settings)?,
        Some(EngineSettings::Sqlite(settings)) => match &settings.path {
            Some(path) => Inspector::of_file(path)?,
            None => return Ok(Vec::new()),
        },
        None => return Ok(Vec::new()),
    };
    let schema = inspector.schema()?;
    let tables = Dependencies::of(plan, &schema, Some(&inspector))?.into_tables();
    Ok(kasoku_source_data::watched_tables(&schema, |name| tables.get(name)))
}
