//! Embeds: the statements that they become, and the tags that a change must name.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use kasoku_coherence::Tag;
use kasoku_sql_plan::{
    AggregateRules, ColumnKind, CountRule, Counts, Dialect, EmbedPlan, EmbedRules, ForeignKey, ListPlan,
    Nest, PageRules, Relation, RelationFault, Schema, Table, TablePlanner, TableRules, TagRules, Value,
    WriteRules, parse_sort,
};
use proptest::prelude::*;
use rusqlite::Connection;

use crate::fixture::{column, cursors, names, run};

const CREATE: &str = "
    create table people (id integer primary key, name text not null);
    create table books (id integer primary key, kind text, author_id integer, editor_id integer);
    create table reviews (id integer primary key, book_id integer, stars integer not null);
    create table tags (id integer primary key, name text not null);
    create table labels (book_id integer not null, tag_id integer not null, primary key (book_id, tag_id));
    create table nodes (id integer primary key, node_id integer);";

fn table(
    name: &str,
    columns: &[(&str, ColumnKind, bool)],
    key: &[usize],
    foreign: &[(usize, &str)],
) -> Table {
    let foreign_keys = foreign.iter().map(|(place, other)| ForeignKey {
        name: ForeignKey::usual_name(name, &[columns[*place].0]),
        columns: vec![*place],
        table: (*other).to_owned(),
        referred: vec![0],
    });
    Table {
        name: name.into(),
        view: false,
        columns: columns.iter().map(|(name, kind, nullable)| column(name, *kind, *nullable)).collect(),
        key: key.to_vec(),
        unique: Vec::new(),
        partial: Vec::new(),
        foreign_keys: foreign_keys.collect(),
    }
}

fn schema() -> Schema {
    use ColumnKind::{Integer, Text};
    let id = ("id", Integer, false);
    let name = ("name", Text, false);
    Schema {
        tables: vec![
            table(
                "books",
                &[id, ("kind", Text, true), ("author_id", Integer, true), ("editor_id", Integer, true)],
                &[0],
                &[(2, "people"), (3, "people")],
            ),
            table(
                "labels",
                &[("book_id", Integer, false), ("tag_id", Integer, false)],
                &[0, 1],
                &[(0, "books"), (1, "tags")],
            ),
            table("nodes", &[id, ("node_id", Integer, true)], &[0], &[(1, "nodes")]),
            table("people", &[id, name], &[0], &[]),
            table(
                "reviews",
                &[id, ("book_id", Integer, true), ("stars", Integer, false)],
                &[0],
                &[(1, "books")],
            ),
            table("tags", &[id, name], &[0], &[]),
        ],
    }
}

fn rules(table: &str, select: &[&str], order: &[&str], embeds: Vec<EmbedRules>) -> TableRules {
    TableRules {
        table: table.into(),
        select: names(select),
        filter: names(select),
        plain: Vec::new(),
        order: order.iter().map(|sort| parse_sort(sort).unwrap()).collect(),
        page: PageRules { default: 3, most: 100, offset_most: 0 },
        counts: Counts { default: CountRule::None, allowed: vec![CountRule::Exact], cap: 10 },
        write: WriteRules {
            insert: true,
            update: true,
            upsert: false,
            delete: true,
            update_each: false,
            rows_most: 10,
        },
        envelope: None,
        soft_delete: None,
        embeds,
        embed_rows_most: 1000,
        aggregate: AggregateRules::Shown,
        row_rule: None,
    }
}

fn embed(of: &str, name: &str, other: &str, by: Option<&str>, rules: TableRules) -> EmbedRules {
    let schema = schema();
    let relation = Relation::find(&schema, schema.table(of).unwrap(), name, Some(other), by, None).unwrap();
    EmbedRules { name: name.into(), relation, rules }
}

fn books() -> TableRules {
    let person = || rules("people", &["id", "name"], &["id"], Vec::new());
    let written =
        embed("people", "written", "books", Some("author_id"), rules("books", &["id"], &["id"], Vec::new()));
    let editor = rules("people", &["name"], &["id"], vec![written]);
    let embeds = vec![
        embed("books", "author", "people", Some("author_id"), person()),
        embed("books", "editor", "people", Some("editor_id"), editor),
        embed(
            "books",
            "reviews",
            "reviews",
            None,
            rules("reviews", &["id", "stars"], &["-stars", "id"], Vec::new()),
        ),
        embed("books", "tags", "tags", None, rules("tags", &["id", "name"], &["name", "id"], Vec::new())),
    ];
    rules("books", &["id", "kind", "author_id", "editor_id"], &["id", "author(name)"], embeds)
}

/// The rules of all tables, as the server makes them of a route's.
fn tag_rules(rules: &TableRules) -> BTreeMap<String, Arc<TagRules>> {
    let schema = schema();
    let mut narrowed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, columns) in rules.embedded(&schema) {
        narrowed.entry(table).or_default().extend(columns);
    }
    let of = |table: &Table| {
        let routes: Vec<&TableRules> = (table.name == rules.table).then_some(rules).into_iter().collect();
        let columns = narrowed.get(&table.name).map(Vec::as_slice).unwrap_or_default();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        (table.name.clone(), Arc::new(TagRules::new(table, &routes, &columns)))
    };
    schema.tables.iter().map(of).collect()
}

fn planner(dialect: &'static Dialect) -> TablePlanner {
    let rules = books();
    let tags = tag_rules(&rules);
    TablePlanner::new("/books", &schema(), &rules, dialect, &|table| Arc::clone(&tags[table])).unwrap()
}

fn plan(query: &str) -> ListPlan {
    planner(Dialect::SQLITE)
        .list(Some(query), None, &cursors())
        .unwrap_or_else(|problem| panic!("{query}: {problem}"))
}

#[test]
fn an_embed_is_one_statement_for_all_rows_around_it() {
    let cases = [
        (
            "select=reviews(stars)",
            r#"select _p.key, _e4."stars" from json_each(?1) _p cross join "reviews" _e4 on _e4."book_id" = _p.value order by 1, _e4."stars" desc, _e4."id" desc limit ?2"#,
            vec![Value::from("[7,8]"), Value::Integer(101)],
        ),
        (
            "select=reviews(stars)&reviews.stars=gt.2&reviews.order=id&reviews.limit=2&reviews.offset=1",
            r#"select * from (select _p.key, _e4."stars", row_number() over (partition by _p.key order by _e4."id") as "- number -" from json_each(?1) _p cross join "reviews" _e4 on _e4."book_id" = _p.value and _e4."stars" > ?2) _n where "- number -" > ?3 and "- number -" <= ?4 order by 1, "- number -" limit ?5"#,
            vec![
                Value::from("[7,8]"),
                Value::Integer(2),
                Value::Integer(1),
                Value::Integer(3),
                Value::Integer(101),
            ],
        ),
        (
            "select=author(name)",
            r#"select _p.key, _e1."name" from json_each(?1) _p cross join "people" _e1 on _e1."id" = _p.value order by 1 limit ?2"#,
            vec![Value::from("[7,8]"), Value::Integer(101)],
        ),
        (
            "select=tags(name)&tags.name=eq.a",
            r#"select _p.key, _e5."name", _e5."id", _j5."tag_id" from json_each(?1) _p cross join "labels" _j5 on _j5."book_id" = _p.value left join "tags" _e5 on _e5."id" = _j5."tag_id" and _e5."name" = ?2 order by 1, _e5."name", _e5."id" limit ?3"#,
            vec![Value::from("[7,8]"), Value::from("a"), Value::Integer(101)],
        ),
        (
            "select=reviews(stars,count())",
            r#"select _p.key, _e4."stars", count(*) from json_each(?1) _p cross join "reviews" _e4 on _e4."book_id" = _p.value group by 1, 2 order by 1, 2 limit ?2"#,
            vec![Value::from("[7,8]"), Value::Integer(101)],
        ),
    ];
    let database = Connection::open_in_memory().unwrap();
    database.execute_batch(CREATE).unwrap();
    for (query, sql, params) in cases {
        let plan = plan(query);
        let embed = &plan.nest.as_ref().unwrap().embeds[0];
        let statement = embed.statement(&[vec![Value::Integer(7)], vec![Value::Integer(8)]], 100).unwrap();
        assert_eq!(&*statement.sql, sql, "{query}");
        assert_eq!(statement.params, params, "{query}");
        run(&database, &statement);
        run(&database, &plan.statement);
    }
}

#[test]
fn postgres_is_given_the_keys_as_an_array() {
    let cases = [
        (
            "select=reviews(stars)",
            r#"select array_position($1, _e4."book_id") - 1, _e4."stars" from "reviews" _e4 where _e4."book_id" = any($1) order by 1, _e4."stars" desc, _e4."id" desc limit $2"#,
        ),
        (
            "select=tags(name)&tags.name=eq.a",
            r#"select array_position($1, _j5."book_id") - 1, _e5."name", _e5."id", _j5."tag_id" from "labels" _j5 left join "tags" _e5 on _e5."id" = _j5."tag_id" and _e5."name" = $2 where _j5."book_id" = any($1) order by 1, _e5."name", _e5."id" limit $3"#,
        ),
    ];
    for (query, sql) in cases {
        let plan = planner(Dialect::POSTGRES).list(Some(query), None, &cursors()).unwrap();
        let embed = &plan.nest.as_ref().unwrap().embeds[0];
        let statement = embed.statement(&[vec![Value::Integer(7)], vec![Value::from("a\"b")]], 100).unwrap();
        assert_eq!(&*statement.sql, sql, "{query}");
        assert_eq!(statement.params[0], Value::from(r#"{7,"a\"b"}"#));
    }
}

#[test]
fn rows_are_chosen_and_sorted_by_related_ones() {
    let cases = [
        (
            "select=id,reviews!inner(id)&reviews.stars=eq.5",
            r#"select "id" from "books" where exists (select 1 from "reviews" _e4 where _e4."book_id" = "books"."id" and _e4."stars" = ?1) order by "id" limit ?2"#,
        ),
        (
            "select=id,tags()&tags=is.null&kind=eq.a",
            r#"select "id" from "books" where "kind" = ?1 and not exists (select 1 from "labels" _j5 join "tags" _e5 on _e5."id" = _j5."tag_id" where _j5."book_id" = "books"."id") order by "id" limit ?2"#,
        ),
        (
            "select=id,editor!inner(written!inner(id))",
            r#"select "id", "editor_id" from "books" where exists (select 1 from "people" _e2 where _e2."id" = "books"."editor_id" and exists (select 1 from "books" _e3 where _e3."author_id" = _e2."id")) order by "id" limit ?1"#,
        ),
        (
            "select=id&order=author(name).desc",
            r#"select "id", (select _e1."name" from "people" _e1 where _e1."id" = "books"."author_id") from "books" order by (select _e1."name" from "people" _e1 where _e1."id" = "books"."author_id") desc, "id" desc limit ?1"#,
        ),
    ];
    for (query, sql) in cases {
        assert_eq!(&*plan(query).statement.sql, sql, "{query}");
    }
}

#[test]
fn relations_are_found_by_tables_columns_and_hints() {
    let schema = schema();
    let find = |of: &str, name, other, by, many| {
        let found = Relation::find(&schema, schema.table(of).unwrap(), name, other, by, many)?;
        Ok(format!("{} {} by {}", if found.many { "many" } else { "one" }, found.table, found.by))
    };
    let by = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let cases = [
        (find("books", "reviews", None, None, None), Ok("many reviews by book_id")),
        (find("reviews", "books", None, None, None), Ok("one books by book_id")),
        (find("reviews", "book", None, None, None), Ok("one books by book_id")),
        (find("books", "author", None, None, None), Ok("one people by author_id")),
        (find("books", "author_id", None, None, None), Ok("one people by author_id")),
        (
            find("books", "writer", Some("people"), Some("books_author_id_fkey"), None),
            Ok("one people by author_id"),
        ),
        (find("books", "writer", None, Some("author_id"), None), Ok("one people by author_id")),
        (find("books", "tags", None, None, None), Ok("many tags by labels")),
        (find("tags", "books", None, None, None), Ok("many books by labels")),
        (find("nodes", "node", None, None, None), Ok("one nodes by node_id")),
        (find("nodes", "nodes", None, None, Some(true)), Ok("many nodes by node_id")),
        (find("nodes", "nodes", None, None, None), Err(RelationFault::BothWays)),
        (find("nodes", "nodes", None, Some("node_id"), None), Err(RelationFault::BothWays)),
        (
            find("books", "people", None, None, None),
            Err(RelationFault::Ambiguous { by: by(&["author_id", "editor_id"]) }),
        ),
        (
            find("books", "people", None, Some("writer_id"), None),
            Err(RelationFault::NotBy { by: by(&["author_id", "editor_id"]) }),
        ),
        (
            find("books", "revews", None, None, None),
            Err(RelationFault::Unknown {
                nearest: Some("reviews".into()),
                related: by(&["labels", "people", "reviews", "tags"]),
            }),
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected.map(str::to_owned));
    }
}

#[test]
fn wrong_embeds_are_found_before_the_first_request() {
    type Spoil = fn(&mut TableRules);
    let cases: [(Spoil, &str); 8] = [
        (
            |rules| rules.embeds[2].rules.select.push("star".into()),
            "embed.reviews.select: `reviews` has no column `star`; did you mean `stars`?",
        ),
        (
            |rules| rules.embeds[2].rules.filter.push("x".into()),
            "embed.reviews.filter: `reviews` has no column `x`",
        ),
        (
            |rules| rules.embeds[2].rules.order.push(parse_sort("x").unwrap()),
            "embed.reviews.order: `reviews` has no column `x`",
        ),
        (
            |rules| rules.embeds[1].rules.embeds[0].rules.select.clear(),
            "embed.editor.embed.written.select: no column is shown",
        ),
        (|rules| rules.embeds[0].name = "a.b".into(), "embed.a.b.embed: `a.b` cannot be the name"),
        (|rules| rules.embeds[0].name = "tags".into(), "`tags` cannot be the name"),
        (
            |rules| rules.order.push(parse_sort("reviews(stars)").unwrap()),
            "order: `books` has no column `reviews(stars)`",
        ),
        (
            |rules| rules.aggregate = AggregateRules::Columns(names(&["kindd"])),
            "aggregate: `kindd` is not in `select`; did you mean `kind`?",
        ),
    ];
    for (spoil, expected) in cases {
        let mut rules = books();
        spoil(&mut rules);
        let found = kasoku_sql_plan::check(&rules, &schema(), Dialect::SQLITE).unwrap_err().to_string();
        assert!(found.contains(expected), "{expected}: {found}");
    }
}

/// What a request is answered with, and all tags of the answer.
fn answer(database: &Connection, plan: &ListPlan) -> (String, Vec<Tag>) {
    let mut tags = plan.tags.clone();
    let rows = run(database, &plan.statement);
    let shown: Vec<_> = rows.iter().take(plan.limit as usize).cloned().collect();
    let mut text = format!("{rows:?}");
    if let Some(nest) = &plan.nest {
        below(database, nest, &shown, &mut text, &mut tags);
    }
    (text, tags)
}

fn below(database: &Connection, nest: &Nest, rows: &[Vec<Value>], text: &mut String, tags: &mut Vec<Tag>) {
    for embed in &nest.embeds {
        let mut keys: Vec<Vec<Value>> = Vec::new();
        for row in rows {
            let key: Vec<Value> = embed.near.iter().map(|place| row[*place].clone()).collect();
            if !key.contains(&Value::Null) && !keys.contains(&key) {
                keys.push(key);
            }
        }
        if keys.is_empty() {
            continue;
        }
        let found = run(database, &embed.statement(&keys, 100).unwrap());
        embed.tags(&keys, &fars(embed, &found), tags);
        let there = |row: &&Vec<Value>| embed.present.is_none_or(|place| row[place] != Value::Null);
        let found: Vec<Vec<Value>> = found.iter().filter(there).cloned().collect();
        write!(text, "{found:?}").unwrap();
        below(database, &embed.nest, &found, text, tags);
    }
}

fn fars(embed: &EmbedPlan, rows: &[Vec<Value>]) -> Vec<Vec<Value>> {
    let far = |row: &Vec<Value>| embed.far.iter().map(|place| row[*place].clone()).collect::<Vec<_>>();
    rows.iter().map(far).filter(|far| !far.is_empty()).collect()
}

/// All rows of all tables, by table and by what tells them apart.
fn state(database: &Connection) -> BTreeMap<(String, String), Vec<Value>> {
    let mut state = BTreeMap::new();
    for table in schema().tables {
        let statement = kasoku_sql_plan::Statement {
            name: "test".into(),
            sql: format!("select * from {}", table.name).into(),
            params: Vec::new(),
        };
        for row in run(database, &statement) {
            let key: Vec<&Value> = table.key.iter().map(|place| &row[*place]).collect();
            state.insert((table.name.clone(), format!("{key:?}")), row);
        }
    }
    state
}

/// The tags of all changes between two states.
fn of_changes(
    before: &BTreeMap<(String, String), Vec<Value>>,
    after: &BTreeMap<(String, String), Vec<Value>>,
) -> Vec<Tag> {
    let rules = tag_rules(&books());
    let mut tags = Vec::new();
    for key in before.keys().chain(after.keys()) {
        let (old, new) = (before.get(key), after.get(key));
        if old != new {
            let rules = &rules[&key.0];
            let watched = |row: &Vec<Value>| {
                rules.watched_columns().iter().map(|place| row[*place].clone()).collect::<Vec<_>>()
            };
            let (old, new) = (old.map(watched), new.map(watched));
            rules.tags_of_change(old.as_deref(), new.as_deref(), &mut tags);
        }
    }
    tags
}

fn change() -> impl Strategy<Value = String> {
    let number = || 0i64..4;
    let some = || prop_oneof![Just("null".to_owned()), (0i64..4).prop_map(|number| number.to_string())];
    prop_oneof![
        (number(), some(), some(), prop::sample::select(vec!["'a'", "'b'", "null"])).prop_map(
            |(id, author, editor, kind)| format!(
                "insert or replace into books values ({id}, {kind}, {author}, {editor})"
            )
        ),
        (number(), some(), number()).prop_map(|(id, book, stars)| format!(
            "insert or replace into reviews values ({id}, {book}, {stars})"
        )),
        (number(), number())
            .prop_map(|(id, name)| format!("insert or replace into people values ({id}, 'p{name}')")),
        (number(), number())
            .prop_map(|(id, name)| format!("insert or replace into tags values ({id}, 't{name}')")),
        (number(), number())
            .prop_map(|(book, tag)| format!("insert or replace into labels values ({book}, {tag})")),
        (number(), prop::sample::select(vec!["books", "reviews", "people", "tags"]))
            .prop_map(|(id, table)| format!("delete from {table} where id = {id}")),
        (number(), number())
            .prop_map(|(book, tag)| format!("delete from labels where book_id = {book} and tag_id = {tag}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_with_embeds_that_changes_loses_a_tag_to_the_change(
        rows in prop::collection::vec(change(), 0..16),
        change in change(),
        query in prop::sample::select(vec![
            "select=id,author(name)",
            "select=id,reviews(stars)",
            "select=id,reviews(id)&reviews.stars=gt.1",
            "select=id,reviews(id)&reviews.order=stars&reviews.limit=1",
            "select=id,reviews(count(),stars.sum())",
            "select=id,tags(name)",
            "select=id,tags(name)&tags.name=eq.t1",
            "select=id,tags(name)&tags.limit=1",
            "select=id,tags(count())",
            "select=id,editor(name,written(id))",
            "select=id,author(name),reviews(id),tags(id)&kind=eq.a",
            "select=id,reviews!inner(id)&reviews.stars=eq.2&kind=eq.a",
            "select=id,tags!inner()",
            "select=id,author()&author=is.null&kind=eq.b",
            "select=id&order=author(name)&kind=eq.a",
            "select=kind,count()&kind=eq.a",
            "select=id,reviews(id)&limit=1",
        ]),
    ) {
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch(CREATE).unwrap();
        for sql in &rows {
            database.execute(sql, []).unwrap();
        }
        let plan = plan(query);
        let (text, tags) = answer(&database, &plan);
        let before = state(&database);
        database.execute(&change, []).unwrap();
        if answer(&database, &plan).0 != text {
            let changed = of_changes(&before, &state(&database));
            prop_assert!(tags.iter().any(|tag| changed.contains(tag)), "{change}");
        }
    }
}
