//! HTTP/2 with prior knowledge, frame by frame.

use std::net::SocketAddr;
use std::time::Duration;

use crate::peer::Peer;
use crate::site::Site;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// A client that shows its frames.
pub(crate) struct Http2 {
    peer: Peer,
    next_stream: u32,
    goaway: Option<u32>,
}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Http2 {
    pub(crate) fn to(address: SocketAddr) -> Self {
        Self::with_settings(address, &[])
    }

    fn with_settings(address: SocketAddr, settings: &[(u16, u32)]) -> Self {
        let mut peer = Peer::to(address);
        peer.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let payload: Vec<u8> = settings
            .iter()
            .flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        peer.send(frame(SETTINGS, 0, 0, &payload));
        Self { peer, next_stream: 1, goaway: None }
    }

    /// Begins a GET.
    pub(crate) fn get(&mut self, path: &str) -> u32 {
        self.request(&get_block(path, &[]), END_STREAM)
    }

    fn request(&mut self, block: &[u8], flags: u8) -> u32 {
        let stream = self.next_stream;
        self.next_stream += 2;
        self.peer.send(frame(HEADERS, flags | END_HEADERS, stream, block));
        stream
    }

    /// Reads a frame; answers settings and pings.
    fn frame(&mut self) -> Option<Frame> {
        let head = self.peer.exactly(9)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let read = Frame { kind: head[3], flags: head[4], stream, payload: self.peer.exactly(length)? };
        match (read.kind, read.flags & ACK) {
            (SETTINGS, 0) => drop(self.peer.send(frame(SETTINGS, ACK, 0, &[]))),
            (PING, 0) => drop(self.peer.send(frame(PING, ACK, 0, &read.payload))),
            (GOAWAY, _) => {
                self.goaway = Some(u32::from_be_bytes(read.payload[4..8].try_into().unwrap()));
            }
            _ => {}
        }
        Some(read)
    }

    /// Reads until so many streams have ended, and returns their statuses, sorted.
    pub(crate) fn statuses(&mut self, count: usize) -> Vec<String> {
        let mut statuses = Vec::new();
        let mut ended = 0;
        while ended < count {
            let Some(frame) = self.frame() else {
                statuses.push("closed".into());
                break;
            };
            match frame.kind {
                HEADERS => statuses.push(status(&frame.payload)),
                RST_STREAM => statuses.push("reset".into()),
                _ => {}
            }
            ended += usize::from(
                frame.kind == RST_STREAM
                    || frame.stream > 0 && frame.flags & END_STREAM > 0 && frame.kind <= HEADERS,
            );
        }
        statuses.sort();
        statuses
    }

    /// Reads to the end of the connection, and says whether it was announced.
    pub(crate) fn ended_with_goaway(&mut self) -> bool {
        while self.frame().is_some() {}
        self.goaway.is_some()
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head[..], payload].concat()
}

/// A header block of literals (RFC 7541 §6.2.2) with `:method GET` and `:scheme http` by index.
fn get_block(path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = vec![0x82, 0x86];
    for (index, value) in [(0x04, path), (0x01, "h")] {
        block.push(index);
        string(&mut block, value);
    }
    for (name, value) in fields {
        block.push(0);
        string(&mut block, name);
        string(&mut block, value);
    }
    block
}

fn string(block: &mut Vec<u8>, text: &str) {
    match text.len() {
        short @ 0..127 => block.push(short as u8),
        mut rest => {
            block.push(127);
            rest -= 127;
            while rest >= 128 {
                block.push((rest % 128) as u8 | 128);
                rest /= 128;
            }
            block.push(rest as u8);
        }
    }
    block.extend_from_slice(text.as_bytes());
}

/// The status at the beginning of an answer's header block: by index, or as a literal with an indexed name.
fn status(block: &[u8]) -> String {
    let block = if block[0] & 0xe0 == 0x20 { &block[1..] } else { block };
    match block[0] {
        0x88 => "200".into(),
        0x8b => "304".into(),
        0x8c => "400".into(),
        0x8d => "404".into(),
        0x8e => "500".into(),
        _ if block[1] & 0x80 == 0 => String::from_utf8_lossy(&block[2..5]).into_owned(),
        // Digits in Huffman code: five bits each for 0 to 2, six for the others.
        _ => {
            let number = u32::from_be_bytes([0, block[2], block[3], block[4]]);
            let bits = format!("{number:024b}");
            let mut rest = bits.as_str();
            let mut digits = String::new();
            while digits.len() < 3 {
                let (code, digit) = [
                    "00000", "00001", "00010", "011001", "011010", "011011", "011100", "011101", "011110",
                    "011111",
                ]
                .into_iter()
                .enumerate()
                .find_map(|(digit, code)| rest.starts_with(code).then_some((code, digit)))
                .unwrap();
                rest = &rest[code.len()..];
                digits.push_str(&digit.to_string());
            }
            digits
        }
    }
}

#[track_caller]
fn check_block(site: &Site, block: &[u8], expected: &str) {
    let mut http2 = Http2::to(site.address);
    http2.request(block, END_STREAM);
    let statuses = http2.statuses(1);
    // Some faults end the stream, others the connection; none is answered.
    let refused = expected == "refused" && (statuses == ["reset"] || statuses == ["closed"]);
    assert!(
        refused || statuses == [expected],
        "{} {statuses:?}",
        String::from_utf8_lossy(block).escape_debug()
    );
}

#[test]
fn prior_knowledge_is_understood_however_the_preface_is_cut() {
    let site = Site::start();
    let mut http2 = Http2::to(site.address);
    http2.get("/hello");
    http2.get("/nothing");
    assert_eq!(http2.statuses(2), ["200", "404"]);
    let mut peer = Peer::to(site.address);
    for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" {
        peer.send([*byte]);
    }
    peer.send(frame(SETTINGS, 0, 0, &[]));
    assert_eq!(peer.exactly(4).unwrap()[3], SETTINGS);
}

#[test]
fn heads_that_would_not_survive_a_downgrade_are_refused() {
    let site = Site::start();
    check_block(&site, &get_block("/hello", &[]), "200");
    check_block(&site, &get_block("/hello", &[("host", "h")]), "200");
    check_block(&site, &get_block("/hello", &[("host", "g")]), "400");
    for fields in [
        [("transfer-encoding", "chunked")],
        [("connection", "close")],
        [("X-Upper", "a")],
        [("te", "gzip")],
        [("a b", "c")],
        [("x", "a\r\nb: c")],
        [("x", "a\0b")],
        [("", "a")],
        [(":path", "/again")],
    ] {
        check_block(&site, &get_block("/hello", &fields), "refused");
    }
    check_block(&site, &[0x82, 0x86], "400");
}

#[test]
fn sizes_and_counts_are_bounded() {
    let site = Site::limited(|limits| limits.header_fields_max = 50);
    let long = "x".repeat(9_000);
    check_block(&site, &get_block(&format!("/{long}"), &[]), "414");
    let fields: Vec<(&str, &str)> = vec![("x", "y"); 51];
    check_block(&site, &get_block("/hello", &fields), "431");
    let fields: Vec<(&str, &str)> = vec![("x", "y"); 500];
    check_block(&site, &get_block("/hello", &fields), "431");
}

#[test]
fn floods_end_the_connection() {
    let site = Site::start();
    let mut resets = Http2::to(site.address);
    for _ in 0..2_000 {
        let stream = resets.get("/slow/60000");
        resets.peer.send(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    assert!(resets.ended_with_goaway(), "rapid reset");
    let mut continued = Http2::to(site.address);
    continued.peer.send(frame(HEADERS, END_STREAM, 1, &get_block("/hello", &[])));
    for _ in 0..2_000 {
        continued.peer.send(frame(CONTINUATION, 0, 1, &get_block("", &[("x", &"y".repeat(200))])[5..]));
    }
    while continued.frame().is_some() {}
    assert_eq!(crate::peer::fetch(site.address, "/hello").status, 200);
}

#[test]
fn a_window_that_never_opens_is_a_peer_that_reads_nothing() {
    const INITIAL_WINDOW_SIZE: u16 = 4;
    let site = Site::limited(|limits| limits.write_timeout = Duration::from_millis(100));
    for target in ["/big/100000", "/endless"] {
        site.seen.forget();
        let mut http2 = Http2::with_settings(site.address, &[(INITIAL_WINDOW_SIZE, 10)]);
        http2.get(target);
        let mut data = 0;
        while let Some(frame) = http2.frame() {
            data += usize::from(frame.kind == DATA) * frame.payload.len();
        }
        assert_eq!(data, 10, "{target}");
        site.seen.wait_for("write-timeout");
    }
}

#[test]
fn an_idle_connection_is_closed() {
    let site = Site::limited(|limits| limits.idle_timeout = Duration::from_millis(100));
    let mut http2 = Http2::to(site.address);
    http2.get("/hello");
    assert_eq!(http2.statuses(1), ["200"]);
    while http2.frame().is_some() {}
    site.seen.wait_for("idle-timeout");
}

#[test]
fn a_cancelled_stream_leaves_the_others_alone() {
    let site = Site::start();
    let mut http2 = Http2::to(site.address);
    let slow = http2.get("/slow/60000");
    http2.peer.send(frame(RST_STREAM, 0, slow, &8_u32.to_be_bytes()));
    http2.get("/hello");
    assert_eq!(http2.statuses(1), ["200"]);
    while !crate::admin::ask(&site, "GET", "/health/detail", "", "")
        .text()
        .contains("\"requests_in_flight\":0")
    {
        std::thread::yield_now();
    }
}
