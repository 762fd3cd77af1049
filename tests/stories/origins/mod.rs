//! HTTP servers behind the real binary: sound ones, broken ones, slow ones, and some that speak something else.

mod circles;
mod compression;
mod failing;
mod forwarding;
mod protocols;
mod reuse;
mod streaming;
mod switching;

use kasoku_testkit::{Kasoku, RecordingOrigin, Start, TempApp};

const BINARY: &str = env!("CARGO_BIN_EXE_kasoku");

/// An answer of four bytes.
const FOUR: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfour";

/// The binary before an origin, with nothing said but where it is.
fn before(origin: &RecordingOrigin) -> Kasoku {
    Start::origins(BINARY, &[origin.url()]).ready()
}

/// The binary before an origin at `/{*rest}`, with settings of the origin and of the route.
fn before_with(origin: &RecordingOrigin, of_origin: &str, of_route: &str) -> (TempApp, Kasoku) {
    let servers = format!("servers = [\"{}\"]", origin.url());
    started(&format!(
        "[[route]]\npath = \"/{{*rest}}\"\n{of_route}\n[route.origin]\n{servers}\n{of_origin}\n"
    ))
}

/// The binary with this configuration.
fn started(text: &str) -> (TempApp, Kasoku) {
    let app = TempApp::new(text);
    let kasoku = Start::serve(BINARY, app.path()).ready();
    (app, kasoku)
}

/// A field of a raw request; empty if it is not there.
fn field<'a>(request: &'a str, name: &str) -> &'a str {
    let head = request.split("\r\n\r\n").next().unwrap_or_default();
    let mut found = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    found.find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
}
