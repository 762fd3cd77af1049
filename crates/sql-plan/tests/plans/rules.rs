//! What is found wrong with a route's rules before it is served.

use kasoku_sql_plan::{Dialect, Schema, TableRules, check, parse_sort};

use crate::fixture::{names, rules, schema};

fn refused(schema: &Schema, rules: &TableRules) -> String {
    check(rules, schema, Dialect::SQLITE).map_or_else(|faults| faults.to_string(), |()| String::new())
}

#[test]
fn rules_that_can_be_kept_are_not_refused() {
    assert_eq!(refused(&schema(), &rules()), "");
}

#[test]
fn each_fault_names_its_setting_and_the_nearest_name() {
    type Spoil = fn(&mut TableRules);
    let cases: [(Spoil, &str); 15] = [
        (|rules| rules.table = "itmes".into(), "table: there is no table `itmes`; did you mean `items`?"),
        (
            |rules| rules.select.push("titel".into()),
            "select: `items` has no column `titel`; did you mean `title`?",
        ),
        (|rules| rules.select.push("ID".into()), "select: `ID` is there twice"),
        (
            |rules| rules.filter.push("prize".into()),
            "filter: `items` has no column `prize`; did you mean `price`?",
        ),
        (|rules| rules.plain = names(&["secret"]), "plain: `secret` must be in `filter` too"),
        (|rules| rules.order.clear(), "order: a list needs a sort to have pages"),
        (|rules| rules.order.push(parse_sort("nme").unwrap()), "order: `items` has no column `nme`"),
        (
            |rules| rules.order.push(parse_sort("secret").unwrap()),
            "order: `secret` stands in cursors, so it must be in `select`",
        ),
        (
            |rules| rules.select.retain(|name| name != "id"),
            "select: `id` tells rows apart and stands in cursors, so it must be in `select`",
        ),
        (|rules| rules.page.default = 0, "page: the default must be from 1 to the most"),
        (|rules| rules.page.default = 101, "page: the default must be from 1 to the most"),
        (|rules| rules.soft_delete = Some("gone".into()), "soft_delete: `items` has no column `gone`"),
        (|rules| rules.soft_delete = Some("stock".into()), "soft_delete: `stock` must be able to be NULL"),
        (|rules| rules.write.rows_most = 0, "write: a request must be able to write one row"),
        (
            |rules| {
                rules.order = vec![parse_sort("id").unwrap()];
                rules.select.retain(|name| name != "title");
            },
            "write: `title` must be in `select`: no row can be inserted without it",
        ),
    ];
    for (spoil, expected) in cases {
        let mut rules = rules();
        spoil(&mut rules);
        let told = refused(&schema(), &rules);
        assert!(told.lines().any(|line| line.starts_with(expected)), "{expected}\n{told}");
    }
}

#[test]
fn views_cannot_be_written_and_need_a_key() {
    let mut schema = schema();
    schema.tables[0].view = true;
    assert!(refused(&schema, &rules()).contains("write: a view cannot be written"));
    schema.tables[0].key.clear();
    assert!(refused(&schema, &rules()).contains("table: `items` has no key that tells its rows apart"));
    schema.tables[0].view = false;
    assert!(refused(&schema, &rules()).contains("write: an upsert needs a key"));
}
