//! From what a commit changed to the tags that stored answers depend on.

use std::collections::HashMap;
use std::sync::Arc;

use kasoku_coherence::{Change, ChangeSink, Floors, Position};
use kasoku_database::{CommitListener, DataChange, RowChange, WatchedTable};
use kasoku_sql_plan::{Schema, TagRules, purge_tag};

/// Turns commits into changes of tags, and applies them before anybody can see what was committed.
pub struct ChangeTagger {
    tables: HashMap<Box<str>, Arc<TagRules>>,
    sink: Arc<dyn ChangeSink>,
    forget: Box<dyn Fn() + Send + Sync>,
    floors: Option<Arc<Floors>>,
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
        Self { tables: tables.collect(), sink, forget: Box::new(forget), floors: None }
    }

    /// Tells these too what is touched: what is read from copies has to show it.
    #[must_use]
    pub fn raising(self, floors: Option<Arc<Floors>>) -> Self {
        Self { floors, ..self }
    }

    /// The tables and columns whose changes the database must report for this.
    pub fn watched(&self, schema: &Schema) -> Vec<WatchedTable> {
        watched_tables(schema, |name| self.tables.get(name))
    }
}

/// The tables and columns whose changes a database must report where answers are tagged by these rules; their names are
/// in lower case.
pub fn watched_tables<'r>(
    schema: &Schema,
    rules_of: impl Fn(&str) -> Option<&'r Arc<TagRules>>,
) -> Vec<WatchedTable> {
    let named = schema.tables.iter().filter(|table| !table.view);
    named
        .filter_map(|table| {
            let rules = rules_of(&table.name.to_ascii_lowercase())?;
            let columns = rules.watched_columns().iter().map(|place| table.columns[*place].name.clone());
            Some(WatchedTable { table: table.name.clone(), columns: columns.collect() })
        })
        .collect()
}

impl CommitListener for ChangeTagger {
    fn changed(&self, position: Position, changes: &[DataChange]) {
        let mut tags = Vec::with_capacity(changes.len() * 4);
        for change in changes {
            match change {
                DataChange::Row(row) => match self.tables.get(&*row.table.to_ascii_lowercase()) {
                    Some(rules) if brings(row, rules.watched_columns().len()) => {
                        rules.tags_of_change(row.old.as_deref(), row.new.as_deref(), &mut tags);
                    }
                    _ => return self.forget(position),
                },
                DataChange::Table(name) => match self.tables.get(&*name.to_ascii_lowercase()) {
                    Some(rules) => {
                        tags.extend_from_slice(rules.whole());
                        tags.push(purge_tag(name));
                    }
                    None => return self.forget(position),
                },
                DataChange::Everything => return self.forget(position),
            }
        }
        tags.sort_unstable();
        tags.dedup();
        if let Some(floors) = &self.floors {
            floors.touch(position, &tags);
        }
        self.sink.apply(&Change { position, tags });
    }
}

impl ChangeTagger {
    fn forget(&self, position: Position) {
        if let Some(floors) = &self.floors {
            floors.touch_all(position);
        }
        (self.forget)();
    }
}

/// Whether a change brings the values that it is to be tagged by; those of very wide rows are not reported.
fn brings(row: &RowChange, width: usize) -> bool {
    row.old.iter().chain(&row.new).all(|values| values.len() == width)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use kasoku_sql_plan::{Column, ColumnKind, Table, Value};

    use super::*;

    struct Applied(AtomicUsize);

    impl ChangeSink for Applied {
        fn apply(&self, _: &Change) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_change_without_the_values_to_tag_it_by_empties_what_is_stored() {
        let column = Column {
            name: "id".into(),
            kind: ColumnKind::Integer,
            nullable: false,
            optional: true,
            generated: false,
            exact_equality: true,
        };
        let table = Table {
            name: "t".into(),
            view: false,
            columns: vec![column],
            key: vec![0],
            unique: vec![],
            partial: Vec::new(),
            foreign_keys: vec![],
        };
        let rules = Arc::new(TagRules::new(&table, &[], &[]));
        let (applied, forgotten) = (Arc::new(Applied(AtomicUsize::new(0))), Arc::new(AtomicUsize::new(0)));
        let forget = Arc::clone(&forgotten);
        let tagger = ChangeTagger::new([("t".to_owned(), rules)], Arc::clone(&applied) as _, move || {
            forget.fetch_add(1, Ordering::Relaxed);
        });
        let change = |new: &[Value]| {
            let row = RowChange { table: "T".into(), old: None, new: Some(new.into()) };
            tagger.changed(Position(1), &[DataChange::Row(row)]);
            (applied.0.load(Ordering::Relaxed), forgotten.load(Ordering::Relaxed))
        };
        assert_eq!(change(&[Value::Integer(1)]), (1, 0));
        assert_eq!(change(&[]), (1, 1));
    }
}
