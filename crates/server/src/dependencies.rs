//! Which tables and columns the answers of a plan depend on: the rules by which answers and changes are tagged.

use std::collections::BTreeMap;
use std::sync::Arc;

use kasoku_config::{Plan, SourcePlan};
use kasoku_database::Inspector;
use kasoku_sql_plan::{QueryPlanner, Schema, Table, TableRules, TagRules};

use crate::app::StartError;

/// The tag rules of every table and view that a route reads, by name.
pub(crate) struct Dependencies {
    tables: BTreeMap<String, Arc<TagRules>>,
    views: BTreeMap<String, Arc<TagRules>>,
}

impl Dependencies {
    /// Collects them from all routes: both sides of a tag, answer and change, must know every column by which any
    /// answer is named.
    pub(crate) fn of(
        plan: &Plan,
        schema: &Schema,
        inspector: Option<&Inspector>,
    ) -> Result<Self, StartError> {
        let mut dependencies = Self { tables: BTreeMap::new(), views: BTreeMap::new() };
        let Some(inspector) = inspector else { return Ok(dependencies) };
        let mut routes: BTreeMap<String, Vec<&TableRules>> = BTreeMap::new();
        let mut narrowed: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut read: Vec<String> = Vec::new();
        for route in &plan.routes {
            match &route.source {
                SourcePlan::Files(_) | SourcePlan::Batch(_) | SourcePlan::Origin(_) => {}
                SourcePlan::Table(rules) => {
                    read.push(rules.table.to_ascii_lowercase());
                    for (table, columns) in rules.embedded(schema) {
                        let table = table.to_ascii_lowercase();
                        narrowed.entry(table.clone()).or_default().extend(columns);
                        read.push(table);
                    }
                    routes.entry(rules.table.to_ascii_lowercase()).or_default().push(rules);
                }
                SourcePlan::Query(rules) => {
                    let reads = inspector.reads(&rules.sql)?;
                    let tables: Vec<&str> = reads.tables.iter().map(|read| read.table.as_str()).collect();
                    read.extend(tables.iter().map(|table| table.to_ascii_lowercase()));
                    let planner =
                        QueryPlanner::new(&route.name.pattern, rules, schema, inspector.dialect(), &tables)
                            .ok();
                    if let Some(narrow) = planner.as_ref().and_then(QueryPlanner::narrowed)
                        && let Some(table) = schema.table(&narrow.table)
                    {
                        let column = table.columns[narrow.place].name.clone();
                        narrowed.entry(table.name.to_ascii_lowercase()).or_default().push(column);
                    }
                }
            }
        }
        for name in read {
            let Some(table) = schema.table(&name) else { continue };
            if table.view {
                dependencies.add_view(table, inspector, schema)?;
                continue;
            }
            let routes = routes.get(&name).map(Vec::as_slice).unwrap_or_default();
            let narrowed: Vec<&str> = narrowed.get(&name).into_iter().flatten().map(String::as_str).collect();
            dependencies.tables.insert(name, Arc::new(TagRules::new(table, routes, &narrowed)));
        }
        Ok(dependencies)
    }

    /// The rules of a table or view that a route reads.
    pub(crate) fn tags(&self, name: &str) -> Arc<TagRules> {
        let name = name.to_ascii_lowercase();
        let known = self.tables.get(&name).or_else(|| self.views.get(&name));
        known.cloned().unwrap_or_else(|| Arc::new(TagRules::view([name.as_str()])))
    }

    /// The rules of the tables, for whoever tags changes.
    pub(crate) fn into_tables(self) -> BTreeMap<String, Arc<TagRules>> {
        self.tables
    }

    /// A view's answers depend on the tables behind it, as wholes; their changes must be known too.
    fn add_view(&mut self, view: &Table, inspector: &Inspector, schema: &Schema) -> Result<(), StartError> {
        let reads = inspector.reads(&format!("select * from \"{}\"", view.name.replace('"', "\"\"")))?;
        let tables: Vec<&str> = reads.tables.iter().map(|read| read.table.as_str()).collect();
        self.views.insert(view.name.to_ascii_lowercase(), Arc::new(TagRules::view(tables.iter().copied())));
        for table in tables.iter().filter_map(|name| schema.table(name)) {
            let rules = || Arc::new(TagRules::new(table, &[], &[]));
            self.tables.entry(table.name.to_ascii_lowercase()).or_insert_with(rules);
        }
        Ok(())
    }
}
