//! One caller against all others, through the cache: what a request says must not come back to somebody else.
//!
//! The origin repeats everything that it is sent, in its body and in a field, and says that everybody may be given it
//! for a minute: as bad an origin as there is. Of each vector an attacker asks first and a victim then asks plainly. The
//! victim must not see the attacker's canary, and an attacker must not see a victim's secret.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use kasoku_testkit::{Kasoku, Peer, RecordingOrigin, Start};

const BINARY: &str = env!("CARGO_BIN_EXE_kasoku");

/// What only an attacker says; long enough to be told from chance.
const CANARY: &str = "evilcanary";

/// What only somebody who has logged in is told.
const SECRET: &str = "topsecretofalice";

/// Threads that try vectors at a time.
const AT_A_TIME: usize = 8;

/// Says everything again, to be kept for a minute.
fn reflecting(directives: &'static str) -> RecordingOrigin {
    RecordingOrigin::new(move |exchange| {
        let said = String::from_utf8_lossy(exchange.body()).into_owned();
        let body = format!("{}{said}", exchange.head());
        let line = exchange.head().replace(['\r', '\n'], " ");
        let length = body.len();
        exchange.send(format!(
            "HTTP/1.1 200 OK\r\nCache-Control: {directives}\r\nX-Line: {line}\r\nContent-Length: {length}\r\n\r\n"
        ));
        if !exchange.head().starts_with("HEAD ") {
            exchange.send(body);
        }
    })
}

fn before(origin: &RecordingOrigin) -> Kasoku {
    Start::origins(BINARY, &[origin.url()]).ready()
}

/// One request on a connection of its own, and all that came back.
fn ask(kasoku: &Kasoku, head: &str, body: &str) -> String {
    let mut peer = Peer::to(kasoku.address());
    peer.send(format!("{head}Connection: close\r\n\r\n{body}"));
    peer.rest()
}

fn plain(kasoku: &Kasoku, target: &str) -> String {
    ask(kasoku, &format!("GET {target} HTTP/1.1\r\nHost: victim.example\r\n"), "")
}

/// Does something with each of these, on several threads, and tells of all for which it is wrong.
fn each<V: Sync + std::fmt::Debug>(vectors: &[V], wrong: impl Fn(usize, &V) -> Option<String> + Sync) {
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for first in 0..AT_A_TIME {
            let (found, wrong) = (&found, &wrong);
            scope.spawn(move || {
                for (number, vector) in vectors.iter().enumerate().skip(first).step_by(AT_A_TIME) {
                    if let Some(why) = wrong(number, vector) {
                        found.lock().unwrap().push(format!("{vector:?}: {why}"));
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{} of {}:\n{}", found.len(), vectors.len(), found.join("\n"));
}

/// Fields that origins and frameworks are known to read.
const FIELDS: [&str; 96] = [
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Scheme",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-For",
    "X-Forwarded-Server",
    "X-Forwarded-Uri",
    "X-Forwarded-Path",
    "X-Forwarded-Ssl",
    "X-Forwarded-By",
    "X-Forwarded",
    "Forwarded",
    "Forwarded-For",
    "X_Forwarded_Host",
    "X-Original-URL",
    "X-Original-Uri",
    "X-Original-Host",
    "X-Original-Method",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X-HTTP-Method",
    "X-Method-Override",
    "X-HTTP-Host-Override",
    "X-Host",
    "X-Backend-Host",
    "X-Wap-Profile",
    "X-Real-IP",
    "X-Client-IP",
    "Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Fastly-Client-IP",
    "X-Cluster-Client-IP",
    "X-Originating-IP",
    "X-Remote-IP",
    "X-Remote-Addr",
    "X-ProxyUser-Ip",
    "Origin",
    "Referer",
    "Referrer",
    "Accept",
    "Accept-Language",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Datetime",
    "User-Agent",
    "Cookie",
    "Cookie2",
    "DNT",
    "Purpose",
    "Sec-Purpose",
    "Sec-Fetch-Site",
    "Sec-Fetch-Mode",
    "Sec-CH-UA",
    "Sec-CH-UA-Platform",
    "Sec-GPC",
    "Save-Data",
    "Downlink",
    "ECT",
    "RTT",
    "DPR",
    "Width",
    "Viewport-Width",
    "Device-Memory",
    "Upgrade-Insecure-Requests",
    "Priority",
    "From",
    "Via",
    "TE",
    "Max-Forwards",
    "Warning",
    "Pragma",
    "Cache-Control",
    "If-None-Match",
    "If-Modified-Since",
    "If-Match",
    "If-Unmodified-Since",
    "If-Range",
    "Range",
    "X-Request-ID",
    "X-Correlation-ID",
    "X-Trace-ID",
    "X-Amzn-Trace-Id",
    "Traceparent",
    "Tracestate",
    "Baggage",
    "B3",
    "X-B3-TraceId",
    "X-Datadog-Trace-Id",
    "Proxy-Authorization",
    "Content-Type",
    "Api-Version",
    "Tenant",
    "Language",
    "Theme",
];

#[test]
fn fields_of_one_caller_do_not_come_back_to_another() {
    let origin = reflecting("max-age=60");
    let kasoku = before(&origin);
    let values: [fn(&str) -> String; 6] = [
        |canary| canary.to_owned(),
        |canary| format!("{canary}.example"),
        |canary| format!("https://{canary}.example/a?b=c"),
        |canary| format!("a=\"{canary}\"; b, c={canary}"),
        |canary| format!("00-{canary}-1"),
        |canary| format!("<script>{canary}</script>"),
    ];
    let vectors: Vec<(&str, String)> =
        FIELDS.iter().flat_map(|name| values.map(|value| (*name, value(CANARY)))).collect();
    let reached = Mutex::new(BTreeSet::new());
    each(&vectors, |number, (name, value)| {
        let target = format!("/field-{number}");
        let head = format!("GET {target} HTTP/1.1\r\nHost: victim.example\r\n{name}: {value}\r\n");
        let told = ask(&kasoku, &head, "");
        if told.contains(CANARY) {
            reached.lock().unwrap().insert(*name);
        }
        poisoned(&plain(&kasoku, &target))
    });
    let reached = reached.into_inner().unwrap();
    for name in ["Cookie", "Origin", "Tenant", "If-None-Match"] {
        assert!(reached.contains(name), "a vector that does not reach the origin proves nothing: {name}");
    }
    for name in ["X-Forwarded-Host", "X-Original-URL", "User-Agent", "Referer", "Forwarded"] {
        assert!(!reached.contains(name), "the origin is not told {name}");
    }
}

fn poisoned(answer: &str) -> Option<String> {
    let sound = answer.starts_with("HTTP/1.1 200 ") && !answer.to_ascii_lowercase().contains(CANARY);
    (!sound).then(|| answer.to_owned())
}

#[test]
fn content_and_other_methods_do_not_come_back_as_the_answer_to_a_get() {
    let origin = reflecting("max-age=60");
    let kasoku = before(&origin);
    let length = format!("Content-Length: {}\r\n", CANARY.len());
    let chunks = format!("{:x}\r\n{CANARY}\r\n0\r\n\r\n", CANARY.len());
    let form = "Content-Type: application/x-www-form-urlencoded\r\n".to_owned();
    let override_ = "X-HTTP-Method-Override: GET\r\n".to_owned();
    let mut vectors: Vec<(&str, String, String)> = Vec::new();
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"] {
        for extra in [String::new(), form.clone(), override_.clone(), format!("{form}{override_}")] {
            vectors.push((method, format!("{extra}{length}"), CANARY.to_owned()));
            vectors.push((method, format!("{extra}Transfer-Encoding: chunked\r\n"), chunks.clone()));
            vectors.push((method, format!("{extra}Expect: 100-continue\r\n{length}"), CANARY.to_owned()));
        }
    }
    each(&vectors, |number, (method, lines, body)| {
        let target = format!("/body-{number}");
        ask(&kasoku, &format!("{method} {target} HTTP/1.1\r\nHost: victim.example\r\n{lines}"), body);
        let answer = plain(&kasoku, &target);
        poisoned(&answer).or_else(|| (!answer.contains(&format!("GET {target} HTTP/1.1"))).then_some(answer))
    });
}

/// Spellings that some caches and some origins take for one another.
fn spellings(base: &str) -> Vec<String> {
    let mut all: Vec<String> = [
        "",
        "/",
        "?",
        "??",
        "?a",
        "?a=",
        "?a=1",
        "?A=1",
        "?a=1&a=2",
        "?a=2&a=1",
        "?a=1;b=2",
        "?a=1%3Bb=2",
        "?a=1&b=2",
        "?b=2&a=1",
        "?a=1%26b=2",
        "?a=+",
        "?a=%20",
        "?%61=1",
        "?utm_source=x",
        "?utm_source=x;callback=evil",
        "?callback=evil",
        "?_method=POST",
        "?a=%00",
        "?a=%0a",
        "?a=%0d%0aX:y",
        "?a[]=1",
        "?a=1#",
        "//",
        "/.",
        "/./",
        "/..",
        "/../",
        "/../x",
        "/%2e",
        "/%2e%2e",
        "/%2E%2E/x",
        "/%2e%2e%2fx",
        "/%2f",
        "/%2F",
        "%2f",
        "/%5c",
        "/..%5cx",
        ";",
        ";a",
        ";a=1",
        "/;a",
        "%3b",
        "%3Ba",
        "%00",
        "%00.css",
        "%0a",
        "%0d%0a",
        "%23",
        "%23a",
        "%3f",
        "%3fa=1",
        "%25",
        "%252e%252e",
        "%252f",
        "/%c0%ae",
        "/%c0%af",
        "/%ef%bc%8f",
        ".css",
        ".js",
        ".ico",
        "/x.css",
        "/robots.txt",
        "/index.html",
        "/INDEX.HTML",
        "%20",
        "%09",
        "~",
        "/~",
        "'",
        "\"",
        "(",
        "!",
        "$",
        "*",
        ",",
        "@",
        ":",
        "=",
        "+",
        "%2B",
        "&a=1",
        "|",
        "^",
        "`",
        "%",
        "%zz",
        "%e9",
        "%C3%A9",
        "/a//b",
        "/a/b",
        "/a/./b",
    ]
    .map(|behind| format!("{base}{behind}"))
    .into();
    all.extend([
        format!("/{base}"),
        base.to_uppercase(),
        base.replace('/', "/%2f"),
        base.replace('-', "%2D"),
    ]);
    all
}

#[test]
fn targets_are_forwarded_to_the_byte_and_told_apart() {
    let origin = reflecting("max-age=60");
    let kasoku = before(&origin);
    let targets = spellings("/spelt-a");
    let sent: BTreeSet<&String> = targets.iter().collect();
    assert_eq!(sent.len(), targets.len(), "each is another target");
    let taken = Mutex::new(0);
    // The second round is answered from the cache, and each with what is its own.
    for _ in 0..2 {
        each(&targets, |_, target| {
            let answer = plain(&kasoku, target);
            if answer.starts_with("HTTP/1.1 400 ") {
                return None;
            }
            *taken.lock().unwrap() += 1;
            // A fragment is no part of a target (RFC 9112 §3.2).
            let target = target.split('#').next().unwrap_or_default();
            (!answer.contains(&format!("\r\n\r\nGET {target} HTTP/1.1\r\n"))).then_some(answer)
        });
    }
    let lines: Vec<String> =
        origin.requests().iter().map(|head| head.lines().next().unwrap().to_owned()).collect();
    let distinct: BTreeSet<&String> = lines.iter().collect();
    let fragment = targets.iter().filter(|target| target.contains('#')).count();
    assert!(distinct.len() + fragment >= lines.len(), "each was asked for once: {lines:?}");
    assert!(taken.into_inner().unwrap() > 150, "few are malformed");
}

#[test]
fn hosts_are_told_apart_and_spelt_in_one_way() {
    let origin = reflecting("max-age=60");
    let kasoku = before(&origin);
    let hosts = [
        "VICTIM.EXAMPLE",
        "Victim.Example",
        "victim.example.",
        "victim.example:80",
        "victim.example:443",
        "victim.example:0",
        "victim.example:8080",
        "evilcanary.example",
        "victim.example.evilcanary.example",
        "xn--victim.example",
        "victim%2eexample",
        "victim_example",
        "[::1]",
        "127.0.0.1",
        "evilcanary.example:80",
        "victim.example:evilcanary",
        "victim.example@evilcanary.example",
        "evilcanary@victim.example",
        "victim.example/evilcanary",
        "victim.example?evilcanary",
        "victim.example#evilcanary",
        "victim.example, evilcanary.example",
        "victim.example evilcanary",
        "victim.example\tevilcanary",
        "",
        ":80",
        "victim.example:",
        "victim.example:080",
    ];
    let heads: Vec<String> = hosts
        .iter()
        .map(|host| format!("GET /host-N HTTP/1.1\r\nHost: {host}\r\n"))
        .chain(hosts.map(|host| format!("GET http://{host}/host-N HTTP/1.1\r\nHost: victim.example\r\n")))
        .chain(hosts.map(|host| format!("GET http://{host}/host-N HTTP/1.1\r\nHost: {host}\r\n")))
        .chain(hosts.map(|host| format!("GET /host-N HTTP/1.1\r\nHost: victim.example\r\nHost: {host}\r\n")))
        .chain(
            hosts.map(|host| format!("GET /host-N HTTP/1.1\r\nHost: victim.example\r\nX-Host: {host}\r\n")),
        )
        .collect();
    each(&heads, |number, head| {
        let target = format!("/host-{number}");
        ask(&kasoku, &head.replace("/host-N", &target), "");
        let answer = plain(&kasoku, &target);
        let own = answer.contains("host: victim.example\r\n")
            && !answer.contains(":80")
            && !answer.contains("VICTIM");
        poisoned(&answer).or_else(|| (!own).then_some(answer))
    });
}

/// An origin that answers with an error, to be kept, as soon as a request has anything unusual: the status that its
/// target begins with.
fn touchy() -> RecordingOrigin {
    RecordingOrigin::new(|exchange| {
        exchange.body();
        let head = exchange.head().to_ascii_lowercase();
        let is_plain = head.lines().skip(1).filter(|line| !line.is_empty()).all(|line| {
            let name = line.split(':').next().unwrap_or_default();
            let usual = [
                "host",
                "user-agent",
                "via",
                "forwarded",
                "cdn-loop",
                "accept-encoding",
                "x-request-id",
                "content-length",
            ];
            usual.contains(&name) || name.starts_with("x-forwarded-")
        });
        let status = if is_plain && head.len() < 2_000 { "200" } else { &exchange.target()[1..4] };
        exchange.send(format!(
            "HTTP/1.1 {status} Said\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\nbody"
        ));
    })
}

#[test]
fn errors_that_one_request_brings_about_are_not_given_to_others() {
    let long = "x".repeat(6_000);
    let line = |number| format!("X-Many-{number}: {}\r\n", "x".repeat(60));
    let many = (0..60).map(line).collect::<Vec<_>>().concat();
    let lines: Vec<String> = [
        format!("X-Oversized: {long}\r\n"),
        format!("Cookie: a={long}\r\n"),
        format!("Referer: https://{long}\r\n"),
        format!("User-Agent: {long}\r\n"),
        format!("Oversized: {long}\r\n"),
        format!("Accept: {long}\r\n"),
        format!("Accept-Language: {long}\r\n"),
        many,
    ]
    .into_iter()
    .chain(
        [
            "Range: bytes=zz",
            "Range: bytes=5-2",
            "Range: bytes=9999999-",
            "Range: cows=1-2",
            "If-Range: nonsense",
            "Expect: nonsense",
            "Expect: 100-continue",
            "Upgrade: nonsense\r\nConnection: upgrade",
            "If-Match: \"nonsense\"",
            "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
            "If-None-Match: nonsense",
            "If-Modified-Since: nonsense",
            "X-HTTP-Method-Override: DELETE",
            "X-HTTP-Method: POST",
            "X-Method-Override: HEAD",
            "X-Original-URL: /nowhere",
            "X-Rewrite-URL: /nowhere",
            "X-Forwarded-Host: nowhere",
            "X-Forwarded-Proto: nonsense",
            "X-Forwarded-Port: 99999",
            "X-Metachar: a\u{1}b",
            "X-Metachar: a\u{7f}b",
            "X-Metachar: caf\u{e9}",
            "Metachar: \u{e9}\u{e9}",
            "Accept: nonsense",
            "Accept-Encoding: nonsense",
            "Accept-Charset: nonsense",
            "Accept-Language: nonsense",
            "Content-Type: nonsense",
            "Content-Encoding: nonsense",
            "Transfer-Encoding: nonsense",
            "TE: nonsense",
            "Max-Forwards: 0",
            "Via: nonsense",
            "Authorization: nonsense",
            "Proxy-Authorization: nonsense",
            "Cookie: nonsense",
            "Origin: null",
            "X-Nonsense: 1",
            "Content-Length: 0",
            "Connection: host",
            "Connection: x-forwarded-for, cookie",
            "Pragma: nonsense",
            "Cache-Control: nonsense",
            "Cache-Control: no-store",
            "From: nonsense",
            "Save-Data: nonsense",
            "Sec-Fetch-Site: nonsense",
        ]
        .map(|line| format!("{line}\r\n")),
    )
    .collect();
    let mut vectors = Vec::new();
    // 404, 410, 414 and 501 speak of the target, or of the method.
    for status in [400, 403, 405, 406, 408, 411, 413, 415, 416, 417, 421, 428, 429, 431, 500, 502, 503, 504] {
        vectors.extend(lines.iter().map(|line| (status, line)));
    }
    let (origin, harmed) = (touchy(), AtomicUsize::new(0));
    let kasoku = before(&origin);
    each(&vectors, |number, (status, line)| {
        let target = format!("/{status}-{number}");
        let first = ask(&kasoku, &format!("GET {target} HTTP/1.1\r\nHost: victim.example\r\n{line}"), "");
        if first.starts_with(&format!("HTTP/1.1 {status} ")) {
            harmed.fetch_add(1, Ordering::Relaxed);
        }
        let answer = plain(&kasoku, &target);
        (!answer.starts_with("HTTP/1.1 200 ")).then_some(answer)
    });
    assert!(harmed.into_inner() * 3 > vectors.len(), "a vector without effect proves nothing");
}

#[test]
fn variants_without_end_are_each_given_to_their_own() {
    const VALUES: usize = 200;
    let origin = RecordingOrigin::new(|exchange| {
        let body = format!("for {}", exchange.field("foo"));
        let length = body.len();
        let vary = if exchange.target().contains("other") { "Foo, Bar" } else { "Foo" };
        exchange.send(format!(
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nVary: {vary}\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
    });
    let kasoku = before(&origin);
    let values: Vec<usize> = (0..VALUES).chain(0..VALUES).collect();
    each(&values, |_, value| {
        let head = format!("GET /variants HTTP/1.1\r\nHost: victim.example\r\nFoo: number-{value}\r\n");
        let answer = ask(&kasoku, &head, "");
        (!answer.ends_with(&format!("for number-{value}"))).then_some(answer)
    });
    assert!(plain(&kasoku, "/variants").ends_with("for "));
}

#[test]
fn what_somebody_with_credentials_got_is_not_given_to_others() {
    let origin = reflecting("max-age=60");
    let kasoku = before(&origin);
    let mut targets = Vec::new();
    for base in ["/account", "/static/..%2faccount", "/account%2f%2e%2e%2fstatic"] {
        targets.extend(spellings(base));
    }
    let lines = [
        format!("Authorization: Bearer {SECRET}"),
        format!("Authorization: Basic {SECRET}"),
        format!("Cookie: session={SECRET}"),
        format!("Cookie: session={SECRET}\r\nAuthorization: Bearer {SECRET}"),
        format!("X-Api-Key: {SECRET}"),
        format!("X-Auth-Token: {SECRET}"),
        format!("Api-Key: {SECRET}"),
    ];
    let vectors: Vec<(String, &String)> = targets
        .iter()
        .enumerate()
        .map(|(number, target)| (target.clone(), &lines[number % lines.len()]))
        .collect();
    let told = Mutex::new(0);
    each(&vectors, |_, (target, line)| {
        let own = ask(&kasoku, &format!("GET {target} HTTP/1.1\r\nHost: victim.example\r\n{line}\r\n"), "");
        if own.contains(SECRET) {
            *told.lock().unwrap() += 1;
        }
        let others = [
            plain(&kasoku, target),
            ask(
                &kasoku,
                &format!("GET {target} HTTP/1.1\r\nHost: victim.example\r\nCookie: session=mine\r\n"),
                "",
            ),
            ask(
                &kasoku,
                &format!("GET {target} HTTP/1.1\r\nHost: victim.example\r\nAuthorization: Bearer mine\r\n"),
                "",
            ),
        ];
        others.into_iter().find(|answer| answer.contains(SECRET))
    });
    assert!(told.into_inner().unwrap() * 10 > vectors.len() * 8, "most are answered to the one who asked");
}

#[tokio::test]
async fn callers_who_ask_at_the_same_time_each_get_their_own() {
    const CALLERS: usize = 24;
    let origin = RecordingOrigin::new(|exchange| {
        let body = exchange.head().to_owned();
        // Long enough for the others to arrive; nothing depends on it.
        std::thread::sleep(Duration::from_millis(3));
        let cookie = if exchange.target().contains("cookie") { "Set-Cookie: for=one\r\n" } else { "" };
        let length = body.len();
        exchange.send(format!(
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n{cookie}Content-Length: {length}\r\n\r\n{body}"
        ));
    });
    let kasoku = before(&origin);
    let mut asked = Vec::new();
    for target in ["/cold-1", "/cold-2", "/cold-3", "/cold-cookie", "/cold-5"] {
        for caller in 0..CALLERS {
            let client = kasoku.client();
            asked.push(tokio::spawn(async move {
                let own = format!("secret-of-{caller}-");
                let (name, value) = match caller % 4 {
                    0 => ("authorization", format!("Bearer {own}")),
                    1 => ("cookie", format!("session={own}")),
                    2 => ("x-api-key", own.clone()),
                    _ => ("accept", "*/*".to_owned()),
                };
                let answer = client.get_with(target, &[(name, &value)]).await;
                (caller, own, answer)
            }));
        }
    }
    for asked in asked {
        let (caller, own, answer) = asked.await.unwrap();
        let text = answer.text();
        if caller % 4 == 3 {
            assert!(!text.contains("secret-of-"), "somebody without credentials got {text}");
        } else {
            assert!(text.contains(&own), "{own} is not in {text}");
            assert_eq!(text.matches("secret-of-").count(), 1, "{own} is not alone in {text}");
        }
    }
}

#[tokio::test]
async fn what_is_fetched_in_the_background_is_not_for_one() {
    const DIRECTIVES: &str = "max-age=1, stale-while-revalidate=1000, stale-if-error=1000\r\nAge: 10";
    let origin = reflecting(DIRECTIVES);
    let kasoku = before(&origin);
    let client = kasoku.client();
    for (turn, (name, value)) in [
        ("authorization", format!("Bearer {SECRET}")),
        ("cookie", format!("session={SECRET}")),
        ("x-api-key", SECRET.to_owned()),
        ("api-key", SECRET.to_owned()),
    ]
    .into_iter()
    .enumerate()
    {
        let target = format!("/background-{turn}");
        client.get(&target).await;
        for _ in 0..5 {
            client.get_with(&target, &[(name, &value)]).await;
            // An anonymous request is answered with what is stale, and begins a refresh unless there is one.
            let before = origin.requests().len();
            while origin.requests().len() == before {
                let answer = client.get(&target).await;
                assert!(!answer.text().contains(SECRET), "{name}: {answer:?}");
                assert_eq!(answer.cache(), "STALE", "{name}: {answer:?}");
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        let answer = client.get(&target).await;
        assert!(!answer.text().contains(SECRET), "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn a_write_elsewhere_takes_nothing_away() {
    let origin = RecordingOrigin::new(|exchange| {
        exchange.body();
        let lines = "Cache-Control: max-age=60\r\nLocation: http://victim.example/kept\r\n\
                     Content-Location: //victim.example/kept\r\nCache-Group-Invalidation: \"kept\"\r\n";
        let groups = if exchange.target() == "/kept" { "Cache-Groups: \"kept\"\r\n" } else { "" };
        exchange.send(format!("HTTP/1.1 200 OK\r\n{lines}{groups}Content-Length: 4\r\n\r\nbody"));
    });
    let kasoku = before(&origin);
    let client = kasoku.client();
    let victim = [("host", "victim.example")];
    client.get_with("/kept", &victim).await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "PURGE", "BAN", "REFRESH"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        client.send(method.clone(), "/kept", &[("host", "evilcanary.example")], "").await;
        let answer = client.get_with("/kept", &victim).await;
        assert_eq!(answer.cache(), "HIT", "{method}: {answer:?}");
    }
}
