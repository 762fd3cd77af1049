//! Answers of origins: many variants, large bodies that come in pieces, tiny ones, and parts.

use std::fmt::Write;

use kasoku_testkit::{Exchange, RecordingOrigin, TempApp};

use super::{Asked, Load, check};

/// Variants of one target.
const VARIANTS: u64 = 64;

/// Parts of one target that are asked for.
const PARTS: u64 = 64;

/// Bytes of the whole of which parts are asked for.
const WHOLE_BYTES: u64 = 1 << 20;

async fn check_origin(answer: fn(&mut Exchange), load: Load) {
    let origin = RecordingOrigin::new(answer);
    let text = format!(
        "[cache]\nmemory = \"{}MiB\"\n[[route]]\npath = \"/{{*rest}}\"\norigin = \"{}\"\n",
        load.budget_mib,
        origin.url()
    );
    check(&TempApp::new(&text), load).await;
}

/// An answer with these fields beside those that many have.
fn answer(exchange: &mut Exchange, fields: &str, body: &[u8]) {
    let mut head = format!(
        "HTTP/1.1 200 OK\r\ncache-control: max-age=3600\r\ncontent-type: text/plain\r\netag: \"{}\"\r\n",
        exchange.target()
    );
    write!(head, "{fields}content-length: {}\r\n\r\n", body.len()).expect("text takes text");
    exchange.send([head.as_bytes(), body].concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_budgets_of_variants_stay_within_one() {
    fn request(number: u64) -> Asked {
        let letter = |number: u64| char::from(b'a' + (number % 26) as u8);
        let variant = number % VARIANTS;
        let language = format!("{}{}", letter(variant / 26), letter(variant));
        (format!("/pages/{}", number / VARIANTS), vec![("accept-language", language)])
    }
    let origin = |exchange: &mut Exchange| {
        let body = exchange.field("accept-language").repeat(500);
        answer(exchange, "vary: accept-language\r\n", body.as_bytes());
    };
    check_origin(origin, Load { budget_mib: 16, request, requests_per_entry: 1, warm: 4_000 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_budgets_of_large_bodies_that_come_in_pieces_stay_within_one() {
    let origin = |exchange: &mut Exchange| {
        let number: usize = exchange.target().trim_start_matches("/files/").parse().expect("a number");
        let body = vec![b'.'; (200 + number * 7_919 % 825) << 10];
        let mut bytes =
            b"HTTP/1.1 200 OK\r\ncache-control: max-age=3600\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for piece in body.chunks(10_000) {
            bytes.extend([format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
        }
        bytes.extend(b"0\r\n\r\n");
        exchange.send(bytes);
    };
    let request = |number| (format!("/files/{number}"), Vec::new());
    check_origin(origin, Load { budget_mib: 256, request, requests_per_entry: 1, warm: 300 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_budgets_of_tiny_bodies_stay_within_one() {
    let request = |number| (format!("/{number}"), Vec::new());
    let origin = |exchange: &mut Exchange| answer(exchange, "", b"tiny");
    // So many that what does not grow with them does not count.
    check_origin(origin, Load { budget_mib: 24, request, requests_per_entry: 1, warm: 6_000 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_budgets_of_parts_stay_within_one() {
    fn request(number: u64) -> Asked {
        // One after the other for many wholes at a time, so that those of one whole rarely meet.
        let (group, place) = (number / (PARTS * 16), number % (PARTS * 16));
        let first = place / 16 * (WHOLE_BYTES / PARTS);
        let range = format!("bytes={first}-{}", first + 2_999);
        (format!("/wholes/{}", group * 16 + place % 16), vec![("range", range)])
    }
    let origin = |exchange: &mut Exchange| {
        let (from, to) =
            exchange.field("range").trim_start_matches("bytes=").split_once('-').expect("a range");
        let length = to.parse::<usize>().expect("a number") + 1 - from.parse::<usize>().expect("a number");
        let head = format!(
            "HTTP/1.1 206 Partial Content\r\ncache-control: max-age=3600\r\netag: \"{}\"\r\n\
             content-range: bytes {from}-{to}/{WHOLE_BYTES}\r\ncontent-length: {length}\r\n\r\n",
            exchange.target()
        );
        exchange.send([head.as_bytes(), &vec![b'.'; length]].concat());
    };
    check_origin(origin, Load { budget_mib: 16, request, requests_per_entry: PARTS, warm: 4_000 }).await;
}
