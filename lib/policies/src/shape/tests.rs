//! Shape: methods, conditions and codings, as callers see them.

use std::collections::HashMap;
use std::io::Read;

use http::header::ALLOW;
use kasoku_http_caching::coding::Coding;
use kasoku_pipeline::{CodedForm, Forms, KeptForm, Pipeline, Stack, first};
use parking_lot::Mutex;

use super::*;
use crate::doubles::{ScriptedSource, field, get_with, reads, text};

const RULES: ShapeRules = ShapeRules { compress_above: Some(100) };

fn shaped(source: Arc<ScriptedSource>) -> Arc<dyn Pipeline> {
    let promises = kasoku_pipeline::Source::promises(&*source).clone();
    first(Shape::new(RULES, &promises)).finally(source)
}

/// A source that answers with these fields and this text.
fn answering(fields: &'static [(&'static str, &'static str)], text: &str) -> Arc<ScriptedSource> {
    let text = text.to_owned();
    ScriptedSource::new(move |_, _| {
        let mut response = Response::ok(Body::from(text.clone().into_bytes()));
        for (name, value) in fields {
            response.headers.append(*name, HeaderValue::from_static(value));
        }
        async { Ok(response) }
    })
}

fn long_text() -> String {
    "all work and no play ".repeat(20)
}

fn request(method: Method, target: &str) -> Request {
    Request::new(method, target.parse().unwrap())
}

#[tokio::test]
async fn methods_are_answered_refused_or_described() {
    let promises = Promises { methods: vec![Method::GET, Method::POST], ..reads() };
    let source = ScriptedSource::promising(promises, |_, _| async { Ok(Response::ok(Body::from("text"))) });
    let pipeline = shaped(source.clone());
    let allow = "GET, HEAD, POST, OPTIONS";
    let described = pipeline.run(request(Method::OPTIONS, "/")).await.unwrap();
    assert_eq!((described.status.as_u16(), field(&described, "allow"), text(&described)), (204, allow, ""));
    for (method, kind) in [
        (Method::DELETE, Kind::MethodNotAllowed),
        (Method::TRACE, Kind::MethodNotAllowed),
        (Method::from_bytes(b"BREW").unwrap(), Kind::NotImplemented),
        (Method::from_bytes(b"get").unwrap(), Kind::NotImplemented),
    ] {
        let problem = pipeline.run(request(method.clone(), "/")).await.unwrap_err().problem;
        assert_eq!(problem.kind(), kind, "{method}");
        assert_eq!(problem.headers(), [(ALLOW, HeaderValue::from_static(allow))], "{method}");
    }
    assert_eq!(source.asked(), 0);
    assert_eq!(text(&pipeline.run(request(Method::POST, "/")).await.unwrap()), "text");
}

#[tokio::test]
async fn head_is_a_get_without_its_body() {
    let source = answering(&[("content-type", "text/plain")], &long_text());
    let pipeline = shaped(source.clone());
    for fields in [&[][..], &[("accept-encoding", "br")]] {
        let get = pipeline.run(get_with("/", fields)).await.unwrap();
        let mut request = get_with("/", fields);
        request.method = Method::HEAD;
        let head = pipeline.run(request).await.unwrap();
        assert_eq!(text(&head), "");
        assert_eq!(field(&head, "content-length"), get.body.len().unwrap().to_string());
        for name in ["etag", "vary", "content-type", "content-encoding"] {
            assert_eq!(field(&head, name), field(&get, name), "{name}");
        }
    }
    assert!(source.heads().iter().all(|(method, _)| *method == Method::GET));
}

#[tokio::test]
async fn a_buffered_answer_has_a_tag_and_a_sources_own_tag_is_kept() {
    let tag = async |source| field(&shaped(source).run(Request::get("/")).await.unwrap(), "etag").to_owned();
    let made = tag(answering(&[], "one")).await;
    assert!(made.starts_with('"') && made.len() == 34, "{made}");
    assert_eq!(made, tag(answering(&[], "one")).await);
    assert_ne!(made, tag(answering(&[], "two")).await);
    assert_eq!(tag(answering(&[("etag", r#"W/"own""#)], "one")).await, r#"W/"own""#);
    let streaming = ScriptedSource::new(|_, _| async { Ok(Response::ok(Body::stream(Body::from("one")))) });
    assert_eq!(tag(streaming).await, "");
    let gone =
        ScriptedSource::new(|_, _| async { Ok(Response::new(StatusCode::NOT_FOUND, Body::from("one"))) });
    assert_eq!(tag(gone).await, "");
}

const EARLIER: &str = "Sat, 01 Nov 2025 00:00:00 GMT";
const MODIFIED: &str = "Sun, 02 Nov 2025 00:00:00 GMT";
const LATER: &str = "Mon, 03 Nov 2025 00:00:00 GMT";

/// Answers `GET` with the text, any range of it with its first byte or that there is none.
fn ranging(there_is_one: bool) -> Arc<ScriptedSource> {
    ScriptedSource::new(move |_, request| async move {
        let mut response = Response::ok(Body::from("text"));
        if request.headers.contains_key(RANGE) && !there_is_one {
            return Err(Kind::RangeNotSatisfiable.into());
        }
        if request.headers.contains_key(RANGE) {
            response = Response::new(StatusCode::PARTIAL_CONTENT, Body::from("t"));
            response.headers.insert(CONTENT_RANGE, HeaderValue::from_static("bytes 0-0/4"));
        }
        response.headers.insert(ETAG, HeaderValue::from_static(r#""abc""#));
        Ok(response)
    })
}

#[tokio::test]
async fn conditions_come_before_ranges_whether_there_is_one_or_not() {
    let (has, lacks) = (("if-none-match", r#""abc""#), ("if-none-match", r#""x""#));
    let (expects, mistaken) = (("if-match", r#""abc-br""#), ("if-match", r#""x""#));
    for (condition, with_part, without) in
        [(has, 304, 304), (lacks, 206, 416), (expects, 206, 416), (mistaken, 412, 412)]
    {
        for (there_is_one, expected) in [(true, with_part), (false, without)] {
            let fields = [("range", "bytes=9-"), ("if-range", r#""abc""#), condition];
            let outcome = shaped(ranging(there_is_one)).run(get_with("/", &fields)).await;
            let status =
                outcome.map_or_else(|failure| failure.problem.kind().status(), |answer| answer.status);
            assert_eq!(status.as_u16(), expected, "{condition:?} {there_is_one}");
        }
    }
    let source = ranging(false);
    assert!(shaped(source.clone()).run(get_with("/", &[("range", "bytes=9-")])).await.is_err());
    assert_eq!(source.asked(), 1, "without conditions there is nothing to ask for");
}

#[tokio::test]
async fn a_head_is_never_about_a_part() {
    for there_is_one in [true, false] {
        let mut head = get_with("/", &[("range", "bytes=0-0"), ("if-range", r#""abc""#)]);
        head.method = Method::HEAD;
        let response = shaped(ranging(there_is_one)).run(head).await.unwrap();
        assert_eq!((response.status.as_u16(), field(&response, "content-length")), (200, "4"));
    }
}

async fn conditional(source: Arc<ScriptedSource>, fields: &[(&'static str, &str)], expected: u16) {
    let outcome = shaped(source.clone()).run(get_with("/", fields)).await;
    let status = outcome.map_or_else(|failure| failure.problem.kind().status(), |response| response.status);
    assert_eq!(status.as_u16(), expected, "{fields:?}");
    let (_, seen) = source.heads().pop().unwrap();
    assert!(fields.iter().all(|(name, _)| !seen.contains_key(*name)), "{fields:?} are seen by nobody else");
}

#[tokio::test]
async fn conditions_are_evaluated_against_the_answer_and_seen_by_nobody_else() {
    let (matches, differs) = (r#""x", "abc""#, r#""x", "y""#);
    for (fields, expected) in [
        (&[("if-match", matches)][..], 200),
        (&[("if-match", differs)], 412),
        (&[("if-unmodified-since", LATER)], 200),
        (&[("if-unmodified-since", EARLIER)], 412),
        (&[("if-none-match", matches)], 304),
        (&[("if-none-match", differs)], 200),
        (&[("if-modified-since", LATER)], 304),
        (&[("if-modified-since", EARLIER)], 200),
        (&[("if-unmodified-since", EARLIER), ("if-none-match", matches)], 412),
    ] {
        let fixed = answering(&[("etag", r#""abc""#), ("last-modified", MODIFIED)], "text");
        conditional(fixed, fields, expected).await;
    }
}

#[tokio::test]
async fn conditions_on_what_is_no_success_are_ignored() {
    let source =
        ScriptedSource::new(|_, _| async { Ok(Response::new(StatusCode::NOT_FOUND, Body::from("none"))) });
    conditional(source.clone(), &[("if-match", r#""abc""#)], 404).await;
    conditional(source, &[("if-none-match", "*")], 404).await;
}

#[tokio::test]
async fn a_304_keeps_what_updates_the_callers_copy_and_drops_what_describes_content() {
    let source = answering(
        &[
            ("etag", r#""abc""#),
            ("content-type", "text/plain"),
            ("content-language", "en"),
            ("content-location", "/items"),
            ("cache-control", "no-cache"),
            ("expires", LATER),
            ("last-modified", MODIFIED),
            ("link", "</next>; rel=next"),
        ],
        &long_text(),
    );
    let pipeline = shaped(source);
    for (asked, told) in
        [(r#""abc""#, r#""abc""#), (r#""abc-br""#, r#""abc-br""#), (r#"W/"abc-gzip""#, r#""abc-gzip""#)]
    {
        let response = pipeline.run(get_with("/", &[("if-none-match", asked)])).await.unwrap();
        assert_eq!((response.status.as_u16(), response.body.len()), (304, Some(0)), "{asked}");
        assert_eq!(field(&response, "etag"), told);
        assert_eq!(field(&response, "vary"), "accept-encoding");
        for kept in ["content-location", "cache-control", "expires", "link"] {
            assert_ne!(field(&response, kept), "", "{kept}");
        }
        for dropped in
            ["content-type", "content-language", "content-encoding", "content-length", "last-modified"]
        {
            assert_eq!(field(&response, dropped), "", "{dropped}");
        }
    }
}

fn decoded(response: &Response) -> String {
    let coded = &response.body.bytes().unwrap()[..];
    let mut text = String::new();
    match field(response, "content-encoding") {
        "br" => brotli::Decompressor::new(coded, 4_096).read_to_string(&mut text).unwrap(),
        "zstd" => zstd::stream::read::Decoder::new(coded).unwrap().read_to_string(&mut text).unwrap(),
        "gzip" => flate2::read::GzDecoder::new(coded).read_to_string(&mut text).unwrap(),
        _ => (&coded[..]).read_to_string(&mut text).unwrap(),
    };
    text
}

const WEAK: &[(&str, &str)] = &[("content-type", "text/plain"), ("etag", r#"W/"abc""#)];

const IMAGE: &[(&str, &str)] = &[("content-type", "image/png"), ("etag", r#""abc""#)];

const CODED: &[(&str, &str)] =
    &[("content-type", "text/plain"), ("etag", r#""abc""#), ("content-encoding", "gzip")];

const FIXED: &[(&str, &str)] =
    &[("content-type", "text/plain"), ("etag", r#""abc""#), ("cache-control", "no-transform")];

async fn coded(source: Arc<ScriptedSource>, accept: &str, coding: &str, etag: &str, vary: &str) -> Response {
    let response = shaped(source).run(get_with("/", &[("accept-encoding", accept)])).await.unwrap();
    assert_eq!(field(&response, "content-encoding"), coding, "{accept}");
    assert_eq!(field(&response, "etag"), etag, "{accept}");
    assert_eq!(field(&response, "vary"), vary, "{accept}");
    response
}

const PLAIN: &[(&str, &str)] = &[("content-type", "text/plain"), ("etag", r#""abc""#), ("vary", "origin")];

#[tokio::test]
async fn the_coding_is_what_the_caller_likes_best_and_vary_says_so_to_all() {
    let varies = "origin, accept-encoding";
    for (accept, coding, etag) in [
        ("gzip, br, zstd", "br", r#""abc-br""#),
        ("gzip, zstd", "zstd", r#""abc-zstd""#),
        ("gzip", "gzip", r#""abc-gzip""#),
        ("gzip;q=0", "", r#""abc""#),
        ("", "", r#""abc""#),
    ] {
        let response = coded(answering(PLAIN, &long_text()), accept, coding, etag, varies).await;
        assert_eq!(decoded(&response), long_text(), "{accept}");
    }
    coded(answering(WEAK, &long_text()), "br", "br", r#"W/"abc""#, "accept-encoding").await;
}

#[tokio::test]
async fn what_is_small_streamed_coded_or_no_text_is_sent_as_it_is() {
    coded(answering(PLAIN, "short"), "br", "", r#""abc""#, "origin").await;
    coded(answering(IMAGE, &long_text()), "br", "", r#""abc""#, "").await;
    coded(answering(CODED, &long_text()), "br", "gzip", r#""abc""#, "").await;
    coded(answering(FIXED, &long_text()), "br", "", r#""abc""#, "").await;
}

/// Text that no coding makes smaller.
fn noise() -> String {
    (0_u32..400)
        .map(|i| char::from(33 + (i.wrapping_mul(2_654_435_761) >> 25) as u8 % 94))
        .take(101)
        .collect()
}

#[tokio::test]
async fn a_coding_that_does_not_help_is_used_only_if_identity_is_refused() {
    let noise = noise();
    let varies = "origin, accept-encoding";
    let response = coded(answering(PLAIN, &noise), "gzip", "", r#""abc""#, varies).await;
    assert_eq!(text(&response), noise);
    let response =
        coded(answering(PLAIN, &noise), "gzip, identity;q=0", "gzip", r#""abc-gzip""#, varies).await;
    assert_eq!(decoded(&response), noise);
}

#[tokio::test]
async fn a_large_body_is_coded_by_another_thread() {
    let large = long_text().repeat(500);
    let response =
        coded(answering(PLAIN, &large), "zstd", "zstd", r#""abc-zstd""#, "origin, accept-encoding").await;
    assert_eq!(decoded(&response), large);
}

#[tokio::test]
async fn the_answer_to_a_write_is_coded_and_keeps_its_tag() {
    let promises = Promises { methods: vec![Method::POST], ..reads() };
    let source = ScriptedSource::promising(promises, |_, _| async {
        let mut response = Response::ok(Body::from(long_text().into_bytes()));
        response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers.insert(ETAG, HeaderValue::from_static(r#""new""#));
        Ok(response)
    });
    let mut post = get_with("/", &[("accept-encoding", "gzip"), ("if-match", r#""old""#)]);
    post.method = Method::POST;
    let response = shaped(source.clone()).run(post).await.unwrap();
    assert_eq!((field(&response, "content-encoding"), field(&response, "etag")), ("gzip", r#""new""#));
    assert!(source.heads()[0].1.contains_key("if-match"), "conditions on writes are the source's");
}

#[tokio::test]
async fn without_a_threshold_nothing_is_coded_and_nothing_varies() {
    let source = answering(&[("content-type", "text/plain")], &long_text());
    let pipeline = first(Shape::new(ShapeRules { compress_above: None }, &reads())).finally(source);
    let response = pipeline.run(get_with("/", &[("accept-encoding", "br")])).await.unwrap();
    assert_eq!((field(&response, "content-encoding"), field(&response, "vary")), ("", ""));
}

/// Keeps forms, and remembers what was asked.
#[derive(Debug, Default)]
struct Shelf(Mutex<HashMap<Coding, Option<CodedForm>>>);

impl Forms for Shelf {
    fn is_worth_coding(&self, judge: &dyn Fn() -> bool) -> bool {
        judge()
    }

    fn get(&self, coding: Coding) -> KeptForm {
        match self.0.lock().get(&coding) {
            None => KeptForm::Missing,
            Some(None) => KeptForm::Useless,
            Some(Some(form)) => KeptForm::Made(form.clone()),
        }
    }

    fn put(&self, coding: Coding, form: Option<CodedForm>) {
        assert!(self.0.lock().insert(coding, form).is_none(), "{coding:?} is made once");
    }
}

#[tokio::test]
async fn a_kept_form_is_made_once_and_sent_again() {
    for (body, coding) in [(long_text(), "gzip"), (noise(), "")] {
        let shelf = Arc::new(Shelf::default());
        let kept: Arc<dyn Forms> = Arc::clone(&shelf) as _;
        let source = ScriptedSource::new(move |_, _| {
            let mut response = Response::ok(Body::from(body.clone().into_bytes()));
            response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            response.forms = Some(Arc::clone(&kept));
            async { Ok(response) }
        });
        let pipeline = shaped(source);
        let first = pipeline.run(get_with("/", &[("accept-encoding", "gzip")])).await.unwrap();
        let again = pipeline.run(get_with("/", &[("accept-encoding", "gzip")])).await.unwrap();
        assert_eq!(field(&first, "content-encoding"), coding);
        assert_eq!(first.headers, again.headers);
        let (one, other) = (first.body.bytes().unwrap(), again.body.bytes().unwrap());
        assert_eq!(one, other);
        assert_eq!(one.as_ptr() == other.as_ptr(), coding == "gzip", "the kept bytes themselves are sent");
        assert_eq!(shelf.0.lock().len(), 1);
    }
}
