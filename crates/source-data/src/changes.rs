//! From what a commit changed to the tags that stored answers depend on.

use std::collections::HashMap;
use std::sync::Arc;

use kasoku_coherence::{Change, ChangeSink, Position};
use kasoku_database::{CommitListener, DataChange, WatchedTable};
use kasoku_sql_plan::{Schema, TagRules};

/// Turns commits into changes of tags, and applies them before the writer is answered.
pub struct ChangeTagger {
    tables: HashMap<Box<str>, Arc<TagRules>>,
    sink: Arc<dyn ChangeSink>,
    forget: Box<dyn Fn() + Send + Sync>,
}

impl ChangeTagger {
    /// `tables` has the rules of every table that any route reads, by name. `forget` is called where single changes
    /// cannot be named: whatever is stored may be older than the commit.
    pub fn new(
        tables: impl IntoIterator<Item = (String, Arc<TagRules>)>,
        sink: Arc<dyn ChangeSink>,
        forget: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let tables = tables.into_iter().map(|(name, rules)| (name.to_ascii_lowercase().into(), rules));
        Self { tables: tables.collect(), sink, forget: Box::new(forget) }
    }

    /// The tables and columns whose changes the database must report for this.
    pub fn watched(&self, schema: &Schema) -> Vec<WatchedTable> {
        let tables = schema.tables.iter().filter(|table| !table.view);
        tables
            .filter_map(|table| {
                let rules = self.tables.get(&*table.name.to_ascii_lowercase())?;
                let columns = rules.watched_columns().iter().map(|place| table.columns[*place].name.clone());
                Some(WatchedTable { table: table.name.clone(), columns: columns.collect() })
            })
            .collect()
    }
}

impl CommitListener for ChangeTagger {
    fn changed(&self, position: Position, changes: &[DataChange]) {
        let mut tags = Vec::with_capacity(changes.len() * 4);
        for change in changes {
            match change {
                DataChange::Row(row) => match self.tables.get(&*row.table.to_ascii_lowercase()) {
                    Some(rules) => rules.tags_of_change(row.old.as_deref(), row.new.as_deref(), &mut tags),
                    None => return (self.forget)(),
                },
                DataChange::Table(_) | DataChange::Everything => return (self.forget)(),
            }
        }
        tags.sort_unstable();
        tags.dedup();
        self.sink.apply(&Change { position, tags });
    }
}
