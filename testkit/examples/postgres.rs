//! A private PostgreSQL for tests that are not written in Rust: says where an empty database is, and ends the server when
//! its own input ends: `cargo run -p kasoku-testkit --example postgres`.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use kasoku_testkit::Postgres;

fn main() -> std::io::Result<()> {
    let postgres = Postgres::start();
    println!("{}", postgres.database().url());
    // Whoever started this holds the other end, and lets go of it however it ends.
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}
