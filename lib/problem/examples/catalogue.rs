//! Prints every kind of failure as a page of the reference: `cargo run -p kasoku-problem --example catalogue`.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use kasoku_problem::{Fault, Kind, MEDIA_TYPE, Retry};

const HEAD: &str = "\
A failed request is answered with a problem document (RFC 9457): `type` names the kind, `detail` says what is wrong
with this request in particular, and `request_id` finds it in the log. Other members depend on the kind.
Callers of `table` and `query` routes also find `code`, `message`, `details` and `hint`, as [PostgREST's clients](../guide/postgrest.md)
read them.

| status | type | title | who has to act | again? |
|---|---|---|---|---|";

fn main() {
    println!("<!-- Written by `cargo xtask docs`; change lib/problem/src/kind.rs instead. -->");
    println!("# Problems\n\nThe media type is `{MEDIA_TYPE}`.\n\n{HEAD}");
    for kind in Kind::ALL {
        println!(
            "| {} | `urn:problem-type:kasoku:{}` | {} | {} | {} |",
            kind.status().as_u16(),
            kind.slug(),
            kind.title(),
            match kind.fault() {
                Fault::Caller => "the caller",
                Fault::Server => "this server",
                Fault::Upstream => "what is behind this server",
            },
            match kind.retry() {
                Retry::Never => "not without a change".to_owned(),
                Retry::After(seconds) => format!("after {seconds} s, or what `Retry-After` says"),
            },
        );
    }
}
