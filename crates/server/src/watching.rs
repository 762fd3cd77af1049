//! Which tables must be watched for an app's routes, and by which columns.

use kasoku_config::{EngineSettings, Plan};
use kasoku_database::{Inspector, WatchedTable};

use crate::app::StartError;
use crate::dependencies::Dependencies;

/// The tables of a PostgreSQL database that the routes of a plan read, with the columns that answers are tagged by;
/// none for other databases. Asks the server what it holds.
pub fn tables_to_watch(plan: &Plan) -> Result<Vec<WatchedTable>, StartError> {
    let Some(EngineSettings::Postgres(settings)) = plan.database.as_ref().map(|database| &database.engine)
    else {
        return Ok(Vec::new());
    };
    let inspector = Inspector::of_server(settings)?;
    let schema = inspector.schema()?;
    let tables = Dependencies::of(plan, &schema, Some(&inspector))?.into_tables();
    Ok(kasoku_source_data::watched_tables(&schema, |name| tables.get(name)))
}
