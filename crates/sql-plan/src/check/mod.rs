//! Whether a route's rules can be kept, before the first request.

mod embeds;

use crate::dialect::Dialect;
use crate::grammar::RESERVED_PARAMETERS;
use crate::plan::identity;
use crate::row_rule::{self, RowFault, equal_columns};
use crate::rules::TableRules;
use crate::schema::{Schema, Table};
use crate::spelling::nearest;

/// A rule that cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFault {
    /// The embeds that lead to it, by name, the route's own first; none for the route's own settings.
    pub within: Vec<String>,
    /// The setting at fault, as `TableRules` names it.
    pub setting: &'static str,
    /// The name in it at fault, if it is one.
    pub name: Option<String>,
    /// What is wrong, in a sentence.
    pub text: String,
    /// The valid name that comes nearest.
    pub nearest: Option<String>,
}

impl std::fmt::Display for RuleFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for name in &self.within {
            write!(f, "embed.{name}.")?;
        }
        write!(f, "{}: {}", self.setting, self.text)?;
        match &self.nearest {
            Some(near) => write!(f, "; did you mean `{near}`?"),
            None => Ok(()),
        }
    }
}

/// All rules of a route that cannot be kept; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFaults(pub Vec<RuleFault>);

impl std::fmt::Display for RuleFaults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, fault) in self.0.iter().enumerate() {
            let between = if place == 0 { "" } else { "\n" };
            write!(f, "{between}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for RuleFaults {}

/// Holds the rules of a `table` route against the schema.
///
/// Columns that a list is sorted by, and those that tell its rows apart, must be in `select`: their values stand
/// readable in cursors.
pub fn check(rules: &TableRules, schema: &Schema, dialect: &Dialect) -> Result<(), RuleFaults> {
    let mut faults = Faults(Vec::new(), Vec::new());
    if let Some(table) = schema.table(&rules.table) {
        let mut checker = Checker { table, rules, faults: &mut faults };
        checker.names();
        checker.sorts(dialect);
        checker.numbers();
        checker.writes();
        checker.row_rule();
        embeds::check(table, rules, schema, dialect, &mut faults);
    } else {
        let near = nearest(&rules.table, schema.tables.iter().map(|table| table.name.as_str()));
        faults.name("table", &rules.table, format!("there is no table `{}`", rules.table), near);
    }
    if faults.0.is_empty() { Ok(()) } else { Err(RuleFaults(faults.0)) }
}

/// What was found, and the embeds that lead to what is looked at.
struct Faults(Vec<RuleFault>, Vec<String>);

impl Faults {
    fn name(&mut self, setting: &'static str, name: &str, text: String, near: Option<&str>) {
        let name = Some(name.to_owned());
        let (within, nearest) = (self.1.clone(), near.map(str::to_owned));
        self.0.push(RuleFault { within, setting, name, text, nearest });
    }

    fn rule(&mut self, setting: &'static str, text: impl Into<String>) {
        let within = self.1.clone();
        self.0.push(RuleFault { within, setting, name: None, text: text.into(), nearest: None });
    }
}

struct Checker<'a> {
    table: &'a Table,
    rules: &'a TableRules,
    faults: &'a mut Faults,
}

impl Checker<'_> {
    fn names(&mut self) {
        let rules = self.rules;
        if rules.select.is_empty() {
            self.faults.rule("select", "no column is shown");
        }
        for (setting, names) in
            [("select", &rules.select), ("filter", &rules.filter), ("plain", &rules.plain)]
        {
            for (place, name) in names.iter().enumerate() {
                self.column(setting, name);
                if names[..place].iter().any(|other| other.eq_ignore_ascii_case(name)) {
                    self.faults.name(setting, name, format!("`{name}` is there twice"), None);
                }
            }
        }
        for name in &rules.plain {
            if !rules.filter.iter().any(|filter| filter.eq_ignore_ascii_case(name)) {
                let text = format!("`{name}` must be in `filter` too");
                self.faults.name("plain", name, text, None);
            }
            if RESERVED_PARAMETERS.contains(&name.as_str()) {
                let text = format!("the parameter `{name}` has a meaning of its own");
                self.faults.name("plain", name, text, None);
            }
        }
        if let Some(name) = &rules.soft_delete
            && self.column("soft_delete", name).is_some_and(|place| !self.table.columns[place].nullable)
        {
            let text = format!("`{name}` must be able to be NULL, which is how a row is not deleted");
            self.faults.name("soft_delete", name, text, None);
        }
    }

    fn sorts(&mut self, dialect: &Dialect) {
        if self.rules.order.iter().any(|sort| sort.0.is_empty()) || self.rules.order.is_empty() {
            self.faults.rule("order", "a list needs a sort to have pages");
        }
        for term in self.rules.order.iter().flat_map(|sort| &sort.0) {
            if embeds::sorts_by_related(self.rules, term) {
                continue;
            }
            if self.column("order", &term.column).is_some() && !self.shown(&term.column) {
                let text = format!("`{}` stands in cursors, so it must be in `select`", term.column);
                self.faults.name("order", &term.column, text, None);
            }
        }
        match identity(self.table, dialect) {
            None => {
                let text = format!("`{}` has no key that tells its rows apart", self.table.name);
                self.faults.name("table", &self.rules.table, text, None);
            }
            Some(places) => {
                for place in places.into_iter().flatten() {
                    let name = &self.table.columns[place].name;
                    if !self.shown(name) {
                        let text = format!(
                            "`{name}` tells rows apart and stands in cursors, so it must be in `select`"
                        );
                        self.faults.name("select", name, text, None);
                    }
                }
            }
        }
    }

    fn numbers(&mut self) {
        let page = self.rules.page;
        if page.default == 0 || page.default > page.most {
            self.faults.rule("page", "the default must be from 1 to the most");
        }
    }

    fn writes(&mut self) {
        let write = self.rules.write;
        let any = write.insert || write.update || write.upsert || write.delete;
        if any && self.table.view {
            self.faults.rule("write", "a view cannot be written");
        }
        if any && write.rows_most == 0 {
            self.faults.rule("write", "a request must be able to write one row");
        }
        if write.upsert && self.table.key.is_empty() {
            self.faults.rule("write", "an upsert needs a key");
        }
        if write.insert || write.upsert {
            let given =
                self.rules.row_rule.as_ref().map(|rule| equal_columns(rule, self.table)).unwrap_or_default();
            for column in &self.table.columns {
                let is_given = given.iter().any(|name| name == &column.name);
                if !column.optional && !column.generated && !self.shown(&column.name) && !is_given {
                    let text =
                        format!("`{}` must be in `select`: no row can be inserted without it", column.name);
                    self.faults.name("write", &column.name, text, None);
                }
            }
        }
    }

    fn row_rule(&mut self) {
        let Some(rule) = &self.rules.row_rule else { return };
        match row_rule::read(rule, self.table) {
            Ok(_) => {}
            Err(RowFault::Column(name)) => {
                let near = nearest(&name, self.table.columns.iter().map(|column| column.name.as_str()));
                let text = format!("`{}` has no column `{name}`", self.table.name);
                self.faults.name("where", &name, text, near);
            }
            Err(fault) => self.faults.rule("where", format!("the row rule: {fault}")),
        }
    }

    fn shown(&self, name: &str) -> bool {
        self.rules.select.iter().any(|shown| shown.eq_ignore_ascii_case(name))
    }

    fn column(&mut self, setting: &'static str, name: &str) -> Option<usize> {
        if let Some((place, _)) = self.table.column(name) {
            return Some(place);
        }
        let near = nearest(name, self.table.columns.iter().map(|column| column.name.as_str()));
        let text = format!("`{}` has no column `{name}`", self.table.name);
        self.faults.name(setting, name, text, near);
        None
    }
}
