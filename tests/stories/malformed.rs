//! What is wrong before any database takes part: bytes that are no HTTP, and configurations that cannot be served.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use kasoku_testkit::TempApp;

use crate::shop;

#[test]
fn malformed_http_is_refused_and_the_connection_closed() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    for bytes in [
        "GET /things\r\n\r\n",
        "GET /things HTTP/1.1\r\n\r\n",
        "GET /things HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /things HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET /things HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
        "GET /things HTTP/1.1\r\nHost: a\r\nX-\x01: b\r\n\r\n",
        "POST /things HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "POST /things HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n{}",
        "POST /things HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "POST /things HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ] {
        let mut connection = TcpStream::connect(kasoku.address()).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        connection.write_all(bytes.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let ended = connection.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        // A reset after the answer is as good as an end.
        let kept_open = ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!kept_open, "{bytes:?} left the connection open: {answer}");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{bytes:?}: {answer}");
        assert_eq!(
            answer.matches("HTTP/1.1 ").count(),
            usize::from(!answer.is_empty()),
            "{bytes:?}: {answer}"
        );
    }
}

#[test]
fn a_wrong_configuration_is_explained_with_its_place() {
    for (change, mentions) in [
        (("memory", "memroy"), ["memory", "kasoku.toml:7"].as_slice()),
        (("\"16MiB\"", "\"16 elephants\""), &["16 elephants", "kasoku.toml:7"]),
        (("table = \"things\"", "table = \"thinks\""), &["thinks", "things"]),
        (("filter = [\"id\", \"name\"", "filter = [\"id\", \"nmae\""), &["nmae", "name"]),
        (("fresh = \"1h\"", "fresh = 3600"), &["fresh"]),
        (("[cache]", "[cache"), &["kasoku.toml:6"]),
    ] {
        let toml = shop::KASOKU_TOML.replacen(change.0, change.1, 1);
        assert_ne!(toml, shop::KASOKU_TOML, "{change:?}");
        let app = TempApp::new(&toml).file("schema/001-shop.sql", shop::SCHEMA);
        let check = Command::new(env!("CARGO_BIN_EXE_kasoku")).arg("check").arg(app.path()).output().unwrap();
        let said = [check.stdout, check.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(check.status.code(), Some(1), "{change:?}: {said}");
        for mention in mentions {
            assert!(said.contains(mention), "{change:?} does not mention {mention}: {said}");
        }
    }
}
