//! Routes that answer from a table: names against the schema, sorts, pages, counts, writes.

use kasoku_sql_plan::{CountRule, Counts, OrderTerm, PageRules, Sort, Table, TableRules, WriteRules};

use super::{Check, Known};
use crate::diagnostic::{Finding, did_you_mean};
use crate::tree::KeyPath;
use crate::written::{Count, CountName, CountOrName, Route, WriteName, WriteOrList, write_rows};

/// Columns of one sort.
const TERMS_MAX: usize = 8;

/// What a `table` route serves, and what in its view changes by itself.
pub(super) fn rules(
    check: &mut Check<'_>,
    at: &KeyPath,
    name: &str,
    written: &Route,
    known: &Known,
) -> Option<(TableRules, Option<String>)> {
    let description = known.description.as_ref()?;
    let Some(table) = description.schema.table(name) else {
        let tables = description.schema.tables.iter().map(|table| table.name.as_str());
        let finding = Finding::error(format!("there is no table `{name}`"))
            .label("expected a table or view of the database")
            .hint_if(did_you_mean(name, tables));
        check.value(&at.key("table"), finding);
        return None;
    };
    let list = |check: &mut Check<'_>, key: &str, names: Option<&[String]>| {
        columns(check, &at.key(key), names.unwrap_or_default(), table)
    };
    let select = match &written.select {
        Some(names) => list(check, "select", Some(names)),
        None => table.columns.iter().map(|column| column.name.clone()).collect(),
    };
    if select.is_empty() && written.select.as_ref().is_some_and(Vec::is_empty) {
        let finding = Finding::error("nothing could be read from the route");
        check.value(&at.key("select"), finding.label("expected one column at the least"));
    }
    let filter = list(check, "filter", written.filter.as_deref());
    let plain = list(check, "plain", written.plain.as_deref());
    plain_in_filter(check, at, written, &filter);
    if table.key.is_empty() {
        let what = if table.view { "view" } else { "table" };
        let finding =
            Finding::error(format!("the {what} `{name}` has no key, and pages need one to go on from"));
        let hint =
            if table.view { "use a `query` route" } else { "give it a primary key, or use a `query` route" };
        check.value(&at.key("table"), finding.label("expected a table with a primary key").hint(hint));
        return None;
    }
    let order = order(check, &at.key("order"), written.order.as_deref(), table);
    let page = page(check, at, written);
    let write = write(check, at, written, table, &select, known);
    let soft_delete = soft_delete(check, at, written, table);
    envelope(check, at, written);
    let rules = TableRules {
        table: table.name.clone(),
        select,
        filter,
        plain,
        order,
        page,
        counts: counts(written.count.as_ref()),
        write,
        envelope: written.envelope.clone(),
        soft_delete,
    };
    let volatile = table.view.then(|| description.view_volatile(&table.name)).flatten();
    Some((rules, volatile))
}

/// Names of columns, as the table spells them. Those that do not exist are found and left out.
fn columns(check: &mut Check<'_>, at: &KeyPath, names: &[String], table: &Table) -> Vec<String> {
    let mut found: Vec<String> = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let Some(column) = column(check, &at.index(index), name, table) else { continue };
        if found.contains(&column) {
            let finding = Finding::error(format!("`{name}` stands in `{at}` twice"));
            check.value(&at.index(index), finding.label("already there"));
        } else {
            found.push(column);
        }
    }
    found
}

fn column(check: &mut Check<'_>, at: &KeyPath, name: &str, table: &Table) -> Option<String> {
    if let Some((_, column)) = table.column(name) {
        return Some(column.name.clone());
    }
    let columns = table.columns.iter().map(|column| column.name.as_str());
    let finding = Finding::error(format!("there is no column `{name}` in `{}`", table.name))
        .label(format!("expected a column of `{}`", table.name))
        .hint_if(did_you_mean(name, columns));
    check.value(at, finding);
    None
}

fn plain_in_filter(check: &mut Check<'_>, at: &KeyPath, written: &Route, filter: &[String]) {
    let plain = written.plain.iter().flatten().enumerate();
    for (index, name) in
        plain.filter(|(_, name)| !filter.iter().any(|other| other.eq_ignore_ascii_case(name)))
    {
        // A name that is no column at all has been found already.
        let is_slip = written.filter.iter().flatten().any(|other| other == name);
        if !is_slip {
            let finding = Finding::error(format!("`{name}` is in `plain` but not in `filter`"))
                .label("expected a column that may be filtered by")
                .hint(format!("add \"{name}\" to `filter`"));
            check.value(&at.key("plain").index(index), finding);
        }
    }
}

/// The sorts that may be asked for. Without any, by key.
fn order(check: &mut Check<'_>, at: &KeyPath, written: Option<&[String]>, table: &Table) -> Vec<Sort> {
    let by_key = || {
        let term =
            |place: &usize| OrderTerm { column: table.columns[*place].name.clone(), descending: false };
        vec![Sort(table.key.iter().map(term).collect())]
    };
    let Some(written) = written else { return by_key() };
    if written.is_empty() {
        check.value(
            at,
            Finding::error("a list needs an order").label("expected one at the least, or leave it out"),
        );
        return by_key();
    }
    let mut sorts: Vec<Sort> = Vec::with_capacity(written.len());
    for (index, text) in written.iter().enumerate() {
        let here = at.index(index);
        let Some(sort) = sort(check, &here, text, table) else { continue };
        let same = sorts.iter().any(|other| *other == sort || *other == reversed(&sort));
        if same {
            let finding = Finding::warning(format!("the order `{text}` is there already"));
            check.value(&here, finding.label("each order can also be asked for in reverse"));
        } else {
            sorts.push(sort);
        }
    }
    sorts
}

fn sort(check: &mut Check<'_>, at: &KeyPath, text: &str, table: &Table) -> Option<Sort> {
    let mut terms: Vec<OrderTerm> = Vec::new();
    for part in text.split(',').map(str::trim) {
        let (name, descending) = match part.strip_prefix('-') {
            Some(name) => (name, true),
            None => (part.strip_prefix('+').unwrap_or(part), false),
        };
        if let Some((name, direction)) = name.split_once(['.', ' ']) {
            let minus = if direction.to_ascii_lowercase().starts_with("desc") { "-" } else { "" };
            let finding = Finding::error(format!("`{part}` is not an order")).label("expected a column");
            check.value(at, finding.hint(format!("write \"{minus}{name}\"")));
            return None;
        }
        let column = column(check, at, name, table)?;
        if terms.iter().any(|term| term.column == column) {
            check.value(at, Finding::error(format!("the order names `{column}` twice")));
            return None;
        }
        terms.push(OrderTerm { column, descending });
    }
    if terms.len() > TERMS_MAX {
        let finding = Finding::error("the order has too many columns");
        check.value(at, finding.label(format!("expected up to {TERMS_MAX}")));
        return None;
    }
    Some(Sort(terms))
}

fn reversed(sort: &Sort) -> Sort {
    let turn = |term: &OrderTerm| OrderTerm { column: term.column.clone(), descending: !term.descending };
    Sort(sort.0.iter().map(turn).collect())
}

fn page(check: &mut Check<'_>, at: &KeyPath, written: &Route) -> PageRules {
    let page = written.page.unwrap_or_default();
    if page.default > page.most {
        let here = at.key("page");
        let most = check.key_place(&here.key("most"));
        let finding = Finding::error("a page would have more rows by default than at the most");
        let finding = finding.label(format!("expected up to {}", page.most)).see(most, "the most");
        check.value(&here.key("default"), finding);
    }
    PageRules { default: page.default, most: page.most }
}

fn counts(written: Option<&CountOrName>) -> Counts {
    let count = match written {
        None => Count::default(),
        Some(CountOrName::Name(name)) => Count { default: *name, ..Count::default() },
        Some(CountOrName::Count(count)) => count.clone(),
    };
    let rule = |name: &CountName| match name {
        CountName::None => CountRule::None,
        CountName::Estimated => CountRule::Estimated,
        CountName::Capped => CountRule::Capped,
        CountName::Exact => CountRule::Exact,
    };
    let default = rule(&count.default);
    let mut allowed = vec![default];
    for rule in count.allowed.iter().map(rule) {
        if !allowed.contains(&rule) {
            allowed.push(rule);
        }
    }
    Counts { default, allowed, cap: count.cap }
}

fn write(
    check: &mut Check<'_>,
    at: &KeyPath,
    written: &Route,
    table: &Table,
    select: &[String],
    known: &Known,
) -> WriteRules {
    let (names, rows_most) = match &written.write {
        None => (&[][..], write_rows()),
        Some(WriteOrList::List(names)) => (names.as_slice(), write_rows()),
        Some(WriteOrList::Write(write)) => (write.allow.as_slice(), write.rows),
    };
    let has = |name| names.contains(&name);
    let rules = WriteRules {
        insert: has(WriteName::Insert),
        update: has(WriteName::Update),
        upsert: has(WriteName::Upsert),
        delete: has(WriteName::Delete),
        rows_most,
    };
    if names.is_empty() {
        return rules;
    }
    let here = at.key("write");
    if table.view {
        check.value(&here, Finding::error(format!("`{}` is a view and cannot be written", table.name)));
    } else if known.read_only {
        let finding = Finding::error("the database is open for reading only");
        check.value(&here, finding.label("cannot be written").hint("take `read_only` out of [database]"));
    } else if rules.insert || rules.upsert {
        let missing = table.columns.iter().find(|column| !column.optional && !select.contains(&column.name));
        if let Some(column) = missing {
            let finding = Finding::error(format!("no row could be inserted without `{}`", column.name))
                .label("callers can only write the columns in `select`")
                .hint(format!("add \"{}\" to `select`, or give the column a default", column.name));
            check.value(&here, finding);
        }
    }
    rules
}

fn soft_delete(check: &mut Check<'_>, at: &KeyPath, written: &Route, table: &Table) -> Option<String> {
    let here = at.key("soft_delete");
    let name = column(check, &here, written.soft_delete.as_deref()?, table)?;
    let (place, column) = table.column(&name)?;
    if !column.nullable || column.generated || table.key.contains(&place) {
        let finding = Finding::error(format!("`{name}` cannot tell which rows are deleted"));
        check.value(&here, finding.label("expected a column that is NULL in rows that are not deleted"));
        return None;
    }
    Some(name)
}

fn envelope(check: &mut Check<'_>, at: &KeyPath, written: &Route) {
    if let Some(name) = &written.envelope
        && (name.is_empty() || name == "next_cursor" || name.chars().any(char::is_control))
    {
        let finding = Finding::error(format!("`{name}` cannot be the envelope"));
        check.value(&at.key("envelope"), finding.label("expected the name of a member, such as \"items\""));
    }
}
