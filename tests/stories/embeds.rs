//! Rows of related tables inside of others, as one answer that is cached, and removed exactly.

use http::{Method, StatusCode};
use kasoku_testkit::Client;
use serde_json::{Value, json};

use super::library::{app, open};

async fn answer(client: &Client, target: &str) -> Value {
    let answer = client.get(target).await;
    assert_eq!(answer.status, StatusCode::OK, "{target}: {answer:?}");
    answer.json()
}

#[tokio::test]
async fn whole_lists_as_files_have_related_rows_in_them_too() {
    let app = app();
    let kasoku = open(&app);
    let client = kasoku.client();
    for book in 5..40 {
        let row = json!({"title": format!("Book {book}"), "author_id": book % 3 + 1});
        client.json(http::Method::POST, "/books", &row).await;
        for stars in 0..5 {
            let row = json!({"book_id": book, "stars": stars});
            client.json(http::Method::POST, "/reviews", &row).await;
        }
    }
    // More than 12 related rows of one answer are refused; a file has them, read for as few rows at a time as it takes.
    let query = "select=title,author(name),reviews(stars)";
    assert_eq!(client.get(&format!("/books?{query}")).await.status, StatusCode::BAD_REQUEST);
    let file = client.get(&format!("/books.ndjson?{query}")).await;
    let lines: Vec<Value> = file.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 39, "{file:?}");
    for (place, line) in lines.iter().enumerate() {
        let page = answer(&client, &format!("/books?{query}&id=eq.{}", place + 1)).await;
        assert_eq!(page, json!([line]));
    }
    let file = client.get("/books.csv?select=id,author(name),...reviews(stars)&id=lt.3&order=id.desc").await;
    assert_eq!(
        file.text(),
        "id,author,stars\r\n2,\"{\"\"name\"\":\"\"Ada\"\"}\",[4]\r\n1,\"{\"\"name\"\":\"\"Ada\"\"}\",\"[5,2]\"\r\n"
    );
}

#[tokio::test]
async fn related_rows_come_inside_of_rows() {
    let app = app();
    let kasoku = open(&app);
    let client = kasoku.client();
    let cases = [
        (
            "/books?select=title,author(name)",
            json!([
                {"title": "One", "author": {"name": "Ada"}}, {"title": "Two", "author": {"name": "Ada"}},
                {"title": "Three", "author": {"name": "Bob"}}, {"title": "Four", "author": null},
            ]),
        ),
        (
            "/books?select=reviews(stars),id&id=lt.3",
            json!([{"reviews": [{"stars": 5}, {"stars": 2}], "id": 1}, {"reviews": [{"stars": 4}], "id": 2}]),
        ),
        (
            "/books?select=id,notes:reviews(s:stars,reviewer(name))&id=eq.1&notes.order=stars&notes.limit=1",
            json!([{"id": 1, "notes": [{"s": 2, "reviewer": {"name": "Cem"}}]}]),
        ),
        (
            "/books?select=id,reviews(id)&reviews.stars=gt.2&id=in.(1,3,4)",
            json!([{"id": 1, "reviews": [{"id": 1}]}, {"id": 3, "reviews": [{"id": 5}]}, {"id": 4, "reviews": []}]),
        ),
        (
            "/books?select=id,reviews!inner(id)&reviews.stars=gt.3",
            json!([{"id": 1, "reviews": [{"id": 1}]}, {"id": 2, "reviews": [{"id": 3}]}]),
        ),
        ("/books?select=id,reviews()&reviews=is.null", json!([{"id": 4}])),
        ("/books?select=id,author()&author=not.is.null&author.name=eq.Bob", json!([{"id": 3}])),
        (
            "/books?select=id,tags(name)&id=lt.4",
            json!([
                {"id": 1, "tags": [{"name": "blue"}, {"name": "red"}]}, {"id": 2, "tags": [{"name": "blue"}]},
                {"id": 3, "tags": []},
            ]),
        ),
        (
            "/books?select=id,tags(name)&id=lt.3&tags.limit=1&tags.offset=1&tags.order=name",
            json!([{"id": 1, "tags": [{"name": "red"}]}, {"id": 2, "tags": []}]),
        ),
        (
            "/books?select=id,...author(who:name),...reviews(stars)&id=in.(1,4)",
            json!([{"id": 1, "who": "Ada", "stars": [5, 2]}, {"id": 4, "who": null, "stars": []}]),
        ),
        (
            "/books?select=id,editor(name,books(title))&id=lt.3",
            json!([
                {"id": 1, "editor": {"name": "Bob", "books": [{"title": "Three"}]}}, {"id": 2, "editor": null},
            ]),
        ),
        (
            "/books?select=id,reviews(count(),stars.avg(),best:stars.max())&id=in.(1,4)",
            json!([
                {"id": 1, "reviews": [{"count": 2, "avg": 3.5, "best": 5}]},
                {"id": 4, "reviews": [{"count": 0, "avg": null, "best": null}]},
            ]),
        ),
        ("/books?select=id&order=author(name).desc&id=lt.4", json!([{"id": 3}, {"id": 2}, {"id": 1}])),
        (
            "/books?select=id,second:extra-%3Ek-%3E1,first:extra-%3Ek-%3E%3E0&id=lt.3",
            json!([{"id": 1, "second": 2, "first": "1"}, {"id": 2, "second": null, "first": null}]),
        ),
        (
            "/books/1?select=title,pages::text,author(name)",
            json!({"title": "One", "pages": "100", "author": {"name": "Ada"}}),
        ),
        (
            "/books?select=kind,count(),pages.sum(),mean:pages.avg()",
            json!([{"kind": "a", "count": 2, "sum": 300, "mean": 150.0}, {"kind": "b", "count": 2, "sum": 350, "mean": 175.0}]),
        ),
        ("/books?select=count()&kind=eq.c", json!([{"count": 0}])),
        ("/books?select=pages,count()&order=pages.desc&limit=1", json!([{"pages": 300, "count": 1}])),
    ];
    for (target, expected) in cases {
        // The auditor reads each hit once more.
        for _ in 0..2 {
            assert_eq!(answer(&client, target).await, expected, "{target}");
        }
    }
}

#[tokio::test]
async fn a_list_sorted_by_related_rows_has_pages() {
    let app = app();
    let kasoku = open(&app);
    let client = kasoku.client();
    for order in ["author(name),id", "author(name).desc.nullslast", "author(name).nullslast"] {
        let whole = answer(&client, &format!("/books?select=id,author(name)&order={order}")).await;
        let mut found = Vec::new();
        let mut target = format!("/books?select=id,author(name)&limit=1&order={order}");
        loop {
            let page = client.get(&target).await;
            assert_eq!(page.status, StatusCode::OK, "{target}: {page:?}");
            found.extend(page.json().as_array().unwrap().clone());
            let links = page.header("link").to_owned();
            let Some(next) = links.split(", ").find(|link| link.ends_with("rel=\"next\"")) else { break };
            target = next[1..next.find('>').unwrap()].to_owned();
        }
        assert_eq!(Value::from(found), whole, "{order}");
    }
}

#[tokio::test]
async fn what_is_not_declared_or_too_much_is_refused() {
    let app = app();
    let kasoku = open(&app);
    let client = kasoku.client();
    let cases = [
        ("select=id,authr(name)", 400, "select", "there is no embed `authr`; did you mean `author`?"),
        ("select=id,author(secret)", 400, "select", "there is no column `secret`"),
        ("select=id,author(name)&author.id=eq.1", 400, "author.id", ""),
        ("select=id&reviews.stars=eq.1", 400, "reviews.stars", "`reviews` is not selected"),
        ("select=id,reviews(id)&reviews.limit=6", 400, "reviews.limit", "from 0 to 5"),
        ("select=id,reviews(id)&reviews.limit=3&reviews.offset=3", 400, "reviews.offset", "more than 5"),
        (
            "select=id,reviews(id)&reviews.order=body",
            400,
            "reviews.order",
            "there is no column to sort by `body`",
        ),
        ("select=id,author(name)&author.order=name", 400, "author.order", "one row"),
        ("select=id,author(name)&author=eq.1", 400, "author", "whether it is there"),
        ("select=id,people(name)", 300, "select", "several ways"),
        ("select=id,id:author(name)", 400, "select", "`id` is there twice"),
        ("select=id,...author(id)", 400, "select", "`id` is there twice"),
        ("select=id,...reviews(...reviewer(name))", 400, "select", "nothing further can be spread"),
        ("select=id,author(name", 400, "select", "not closed"),
        ("select=count(),reviews(id)", 400, "select", "embeds cannot stand beside"),
        ("select=id,title.max()", 400, "select", "there is no column to sum up `title`"),
        ("select=kind,count()&order=id", 400, "order", "groups are made by"),
        ("order=reviews(stars)", 400, "order", ""),
    ];
    for (query, status, parameter, text) in cases {
        let answer = client.get(&format!("/books?{query}")).await;
        assert_eq!(answer.status.as_u16(), status, "{query}: {answer:?}");
        let problem = answer.json();
        assert_eq!(problem["parameter"], parameter, "{query}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(text), "{query}: {problem}");
    }
    let chosen = answer(&client, "/books/1?select=people!editor_id(name)").await;
    assert_eq!(chosen, json!({"people": {"name": "Bob"}}));
    let many: Vec<Value> = (0..4).map(|_| json!({"book_id": 4, "stars": 1})).collect();
    client.json(Method::POST, "/reviews", &Value::from(many.clone())).await;
    assert_eq!(
        answer(&client, "/books?select=id,reviews(id)").await[3]["reviews"].as_array().unwrap().len(),
        4
    );
    client.json(Method::POST, "/reviews", &Value::from(many[..2].to_vec())).await;
    let one = client.get("/books/4?select=reviews(id)").await;
    assert_eq!((one.status.as_u16(), one.json()["parameter"].as_str()), (400, Some("reviews.limit")));
    assert_eq!(
        answer(&client, "/books/4?select=reviews(id)&reviews.limit=1").await,
        json!({"reviews": [{"id": 6}]})
    );
    let all = client.get("/books?select=id,reviews(id),tags(name),more:tags(id)&reviews.limit=5").await;
    assert_eq!((all.status.as_u16(), all.json()["most"].as_u64()), (400, Some(12)), "{all:?}");
}

#[tokio::test]
async fn writes_answer_with_what_is_embedded_in_the_rows() {
    let app = app();
    let kasoku = open(&app);
    let client = kasoku.client();
    let written = client
        .json(Method::PATCH, "/books?id=lt.3&select=id,author(name),reviews(stars)", &json!({"author_id": 3}))
        .await;
    assert_eq!(
        written.json(),
        json!([
            {"id": 1, "author": {"name": "Cem"}, "reviews": [{"stars": 5}, {"stars": 2}]},
            {"id": 2, "author": {"name": "Cem"}, "reviews": [{"stars": 4}]},
        ])
    );
    let created = client
        .json(Method::POST, "/books?select=title,author(name)", &json!({"title": "Five", "author_id": 1}))
        .await;
    assert_eq!(created.json(), json!({"title": "Five", "author": {"name": "Ada"}}));
    let refused =
        client.json(Method::PATCH, "/books?id=eq.1&select=author!inner(name)", &json!({"pages": 1})).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_change_removes_the_answers_that_it_is_embedded_in_and_no_others() {
    let app = app();
    let kasoku = open(&app);
    let client = kasoku.client();
    let (one, two, four) = (
        "/books/1?select=id,reviews(id,stars)",
        "/books/2?select=id,reviews(id,stars)",
        "/books/4?select=id,reviews(id)",
    );
    let (author_one, author_three) = ("/books/1?select=author(name)", "/books/3?select=author(name)");
    let (tags_one, tags_two) = ("/books/1?select=tags(name)", "/books/2?select=tags(name)");
    let inner = "/books?select=id,reviews!inner(id)&reviews.stars=eq.1";
    let targets = [one, two, four, author_one, author_three, tags_one, tags_two, inner];
    let settle = async || {
        for target in targets {
            client.get(target).await;
            assert_eq!(client.get(target).await.cache(), "HIT", "{target}");
        }
    };
    let steps: [(Method, &str, Value, &[&str]); 12] = [
        (Method::POST, "/reviews", json!({"book_id": 1, "stars": 3}), &[one, inner]),
        (Method::PATCH, "/reviews/3", json!({"stars": 1}), &[two, inner]),
        (Method::PATCH, "/reviews/3", json!({"book_id": 4}), &[two, four, inner]),
        (Method::DELETE, "/reviews/3", Value::Null, &[four, inner]),
        (Method::PATCH, "/reviews/5", json!({"stars": 2}), &[inner]),
        (Method::PATCH, "/people/1", json!({"name": "Ida"}), &[author_one]),
        (Method::PATCH, "/people/3", json!({"name": "Dov"}), &[]),
        (Method::PATCH, "/books/1", json!({"author_id": 2}), &[one, author_one, tags_one, inner]),
        (Method::PATCH, "/people/2", json!({"name": "Eve"}), &[author_one, author_three]),
        (Method::PATCH, "/tags/1", json!({"name": "rose"}), &[tags_one]),
        (Method::PATCH, "/tags/3", json!({"name": "lime"}), &[]),
        (Method::POST, "/labels", json!({"book_id": 2, "tag_id": 3}), &[tags_two]),
    ];
    for (method, target, body, gone) in steps {
        settle().await;
        let written = client.json(method, target, &body).await;
        assert!(written.status.is_success(), "{target} {body}: {written:?}");
        for read in targets {
            let expected = if gone.contains(&read) { "MISS" } else { "HIT" };
            assert_eq!(client.get(read).await.cache(), expected, "{read} after {target} {body}");
        }
    }
}
