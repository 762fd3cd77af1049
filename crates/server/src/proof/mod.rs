//! Proof before deployment: every statement that the routes can produce, planned on an empty copy of the schema.
//!
//! Which statements those are, what a plan is worth and which index would do is for `kasoku_sql_plan::proof` to say, and how
//! the database would run a statement, for the copy. Here both meet: what is refused gets an index, which is made in
//! the copy, and only what helps there is offered.

mod cases;
mod indexes;
mod report;
mod text;

use std::sync::Arc;

use kasoku_config::{EngineSettings, Plan, RoutePlan, SourcePlan};
use kasoku_database::{DatabaseError, Migration, SchemaCopy};
use kasoku_sql_plan::proof::{Enumerated, ProofLevel, of_query, of_references, of_table};
use kasoku_sql_plan::{Dialect, RuleFaults, Schema, TablePlanner, TableRules, TagRules};

use cases::{Case, Cases};
pub use report::{Finding, OfferedIndex, Proof, ProvenRoute, SpareIndex, SpareReason};

/// Why nothing could be proven.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The copy of the schema.
    #[error("the copy of the schema: {0}")]
    Copy(#[from] DatabaseError),
    /// A route does not fit the schema.
    #[error("the route `{route}`: {faults}")]
    Route {
        /// Its pattern.
        route: String,
        /// What does not fit.
        faults: RuleFaults,
    },
}

/// Plans every statement of the routes on an empty copy of the schema. Neither the database nor its file is touched.
pub fn prove(plan: &Plan) -> Result<Proof, ProofError> {
    let Some(settings) = &plan.database else { return Ok(Proof::default()) };
    let files = migrations(&settings.migrations);
    let copy = match &settings.engine {
        EngineSettings::Postgres(server) => SchemaCopy::of_server(server, &files)?,
        EngineSettings::Sqlite(engine) => match &engine.path {
            Some(path) if files.is_empty() => SchemaCopy::of_file(path)?,
            _ => SchemaCopy::of_migrations(&files)?,
        },
    };
    let (schema, dialect) = (&settings.schema, copy.dialect());
    let mut cases = Cases::new(copy, schema, &settings.small, dialect);
    let references = cases.copy.references()?;
    let mut routes = Vec::new();
    for (place, route) in plan.routes.iter().enumerate() {
        let Some(listed) = list(route, schema, dialect)? else { continue };
        let mut shapes = listed.shapes;
        if let SourcePlan::Table(rules) = &route.source
            && rules.write.delete
            && rules.soft_delete.is_none()
        {
            let pattern = &route.name.pattern;
            shapes.extend(of_references(pattern, &rules.table, &references, dialect));
        }
        routes.push(ProvenRoute::new(route, listed.requests, shapes.len(), listed.cut));
        cases.list.extend(shapes.into_iter().map(|shape| Case::new(place, route.proof.clone(), shape)));
    }
    cases.judge()?;
    let offers = indexes::offer(&mut cases)?;
    let spare = indexes::spare(&mut cases)?;
    Ok(report::report(plan, routes, &cases, offers, spare))
}

/// The statements of a route, if it has any.
fn list(
    route: &RoutePlan,
    schema: &Schema,
    dialect: &'static Dialect,
) -> Result<Option<Enumerated>, ProofError> {
    let pattern = &*route.name.pattern;
    Ok(match &route.source {
        SourcePlan::Table(rules) => {
            let planner = planner(pattern, rules, schema, dialect)?;
            Some(of_table(pattern, &planner, &route.proof))
        }
        SourcePlan::Query(rules) => {
            let shapes = vec![of_query(pattern, &rules.sql, schema, dialect)];
            Some(Enumerated { shapes, requests: 1, cut: false })
        }
        SourcePlan::Files(_) | SourcePlan::Batch(_) | SourcePlan::Origin(_) => None,
    })
}

fn planner(
    pattern: &str,
    rules: &TableRules,
    schema: &Schema,
    dialect: &'static Dialect,
) -> Result<TablePlanner, ProofError> {
    let wrong = |faults| ProofError::Route { route: pattern.to_owned(), faults };
    kasoku_sql_plan::check(rules, schema, dialect).map_err(wrong)?;
    // What answers depend on has no part in how their statements are run.
    let tags = |name: &str| {
        let table = schema.table(name).expect("the rules were checked");
        Arc::new(TagRules::new(table, &[], &[]))
    };
    TablePlanner::new(pattern, schema, rules, dialect, &tags).map_err(wrong)
}

fn migrations(files: &[(std::path::PathBuf, String)]) -> Vec<Migration> {
    let name =
        |path: &std::path::Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    files.iter().map(|(path, sql)| Migration { name: name(path), sql: sql.clone() }).collect()
}

/// Whether a route is judged at all.
fn is_judged(level: ProofLevel) -> bool {
    level != ProofLevel::Off
}

#[cfg(test)]
mod tests;
