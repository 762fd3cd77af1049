//! The statements of a `table` route that read: pages of lists, totals, rows by key.
//!
//! Each is what the route's own planner makes of a request; pages are walked as a caller walks them, by the cursors
//! that pages give.

use std::collections::HashSet;
use std::sync::Arc;

use super::ProofRules;
use super::requests::{Class, FilterSet, Query, classes, key_text, sample_value};
use super::shape::{Access, Purpose, Shape, order_of};
use super::{changes, embeds};
use crate::cursor::CursorKey;
use crate::keyset::{By, Sorting};
use crate::plan::{ListPlan, Statement, TablePlanner};
use crate::row_rule::RowRule;
use crate::rules::CountRule;
use crate::{ColumnKind, Value};

/// Statements of one route, at the most; beyond them, the enumeration ends and says so.
pub const STATEMENTS_MAX: usize = 10_000;

/// The statements of a route.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Enumerated {
    /// The statements, each once.
    pub shapes: Vec<Shape>,
    /// How many requests led to them.
    pub requests: usize,
    /// Whether there would have been more.
    pub cut: bool,
}

/// Lists the statements of a `table` route. `path` is its pattern.
pub fn of_table(path: &str, planner: &TablePlanner, rules: &ProofRules) -> Enumerated {
    let mut lister = Lister::new(path, planner);
    for set in sets(planner, rules) {
        let filters = Query::of_filters(&set, &planner.columns);
        let access = lister.access(&set);
        for (at, sorting) in planner.sorts.iter().enumerate() {
            for order in orders(planner, sorting, at == 0) {
                lister.walk(&filters, &access, &order);
            }
        }
        lister.counts(&filters, &access);
        changes::by_filters(&mut lister, &set, &filters, &access);
    }
    embeds::of_branches(&mut lister);
    if !planner.key.is_empty() {
        lister.row();
        changes::by_key(&mut lister);
    }
    lister.found
}

/// Collects statements.
pub(super) struct Lister<'a> {
    pub(super) path: &'a str,
    pub(super) planner: &'a TablePlanner,
    /// Signs the cursors that are made here, and no others.
    pub(super) cursors: CursorKey,
    known: HashSet<Arc<str>>,
    found: Enumerated,
}

/// An order that a request asks for.
struct Order {
    /// `None` is the default.
    text: Option<String>,
    sorting: Arc<Sorting>,
    nulls_chosen: bool,
}

/// The sets of filters that are looked at: none, each alone, those that are declared to stand together.
fn sets(planner: &TablePlanner, rules: &ProofRules) -> Vec<FilterSet> {
    let columns = &planner.columns;
    let mut sets = vec![Vec::new()];
    for place in columns.filterable_places() {
        sets.extend(classes(columns.field(place)).into_iter().map(|class| vec![(place, class)]));
    }
    for names in &rules.together {
        let places: Vec<usize> = names.iter().filter_map(|name| columns.filterable(name)).collect();
        sets.push(places.iter().map(|place| (*place, Class::Equal)).collect());
        for (at, place) in places.iter().enumerate() {
            for range in classes(columns.field(*place)).into_iter().filter(|class| class.is_range()) {
                let mut set: FilterSet = places.iter().map(|place| (*place, Class::Equal)).collect();
                set[at].1 = range;
                sets.push(set);
            }
        }
    }
    sets
}

/// A sort with NULLs where its index has them, and with those of each column at the other end.
fn orders(planner: &TablePlanner, sorting: &Arc<Sorting>, is_default: bool) -> Vec<Order> {
    let columns = &planner.columns;
    let declared = sorting.declared();
    let word = |at: usize, chosen: Option<usize>| {
        let term = &declared[at];
        let name = term.column().map_or("", |place| columns.field(place).name());
        let quoted = if let By::Related(branch, place) = term.by {
            let branch = &planner.branches[branch];
            format!("{}({})", branch.name, branch.columns.field(place).name())
        } else {
            quoted(name)
        };
        let direction = if term.descending { "desc" } else { "asc" };
        let nulls = match (chosen == Some(at), term.nulls_first) {
            (false, _) => "",
            (true, true) => ".nullslast",
            (true, false) => ".nullsfirst",
        };
        format!("{quoted}.{direction}{nulls}")
    };
    let text =
        |chosen: Option<usize>| (0..declared.len()).map(|at| word(at, chosen)).collect::<Vec<_>>().join(",");
    let plain = (!is_default).then(|| text(None));
    let mut orders = vec![Order { text: plain, sorting: Arc::clone(sorting), nulls_chosen: false }];
    for at in (0..declared.len()).filter(|at| declared[*at].nullable) {
        let turned = sorting.with_nulls_turned(at);
        orders.push(Order { text: Some(text(Some(at))), sorting: Arc::new(turned), nulls_chosen: at > 0 });
    }
    orders
}

/// A name as it stands in an order or a selection.
pub(super) fn quoted(name: &str) -> String {
    if name.contains(['.', ',', '(', ')', '"', ' ', '!', ':']) {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        name.to_owned()
    }
}

impl<'a> Lister<'a> {
    fn new(path: &'a str, planner: &'a TablePlanner) -> Self {
        let cursors = CursorKey::derive(b"kasoku proof");
        Self { path, planner, cursors, known: HashSet::new(), found: Enumerated::default() }
    }

    /// What a set of filters needs of the table.
    fn access(&self, set: &[(usize, Class)]) -> Access {
        let columns = &self.planner.columns;
        let name = |place: usize| columns.field(place).name().to_owned();
        let (ranges, equal): (Vec<_>, Vec<_>) = set.iter().partition(|(_, class)| class.is_range());
        Access {
            table: self.planner.table.to_string(),
            equal: self.held_to_values(equal.iter().map(|(place, _)| *place)),
            listed: set.iter().any(|(_, class)| *class == Class::In),
            range: ranges.first().map(|(place, _)| name(*place)),
            null: self.planner.soft_delete.map(name),
            ..Access::default()
        }
    }

    /// The columns that the rule and filters hold to a value, each once.
    fn held_to_values(&self, filters: impl Iterator<Item = usize>) -> Vec<String> {
        let ruled = self.planner.rule.iter().flat_map(RowRule::given).map(|(place, _)| place);
        let mut places: Vec<usize> = ruled.collect();
        for place in filters {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places.into_iter().map(|place| self.planner.columns.field(place).name().to_owned()).collect()
    }

    pub(super) fn add(&mut self, statement: &Statement, request: String, purpose: Purpose, access: &Access) {
        let (sql, access) = (Arc::clone(&statement.sql), vec![access.clone()]);
        self.push(Shape { request, purpose, sql, access, aliases: Vec::new() });
    }

    /// Takes a statement, unless it is known or there are too many.
    pub(super) fn push(&mut self, shape: Shape) {
        self.found.requests += 1;
        if self.known.contains(&shape.sql) {
            return;
        }
        if self.found.shapes.len() == STATEMENTS_MAX {
            self.found.cut = true;
            return;
        }
        self.known.insert(Arc::clone(&shape.sql));
        self.found.shapes.push(shape);
    }

    /// Walks a list: its first page, the next, and back.
    fn walk(&mut self, filters: &Query, access: &Access, order: &Order) {
        if self.found.cut {
            return;
        }
        let asked = match &order.text {
            Some(text) => filters.with("order", text, text),
            None => filters.clone(),
        };
        let columns = &self.planner.columns;
        let name = |place: usize| columns.field(place).name().to_owned();
        let forward = order_of(&order.sorting.forward, name);
        let back = order_of(&order.sorting.back, name);
        let of = |order_by: &Vec<_>, after| Access {
            order: order_by.clone(),
            after,
            nulls_chosen: order.nulls_chosen,
            ..access.clone()
        };
        let Some(first) = self.page(&asked, None, &of(&forward, false)) else { return };
        let mut behind = vec![None];
        behind.extend(
            (0..order.sorting.forward.len()).filter(|at| order.sorting.forward[*at].nullable).map(Some),
        );
        for null in behind {
            let Some(next) = self.neighbour(&first, &order.sorting, null, Way::Next) else { continue };
            let Some(later) = self.page(&asked, Some(&next), &of(&forward, true)) else { continue };
            let Some(prev) = self.neighbour(&later, &order.sorting, null, Way::Prev) else { continue };
            self.page(&asked, Some(&prev), &of(&back, true));
        }
    }

    /// Plans a page, and adds its statements.
    fn page(&mut self, asked: &Query, cursor: Option<&str>, access: &Access) -> Option<ListPlan> {
        let planned = asked.with("limit", "1", "1");
        let (planned, shown) = match cursor {
            Some(token) => (planned.with("cursor", "…", token), asked.with("cursor", "…", token)),
            None => (planned, asked.clone()),
        };
        let plan = self.planner.list(Some(&planned.text), Some(CountRule::None), &self.cursors).ok()?;
        let request = shown.of("GET", self.path);
        self.add(&plan.statement, request.clone(), Purpose::Page, access);
        if let Some(rest) = plan.follow_up(0) {
            let access = Access { after: false, ..access.clone() };
            self.add(&rest, request, Purpose::Page, &access);
        }
        Some(plan)
    }

    /// The cursor of a neighbour of a page whose rows have these values; one of them may be NULL.
    fn neighbour(&self, plan: &ListPlan, sorting: &Sorting, null: Option<usize>, way: Way) -> Option<String> {
        let columns = &self.planner.columns;
        let places = plan.positions().to_vec();
        let value = |(): &(), place: usize| {
            let at = places.iter().position(|known| *known == place).unwrap_or(0);
            if null == Some(at) {
                return Value::Null;
            }
            sample_value(match sorting.forward[at].by {
                By::Column(place) => columns.field(place).kind,
                By::Related(branch, place) => self.planner.branches[branch].columns.field(place).kind,
                By::Identity => ColumnKind::Integer,
            })
        };
        let page = plan.page(&mut vec![(); 2], value, &self.cursors).ok()?;
        match way {
            Way::Next => page.next,
            Way::Prev => page.prev,
        }
    }

    fn counts(&mut self, filters: &Query, access: &Access) {
        for rule in self.planner.counts.allowed.clone() {
            let Ok(plan) = self.planner.list(Some(&filters.text), Some(rule), &self.cursors) else {
                continue;
            };
            let Some(count) = plan.count.filter(|count| count.rule != CountRule::Estimated) else { continue };
            let word = if count.rule == CountRule::Exact { "exact" } else { "capped" };
            let request = format!("{} (Prefer: count={word})", filters.of("GET", self.path));
            self.add(&count.statement, request, Purpose::Count(count.rule), access);
        }
    }

    fn row(&mut self) {
        if let Ok(plan) = self.planner.one(&key_text(self.planner), None) {
            let request = format!("GET {}/…", self.path.trim_end_matches('/'));
            let access = self.key_access();
            self.add(&plan.statement, request, Purpose::Row, &access);
        }
    }

    /// What a row by its key needs.
    pub(super) fn key_access(&self) -> Access {
        let columns = &self.planner.columns;
        let equal = self.planner.key.iter().map(|place| columns.field(*place).name().to_owned());
        Access { equal: equal.collect(), ..self.access(&[]) }
    }
}

/// Which neighbour of a page.
#[derive(Clone, Copy)]
enum Way {
    Next,
    Prev,
}
