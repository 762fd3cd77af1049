//! Whole lists as files take no more memory the longer they are, nor the longer their callers rest.

use std::io::{Read, Write};
use std::net::TcpStream;

use kasoku_testkit::{Kasoku, Postgres, Start, TempApp};

const ROWS: u64 = 300_000;
const GROWTH_BYTES_MAX: u64 = 32 << 20;
const CALLERS: usize = 16;

const SQLITE: &str = "
create table texts (id integer primary key, text text not null, note text);
with recursive n (id) as (select 1 union all select id + 1 from n where id < 300000)
insert into texts select id, substr(printf('%08d', id) || hex(zeroblob(100)), 1, 200), null from n;";
const POSTGRES: &str = "
create table texts (id integer primary key, text text not null, note text);
insert into texts select i, substr(lpad(i::text, 8, '0') || repeat('0', 200), 1, 200), null
from generate_series(1, 300000) i;";

fn start(url: &str, schema: &str) -> (TempApp, Kasoku) {
    let toml = format!(
        "[server.limits]\nwrite_timeout = \"10m\"\n[database]\nurl = \"{url}\"\nschema = \"schema/\"\n\
         [[route]]\npath = \"/texts\"\ntable = \"texts\"\nexport = {{ formats = [\"csv\", \"ndjson\"], concurrent = {CALLERS} }}\n"
    );
    let app = TempApp::new(&toml).file("schema/001-texts.sql", schema);
    let kasoku = Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready();
    (app, kasoku)
}

fn begin(kasoku: &Kasoku, target: &str) -> TcpStream {
    let mut stream = TcpStream::connect(kasoku.address()).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    stream
}

/// Reads an export to its end: how many lines it had, whether it was whole, and how much memory it took at the most.
fn take(kasoku: &Kasoku, mut stream: TcpStream) -> (u64, bool, u64) {
    let (mut buffer, mut end) = (vec![0; 256 << 10], Vec::new());
    let (mut lines, mut most) = (0, 0);
    loop {
        let read = stream.read(&mut buffer).unwrap();
        if read == 0 {
            return (lines, end.ends_with(b"\r\n0\r\n\r\n"), most);
        }
        let come = &buffer[..read];
        // Each line has a text of digits, in which these do not occur.
        lines += come.split(|byte| *byte == b'}').count() as u64 - 1;
        end.extend_from_slice(&come[read.saturating_sub(16)..]);
        end.drain(..end.len().saturating_sub(16));
        most = most.max(kasoku.resident_bytes());
    }
}

fn check(url: &str, schema: &str) {
    let (_app, kasoku) = start(url, schema);
    take(&kasoku, begin(&kasoku, "/texts.ndjson?limit=5000"));
    let before = kasoku.resident_bytes();
    let (lines, is_whole, most) = take(&kasoku, begin(&kasoku, "/texts.ndjson"));
    assert_eq!((lines, is_whole), (ROWS, true));
    let growth = most.saturating_sub(before);
    assert!(growth <= GROWTH_BYTES_MAX, "one export took {growth} bytes");
    let mut resting: Vec<TcpStream> = (0..CALLERS).map(|_| begin(&kasoku, "/texts.ndjson")).collect();
    for stream in &mut resting {
        // Its first part is there, and more of it than the sockets take has been asked for.
        stream.read_exact(&mut [0; 4_096]).unwrap();
    }
    let growth = kasoku.resident_bytes().saturating_sub(before);
    assert!(growth <= GROWTH_BYTES_MAX, "{CALLERS} callers who rest take {growth} bytes");
    let (lines, is_whole, _) = take(&kasoku, resting.pop().unwrap());
    assert!(lines + 100 > ROWS && is_whole, "{lines}");
}

#[test]
fn an_export_takes_no_more_memory_the_longer_it_is() {
    check("sqlite:texts.db", SQLITE);
}

#[test]
fn an_export_takes_no_more_memory_the_longer_it_is_from_a_server() {
    check(&Postgres::shared().database().url(), POSTGRES);
}
