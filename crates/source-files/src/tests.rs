//! Whole requests against a folder on the disk.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use kasoku_pipeline::{Body, Outcome, PathParams, Request, ResponseFields, Source};
use kasoku_units::{Clock, ManualClock};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use super::*;

/// Stands in everything that must never be sent.
const CANARY: &str = "canary";

/// Larger than what is sent from memory, and not a multiple of a piece.
const LARGE_BYTES: usize = (1 << 20) + 70_001;

struct Site {
    root: tempfile::TempDir,
    source: FilesSource,
}

impl Site {
    fn new() -> Self {
        Self::with(|_| {})
    }

    /// `site` is served; what lies beside it is not.
    fn with(change: impl FnOnce(&mut FilesRules)) -> Self {
        let root = tempfile::tempdir().unwrap();
        let site = root.path().join("site");
        for folder in ["deep/er", ".git", "deep/.hidden", "empty", "docs"] {
            fs::create_dir_all(site.join(folder)).unwrap();
        }
        for (name, text) in [
            ("index.html", "<h1>home</h1>"),
            ("app.js", "let a = 1;"),
            ("empty.txt", ""),
            ("digits.txt", "0123456789"),
            ("two words.txt", "two words"),
            ("größe.txt", "size"),
            ("100%.txt", "percent"),
            ("deep/er/file.css", "a{}"),
            ("docs/index.html", "<h1>docs</h1>"),
            ("docs/page", "page"),
        ] {
            fs::write(site.join(name), text).unwrap();
        }
        fs::write(site.join("large.bin"), large()).unwrap();
        for name in [".env", ".git/config", "deep/.hidden/file.txt", "../secret.txt", "../site-secret.txt"] {
            fs::write(site.join(name), CANARY).unwrap();
        }
        symlink("../secret.txt", site.join("out.txt")).unwrap();
        symlink("..", site.join("up")).unwrap();
        symlink("deep/er/file.css", site.join("in.css")).unwrap();
        let mut rules = FilesRules {
            folder: site,
            index: "index.html".into(),
            fallback: None,
            max_age: Duration::from_hours(1),
        };
        change(&mut rules);
        Self { root, source: FilesSource::with_clock(rules, Later) }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.root.path().join("site").join(name)
    }

    async fn ask(&self, path: &str, fields: &[(&'static str, &str)]) -> Outcome {
        let mut request = routed(path);
        for (name, value) in fields {
            request.headers.append(*name, value.parse().unwrap());
        }
        self.source.answer(request).await
    }

    async fn get(&self, path: &str, fields: &[(&'static str, &str)]) -> (StatusCode, HeaderMap, Bytes) {
        taken(self.ask(path, fields).await).await
    }
}

/// Ten seconds after whatever the disk says, so that files just written count as left alone.
struct Later;

impl Clock for Later {
    fn now(&self) -> std::time::Instant {
        std::time::Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now() + Duration::from_secs(10)
    }
}

fn large() -> Vec<u8> {
    (0..LARGE_BYTES).map(|place| (place % 251) as u8).collect()
}

/// A request as the router hands it on: under `/`, and under `/static/` with one more folder.
fn routed(path: &str) -> Request {
    let mut request = Request::get(path);
    let path = request.uri.path();
    let rest = path.strip_prefix("/static/").unwrap_or(&path[1..]);
    let rest = percent_decode_str(rest).decode_utf8_lossy().into_owned();
    if !rest.is_empty() {
        request.params = PathParams::new(vec![("path".into(), rest)]);
    }
    request
}

/// Status, fields and all of the body; of a failure, its document.
async fn taken(outcome: Outcome) -> (StatusCode, HeaderMap, Bytes) {
    match outcome {
        Ok(response) => {
            let ResponseFields { status, headers, body, .. } = response.into_fields();
            let promised = body.len();
            let bytes = body.collect().await.expect("a body to its end").to_bytes();
            assert_eq!(promised, Some(bytes.len() as u64), "the length was told beforehand");
            (status, headers, bytes)
        }
        Err(failure) => {
            let headers = failure.problem.headers().iter().cloned().collect();
            (failure.problem.kind().status(), headers, failure.problem.document("r").into())
        }
    }
}

/// Paths that must not be answered with a file, and how they are refused.
const REFUSED: &[(&str, u16)] = &[
    // Steps up, plain and encoded once.
    ("/../secret.txt", 400),
    ("/deep/../../secret.txt", 400),
    ("/deep/../app.js", 400),
    ("/./app.js", 400),
    ("/deep/./er/file.css", 400),
    ("/..", 400),
    ("/.", 400),
    ("/../", 400),
    ("/deep/er/../../../secret.txt", 400),
    ("/%2e%2e/secret.txt", 400),
    ("/%2E%2E/secret.txt", 400),
    ("/.%2e/secret.txt", 400),
    ("/%2e./secret.txt", 400),
    ("/%2e/app.js", 400),
    ("/../site-secret.txt", 400),
    ("/static/../secret.txt", 400),
    ("/static/%2e%2e/%2e%2e/secret.txt", 400),
    // Encoded separators.
    ("/..%2fsecret.txt", 400),
    ("/..%2Fsecret.txt", 400),
    ("/%2e%2e%2fsecret.txt", 400),
    ("/deep%2fer%2ffile.css", 400),
    ("/deep%2f..%2f..%2fsecret.txt", 400),
    ("/%2fetc%2fpasswd", 400),
    ("/..%5csecret.txt", 400),
    ("/..%5Csecret.txt", 400),
    ("/%5c%5chost%5cshare", 400),
    ("/deep%5cer%5cfile.css", 400),
    ("/deep\\er\\file.css", 400),
    ("/..\\secret.txt", 400),
    ("/app.js%2f", 400),
    ("/app.js%5c", 400),
    // Bytes that end a name early somewhere, or that are no text.
    ("/app.js%00", 400),
    ("/app.js%00.txt", 400),
    ("/%00", 400),
    ("/..%00/secret.txt", 400),
    ("/app.js%0a", 400),
    ("/app.js%0d%0aset-cookie:x", 400),
    ("/app.js%09", 400),
    ("/app.js%7f", 400),
    ("/app.js%c2%85", 400),
    ("/%c0%ae%c0%ae/secret.txt", 400),
    ("/%e0%80%ae%e0%80%ae/secret.txt", 400),
    ("/%c0%af", 400),
    ("/%ff", 400),
    ("/%80", 400),
    ("/%u002e%u002e/secret.txt", 400),
    ("/app.js%", 400),
    ("/app.js%2", 400),
    ("/app.js%zz", 400),
    ("/%%32%65", 400),
    // Decoded once and no more: these are names that do not exist, or hidden ones.
    ("/%252e%252e/secret.txt", 404),
    ("/%252e%252e%252fsecret.txt", 404),
    ("/..%252fsecret.txt", 404),
    ("/%25%32%65%25%32%65/secret.txt", 404),
    ("/%EF%BC%8E%EF%BC%8E/secret.txt", 404),
    ("/%E2%80%A5/secret.txt", 404),
    // Empty names, and absolute paths smuggled as such.
    ("//secret.txt", 404),
    ("//app.js", 404),
    ("///etc/passwd", 404),
    ("/deep//er/file.css", 404),
    ("/app.js/", 404),
    ("/app.js//", 404),
    ("//", 404),
    ("/static//app.js", 404),
    // Hidden names.
    ("/.env", 404),
    ("/%2eenv", 404),
    ("/.git/config", 404),
    ("/.git/", 404),
    ("/.git", 404),
    ("/deep/.hidden/file.txt", 404),
    ("/deep/%2ehidden/file.txt", 404),
    ("/...", 404),
    ("/.../secret.txt", 404),
    ("/..;/secret.txt", 404),
    ("/..%3b/secret.txt", 404),
    ("/..%20/secret.txt", 404),
    ("/.%20./secret.txt", 404),
    // Names that other systems read differently.
    ("/app.js.", 404),
    ("/app.js%20", 404),
    ("/app.js::$DATA", 404),
    ("/app.js%3a%3a$DATA", 404),
    ("/c:/windows/win.ini", 404),
    ("/CON", 404),
    ("/con.txt", 404),
    ("/deep/NUL", 404),
    ("/aux.css", 404),
    ("/COM1", 404),
    ("/lpt9.js", 404),
    ("/com%C2%B9", 404),
    ("/conout$", 404),
    ("/prn%20.txt", 404),
    // Parameters of a path are part of the name.
    ("/app.js;x.css", 404),
    ("/app.js;", 404),
    ("/app.js%3f", 404),
    ("/app.js%23", 404),
    // Links that lead out.
    ("/out.txt", 404),
    ("/up/secret.txt", 404),
    ("/up/", 404),
    ("/up/site/.env", 404),
    ("/up/site-secret.txt", 404),
    // Nothing there, nothing to be listed, or not a file.
    ("/absent", 404),
    ("/APP.JS", 404),
    ("/empty/", 404),
    ("/empty", 404),
    ("/deep/", 404),
    ("/deep", 404),
    ("/app.js/more", 404),
    ("/index.html/", 404),
];

#[tokio::test]
async fn no_path_leads_out_of_the_folder_or_to_what_is_hidden() {
    let plain = Site::new();
    let with_fallback = Site::with(|rules| rules.fallback = Some("index.html".into()));
    for &(path, expected) in REFUSED {
        let (status, _, body) = plain.get(path, &[]).await;
        assert_eq!(status.as_u16(), expected, "{path}");
        assert!(!body.windows(CANARY.len()).any(|part| part == CANARY.as_bytes()), "{path}");
        assert!(!String::from_utf8_lossy(&body).contains("site"), "{path} tells where the folder is");
        let (status, _, body) = with_fallback.get(path, &[]).await;
        assert!(status.as_u16() == expected || body == "<h1>home</h1>", "{path} with a fallback");
    }
    assert!(REFUSED.len() >= 60);
}

#[tokio::test]
async fn very_long_paths_are_not_found() {
    let site = Site::new();
    for path in [
        format!("/{}", "a".repeat(256)),
        format!("/{}", "a/".repeat(2_000)),
        format!("/{}", "%61".repeat(900)),
    ] {
        assert_eq!(site.get(&path, &[]).await.0, StatusCode::NOT_FOUND);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_mixture_of_steps_separators_and_names_reaches_a_secret(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "/", "//", "..", ".", "%2e", "%2E%2e", "%2f", "%5c", "\\", "%00", "%25", "%", "secret.txt", ".env", ".git",
            "config", "up", "out.txt", "site", "deep", ";", "%c0%ae", "%c0%af", "~", ":", "%20", "app.js",
        ]), 1..8),
    ) {
        thread_local!(static SITE: (tokio::runtime::Runtime, Site) = (
            tokio::runtime::Builder::new_current_thread().build().unwrap(),
            Site::with(|rules| rules.fallback = Some("index.html".into())),
        ));
        let path = format!("/{}", pieces.concat());
        if path.parse::<http::Uri>().is_ok_and(|uri| uri.path() == path) {
            let body = SITE.with(|(runtime, site)| runtime.block_on(site.get(&path, &[])).2);
            prop_assert!(!body.windows(CANARY.len()).any(|part| part == CANARY.as_bytes()), "{}", path);
        }
    }
}

#[tokio::test]
async fn files_are_found_by_their_decoded_names() {
    let site = Site::new();
    for (path, expected) in [
        ("/", "<h1>home</h1>"),
        ("/index.html", "<h1>home</h1>"),
        ("/app.js", "let a = 1;"),
        ("/%61pp.js", "let a = 1;"),
        ("/app.js?version=2", "let a = 1;"),
        ("/static/app.js", "let a = 1;"),
        ("/static/", "<h1>home</h1>"),
        ("/two%20words.txt", "two words"),
        ("/gr%C3%B6%C3%9Fe.txt", "size"),
        ("/100%25.txt", "percent"),
        ("/deep/er/file.css", "a{}"),
        ("/in.css", "a{}"),
        ("/up/site/app.js", "let a = 1;"),
        ("/docs/", "<h1>docs</h1>"),
        ("/docs/page", "page"),
        ("/empty.txt", ""),
    ] {
        let (status, _, body) = site.get(path, &[]).await;
        assert_eq!((status, &*body), (StatusCode::OK, expected.as_bytes()), "{path}");
    }
}

#[tokio::test]
async fn an_answer_says_what_it_is_and_how_to_recognise_it() {
    let (status, headers, _) = Site::new().get("/app.js", &[]).await;
    assert_eq!(status, StatusCode::OK);
    for (name, expected) in [
        ("content-type", "text/javascript; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "public, max-age=3600"),
        ("accept-ranges", "bytes"),
        ("vary", "accept-encoding"),
    ] {
        assert_eq!(headers[name], expected);
    }
    assert!(headers["etag"].to_str().unwrap().starts_with('"'));
    assert!(httpdate::parse_http_date(headers["last-modified"].to_str().unwrap()).is_ok());
    assert!(!headers.contains_key("content-encoding"));
    let eager = Site::with(|rules| rules.max_age = Duration::ZERO);
    assert_eq!(eager.get("/app.js", &[]).await.1["cache-control"], "no-cache");
}

#[tokio::test]
async fn a_folder_without_its_slash_is_sent_to_the_one_with_it() {
    let site = Site::new();
    for (path, expected) in [
        ("/docs", "./docs/"),
        ("/docs?a=b", "./docs/?a=b"),
        ("/static/docs", "./docs/"),
        ("/%64ocs", "./%64ocs/"),
    ] {
        let (status, headers, body) = site.get(path, &[]).await;
        assert_eq!(status, StatusCode::PERMANENT_REDIRECT, "{path}");
        assert_eq!((headers["location"].to_str().unwrap(), body.len()), (expected, 0), "{path}");
    }
    // A route without a parameter that is not at the root.
    let request = Request::get("/static");
    assert_eq!(taken(site.source.answer(request).await).await.1["location"], "./static/");
}

#[tokio::test]
async fn a_fallback_answers_for_pages_and_not_for_missing_files() {
    let site = Site::with(|rules| rules.fallback = Some("index.html".into()));
    for path in ["/users/7", "/users/john.doe", "/deep", "/empty/", "/docs/none", "/app.js/x"] {
        let (status, headers, body) = site.get(path, &[]).await;
        assert_eq!((status, &*body), (StatusCode::OK, &b"<h1>home</h1>"[..]), "{path}");
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    }
    for path in ["/gone.js", "/account/x.css", "/gone.PNG"] {
        assert_eq!(site.get(path, &[]).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    let outside = Site::with(|rules| rules.fallback = Some("../secret.txt".into()));
    assert_eq!(outside.get("/users/7", &[]).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn other_methods_are_not_answered() {
    let site = Site::new();
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::TRACE] {
        let mut request = routed("/app.js");
        request.method = method;
        let (status, headers, _) = taken(site.source.answer(request).await).await;
        assert_eq!(
            (status, headers["allow"].to_str().unwrap()),
            (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD, OPTIONS")
        );
    }
    // RFC 9110 §14.2: `Range` has no meaning with `HEAD`.
    let mut request = routed("/digits.txt");
    request.method = Method::HEAD;
    request.headers.insert("range", "bytes=0-1".parse().unwrap());
    assert_eq!(taken(site.source.answer(request).await).await.0, StatusCode::OK);
}

/// Writes a coded form that is newer than the plain one.
fn write_beside(site: &Site, name: &str, text: &str) {
    fs::write(site.path(name), text).unwrap();
    let newer = SystemTime::now() + Duration::from_secs(1);
    fs::File::options().write(true).open(site.path(name)).unwrap().set_modified(newer).unwrap();
}

#[tokio::test]
async fn stored_codings_are_chosen_by_what_the_caller_accepts() {
    let site = Site::new();
    write_beside(&site, "app.js.br", "brotli form");
    write_beside(&site, "app.js.gz", "gzip form");
    write_beside(&site, "index.html.zst", "zstd form");
    for (path, accept, coding, body) in [
        ("/app.js", "br, gzip", Some("br"), "brotli form"),
        ("/app.js", "gzip;q=1, br;q=0.5", Some("gzip"), "gzip form"),
        ("/app.js", "zstd, gzip", Some("gzip"), "gzip form"),
        ("/app.js", "zstd", None, "let a = 1;"),
        ("/app.js", "identity, br;q=0.1", None, "let a = 1;"),
        ("/app.js", "br;q=0, gzip;q=0", None, "let a = 1;"),
        ("/app.js", "", None, "let a = 1;"),
        ("/", "br, zstd", Some("zstd"), "zstd form"),
        ("/digits.txt", "br, zstd, gzip", None, "0123456789"),
        ("/app.js.gz", "br", None, "gzip form"),
    ] {
        let (status, headers, found) = site.get(path, &[("accept-encoding", accept)]).await;
        let found_coding = headers.get("content-encoding").map(|value| value.to_str().unwrap());
        assert_eq!(
            (status, found_coding, &*found),
            (StatusCode::OK, coding, body.as_bytes()),
            "{path} {accept}"
        );
        assert_eq!(headers["vary"], "accept-encoding");
        if path != "/app.js.gz" {
            assert_ne!(headers["content-type"], "application/gzip", "the type is that of the content");
        }
    }
    let etag =
        async |accept: &str| site.get("/app.js", &[("accept-encoding", accept)]).await.1["etag"].clone();
    let tags = [etag("br").await, etag("gzip").await, etag("").await];
    assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2], "{tags:?}");
}

#[tokio::test]
async fn a_coded_form_that_is_older_than_its_file_is_not_sent() {
    let site = Site::new();
    write_beside(&site, "app.js.br", "of an earlier state");
    let later = SystemTime::now() + Duration::from_secs(5);
    fs::File::options().write(true).open(site.path("app.js")).unwrap().set_modified(later).unwrap();
    let (_, headers, body) = site.get("/app.js", &[("accept-encoding", "br")]).await;
    assert_eq!((headers.get("content-encoding"), &*body), (None, &b"let a = 1;"[..]));
}

#[tokio::test]
async fn a_coded_form_that_leads_out_of_the_folder_is_not_sent() {
    let site = Site::new();
    symlink("../secret.txt", site.path("app.js.br")).unwrap();
    let (_, headers, body) = site.get("/app.js", &[("accept-encoding", "br")]).await;
    assert_eq!((headers.get("content-encoding"), &*body), (None, &b"let a = 1;"[..]));
}

#[tokio::test]
async fn one_range_is_answered_as_a_part() {
    let site = Site::new();
    for (range, expected, content_range) in [
        ("bytes=0-3", "0123", "bytes 0-3/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=0-1,2-3", "0123", "bytes 0-3/10"),
        ("bytes=9-99,99-", "9", "bytes 9-9/10"),
    ] {
        let (status, headers, body) = site.get("/digits.txt", &[("range", range)]).await;
        assert_eq!((status, &*body), (StatusCode::PARTIAL_CONTENT, expected.as_bytes()), "{range}");
        assert_eq!(headers["content-range"], content_range, "{range}");
        assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
        assert!(headers.contains_key("etag") && headers.contains_key("last-modified"));
    }
}

#[tokio::test]
async fn ranges_that_do_not_exist_are_refused_with_the_length() {
    let site = Site::new();
    for (path, range, expected) in [
        ("/digits.txt", "bytes=10-", "bytes */10"),
        ("/digits.txt", "bytes=-0", "bytes */10"),
        ("/empty.txt", "bytes=0-", "bytes */0"),
        ("/large.bin", "bytes=99999999-", "bytes */1118577"),
    ] {
        let (status, headers, _) = site.get(path, &[("range", range)]).await;
        assert_eq!(status, StatusCode::RANGE_NOT_SATISFIABLE, "{path} {range}");
        assert_eq!(headers["content-range"], expected, "{path} {range}");
    }
}

#[tokio::test]
async fn a_range_that_does_not_count_gets_the_whole() {
    let site = Site::new();
    let etag = site.get("/digits.txt", &[]).await.1["etag"].to_str().unwrap().to_owned();
    let many = format!("bytes={}", "0-0,".repeat(17));
    for fields in [
        &[("range", "lines=0-1")][..],
        &[("range", "bytes=3-1")],
        &[("range", &many)],
        &[("range", "bytes=0-1"), ("range", "bytes=2-3")],
        &[("range", "bytes=0-1"), ("if-range", "\"other\"")],
        &[("range", "bytes=0-1"), ("if-range", "Thu, 01 Jan 1970 00:00:00 GMT")],
        &[("if-range", &etag)],
    ] {
        let (status, headers, body) = site.get("/digits.txt", fields).await;
        assert_eq!((status, &*body), (StatusCode::OK, &b"0123456789"[..]), "{fields:?}");
        assert!(!headers.contains_key("content-range"), "{fields:?}");
    }
    let resumed = site.get("/digits.txt", &[("range", "bytes=5-"), ("if-range", &etag)]).await;
    assert_eq!((resumed.0, &*resumed.2), (StatusCode::PARTIAL_CONTENT, &b"56789"[..]));
}

/// Takes a multipart body apart with no more than its boundary: the range and the bytes of each part.
fn parts(headers: &HeaderMap, body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let media_type = headers["content-type"].to_str().unwrap();
    let boundary = media_type.strip_prefix("multipart/byteranges; boundary=").expect("a multipart answer");
    let find = |text: &[u8], part: &[u8]| text.windows(part.len()).position(|window| window == part);
    let mut rest = body.strip_prefix(format!("--{boundary}\r\n").as_bytes()).expect("a first boundary");
    let delimiter = format!("\r\n--{boundary}");
    let mut parts = Vec::new();
    loop {
        let head_end = find(rest, b"\r\n\r\n").expect("the end of a part's head");
        let head = String::from_utf8(rest[..head_end].to_vec()).unwrap();
        let (media_type, range) = head.split_once("\r\n").unwrap();
        assert!(media_type.starts_with("Content-Type: "), "{head}");
        let content = &rest[head_end + 4..];
        let end = find(content, delimiter.as_bytes()).expect("a boundary behind each part");
        parts.push((range.strip_prefix("Content-Range: ").unwrap().to_owned(), content[..end].to_vec()));
        match &content[end + delimiter.len()..] {
            b"--\r\n" => return parts,
            more => rest = more.strip_prefix(b"\r\n").expect("another part"),
        }
    }
}

#[tokio::test]
async fn several_ranges_are_answered_as_parts_of_a_multipart_body() {
    let site = Site::new();
    let (status, headers, body) = site.get("/digits.txt", &[("range", "bytes=8-9,0-1,4-4")]).await;
    assert_eq!(status, StatusCode::PARTIAL_CONTENT);
    assert!(!headers.contains_key("content-range"), "it is that of the parts");
    let expected = [("bytes 8-9/10", "89"), ("bytes 0-1/10", "01"), ("bytes 4-4/10", "4")];
    assert_eq!(
        parts(&headers, &body),
        expected.map(|(range, text)| (range.to_owned(), text.as_bytes().to_vec()))
    );

    let (status, headers, body) =
        site.get("/large.bin", &[("range", "bytes=0-199999,500000-500000,-3")]).await;
    assert_eq!(status, StatusCode::PARTIAL_CONTENT);
    let all = large();
    let found = parts(&headers, &body);
    assert_eq!(found.len(), 3);
    assert!(
        found[0].1 == all[..200_000]
            && found[1].1 == all[500_000..=500_000]
            && found[2].1 == all[LARGE_BYTES - 3..]
    );
}

#[tokio::test]
async fn boundaries_cannot_be_foreseen() {
    let site = Site::new();
    let ask = async || site.get("/digits.txt", &[("range", "bytes=0-0,5-5")]).await.1["content-type"].clone();
    assert_ne!(ask().await, ask().await);
}

#[tokio::test]
async fn a_stored_coding_has_ranges_of_its_own_bytes() {
    let site = Site::new();
    write_beside(&site, "app.js.br", "brotli form");
    let fields = [("accept-encoding", "br"), ("range", "bytes=0-5")];
    let (status, headers, body) = site.get("/app.js", &fields).await;
    assert_eq!((status, &*body), (StatusCode::PARTIAL_CONTENT, &b"brotli"[..]));
    assert_eq!(
        (&headers["content-encoding"], &headers["content-range"]),
        (&"br".parse().unwrap(), &"bytes 0-5/11".parse().unwrap())
    );
}

#[tokio::test]
async fn a_large_file_arrives_whole_and_piece_by_piece() {
    let site = Site::new();
    let response = site.ask("/large.bin", &[]).await.unwrap();
    assert!(response.body.bytes().is_none(), "it is not in memory");
    let mut body = response.into_fields().body;
    let mut received = Vec::new();
    while let Some(frame) = body.frame().await {
        let piece = frame.unwrap().into_data().unwrap();
        assert!(piece.len() <= 64 << 10);
        received.extend_from_slice(&piece);
    }
    assert!(received == large());
    let (_, _, part) = site.get("/large.bin", &[("range", "bytes=65535-131072")]).await;
    assert!(part == large()[65_535..=131_072]);
}

#[tokio::test]
async fn a_file_that_becomes_shorter_ends_in_an_error_and_one_that_grows_does_not_show_it() {
    let site = Site::new();
    let file = fs::File::options().write(true).open(site.path("large.bin")).unwrap();
    let response = site.ask("/large.bin", &[]).await.unwrap();
    file.set_len(100_000).unwrap();
    assert!(response.into_fields().body.collect().await.is_err());

    let response = site.ask("/large.bin", &[]).await.unwrap();
    assert_eq!(response.body.len(), Some(100_000));
    fs::write(site.path("large.bin"), large()).unwrap();
    let response = site.ask("/large.bin", &[]).await.unwrap();
    fs::write(site.path("large.bin"), [large(), vec![0; 1_000]].concat()).unwrap();
    assert_eq!(response.into_fields().body.collect().await.unwrap().to_bytes().len(), LARGE_BYTES);
}

#[tokio::test]
async fn a_body_is_not_read_before_it_is_taken() {
    let site = Site::new();
    let response = site.ask("/large.bin", &[]).await.unwrap();
    let mut body: Body = response.into_fields().body;
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), large()[..64 << 10]);
    // Nothing of what comes next was read ahead: it is what the file holds when it is asked for.
    let file = fs::File::options().write(true).open(site.path("large.bin")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[255].repeat(64 << 10), 64 << 10).unwrap();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), [255].repeat(64 << 10));
}

#[tokio::test]
async fn each_change_of_a_file_changes_its_tag() {
    for (name, path) in [("app.js", "/app.js"), ("large.bin", "/large.bin")] {
        let site = Site::new();
        let before = site.get(path, &[]).await;
        let same = site.get(path, &[]).await;
        assert_eq!(before.1["etag"], same.1["etag"], "{name}");
        let mut bytes = before.2.to_vec();
        bytes[3] ^= 1;
        let modified = fs::metadata(site.path(name)).unwrap().modified().unwrap();
        fs::write(site.path(name), &bytes).unwrap();
        // A tool that restores times does not hide the change either.
        fs::File::options().write(true).open(site.path(name)).unwrap().set_modified(modified).unwrap();
        let after = site.get(path, &[]).await;
        assert_ne!(before.1["etag"], after.1["etag"], "{name}");
        assert!(after.2 == bytes, "{name}");
    }
}

#[tokio::test]
async fn a_large_file_just_written_has_a_weak_tag_that_is_never_seen_again() {
    let mut site = Site::new();
    let rules = site.source.shared.rules.clone();
    let settled = site.get("/large.bin", &[]).await.1["etag"].to_str().unwrap().to_owned();
    site.source = FilesSource::with_clock(rules, ManualClock::new());
    let fresh = site.get("/large.bin", &[]).await.1["etag"].to_str().unwrap().to_owned();
    assert!(fresh.starts_with("W/\"") && settled.starts_with('"'), "{fresh} {settled}");
    assert_ne!(fresh.trim_start_matches("W/"), settled);
    let small = site.get("/app.js", &[]).await.1["etag"].to_str().unwrap().to_owned();
    assert!(small.starts_with('"'), "what is hashed needs no patience");
}

#[tokio::test]
async fn small_files_share_one_copy_until_they_change() {
    let site = Site::new();
    let bytes = async || match site.ask("/app.js", &[]).await.unwrap().into_fields().body {
        Body::Full(bytes) => bytes,
        other => panic!("{other:?} is not in memory"),
    };
    let (one, two) = (bytes().await, bytes().await);
    assert_eq!(one.as_ptr(), two.as_ptr());
    fs::write(site.path("app.js"), "let a = 2;").unwrap();
    assert_eq!(bytes().await, "let a = 2;");
}

#[tokio::test]
async fn the_folder_may_be_replaced_while_it_is_served() {
    let site = Site::with(|rules| rules.folder = rules.folder.with_file_name("current"));
    let release = |name: &str| {
        let folder = site.root.path().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("version.txt"), name).unwrap();
        let link = site.root.path().join("next");
        symlink(&folder, &link).unwrap();
        fs::rename(link, site.root.path().join("current")).unwrap();
    };
    assert_eq!(site.get("/version.txt", &[]).await.0, StatusCode::SERVICE_UNAVAILABLE);
    release("one");
    assert_eq!(site.get("/version.txt", &[]).await.2, "one");
    release("two");
    assert_eq!(site.get("/version.txt", &[]).await.2, "two");
}

#[tokio::test]
async fn a_parameter_that_is_not_the_end_of_the_path_finds_nothing() {
    let site = Site::new();
    let mut request = Request::get("/app.js/more");
    request.params = PathParams::new(vec![("name".into(), "app.js".into())]);
    assert_eq!(taken(site.source.answer(request).await).await.0, StatusCode::NOT_FOUND);
}
