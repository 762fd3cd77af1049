//! Every operator: the conditions that it becomes on both databases, and the rows that these leave.

use kasoku_problem::Kind;
use kasoku_sql_plan::{ColumnKind, Dialect, TablePlanner, Value};
use rusqlite::Connection;

use crate::fixture::{
    column, cursors, items, names, planner, planner_in, planner_of, regexp, rules, run, schema, text,
};

/// The conditions of a request on a database, and their values.
fn conditions(planner: &TablePlanner, query: &str) -> (String, Vec<Value>) {
    let plan =
        planner.list(Some(query), None, &cursors()).unwrap_or_else(|problem| panic!("{query}: {problem}"));
    let sql = plan.statement.sql.split_once(" where ").map_or("", |(_, rest)| rest);
    let sql = sql.split(" order by ").next().unwrap_or_default().to_owned();
    let mut params = plan.statement.params;
    params.pop();
    (sql, params)
}

/// A table of PostgreSQL, with what SQLite has no columns for.
fn postgres() -> TablePlanner {
    let mut schema = schema();
    let table = &mut schema.tables[0];
    table.columns.push(column("tags", ColumnKind::Array, true));
    table.columns.push(column("during", ColumnKind::Range, true));
    table.columns.push(column("found", ColumnKind::Search, true));
    let mut rules = rules();
    rules.filter.extend(names(&["tags", "during", "found"]));
    planner_in(Dialect::POSTGRES, &schema, &rules)
}

#[test]
fn operators_become_conditions_of_sqlite() {
    let n = Value::Integer;
    let planner = planner();
    let check = |query: &str, sql: &str, params: &[Value]| {
        assert_eq!(conditions(&planner, query), (sql.to_owned(), params.to_vec()), "{query}");
    };
    check("price=isdistinct.1", r#""price" is distinct from ?1"#, &[n(1)]);
    check("price=not.isdistinct.1", r#"not ("price" is distinct from ?1)"#, &[n(1)]);
    check("live=is.unknown", r#""live" is null"#, &[]);
    check("live=not.is.unknown", r#""live" is not null"#, &[]);
    check("title=match.^a", r#"cast("title" as text) regexp ?1"#, &[text("(?s)^a")]);
    check("title=imatch.b$", r#"cast("title" as text) regexp ?1"#, &[text("(?si)b$")]);
    check(
        "price=eq(any).{1,2,3}",
        r#"("price" = ?1 or "price" = ?2 or "price" = ?3 or "price" = ?4)"#,
        &[n(1), n(2), n(3), n(3)],
    );
    check("price=gt(all).{1,2}", r#"("price" > ?1 and "price" > ?2)"#, &[n(1), n(2)]);
    check("price=not.lt(any).{1}", r#"not (("price" < ?1))"#, &[n(1)]);
    check("price=eq(any).{}", "1 = 0", &[]);
    check("price=eq(all).{}", "1 = 1", &[]);
    check(
        r#"title=like(any).{a*,"b,c"}"#,
        r#"("title" glob ?1 or "title" glob ?2)"#,
        &[text("a*"), text("b,c")],
    );
    check(
        r"title=ilike(all).{%25a%25,b%25}",
        r#"("title" like ?1 escape '\' and "title" like ?2 escape '\')"#,
        &[text("%a%"), text("b%")],
    );
    check(
        "title=match(any).{a,b}",
        r#"(cast("title" as text) regexp ?1 or cast("title" as text) regexp ?2)"#,
        &[text("(?s)a"), text("(?s)b")],
    );
    check(
        "or=(title.like(any).{a*,b*},price.not.eq(all).{1,2},live.is.true)",
        r#"(("title" glob ?1 or "title" glob ?2) or not (("price" = ?3 and "price" = ?4)) or "live" is 1)"#,
        &[text("a*"), text("b*"), n(1), n(2)],
    );
    check("category=eq(any).{a}", r#"("category" = ?1)"#, &[text("a")]);
    check("category=eq(x.y", r#""category" = ?1"#, &[text("eq(x.y")]);
    check(
        "note->a->>b=eq.5",
        r#"(case json_type((case when json_valid("note") then "note" -> ?1 end)) when 'true' then 'true' when 'false' then 'false' else cast((case when json_valid("note") then "note" -> ?1 end) ->> '$' as text) end) = ?2"#,
        &[text(r#"$."a"."b""#), text("5")],
    );
    check(
        "note->a=gt.5",
        r#"(case when json_type((case when json_valid("note") then "note" -> ?1 end)) in ('integer', 'real') then (case when json_valid("note") then "note" -> ?1 end) ->> '$' end) > ?2"#,
        &[text(r#"$."a""#), n(5)],
    );
    check(
        "note->a=is.null",
        r#"(case when json_valid("note") then "note" -> ?1 end) is null"#,
        &[text(r#"$."a""#)],
    );
}

#[test]
fn operators_become_conditions_of_postgres() {
    let n = Value::Integer;
    let planner = postgres();
    let check = |query: &str, sql: &str, params: &[Value]| {
        assert_eq!(conditions(&planner, query), (sql.to_owned(), params.to_vec()), "{query}");
    };
    check(
        "price=eq.1&title=like.a*",
        r#"cast("title" as text) like $1 escape '\' and "price" = $2"#,
        &[text("a%"), n(1)],
    );
    check("title=ilike.a*", r#"cast("title" as text) ilike $1 escape '\'"#, &[text("a%")]);
    check("title=match.^a", r#"cast("title" as text) ~ $1"#, &[text("^a")]);
    check("title=not.imatch.^a", r#"not (cast("title" as text) ~* $1)"#, &[text("^a")]);
    check("live=is.true", r#""live" is true"#, &[]);
    check("live=not.is.false", r#""live" is not false"#, &[]);
    check("live=is.unknown", r#""live" is null"#, &[]);
    check("tags=cs.{a,b}", r#""tags" @> $1"#, &[text("{a,b}")]);
    check("tags=cd.{a,b}", r#""tags" <@ $1"#, &[text("{a,b}")]);
    check("tags=ov.{a,b}", r#""tags" && $1"#, &[text("{a,b}")]);
    check("or=(tags.ov.{a,b},price.eq.1)", r#"("tags" && $1 or "price" = $2)"#, &[text("{a,b}"), n(1)]);
    check("during=ov.[1,2)", r#""during" && $1"#, &[text("[1,2)")]);
    check("during=sl.[1,2)", r#""during" << $1"#, &[text("[1,2)")]);
    check("during=sr.[1,2)", r#""during" >> $1"#, &[text("[1,2)")]);
    check("during=nxr.[1,2)", r#""during" &< $1"#, &[text("[1,2)")]);
    check("during=nxl.[1,2)", r#""during" &> $1"#, &[text("[1,2)")]);
    check("during=adj.[1,2)", r#""during" -|- $1"#, &[text("[1,2)")]);
    check(
        "title=fts(english).cat %26 rat",
        r#"to_tsvector('english', "title") @@ to_tsquery('english', $1)"#,
        &[text("cat & rat")],
    );
    check("title=plfts.cat", r#"to_tsvector("title") @@ plainto_tsquery($1)"#, &[text("cat")]);
    check("found=phfts(french).le chat", r#""found" @@ phraseto_tsquery('french', $1)"#, &[text("le chat")]);
    check("found=not.wfts.a -b", r#"not ("found" @@ websearch_to_tsquery($1))"#, &[text("a -b")]);
    check(
        "note->a->>0=eq.5",
        r#"(("note" #> cast($1 as text)::text[])::jsonb #>> '{}') = $2"#,
        &[text(r#"{"a",0}"#), text("5")],
    );
    check(
        "note->a=gte.5",
        r#"(case jsonb_typeof(("note" #> cast($1 as text)::text[])::jsonb) when 'number' then ("note" #> cast($1 as text)::text[])::jsonb end) >= cast($2 as text)::jsonb"#,
        &[text(r#"{"a"}"#), text("5")],
    );
    check("note=eq.x", r#""note"::jsonb = cast($1 as text)::jsonb"#, &[text("\"x\"")]);
    check(r#"note=cs.{"k":1}"#, r#""note"::jsonb @> cast($1 as text)::jsonb"#, &[text(r#"{"k":1}"#)]);
    check("note=cd.[1,2]", r#""note"::jsonb <@ cast($1 as text)::jsonb"#, &[text("[1,2]")]);
}

#[test]
fn what_a_kind_or_a_database_does_not_have_is_refused_by_name() {
    let sqlite = planner();
    let check = |planner: &TablePlanner, query: &str, detail: &str| {
        let problem = planner.list(Some(query), None, &cursors()).expect_err(query);
        assert_eq!(problem.kind(), Kind::InvalidParameter, "{query}");
        assert!(problem.detail_text().unwrap().contains(detail), "{query}: {problem}");
    };
    check(&sqlite, "title=fts.a", "`fts` searches text, which SQLite cannot do here; `title` is text");
    check(&sqlite, "title=wfts(english).a", "`wfts` searches text, which SQLite cannot do here");
    check(&sqlite, "price=sl.[1,2)", "`sl` is for ranges; `price` is a whole number on SQLite");
    check(&sqlite, "title=adj.[1,2)", "`adj` is for ranges; `title` is text on SQLite");
    check(
        &sqlite,
        "title=cs.{a}",
        "`cs` is for arrays, ranges and JSON documents; `title` is text on SQLite",
    );
    check(&sqlite, "price=match.a", "`price` holds no text");
    check(&sqlite, "title=match.(", "this is no regular expression");
    check(&sqlite, r"title=match.\bx", "a regular expression cannot have anchors besides");
    check(&sqlite, "price=neq(any).{1}", "`neq` takes no modifier");
    check(&sqlite, "price=in(any).(1)", "`in` takes no modifier");
    check(&sqlite, "price=eq(some).{1}", "there is no modifier `some`");
    check(&sqlite, "price=eq(any).1", "expected a list such as `{a,b}`");
    check(&sqlite, "price=eq(any).{1,x}", "`x` is not a whole number");
    check(&sqlite, "price=eq(any).{NULL}", "cannot hold NULL");
    check(&sqlite, &format!("price=eq(any).{{{}}}", "1,".repeat(64)), "the list has more than 64 values");
    check(&sqlite, "title->a=eq.1", "`title` is text, into which no way leads");
    check(&sqlite, "note->a=like.x", "`like` takes a text out of a document, so its way ends in `->>`");
    check(&sqlite, "note->a=gt.true", "`gt` compares numbers and texts of documents");
    check(&sqlite, "note->a=eq.[1]", "`eq` cannot compare whole arrays and objects on SQLite");
    check(&sqlite, "note->>a->b=eq.1", "`->>` gives text");
    check(&sqlite, "note->=eq.1", "a name or a number is missing");
    check(&sqlite, "note=cs.[[1]]", "`cs` on SQLite compares arrays of texts, numbers and words only");
    check(&sqlite, "note=ov.{\"a\":1}", "`ov` compares arrays, and objects only by `cs`");
    check(&sqlite, "note->>a=is.true", "there is no value of `is` here `true`");
    let postgres = postgres();
    check(&postgres, "title=fts(klingon).a", "there is no language `klingon`");
    check(&postgres, "title=fts.a b", "two words follow each other");
    check(&postgres, "price=plfts.a", "`plfts` is for texts");
    check(&postgres, "tags=cs.a", "`a` is not an array such as `{1,2}`, which `tags` holds");
    check(&postgres, "during=ov.5", "`5` is not a range");
    check(&postgres, "tags=like.a*", "`tags` holds no text");
    check(&postgres, "note=like.a*", "`like` takes a text out of a document");
    let unknown = sqlite.list(Some("secret->a=eq.1"), None, &cursors()).unwrap_err();
    assert_eq!(unknown.kind(), Kind::UnknownParameter, "a way leads only into declared columns");
}

const NOTES: [&str; 11] = [
    r#"{"kind": "red", "size": 5, "tags": ["a", "b"], "deep": {"on": true, "level": 1.5}}"#,
    r#"{"kind": "blue", "size": 12, "tags": ["b", 1, null], "deep": {"on": false}}"#,
    r#"{"kind": 5, "size": "12", "tags": [], "deep": null}"#,
    r#"{"kind": null, "size": 5.0, "tags": "a", "a.b": 1, "q\"q": 2, "0": 3}"#,
    r#"["a", "b", "c"]"#,
    r#"["1", true]"#,
    "7",
    r#""red""#,
    "null",
    "not json",
    "",
];

fn notes() -> Connection {
    let database = Connection::open_in_memory().unwrap();
    regexp(&database);
    database.execute_batch(crate::fixture::CREATE_ITEMS).unwrap();
    for (id, note) in (1_i64..).zip(NOTES) {
        let note = Some(note).filter(|note| !note.is_empty());
        let sql = "insert into items (id, title, note) values (?, 'Tea ' || ?, ?)";
        database.execute(sql, rusqlite::params![id, id, note]).unwrap();
    }
    database
}

#[test]
fn documents_are_looked_into_and_nothing_in_them_is_an_error() {
    let database = notes();
    let planner = planner_of(&schema(), &rules());
    let check = |query: &str, expected: &[i64]| {
        let plan = planner
            .list(Some(query), None, &cursors())
            .unwrap_or_else(|problem| panic!("{query}: {problem}"));
        let rows = run(&database, &plan.statement);
        let mut ids: Vec<i64> = rows
            .iter()
            .map(|row| match row[0] {
                Value::Integer(id) => id,
                _ => panic!("{row:?}"),
            })
            .collect();
        ids.sort_unstable();
        assert_eq!(ids, expected, "{query}: {}", plan.statement.sql);
    };
    check("note->>kind=eq.red", &[1]);
    check("note->>kind=neq.red", &[2, 3]);
    check("note->>kind=like.*e*", &[1, 2]);
    check("note->>kind=imatch.^(RED|blue)$", &[1, 2]);
    check("note->>kind=in.(red,5)", &[1, 3]);
    check("note->>kind=isdistinct.red", &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    check("note->>kind=is.null", &[4, 5, 6, 7, 8, 9, 10, 11]);
    check("note->kind=is.null", &[5, 6, 7, 8, 9, 10, 11]);
    check("note->kind=eq.null", &[4]);
    check("note->kind=eq.red", &[1]);
    check("note->kind=eq.\"red\"", &[1]);
    check("note->kind=eq.5", &[3]);
    check("note->kind=eq.\"5\"", &[]);
    check("note->kind=neq.red", &[2, 3, 4]);
    check("note->kind=isdistinct.red", &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    check("note->kind=in.(red,5,null)", &[1, 3, 4]);
    check("note->kind=not.in.(red,5,null)", &[2]);
    check("note->size=eq.5", &[1, 4]);
    check("note->size=gt.5", &[2]);
    check("note->size=not.gt.5", &[1, 4]);
    check("note->size=gt(any).{3,100}", &[1, 2, 4]);
    check("note->kind=gte.blue", &[1, 2]);
    check("note->>size=eq.12", &[2, 3]);
    check("note->deep->on=eq.true", &[1]);
    check("note->deep->>on=eq.false", &[2]);
    check("note->deep->level=lt.2", &[1]);
    check("note->tags->>0=eq.a", &[1]);
    check("note->tags->-1=eq.b", &[1]);
    check("note->>0=eq.a", &[5]);
    check(r#"note->"0"=eq.3"#, &[4]);
    check(r#"note->"a.b"=eq.1"#, &[4]);
    check(r#"or=(note->"a.b".eq.1,note->>kind.eq.red)"#, &[1, 4]);
    check(r#"note->"q\"q"=eq.2"#, &[4]);
    check("note->tags=cs.{a}", &[1]);
    check("note->tags=cs.{1}", &[2]);
    check("note->tags=cs.[1]", &[2]);
    check(r#"note->tags=cs.["1"]"#, &[]);
    check("note->tags=cs.[null]", &[2]);
    check("note->tags=not.cs.{a}", &[2, 3, 4]);
    check("note->tags=cs.[]", &[1, 2, 3]);
    check("note->tags=cd.{a,b,c}", &[1, 3]);
    check(r#"note->tags=cd.["a","b"]"#, &[1, 3, 4]);
    check("note->tags=ov.{b,z}", &[1, 2]);
    check("note->tags=ov.[1.0]", &[2]);
    check("note->tags=ov.{}", &[]);
    check("note=cs.{a,b}", &[5]);
    check("note=cs.{1,true}", &[6]);
    check("note=cs.[true]", &[6]);
    check(r#"note=cs.{"kind":"red"}"#, &[1]);
    check(r#"note=cs.{"size":5}"#, &[1, 4]);
    check(r#"note=cs.{"deep":{"on":true}}"#, &[1]);
    check(r#"note=cs.{"deep":{}}"#, &[1, 2]);
    check(r#"note=cs.{"kind":null}"#, &[4]);
    check(r#"note=cs.{"a.b":1,"q\"q":2}"#, &[4]);
    check("note=cs.{}", &[1, 2, 3, 4]);
    check(r#"note=not.cs.{"size":5}"#, &[2, 3, 5, 6, 7, 8, 9]);
    check(r#"or=(note.cs.{"size":5},note.ov.{c,d})"#, &[1, 4, 5]);
    check("title=match.^Tea 1.$", &[10, 11]);
    check("title=imatch(all).{^tea,0$}", &[10]);
    check("title=like(any).{*2,*3}", &[2, 3]);
    check("id=eq(any).{2,3}", &[2, 3]);
    check("id=gt(all).{2,9}", &[10, 11]);
    check("live=isdistinct.true&id=lt.3", &[1, 2]);
}

#[test]
fn the_text_of_a_test_does_not_depend_on_its_values() {
    let pairs = [
        ("note->a->>b=eq.x", "note->c->>0=eq.yy"),
        ("note->a=eq.1", "note->b=eq.2.5"),
        ("note=cs.{a}", "note=cs.{b,c,d}"),
        ("note=cs.[1]", "note=cs.[\"x\",null]"),
        ("note=cs.{\"a\":1}", "note=cs.{\"b\":{\"c\":\"';--\"}}"),
        ("title=match.a", "title=match.b|c"),
        ("title=like(any).{a,b}", "title=like(any).{c*,d}"),
    ];
    for planner in [planner(), postgres()] {
        for (one, other) in pairs {
            let text = |query: &str| conditions(&planner, query).0;
            assert_eq!(text(one), text(other), "{one} {other}");
        }
    }
    // What the text depends on is told apart.
    let planner = planner();
    for (one, other) in [
        ("note->a=eq.1", "note->a=eq.x"),
        ("note->a=eq.1", "note->>a=eq.1"),
        ("note=cs.{a}", "note=cs.[1]"),
        ("note=cs.{a}", "note=ov.{a}"),
        ("title=match.a", "title=like.a"),
        ("title=like(any).{a,b}", "title=like(all).{a,b}"),
        ("price=eq(any).{1,2}", "price=eq(any).{1,2,3}"),
    ] {
        assert_ne!(conditions(&planner, one).0, conditions(&planner, other).0, "{one} {other}");
    }
    assert_eq!(items().columns.len(), 13, "the fixture's columns are those that the tables above name");
}
