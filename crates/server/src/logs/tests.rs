//! How lines look, and that nobody but us writes them.

use std::io::Write;
use std::sync::Mutex;
use std::time::Duration;

use kasoku_observe::RouteName;

use super::*;

#[derive(Debug, thiserror::Error)]
#[error("outer")]
struct Outer(#[source] io::Error);

/// Keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `observe` makes of observations with these settings.
fn logged(format: LogFormat, level: &str, access_share: f64, observations: &[Observation<'_>]) -> String {
    let kept = Kept::default();
    let settings = LogSettings { format, level: level.into(), access_share };
    let output = kept.clone();
    let subscriber = subscriber(&settings, move || output.clone()).unwrap();
    let logs = Logs {
        access_share: share(access_share),
        slow: Arc::default(),
        slow_lines: SlowLines::default(),
        writer: Writer::start(io::sink()).unwrap(),
    };
    tracing::subscriber::with_default(subscriber, || {
        for observation in observations {
            logs.observe(observation);
        }
    });
    String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
}

fn answered<'a>(route: &'a RouteName, target: &'a str, status: u16) -> Observation<'a> {
    Observation::Answered(Answered {
        route: Some(route),
        method: "GET",
        target,
        status,
        cache: "hit",
        reason: Some("revalidating"),
        latency: Duration::from_micros(1_500),
        body_bytes: Some(12),
        request_id: "r-1",
        peer: Some(([127, 0, 0, 1], 5_000).into()),
        problem: None,
    })
}

fn route() -> RouteName {
    RouteName { index: 0, pattern: "/items".into() }
}

#[test]
fn an_answer_is_one_object_with_units_in_its_names() {
    let route = route();
    let text = logged(LogFormat::Json, "info", 1.0, &[answered(&route, "/items?a=b", 200)]);
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (name, expected) in [
        ("target", "kasoku_access".into()),
        ("level", "INFO".into()),
        ("method", "GET".into()),
        ("uri", "/items?a=b".into()),
        ("status", 200.into()),
        ("latency_ms", 1.5.into()),
        ("cache", "hit".into()),
        ("cache_reason", "revalidating".into()),
        ("body_bytes", 12.into()),
        ("route", "/items".into()),
        ("request_id", "r-1".into()),
        ("peer", serde_json::Value::from("127.0.0.1:5000")),
    ] {
        assert_eq!(line[name], expected, "{name} in {text}");
    }
}

#[test]
fn a_second_tier_that_goes_and_comes_is_told_of() {
    let check = |in_use, level: &str, said: &str| {
        let observation = Observation::SecondTier { in_use, reason: "timeout" };
        let text = logged(LogFormat::Json, "info", 0.0, &[observation]);
        let line: serde_json::Value = serde_json::from_str(&text).expect("one line");
        assert_eq!((&line["level"], &line["reason"]), (&level.into(), &"timeout".into()), "{text}");
        assert!(line["message"].as_str().is_some_and(|message| message.contains(said)), "{text}");
    };
    check(true, "INFO", "in use");
    check(false, "WARN", "away");
}

#[test]
fn nothing_that_a_caller_sends_begins_a_line_or_commands_a_terminal() {
    let route = route();
    let evil = "/x\r\n2026-01-01 INFO forged\u{1b}[2J\" status=200 \u{202e}";
    for format in [LogFormat::Text, LogFormat::Json] {
        let error = io::Error::other(evil);
        let text = logged(
            format,
            "info",
            1.0,
            &[
                answered(&route, evil, 200),
                Observation::DatabaseFailed { what: "read", error: &error },
                Observation::Panicked { route: &route, message: evil },
            ],
        );
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text:?}");
        assert!(!text.contains("forged\" status=200"), "{text}");
    }
}

#[test]
fn the_access_log_is_sampled_and_errors_are_always_in_it() {
    let route = route();
    let many: Vec<_> = (0..1_000).map(|_| answered(&route, "/", 200)).collect();
    assert_eq!(logged(LogFormat::Json, "info", 0.0, &many), "");
    assert_eq!(logged(LogFormat::Json, "info", 1.0, &many).lines().count(), 1_000);
    let tenth = logged(LogFormat::Json, "info", 0.1, &many).lines().count();
    assert!((20..300).contains(&tenth), "{tenth} of 1000");
    let error = logged(LogFormat::Json, "info", 0.0, &[answered(&route, "/", 503)]);
    assert!(error.contains(r#""level":"WARN""#), "{error}");
}

#[test]
fn levels_are_set_by_target() {
    let route = route();
    let observations = [answered(&route, "/", 200), Observation::Reloaded { generation: 2 }];
    let text = logged(LogFormat::Text, "info,kasoku_access=off", 1.0, &observations);
    assert!(text.contains("generation=2") && !text.contains("kasoku_access"), "{text}");
    let settings = LogSettings { format: LogFormat::Text, level: "kasoku=loud".into(), access_share: 1.0 };
    let error = subscriber(&settings, io::sink).err().unwrap().to_string();
    assert!(error.starts_with("the log level `kasoku=loud` is not understood"), "{error}");
}

#[test]
fn a_refused_reload_is_shown_line_by_line_and_causes_in_a_chain() {
    let text = logged(
        LogFormat::Text,
        "info",
        1.0,
        &[Observation::ReloadRefused { diagnostics: "kasoku.toml:3:1\n  | bad = 1" }],
    );
    assert!(text.lines().any(|line| line.ends_with("  | bad = 1")), "{text}");
    assert_eq!(causes(&Outer(io::Error::other("inner"))), "outer: inner");
}
