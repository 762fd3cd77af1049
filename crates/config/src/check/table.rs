//! Routes that answer from a table: what is written, in the terms of the planner, and its verdict on it.
//!
//! Whether rules can be kept is for `kasoku_sql_plan` to say; here its faults get their places in the file.

use kasoku_sql_plan::{
    OrderTerm, PageRules, RuleFault, Schema, Sort, Table, TableRules, WriteRules, parse_sort,
};

use super::{Check, Known, counts, embed};
use crate::describe::Description;
use crate::diagnostic::{Finding, did_you_mean};
use crate::tree::{KeyPath, Node, Value};
use crate::written::{EMBED_ROWS, Route, WriteName, WriteOrList, write_rows};

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
            .hint_if(did_you_mean(name, tables))
            .hint_if(description.schema.tables.is_empty().then(|| "the database holds no tables".to_owned()));
        check.value(&at.key("table"), finding);
        return None;
    };
    let spelt =
        |name: &String| table.column(name).map_or_else(|| name.clone(), |(_, column)| column.name.clone());
    let names = |names: &Option<Vec<String>>| names.iter().flatten().map(spelt).collect();
    let everything = || table.columns.iter().map(|column| column.name.clone()).collect();
    let rules = TableRules {
        table: table.name.clone(),
        select: written.select.as_ref().map_or_else(everything, |names| names.iter().map(spelt).collect()),
        filter: names(&written.filter),
        plain: names(&written.plain),
        order: order(check, &at.key("order"), written.order.as_deref(), table),
        page: page(check, at, written),
        counts: counts::counts(written.count.as_ref()),
        write: write(check, at, written, known),
        envelope: written.envelope.clone(),
        soft_delete: written.soft_delete.as_ref().map(spelt),
        embeds: embed::rules(
            check,
            &at.key("embed"),
            written.embed.as_ref(),
            table,
            (&description.schema, known),
        ),
        embed_rows_most: written.embed_rows.unwrap_or(EMBED_ROWS),
        aggregate: embed::aggregate(written.aggregate.as_ref(), table),
        row_rule: written.row_rule.clone(),
    };
    envelope(check, at, written);
    key_is_not_soft(check, at, &rules, table);
    verdict(check, at, &rules, description, table);
    let volatile = table.view.then(|| description.view_volatile(&table.name)).flatten();
    Some((rules, volatile))
}

/// What the planner says about the rules.
fn verdict(
    check: &mut Check<'_>,
    at: &KeyPath,
    rules: &TableRules,
    description: &Description,
    table: &Table,
) {
    let verdict = kasoku_sql_plan::check(rules, &description.schema, description.dialect());
    let Err(faults) = verdict else { return };
    for fault in faults.0 {
        // Found before, or the default order, whose columns are those of the key: they are found as such.
        let is_known = match fault.setting {
            "page" => true,
            "order" if fault.within.is_empty() => {
                fault.name.is_none() || check.tree.get(&at.key("order")).is_none()
            }
            _ => false,
        };
        if !is_known {
            // Faults of an embed lie in its own table.
            let path = fault.within.iter().fold(at.clone(), |at, name| at.key("embed").key(name));
            let here = if fault.setting == "embed" { path } else { place_of(check, &path, &fault) };
            let finding = Finding::error(fault.text.clone());
            check.value(
                &here,
                explained(finding, &fault, at_fault(rules, &fault, &description.schema).unwrap_or(table)),
            );
        }
    }
}

/// The table that a fault is about.
fn at_fault<'s>(rules: &TableRules, fault: &RuleFault, schema: &'s Schema) -> Option<&'s Table> {
    let inner = |rules: &'_ TableRules, name: &String| {
        rules.embeds.iter().find(|embed| embed.name == *name).map(|embed| embed.rules.clone())
    };
    let rules = fault.within.iter().try_fold(rules.clone(), |rules, name| inner(&rules, name))?;
    schema.table(&rules.table)
}

fn explained(finding: Finding, fault: &RuleFault, table: &Table) -> Finding {
    let columns = table.columns.iter().map(|column| column.name.as_str());
    match (fault.setting, &fault.name) {
        ("table", _) if table.view => {
            finding.label("pages need a key to go on from, and a view has none").hint("use a `query` route")
        }
        ("table", _) => finding.label("pages need a key to go on from").hint("give it a primary key"),
        ("soft_delete", Some(name)) if table.column(name).is_some() => {
            finding.label("expected a column that is NULL in rows that are not deleted")
        }
        (_, Some(name)) if table.column(name).is_none() => finding
            .label(format!("expected a column of `{}`", table.name))
            .hint_if(fault.nearest.as_ref().map(|near| format!("did you mean `{near}`?")))
            .hint_if_none(|| did_you_mean(name, columns)),
        ("plain", Some(name)) => finding.hint(format!("add \"{name}\" to `filter`, or take it out here")),
        ("write", Some(name)) => finding
            .label("callers write the columns in `select`")
            .hint(format!("add \"{name}\" to `select`, or give the column a default")),
        ("select" | "order", Some(name)) if !fault.text.contains("twice") => {
            finding.hint(format!("add \"{name}\" to `select`"))
        }
        _ => finding,
    }
}

/// Where a fault was written: the name in a list, if it is there, or the whole setting.
fn place_of(check: &Check<'_>, at: &KeyPath, fault: &RuleFault) -> KeyPath {
    let here = at.key(fault.setting);
    let (Some(name), Some(Value::Array(nodes))) =
        (&fault.name, check.tree.get(&here).map(|node| &node.value))
    else {
        return here;
    };
    let names_it = |node: &Node| match &node.value {
        Value::String(text) => {
            text.split(',').any(|part| part.trim().trim_start_matches('-').eq_ignore_ascii_case(name))
        }
        _ => false,
    };
    let last = fault.text.contains("twice");
    let found = if last { nodes.iter().rposition(names_it) } else { nodes.iter().position(names_it) };
    found.map_or(here.clone(), |index| here.index(index))
}

/// The sorts that may be asked for. Without any, by key, or by the first column that callers see.
pub(super) fn order(
    check: &mut Check<'_>,
    at: &KeyPath,
    written: Option<&[String]>,
    table: &Table,
) -> Vec<Sort> {
    let by = |places: &[usize]| {
        let term =
            |place: &usize| OrderTerm { column: table.columns[*place].name.clone(), descending: false };
        vec![Sort(places.iter().map(term).collect())]
    };
    let Some(written) = written else {
        return by(if table.key.is_empty() { &[0] } else { &table.key });
    };
    if written.is_empty() {
        check.value(
            at,
            Finding::error("a list needs an order").label("expected one at the least, or leave it out"),
        );
    }
    let mut sorts: Vec<Sort> = Vec::with_capacity(written.len());
    for (index, text) in written.iter().enumerate() {
        let here = at.index(index);
        let Some(sort) = sort(check, &here, text, table) else { continue };
        if sorts.iter().any(|other| *other == sort || *other == reversed(&sort)) {
            let finding = Finding::warning(format!("the order `{text}` is there already"));
            check.value(&here, finding.label("each order can also be asked for in reverse"));
        } else {
            sorts.push(sort);
        }
    }
    sorts
}

fn sort(check: &mut Check<'_>, at: &KeyPath, text: &str, table: &Table) -> Option<Sort> {
    let direction = text.split(',').map(|part| part.trim().trim_start_matches('-')).find_map(|part| {
        // Names may have spaces and dots themselves.
        let (name, direction) = part.split_once([' ', '.']).filter(|_| table.column(part).is_none())?;
        let minus = if direction.trim().to_ascii_lowercase().starts_with("desc") { "-" } else { "" };
        table.column(name).map(|_| format!("write \"{minus}{name}\""))
    });
    let finding = match parse_sort(text) {
        _ if direction.is_some() => Finding::error(format!("`{text}` is not an order")),
        Ok(sort) if sort.0.len() > TERMS_MAX => {
            Finding::error(format!("an order of more than {TERMS_MAX} columns"))
        }
        Ok(mut sort) => {
            for term in &mut sort.0 {
                if let Some((_, column)) = table.column(&term.column) {
                    term.column.clone_from(&column.name);
                }
            }
            return Some(sort);
        }
        Err(fault) => Finding::error(format!("`{text}` is not an order: {fault}")),
    };
    check.value(
        at,
        finding
            .label("expected columns such as \"price\", \"-id\" or \"category,-price\"")
            .hint_if(direction),
    );
    None
}

fn reversed(sort: &Sort) -> Sort {
    let turn = |term: &OrderTerm| OrderTerm { column: term.column.clone(), descending: !term.descending };
    Sort(sort.0.iter().map(turn).collect())
}

fn page(check: &mut Check<'_>, at: &KeyPath, written: &Route) -> PageRules {
    let page = written.page.unwrap_or_default();
    if page.default > page.most {
        let here = at.key("page");
        let (default, most) = (here.key("default"), here.key("most"));
        let at_fault = if check.tree.get(&default).is_some() { default } else { most };
        let finding = Finding::error("a page would have more rows by default than at the most");
        check.value(
            &at_fault,
            finding.label(format!("{} by default, {} at the most", page.default, page.most)),
        );
    }
    PageRules { default: page.default, most: page.most, offset_most: page.offset }
}

fn write(check: &mut Check<'_>, at: &KeyPath, written: &Route, known: &Known) -> WriteRules {
    let (names, rows_most) = match &written.write {
        None => (&[][..], write_rows()),
        Some(WriteOrList::List(names)) => (names.as_slice(), write_rows()),
        Some(WriteOrList::Write(write)) => (write.allow.as_slice(), write.rows),
    };
    if known.read_only && !names.is_empty() {
        let finding = Finding::error("the database is open for reading only").label("cannot be written");
        check.value(&at.key("write"), finding.hint("take `read_only` out of [database]"));
    }
    let has = |name| names.contains(&name);
    WriteRules {
        insert: has(WriteName::Insert),
        update: has(WriteName::Update),
        update_each: has(WriteName::UpdateEach),
        upsert: has(WriteName::Upsert),
        delete: has(WriteName::Delete),
        rows_most,
    }
}

fn key_is_not_soft(check: &mut Check<'_>, at: &KeyPath, rules: &TableRules, table: &Table) {
    let Some((place, column)) = rules.soft_delete.as_deref().and_then(|name| table.column(name)) else {
        return;
    };
    if column.generated || (column.nullable && table.key.contains(&place)) {
        let finding = Finding::error(format!("`{}` cannot tell which rows are deleted", column.name));
        check.value(
            &at.key("soft_delete"),
            finding.label("expected a column that can be written, outside of the key"),
        );
    }
}

fn envelope(check: &mut Check<'_>, at: &KeyPath, written: &Route) {
    if let Some(name) = &written.envelope
        && (name.is_empty() || name == "next_cursor" || name.chars().any(char::is_control))
    {
        let finding = Finding::error(format!("`{name}` cannot be the envelope"));
        check.value(&at.key("envelope"), finding.label("expected the name of a member, such as \"items\""));
    }
}
