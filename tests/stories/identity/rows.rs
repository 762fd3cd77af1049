//! Row rules: a caller never sees, changes, deletes, overwrites or pages through another's rows.

use http::Method;
use serde_json::json;

use super::{Asker, apps, open};

#[tokio::test]
async fn a_caller_sees_its_own_rows_whatever_it_asks_for() {
    for (engine, app) in apps() {
        let kasoku = open(&app);
        let client = kasoku.client();
        let (a, b) = (Asker::user(&client, "7"), Asker::user(&client, "8"));
        // Twice, so that the second answer is a stored one.
        for verdict in ["MISS", "HIT"] {
            for (target, of_a, of_b) in [
                ("/notes?limit=50", vec![1, 3, 5, 6], vec![2, 4]),
                ("/notes?kind=eq.x", vec![1, 5, 6], vec![2]),
                ("/notes?user_id=eq.8", vec![], vec![2, 4]),
                ("/notes?or=(user_id.eq.7,user_id.eq.8)&order=title.desc", vec![6, 5, 3], vec![4, 2]),
                ("/notes?not.and=(user_id.eq.1)&offset=1", vec![3, 5, 6], vec![4]),
            ] {
                for (asker, expected) in [(&a, of_a), (&b, of_b)] {
                    let answer = asker.get(target).await;
                    assert_eq!(answer.header("x-cache"), verdict, "{engine} {target}: {answer:?}");
                    assert_eq!(answer.header("cache-control"), "private, no-cache");
                    assert_eq!(asker.list(target, "id").await, expected, "{engine} {target}");
                }
            }
        }
        for (asker, own, other) in [(&a, "/notes/1", "/notes/2"), (&b, "/notes/2", "/notes/1")] {
            for _ in 0..2 {
                assert_eq!(asker.get(own).await.status, 200, "{engine}");
                assert_eq!(asker.get(other).await.status, 404, "{engine}");
                assert_eq!(asker.get(&format!("{other}?select=id")).await.status, 404, "{engine}");
            }
        }
        let count = a.send(Method::GET, "/notes?limit=1", &[("prefer", "count=exact")], None).await;
        assert_eq!(count.header("content-range"), "0-0/4", "{engine}");
        let count = b.send(Method::GET, "/notes?limit=1", &[("prefer", "count=estimated")], None).await;
        assert_eq!(count.header("content-range"), "0-0/2", "{engine}");
        assert_eq!(b.list("/notes?select=count()", "count").await, [2], "{engine}");
        for id in ["9", "07", "7 or 1=1", "x"] {
            let nothing = Asker::user(&client, id).list("/notes", "id").await;
            assert!(nothing.is_empty(), "{engine} {id}");
        }
    }
}

#[tokio::test]
async fn nobody_is_asked_who_it_is() {
    for (engine, app) in apps() {
        let kasoku = open(&app);
        let client = kasoku.client();
        let nobody = Asker::nobody(&client);
        for (method, target) in [
            (Method::GET, "/notes"),
            (Method::GET, "/notes/1"),
            (Method::HEAD, "/notes"),
            (Method::DELETE, "/notes/1"),
        ] {
            let answer = nobody.send(method.clone(), target, &[], None).await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("www-authenticate")),
                (401, "Bearer"),
                "{engine}"
            );
        }
        // Reads are for anyone; what nobody may see is not there.
        assert_eq!(nobody.list("/posts", "id").await, [2], "{engine}");
        assert_eq!(Asker::user(&client, "7").list("/posts", "id").await, [1, 2], "{engine}");
        assert_eq!(nobody.list("/posts", "id").await, [2], "{engine}");
        assert_eq!(nobody.get("/posts/1").await.status, 404, "{engine}");
        let post = Some(json!({ "title": "t" }));
        assert_eq!(nobody.send(Method::POST, "/posts", &[], post).await.status, 401, "{engine}");
        let user = Asker::user(&client, "7");
        let refused = user.send(Method::DELETE, "/posts/1", &[], None).await;
        let challenge = refused.header("www-authenticate").to_owned();
        assert_eq!(
            (refused.status.as_u16(), &*challenge),
            (403, "Bearer error=\"insufficient_scope\""),
            "{engine}"
        );
        let editor = Asker::of(&client, &json!({ "sub": "8", "aud": "notes", "roles": ["editor"] }));
        assert_eq!(editor.send(Method::DELETE, "/posts/1", &[], None).await.status, 404, "not the editor's");
        assert_eq!(editor.send(Method::DELETE, "/posts/3", &[], None).await.status, 204, "{engine}");
    }
}

#[tokio::test]
async fn a_caller_writes_its_own_rows_and_no_others() {
    for (engine, app) in apps() {
        let kasoku = open(&app);
        let client = kasoku.client();
        let (a, b) = (Asker::user(&client, "7"), Asker::user(&client, "8"));
        let made = a.send(Method::POST, "/notes", &[], Some(json!({ "id": 20, "title": "new" }))).await;
        assert_eq!(
            (made.status.as_u16(), &made.json()["user_id"]),
            (201, &json!(7)),
            "{engine}: the caller's"
        );
        let theirs_of_b = b.list("/notes", "title").await;
        let merge = [("prefer", "resolution=merge-duplicates")];
        let ignore = [("prefer", "resolution=ignore-duplicates")];
        let cases = [
            (Method::POST, "/notes", &[][..], json!({ "id": 21, "title": "x", "user_id": 8 }), 403),
            (
                Method::POST,
                "/notes",
                &[],
                json!([{ "id": 21, "title": "x" }, { "id": 22, "title": "y", "user_id": 8 }]),
                403,
            ),
            (
                Method::POST,
                "/notes?columns=id,title",
                &[],
                json!({ "id": 23, "title": "z", "user_id": 8 }),
                201,
            ),
            (Method::POST, "/notes", &merge, json!({ "id": 2, "title": "taken over" }), 403),
            (
                Method::POST,
                "/notes",
                &merge,
                json!([{ "id": 1, "title": "a1" }, { "id": 4, "title": "d1" }]),
                403,
            ),
            (
                Method::POST,
                "/notes?on_conflict=title",
                &merge,
                json!({ "id": 30, "title": "b", "kind": "z" }),
                403,
            ),
            (Method::POST, "/notes", &merge, json!({ "id": 1, "title": "a1" }), 201),
            (Method::POST, "/notes", &ignore, json!({ "id": 2, "title": "not taken over" }), 201),
            (Method::PUT, "/notes/2", &[], json!({ "title": "taken over" }), 403),
            (Method::PUT, "/notes/1", &[], json!({ "title": "a2", "user_id": 8 }), 403),
            (Method::PUT, "/notes/1", &[], json!({ "title": "a2" }), 200),
            (Method::PUT, "/notes/24", &[], json!({ "title": "put" }), 201),
            (Method::PATCH, "/notes/2", &[], json!({ "title": "taken over" }), 404),
            (Method::PATCH, "/notes/1", &[], json!({ "user_id": 8 }), 403),
            (Method::PATCH, "/notes?kind=eq.x", &[], json!({ "user_id": 8 }), 403),
            (Method::PATCH, "/notes?id=in.(1,2)", &[], json!({ "kind": "w" }), 200),
            (Method::PATCH, "/notes?kind=eq.y&order=id&limit=5", &[], json!({ "kind": "v" }), 200),
            (Method::PATCH, "/notes", &[], json!([{ "id": 1, "kind": "u" }, { "id": 2, "kind": "u" }]), 404),
            (Method::PATCH, "/notes", &[], json!([{ "id": 1, "kind": "u" }, { "id": 3, "user_id": 8 }]), 403),
            (Method::DELETE, "/notes/2", &[], json!(null), 404),
            (Method::DELETE, "/notes?id=gt.0&order=id&limit=1", &[], json!(null), 204),
            (Method::DELETE, "/notes?id=in.(2,3,4)", &[], json!(null), 204),
        ];
        for (method, target, fields, body, status) in cases {
            let shown = format!("{engine} {method} {target} {body}");
            let answer = a.send(method, target, fields, Some(body).filter(|body| !body.is_null())).await;
            assert_eq!(answer.status.as_u16(), status, "{shown}: {answer:?}");
            assert!(!answer.text().contains("\"b\""), "{shown}: {answer:?}");
            // Nothing of the other's has changed, and it is still answered from what was stored.
            let now = b.get("/notes").await;
            let (verdict, why) = (now.header("x-cache"), now.header("cache-status"));
            assert_eq!(verdict, "HIT", "{shown}: {why}");
            assert_eq!(b.list("/notes", "title").await, theirs_of_b, "{shown}");
            assert_eq!(b.list("/notes", "kind").await, ["x", "y"], "{shown}");
        }
        assert_eq!(a.list("/notes?limit=50", "id").await, [5, 6, 20, 23, 24], "{engine}");
    }
}

#[tokio::test]
async fn a_query_asks_for_what_is_known_of_its_caller_and_for_nothing_that_the_caller_says() {
    for (engine, app) in apps() {
        let kasoku = open(&app);
        let client = kasoku.client();
        let (a, b) = (Asker::user(&client, "7"), Asker::user(&client, "8"));
        for verdict in ["MISS", "HIT"] {
            assert_eq!(a.get("/mine?kind=x").await.header("x-cache"), verdict, "{engine}");
            assert_eq!(a.list("/mine?kind=x", "title").await, ["a", "e", "f"], "{engine}");
            assert_eq!(b.get("/mine?kind=x").await.header("x-cache"), verdict, "{engine}");
            assert_eq!(b.list("/mine?kind=x", "title").await, ["b"], "{engine}");
        }
        for said in ["caller_id=8", "caller.id=8"] {
            assert_eq!(a.get(&format!("/mine?kind=x&{said}")).await.status, 400, "{engine} {said}");
        }
        assert_eq!(Asker::nobody(&client).get("/mine?kind=x").await.status, 401, "{engine}");
    }
}

#[tokio::test]
async fn rows_of_others_come_neither_inside_of_rows_nor_by_a_cursor() {
    for (engine, app) in apps() {
        let kasoku = open(&app);
        let client = kasoku.client();
        let (a, b) = (Asker::user(&client, "7"), Asker::user(&client, "8"));
        let of_a = a.get("/notes?select=id,remarks(body)&id=eq.1").await.json();
        assert_eq!(of_a, json!([{ "id": 1, "remarks": [{ "body": "mine on mine" }] }]), "{engine}");
        // The remark is the caller's, and the note that it is on is not.
        let of_a = a.get("/remarks?select=id,note(title)&limit=9").await.json();
        assert_eq!(
            of_a,
            json!([{ "id": 1, "note": { "title": "a" } }, { "id": 3, "note": null }]),
            "{engine}"
        );
        assert_eq!(a.list("/notes?select=id,remarks!inner(id)&id=in.(1,2)", "id").await, [1], "{engine}");
        let first = a.get("/notes").await;
        let link = first.header("link").to_owned();
        let next = link.split(['<', '>']).nth(1).unwrap();
        assert_eq!(a.list(next, "id").await, [6], "{engine}");
        assert_eq!(b.get(next).await.status, 400, "{engine}: the cursor is the other's");
    }
}
