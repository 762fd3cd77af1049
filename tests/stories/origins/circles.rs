//! Origins that lead back to where a request came from.

use kasoku_testkit::{Kasoku, RecordingOrigin, Start, TempApp, free_port};

use super::{BINARY, field};

/// The binary on a port, before an origin on another, with settings of the server and of the route.
fn on(port: u16, origin: u16, of_server: &str, of_route: &str) -> (TempApp, Kasoku) {
    let app = TempApp::new(&format!(
        "[server]\n{of_server}\n[[route]]\npath = \"/{{*rest}}\"\norigin = \"http://127.0.0.1:{origin}\"\n{of_route}\n"
    ));
    let kasoku = Start::serve(BINARY, app.path()).listen(([127, 0, 0, 1], port).into()).ready();
    (app, kasoku)
}

async fn check_loop(kasoku: &Kasoku, what: &str) {
    for method in [http::Method::GET, http::Method::POST] {
        let answer = kasoku.client().send(method.clone(), "/a?b=1", &[], "").await;
        assert_eq!(answer.status, 508, "{what}: {method}: {answer:?}");
        assert!(answer.text().contains("loop-detected"), "{what}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_server_whose_origin_is_itself_says_so_at_once() {
    for (of_server, of_route) in [("", ""), ("", "cache = false"), ("pseudonym = \"edge\"", "")] {
        let port = free_port();
        let (_app, kasoku) = on(port, port, of_server, of_route);
        check_loop(&kasoku, &format!("{of_server} {of_route}")).await;
    }
}

#[tokio::test]
async fn servers_in_a_circle_say_so_at_once() {
    for (of_one, of_other) in [("", ""), ("pseudonym = \"one\"", "pseudonym = \"other\"")] {
        let [one, other] = [free_port(), free_port()];
        let (_app, first) = on(one, other, of_one, "");
        let (_app, _second) = on(other, one, of_other, "");
        check_loop(&first, of_one).await;
    }
}

#[tokio::test]
async fn servers_in_a_row_are_no_circle_and_each_says_its_name() {
    let origin = RecordingOrigin::always("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfour");
    let inner = free_port();
    let (_app, _second) = on(inner, origin.address().port(), "pseudonym = \"inner\"", "");
    let (_app, first) = on(free_port(), inner, "", "");
    let answer = first.client().get_with("/", &[("cdn-loop", "before; a=1")]).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "four"));
    assert_eq!(answer.header("via"), "1.1 inner, 1.1 kasoku");
    let sent = &origin.requests()[0];
    assert_eq!(field(sent, "via"), "1.1 kasoku, 1.1 inner");
    let told = field(sent, "cdn-loop").split(", ").collect::<Vec<_>>();
    assert!(matches!(told[..], ["before; a=1", own, "inner"] if own.starts_with("kasoku-")), "{told:?}");
    // Nothing that claims to have been here is sent on.
    let answer = first.client().get_with("/other", &[("cdn-loop", "inner")]).await;
    assert_eq!(answer.status, 508);
    assert_eq!(origin.requests().len(), 1);
}
