//! Parameters of requests: what a path captures, filters, sorts, pages.

use kasoku_sql_plan::{AggregateRules, CountRule, EmbedRules, Sort, TableRules};
use serde_json::{Value, json};

/// Names that mean something else than a filter.
const RESERVED: [&str; 13] = [
    "select",
    "fields",
    "order",
    "limit",
    "cursor",
    "offset",
    "and",
    "or",
    "not.and",
    "not.or",
    "columns",
    "on_conflict",
    "missing",
];

/// A parameter of the query string.
pub(super) fn in_query(name: &str, says: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "query", "description": says, "schema": schema })
}

/// What a pattern captures; `schema` says of which type.
pub(super) fn captured(pattern: &str, schema: impl Fn(&str) -> Value) -> Vec<Value> {
    // Doubled braces are literal ones.
    let pattern = pattern.replace("{{", "").replace("}}", "");
    let parts = pattern.split('{').skip(1).filter_map(|part| part.split('}').next());
    let parameter = |part: &str| {
        let name = part.trim_start_matches('*');
        let mut parameter = json!({ "name": name, "in": "path", "required": true, "schema": schema(name) });
        if part.starts_with('*') {
            parameter["description"] = "The rest of the path, with its slashes".into();
        }
        parameter
    };
    parts.map(parameter).collect()
}

/// `select` and `fields`.
pub(super) fn selection(rules: &TableRules) -> Vec<Value> {
    let columns = rules.select.join(",");
    let embeds: Vec<String> = rules.embeds.iter().map(|embed| format!("{}(…)", embed.name)).collect();
    let more = if embeds.is_empty() {
        String::new()
    } else {
        format!(" Rows of other tables can be put in: {}.", embeds.join(", "))
    };
    let says = format!("What is answered: columns, `name:column` under another name, `column::text`.{more}");
    let string = json!({ "type": "string", "examples": [columns] });
    vec![in_query("select", &says, &string), in_query("fields", "Columns, as `select`", &string)]
}

/// A filter for each column, and groups of them.
pub(super) fn filters(rules: &TableRules) -> Vec<Value> {
    let mut found: Vec<Value> = rules
        .filter
        .iter()
        .filter(|name| !RESERVED.contains(&name.as_str()))
        .map(|name| filter(name, rules.plain.contains(name)))
        .collect();
    if !rules.filter.is_empty() {
        let names = [
            ("or", "One of these"),
            ("and", "All of these"),
            ("not.or", "None of these"),
            ("not.and", "Not all of these"),
        ];
        let example = format!("({}.eq.1,{}.is.null)", rules.filter[0], rules.filter[0]);
        found.extend(
            names.map(|(name, says)| {
                in_query(name, says, &json!({ "type": "string", "examples": [example] }))
            }),
        );
    }
    found
}

/// `column=operator.value`, which may be given several times.
fn filter(name: &str, is_plain: bool) -> Value {
    let plain = if is_plain { " A plain value means `eq`." } else { "" };
    let says = format!(
        "`operator.value`, as in `eq.1`, `gte.1`, `in.(1,2)`, `is.null`, `like.a*`, or `not.` before one.{plain} All \
         that are given must hold."
    );
    json!({
        "name": name, "in": "query", "description": says, "style": "form", "explode": true,
        "schema": { "type": "array", "items": { "type": "string", "examples": ["eq.1", "not.is.null"] } },
    })
}

/// `order`, `limit`, `offset` and `cursor`.
pub(super) fn paging(rules: &TableRules) -> Vec<Value> {
    let page = rules.page;
    let mut found = vec![
        in_query(
            "order",
            "One of these sorts, or its reverse; the first is the default",
            &order(&rules.order),
        ),
        in_query(
            "limit",
            "Rows of a page",
            &json!({ "type": "integer", "maximum": page.most, "default": page.default }),
        ),
        in_query(
            "cursor",
            "The page that a `Link` or `next_cursor` of another answer leads to; opaque",
            &json!({ "type": "string" }),
        ),
    ];
    if page.offset_most > 0 {
        let schema = json!({ "type": "integer", "minimum": 0, "maximum": page.offset_most });
        found.push(in_query("offset", "Rows to pass over", &schema));
    }
    found
}

fn order(sorts: &[Sort]) -> Value {
    let spelled = |sort: &Sort| {
        let terms = sort
            .0
            .iter()
            .map(|term| format!("{}.{}", term.column, if term.descending { "desc" } else { "asc" }));
        terms.collect::<Vec<_>>().join(",")
    };
    let examples: Vec<String> = sorts.iter().map(spelled).collect();
    json!({ "type": "string", "examples": examples })
}

/// Parameters of embeds: `reviews.stars`, `reviews.order`, `reviews.limit`.
pub(super) fn of_embeds(embeds: &[EmbedRules], before: &str, found: &mut Vec<Value>) {
    for embed in embeds {
        let name = format!("{before}{}", embed.name);
        for column in &embed.rules.filter {
            let mut parameter = filter(&format!("{name}.{column}"), embed.rules.plain.contains(column));
            parameter["description"] =
                format!("Only such rows inside of `{name}`, which must be selected").into();
            found.push(parameter);
        }
        if embed.relation.many {
            let says = format!("How the rows inside of `{name}` are sorted");
            found.push(in_query(&format!("{name}.order"), &says, &order(&embed.rules.order)));
            for word in ["limit", "offset"] {
                let says = format!("Of the rows inside of `{name}`");
                let schema = json!({ "type": "integer", "minimum": 0, "maximum": embed.rules.page.most });
                found.push(in_query(&format!("{name}.{word}"), &says, &schema));
            }
        }
        of_embeds(&embed.rules.embeds, &format!("{name}."), found);
    }
}

/// `Prefer`, with what it may say here.
pub(super) fn prefer(words: &[String]) -> Value {
    json!({
        "name": "Prefer", "in": "header",
        "description": format!("Preferences (RFC 7240): {}", words.join(", ")),
        "schema": { "type": "string", "examples": words },
    })
}

/// How a list may be counted, in words of `Prefer`.
pub(super) fn counts(rules: &TableRules) -> Vec<String> {
    let word = |rule: &CountRule| match rule {
        CountRule::None => None,
        CountRule::Estimated => Some("count=estimated".to_owned()),
        CountRule::Capped => Some("count=capped".to_owned()),
        CountRule::Exact => Some("count=exact".to_owned()),
    };
    rules.counts.allowed.iter().filter_map(word).collect()
}

/// Whether answers may be sums.
pub(super) fn sums(rules: &TableRules) -> bool {
    rules.aggregate != AggregateRules::None
}
