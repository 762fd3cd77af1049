//! What routes embed: written settings to relations, and what is said of wrong ones.

use kasoku_sql_plan::{AggregateRules, TableRules};

use super::App;
use crate::SourcePlan;

const SCHEMA: &str = "
    create table people (id integer primary key, name text not null);
    create table books (
        id integer primary key, title text, author_id integer references people (id),
        editor_id integer references people (id));
    create table reviews (
        id integer primary key, book_id integer references books (id), stars integer, deleted_at text);
    create table nodes (id integer primary key, node_id integer references nodes (id));";

fn app() -> App {
    let app = App::new();
    app.write("schema/002_library.sql", SCHEMA);
    app
}

fn text(table: &str, settings: &str) -> String {
    format!(
        "[database]\nurl = \"sqlite::memory:\"\nschema = \"schema\"\n[[route]]\npath = \"/x\"\ntable = \"{table}\"\n{settings}\n"
    )
}

fn rules(table: &str, settings: &str) -> TableRules {
    let loaded = app().load(&text(table, settings)).unwrap_or_else(|found| panic!("{found}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    match loaded.plan.routes.into_iter().next().map(|route| route.source) {
        Some(SourcePlan::Table(rules)) => rules,
        other => panic!("{other:?}"),
    }
}

#[test]
fn embeds_become_relations_with_columns_of_their_own() {
    let rules = rules(
        "books",
        "aggregate = true\nembed_rows = 7\n[route.embed]\nauthor = { select = [\"NAME\"] }\n\
         [route.embed.reviews]\nselect = [\"id\", \"stars\"]\nfilter = [\"stars\"]\norder = [\"-stars\"]\nmost = 5\n\
         soft_delete = \"deleted_at\"\naggregate = [\"stars\"]\n\
         embed = { book = { select = [\"title\"], embed = { editor = { select = [\"name\"] } } } }",
    );
    assert_eq!((rules.embed_rows_most, &rules.aggregate), (7, &AggregateRules::Shown));
    let [author, reviews] = rules.embeds.as_slice() else { panic!("{:?}", rules.embeds) };
    assert_eq!((author.relation.table.as_str(), author.relation.by.as_str()), ("people", "author_id"));
    assert_eq!((author.relation.many, author.rules.select.as_slice()), (false, &["name".to_owned()][..]));
    assert_eq!((reviews.relation.many, reviews.rules.page.most), (true, 5));
    assert_eq!(reviews.rules.soft_delete.as_deref(), Some("deleted_at"));
    assert_eq!(reviews.rules.aggregate, AggregateRules::Columns(vec!["stars".into()]));
    assert_eq!(reviews.rules.embeds[0].rules.embeds[0].relation.by, "editor_id");
    assert_eq!(author.rules.page.most, 100, "unless it is said");
}

#[test]
fn wrong_embeds_are_named_with_the_nearest_valid_ones() {
    let cases: [(&str, &str, &[&str]); 12] = [
        (
            "books",
            "embed.revews = { select = [\"id\"] }",
            &["`books` is not related to `revews`", "did you mean `reviews`?"],
        ),
        (
            "books",
            "embed.nodes = { select = [\"id\"] }",
            &["`books` is not related to `nodes`", "related to `people` and `reviews`"],
        ),
        ("notes", "embed.nodes = { select = [\"id\"] }", &["no foreign key leads from `notes` or to it"]),
        (
            "books",
            "embed.people = { select = [\"name\"] }",
            &["in several ways", "there is `by = \"author_id\"` and `by = \"editor_id\"`"],
        ),
        (
            "books",
            "embed.people = { by = \"autor_id\", select = [\"name\"] }",
            &["by `autor_id`", "did you mean `author_id`?"],
        ),
        (
            "books",
            "embed.x = { table = \"revews\", select = [\"id\"] }",
            &["there is no table `revews`", "did you mean `reviews`?"],
        ),
        ("nodes", "embed.nodes = { select = [\"id\"] }", &["refers to itself", "`many = true`"]),
        (
            "books",
            "embed.reviews = { select = [\"star\"] }",
            &["route[0].embed.reviews.select[0]", "`reviews` has no column `star`", "did you mean `stars`?"],
        ),
        ("books", "embed.reviews = { filter = [\"stars\"] }", &["needs `select`"]),
        (
            "books",
            "embed.reviews = { select = [\"id\"], mots = 5 }",
            &["there is no setting `mots`", "did you mean `most`?"],
        ),
        (
            "books",
            "embed.reviews = { select = [\"id\"], embed = { book = { select = [\"titel\"] } } }",
            &["route[0].embed.reviews.embed.book.select[0]", "did you mean `title`?"],
        ),
        ("books", "aggregate = [\"titel\"]", &["`titel` is not in `select`"]),
    ];
    for (table, settings, expected) in cases {
        let found = app().findings(&text(table, settings));
        for expected in expected {
            assert!(found.contains(expected), "{settings}\nlacks {expected}:\n{found}");
        }
    }
    let deep = (0..5).rev().fold(String::new(), |inner, level| {
        let name = if level % 2 == 0 { "reviews" } else { "book" };
        let inner = if inner.is_empty() { String::new() } else { format!(", embed = {{ {inner} }}") };
        format!("{name} = {{ select = [\"id\"]{inner} }}")
    });
    let found = app().findings(&text("books", &format!("embed = {{ {deep} }}")));
    assert!(found.contains("embeds are nested deeper than 4"), "{found}");
}
