//! RFC 9111 §3.3, RFC 9112 §6, §7, RFC 9110 §15.2: how answers come, and that only whole ones are stored.

use super::row::{Expect, row};
use super::stand::check;

#[tokio::test]
async fn whole_answers_are_stored_however_they_come() {
    use Expect::{Body, Field, Reused, Status};
    const HEAD: &str = "HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\n";
    let with = |rest: &str| format!("{HEAD}{rest}");
    let chunked = with("Transfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n3\r\n or\r\n0\r\n\r\n");
    let named = with("Transfer-Encoding: Chunked\r\n\r\n7;name=value\r\nfour or\r\n0\r\n\r\n");
    let trailers = with(
        "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n7\r\nfour or\r\n0\r\nX-Sum: 1\r\nCache-Control: no-store\r\nSet-Cookie: a=b\r\n\r\n",
    );
    let open = with("\r\nfour or");
    let closed = with("Connection: close\r\nContent-Length: 7\r\n\r\nfour or");
    let empty = with("Content-Length: 0\r\n\r\n");
    let interim =
        |lines: &str| format!("HTTP/1.1 {lines}\r\n\r\n{}", with("Content-Length: 7\r\n\r\nfour or"));
    let stored = |clause: &'static str, claim: &str| row(clause, claim);
    let asked = |row: super::row::Row| {
        row.get(&[], &[Expect::Forwarded, Status(200), Body("four or")])
            .get(&[], &[Reused, Status(200), Body("four or"), Field("content-length", "7")])
    };
    check(vec![
        asked(stored("RFC 9112 §7.1", "in chunks").bytes(&chunked)),
        asked(stored("RFC 9112 §7.1.1", "in chunks with extensions").bytes(&named)),
        asked(stored("RFC 9112 §7.1.2", "in chunks with trailers").bytes(&trailers)).get(
            &[],
            &[Reused, Expect::Without("x-sum"), Expect::Without("set-cookie"), Field("cache-control", "max-age=3600")],
        ),
        asked(stored("RFC 9112 §6.3", "up to the end of the connection").bytes_and_end(&open)),
        asked(stored("RFC 9112 §9.6", "with a length and the end of the connection").bytes_and_end(&closed)),
        asked(stored("RFC 9110 §15.2", "after a 100").bytes(&interim("100 Continue"))),
        asked(stored("RFC 9110 §15.2", "after a 102").bytes(&interim("102 Processing"))),
        asked(stored("RFC 8297 §2", "after a 103").bytes(&interim("103 Early Hints\r\nLink: </a>; rel=preload"))).get(&[], &[Reused, Expect::Without("link")]),
        asked(stored("RFC 8297 §2", "after a 103 that speaks to caches").bytes(&interim("103 Early Hints\r\nCache-Control: no-store\r\nSet-Cookie: a=b"))).get(&[], &[Reused, Field("cache-control", "max-age=3600"), Expect::Without("set-cookie")]),
        asked(stored("RFC 9110 §15.2", "after an interim answer that nobody knows").bytes(&interim("199 What"))),
        asked(stored("RFC 9110 §15.2", "after several").bytes(&format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\n\r\n{}", with("Content-Length: 7\r\n\r\nfour or")))),
        asked(stored("RFC 9110 §2.5", "over HTTP/1.0 with a lifetime by directive").bytes_and_end("HTTP/1.0 200 OK\r\nCache-Control: max-age=3600\r\n\r\nfour or")),
        asked(stored("RFC 9110 §2.5", "over HTTP/1.0 with a lifetime by date").bytes_and_end("HTTP/1.0 200 OK\r\nExpires: {+3600}\r\nContent-Length: 7\r\n\r\nfour or")),
        asked(stored("RFC 9112 §9.3", "over HTTP/1.0 on a connection that is kept").bytes("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nCache-Control: max-age=3600\r\nContent-Length: 7\r\n\r\nfour or")),
        asked(stored("RFC 9112 §6.3", "with the same length twice").bytes(&with("Content-Length: 7\r\nContent-Length: 7\r\n\r\nfour or"))),
        row("RFC 9112 §6", "without content")
            .bytes(&empty)
            .get(&[], &[Status(200), Body("")])
            .get(&[], &[Reused, Status(200), Body(""), Field("content-length", "0")]),
        row("RFC 9110 §15.3.5", "a 204")
            .status(204, &["Cache-Control: max-age=3600"])
            .get(&[], &[Status(204)])
            .get(&[], &[Reused, Status(204), Body("")]),
        row("RFC 9112 §4", "without a reason phrase")
            .bytes("HTTP/1.1 200 \r\nCache-Control: max-age=3600\r\nContent-Length: 4\r\n\r\nfour")
            .get(&[], &[Status(200)])
            .get(&[], &[Reused, Status(200)]),
    ])
    .await;
}

/// §3.3: "If the message body is terminated abnormally, the response is incomplete."
#[tokio::test]
async fn what_breaks_off_is_never_stored() {
    use super::row::Row;
    const HEAD: &str = "HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nETag: \"a\"\r\n";
    let broken = |claim: &str, bytes: &str| -> Row {
        row("RFC 9111 §3.3", claim).bytes_and_end(bytes).says(200, &["Cache-Control: max-age=3600"], "whole")
    };
    let mut rows = Vec::new();
    for (claim, rest) in [
        ("less than its length", "Content-Length: 100\r\n\r\nfour"),
        ("nothing of its length", "Content-Length: 100\r\n\r\n"),
        ("all but a byte", "Content-Length: 5\r\n\r\nfour"),
        ("no last chunk", "Transfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n"),
        ("half a chunk", "Transfer-Encoding: chunked\r\n\r\nff\r\nfour"),
        ("no chunk at all", "Transfer-Encoding: chunked\r\n\r\n"),
        ("half a last chunk", "Transfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n"),
        ("a chunk without a size", "Transfer-Encoding: chunked\r\n\r\n4\r\nfour\r\nzz\r\n"),
    ] {
        rows.push(
            broken(claim, &format!("{HEAD}{rest}"))
                .cut_off()
                .get(&[], &[Expect::Forwarded, Expect::Body("whole")])
                .get(&[], &[Expect::Reused, Expect::Body("whole")]),
        );
    }
    for (claim, bytes) in [
        (
            "two lengths that differ",
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nfour",
        ),
        (
            "a length and chunks",
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n",
        ),
        (
            "a transfer coding that nobody knows",
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nTransfer-Encoding: foo, chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "a length that is no number",
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nContent-Length: four\r\n\r\nfour",
        ),
    ] {
        rows.push(
            broken(claim, bytes)
                .get(&[], &[Expect::Status(502)])
                .get(&[], &[Expect::Forwarded, Expect::Body("whole")])
                .get(&[], &[Expect::Reused, Expect::Body("whole")]),
        );
    }
    rows.push(
        // A request that met a connection which was just being closed may be sent once more.
        broken("a head that ends", "HTTP/1.1 200 OK\r\nCache-Control: max-age=3600")
            .get(&[], &[])
            .get(&[], &[Expect::Body("whole")]),
    );
    check(rows).await;
}
