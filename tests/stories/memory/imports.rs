//! Files into a table take no more memory the longer they are.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;

use kasoku_testkit::{Kasoku, Postgres, Start, TempApp};

const ROWS: u64 = 200_000;
const GROWTH_BYTES_MAX: u64 = 32 << 20;

const SCHEMA: &str = "create table texts (id integer primary key, text text not null, note text);";

fn start(database: &str) -> (TempApp, Kasoku) {
    let toml = format!(
        "[database]\n{database}\nschema = \"schema/\"\n\
         [[route]]\npath = \"/texts\"\ntable = \"texts\"\nwrite = [\"insert\"]\nimport = [\"csv\"]\n\
         [[route]]\npath = \"/count\"\nquery = \"select count(*) as texts from texts\"\n"
    );
    let app = TempApp::new(&toml).file("schema/001-texts.sql", SCHEMA);
    let kasoku = Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready();
    (app, kasoku)
}

/// Sends so many rows from this key on, and gives the answer and how much memory was resident at the most meanwhile.
fn import(kasoku: &Kasoku, prefer: &str, first: u64, rows: u64) -> (String, u64) {
    let line = |id: u64| format!("{id:08},{},\r\n", "x".repeat(120));
    let length = "id,text,note\r\n".len() as u64 + rows * line(0).len() as u64;
    let mut stream = TcpStream::connect(kasoku.address()).unwrap();
    write!(
        stream,
        "POST /texts.csv HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: text/csv\r\nPrefer: {prefer}\r\n\
         Content-Length: {length}\r\n\r\nid,text,note\r\n"
    )
    .unwrap();
    let (mut most, mut next) = (0, first);
    while next < first + rows {
        let mut lines = String::new();
        for id in next..(next + 1_000).min(first + rows) {
            write!(lines, "{}", line(id)).unwrap();
        }
        stream.write_all(lines.as_bytes()).unwrap();
        next += 1_000;
        most = most.max(kasoku.resident_bytes());
    }
    let mut answer = String::new();
    let mut buffer = [0; 4_096];
    stream.set_read_timeout(Some(std::time::Duration::from_millis(20))).unwrap();
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => answer.push_str(std::str::from_utf8(&buffer[..read]).unwrap()),
            // The transaction goes on, and is looked at meanwhile.
            Err(_) => most = most.max(kasoku.resident_bytes()),
        }
    }
    (answer, most)
}

fn check(database: &str) {
    let (_app, kasoku) = start(database);
    for (round, prefer) in ["handling=lenient", "continue-on-error"].into_iter().enumerate() {
        let first = round as u64 * 10_000_000;
        import(&kasoku, prefer, first + 1, 5_000);
        let before = kasoku.resident_bytes();
        let (answer, most) = import(&kasoku, prefer, first + 10_000, ROWS);
        assert!(answer.contains(&format!("\"written\":{ROWS}")), "{answer}");
        let growth = most.saturating_sub(before);
        assert!(growth <= GROWTH_BYTES_MAX, "{prefer}: an import took {growth} bytes");
    }
}

#[test]
fn an_import_takes_no_more_memory_the_longer_it_is() {
    check("url = \"sqlite:texts.db\"\npage_cache = \"1MiB\"");
}

#[test]
fn an_import_takes_no_more_memory_the_longer_it_is_to_a_server() {
    check(&format!("url = \"{}\"", Postgres::shared().database().url()));
}
