//! The sources of a route, each at its pattern.

use std::sync::Arc;

use kasoku_config::{Plan, RoutePlan, SourcePlan};
use kasoku_database::Inspector;
use kasoku_pipeline::Source;
use kasoku_source_data::{
    BatchSource, Engine, KEY_PARAM, ListSource, QuerySource, RowSource, TransferSource, table_sources,
};
use kasoku_source_files::FilesSource;
use kasoku_source_origin::OriginSource;
use kasoku_sql_plan::{QueryPlanner, Schema, TablePlanner, TableRules};
use kasoku_units::SystemClock;

use crate::app::{App, StartError};
use crate::bounded::Bounded;
use crate::dependencies::Dependencies;

/// A source, and where it answers.
pub(crate) struct Placed {
    /// At which pattern.
    pub(crate) pattern: String,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) around: Around,
}

/// The path of a `table` route, and what it serves.
pub(crate) type TableAt = (Arc<str>, TableRules);

/// The `table` routes of a plan.
pub(crate) fn tables(plan: &Plan) -> Vec<TableAt> {
    let of_table = |route: &RoutePlan| match &route.source {
        SourcePlan::Table(rules) => Some((Arc::clone(&route.name.pattern), rules.clone())),
        _ => None,
    };
    plan.routes.iter().filter_map(of_table).collect()
}

/// Which policies a source has around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Around {
    /// Those of its route.
    Usual,
    /// Those of whole lists as files: nothing is kept, and all of it may take long.
    Transfer,
}

impl Placed {
    fn usual(pattern: String, source: Arc<dyn Source>) -> Self {
        Self { pattern, source, around: Around::Usual }
    }

    /// One that reads bodies as a whole.
    fn reading(pattern: String, route: &RoutePlan, source: impl Source) -> Self {
        Self::usual(pattern, Arc::new(Bounded { source, body_bytes_max: route.body_bytes_max }))
    }
}

impl App {
    /// The patterns of a route, each with its source.
    pub(crate) fn sources(
        &self,
        route: &RoutePlan,
        schema: &Schema,
        dependencies: &Dependencies,
        inspector: Option<&Inspector>,
        tables: &[TableAt],
    ) -> Result<Vec<Placed>, StartError> {
        let pattern = &*route.name.pattern;
        let wrong = |reason: String| StartError::Route { route: pattern.to_owned(), reason };
        match &route.source {
            SourcePlan::Files(rules) => Ok(below(pattern, Arc::new(FilesSource::new(rules.clone())))),
            SourcePlan::Origin(rules) => {
                Ok(below(pattern, Arc::new(OriginSource::new(rules.clone(), &self.observer))))
            }
            SourcePlan::Table(rules) => {
                let (list, row) = self.table(pattern, rules, schema, dependencies)?;
                let files = TransferSource::all(&list, &route.transfers, &self.observer).into_iter().map(
                    |(extension, source)| Placed {
                        pattern: format!("{pattern}.{extension}"),
                        source: Arc::new(source),
                        around: Around::Transfer,
                    },
                );
                let list = if route.shows_plans { list.showing_plans() } else { list };
                let list = Placed::reading(pattern.to_owned(), route, list);
                let below = format!("{}/{{{KEY_PARAM}}}", pattern.trim_end_matches('/'));
                let row = row.map(|row| Placed::reading(below, route, row));
                Ok(std::iter::once(list).chain(row).chain(files).collect())
            }
            SourcePlan::Batch(rules) => {
                let table = |path: &String| {
                    let found = tables.iter().find(|(known, _)| **known == **path);
                    let (_, table) = found.ok_or_else(|| wrong(format!("there is no `{path}`")))?;
                    let (list, row) = self.table(path, table, schema, dependencies)?;
                    Ok::<_, StartError>((path.clone(), list, row))
                };
                let targets = rules.routes.iter().map(table).collect::<Result<_, _>>()?;
                let source = BatchSource::new(pattern, targets, rules.operations_most);
                Ok(vec![Placed::reading(pattern.to_owned(), route, source)])
            }
            SourcePlan::Query(rules) => {
                let inspector = inspector.ok_or_else(|| wrong("it needs a database".into()))?;
                let reads = inspector.reads(&rules.sql)?;
                let tables: Vec<&str> = reads.tables.iter().map(|read| read.table.as_str()).collect();
                let planner = QueryPlanner::new(pattern, rules, schema, inspector.dialect(), &tables)
                    .map_err(|fault| wrong(fault.to_string()))?;
                let narrowed = planner.narrowed().map(|narrow| dependencies.tags(&narrow.table));
                let planner = match narrowed {
                    Some(tags) => planner.with_tag_rules(tags),
                    None => planner,
                };
                let columns = inspector.columns(&rules.sql)?;
                let source = QuerySource::new(planner, rules, &columns, &tables, self.engine(pattern)?);
                Ok(vec![Placed::reading(pattern.to_owned(), route, source)])
            }
        }
    }

    /// The sources of a table's list and rows, as routes at this pattern have them.
    fn table(
        &self,
        pattern: &str,
        rules: &TableRules,
        schema: &Schema,
        dependencies: &Dependencies,
    ) -> Result<(ListSource, Option<RowSource>), StartError> {
        let wrong = |reason: String| StartError::Route { route: pattern.to_owned(), reason };
        let engine = self.engine(pattern)?;
        let tags = |table: &str| dependencies.tags(table);
        let planner = TablePlanner::new(pattern, schema, rules, engine.database.dialect(), &tags)
            .map_err(|faults| wrong(faults.to_string()))?;
        let cursors = self.cursors.clone().ok_or_else(|| wrong("it needs a database".into()))?;
        let has_key = schema.table(&rules.table).is_some_and(|table| !table.key.is_empty());
        Ok(table_sources(pattern, planner, rules, has_key, engine, cursors))
    }

    fn engine(&self, pattern: &str) -> Result<Engine, StartError> {
        let none = || StartError::Route { route: pattern.to_owned(), reason: "it needs a database".into() };
        let database = self.database.clone().ok_or_else(none)?;
        Ok(Engine { database, clock: Arc::new(SystemClock) })
    }
}

/// A source at a pattern. `{*rest}` matches something; what it stands below has a path, too.
fn below(pattern: &str, source: Arc<dyn Source>) -> Vec<Placed> {
    let whole = pattern.rfind("{*").map(|at| Placed::usual(pattern[..at].to_owned(), Arc::clone(&source)));
    std::iter::once(Placed::usual(pattern.to_owned(), source)).chain(whole).collect()
}
