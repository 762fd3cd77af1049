//! The binary before an origin that plays the scripts of rows, all at the same time.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use http::Method;
use kasoku_testkit::{Answer, Client, Exchange, Kasoku, RecordingOrigin, Start};
use tokio::task::JoinSet;

use super::row::{Ask, Expect, Row, Says, Step, filled};

const BINARY: &str = env!("CARGO_BIN_EXE_kasoku");

/// Rows that are tried at a time.
const ROWS_AT_A_TIME: usize = 24;

/// Longer than anything in the background should take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Tries every row, and tells of all that fail.
pub(super) async fn check(rows: Vec<Row>) {
    let count = rows.len();
    let stage = Arc::new(Stage::default());
    let origin = RecordingOrigin::new({
        let stage = Arc::clone(&stage);
        move |exchange| stage.play(exchange)
    });
    let kasoku = Arc::new(Start::origins(BINARY, &[origin.url()]).ready());
    let (mut trials, mut failed) = (JoinSet::<Result<(), String>>::new(), Vec::new());
    for (number, row) in rows.into_iter().enumerate() {
        if trials.len() == ROWS_AT_A_TIME {
            failed.extend(trials.join_next().await.and_then(|tried| tried.unwrap().err()));
        }
        let trial = Trial::new(row, number, &stage, &kasoku);
        trials.spawn(trial.run());
    }
    while let Some(tried) = trials.join_next().await {
        failed.extend(tried.unwrap().err());
    }
    assert!(failed.is_empty(), "{} of {count} rows failed:\n\n{}", failed.len(), failed.join("\n"));
}

/// What the origin says to whom, and what it has seen.
#[derive(Default)]
struct Stage {
    parts: Mutex<HashMap<String, Part>>,
}

/// One row's.
struct Part {
    script: Vec<Says>,
    began: SystemTime,
    seen: Vec<String>,
}

impl Stage {
    fn play(&self, exchange: &mut Exchange) {
        exchange.body();
        let name = exchange.target().trim_start_matches('/');
        let name = name.split(['/', '?']).next().unwrap_or_default().to_owned();
        let (says, number, began) = {
            let mut parts = self.parts.lock().unwrap();
            let part = parts.get_mut(&name).unwrap_or_else(|| panic!("nobody has {name}"));
            part.seen.push(exchange.head().to_owned());
            let place = (part.seen.len() - 1).min(part.script.len() - 1);
            (part.script[place].clone(), part.seen.len(), part.began)
        };
        let fill = |text: &str| filled(text, &format!("/{name}"), began);
        match says {
            Says::Bytes(bytes) => exchange.send(fill(&bytes)),
            Says::BytesAndEnd(bytes) => {
                exchange.send(fill(&bytes));
                exchange.close();
            }
            Says::Answer { status, lines, body } => {
                let body = body.unwrap_or_else(|| format!("answer {number}"));
                let mut text = format!("HTTP/1.1 {status} Said\r\n");
                for line in lines {
                    write!(text, "{}\r\n", fill(&line)).unwrap();
                }
                let has_none = matches!(status, 204 | 304);
                if !has_none {
                    write!(text, "Content-Length: {}\r\n", body.len()).unwrap();
                }
                text.push_str("\r\n");
                if !has_none && !exchange.head().starts_with("HEAD ") {
                    text.push_str(&body);
                }
                exchange.send(text);
            }
        }
    }

    fn seen(&self, name: &str) -> Vec<String> {
        self.parts.lock().unwrap()[name].seen.clone()
    }
}

/// A row that is being tried.
struct Trial {
    row: Row,
    name: String,
    began: SystemTime,
    stage: Arc<Stage>,
    kasoku: Arc<Kasoku>,
    client: Client,
}

impl Trial {
    fn new(mut row: Row, number: usize, stage: &Arc<Stage>, kasoku: &Arc<Kasoku>) -> Self {
        let name = format!("row-{number}");
        let began = SystemTime::now();
        let script = std::mem::take(&mut row.script);
        stage.parts.lock().unwrap().insert(name.clone(), Part { script, began, seen: Vec::new() });
        let (stage, client) = (Arc::clone(stage), kasoku.client());
        Self { row, name, began, stage, kasoku: Arc::clone(kasoku), client }
    }

    async fn run(self) -> Result<(), String> {
        let mut first = None;
        for (place, step) in self.row.steps.iter().enumerate() {
            match step {
                Step::Wait(time) => tokio::time::sleep(*time).await,
                Step::Ask(ask) => {
                    let before = self.stage.seen(&self.name).len();
                    let answer = self.ask(ask).await.map_err(|why| self.tell(place, &why, None))?;
                    first.get_or_insert_with(|| answer.clone());
                    self.judge(ask, &answer, before, first.as_ref())
                        .map_err(|why| self.tell(place, &why, Some(&answer)))?;
                }
                Step::CutOff(ask) => {
                    if let Ok(answer) = self.ask(ask).await {
                        return Err(self.tell(place, "it did not break off", Some(&answer)));
                    }
                }
                Step::Until(ask) => {
                    let since = Instant::now();
                    loop {
                        let before = self.stage.seen(&self.name).len();
                        let answer = self.ask(ask).await.map_err(|why| self.tell(place, &why, None))?;
                        match self.judge(ask, &answer, before, first.as_ref()) {
                            Ok(()) => break,
                            Err(why) if since.elapsed() > PATIENCE => {
                                return Err(self.tell(place, &why, Some(&answer)));
                            }
                            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                        }
                    }
                }
            }
        }
        Ok(())
    }

    async fn ask(&self, ask: &Ask) -> Result<Answer, String> {
        let target = format!("/{}{}", self.name, ask.behind);
        let lines: Vec<String> = ask.lines.iter().map(|line| self.fill(line)).collect();
        let fields: Vec<(&str, &str)> = lines
            .iter()
            .map(|line| line.split_once(':').expect("a name and a value"))
            .map(|(name, value)| (name, value.strip_prefix(' ').unwrap_or(value)))
            .collect();
        let method = Method::from_bytes(ask.method.as_bytes()).expect("a method");
        let sent = self.client.try_send(method, &target, &fields, ask.body.clone()).await;
        sent.map_err(|error| format!("no answer: {error:?}"))
    }

    fn judge(&self, ask: &Ask, answer: &Answer, before: usize, first: Option<&Answer>) -> Result<(), String> {
        let seen = self.stage.seen(&self.name);
        for expected in &ask.expected {
            let held = self.holds(expected, answer, before, &seen, first);
            if !held {
                return Err(format!("{expected:?} does not hold"));
            }
        }
        Ok(())
    }

    fn holds(
        &self,
        expected: &Expect,
        answer: &Answer,
        before: usize,
        seen: &[String],
        first: Option<&Answer>,
    ) -> bool {
        let told = |text: &str| field(answer, "cache-status").contains(text);
        let last = seen.last().map_or("", String::as_str);
        let was_asked = seen.len() == before + 1;
        match expected {
            Expect::Reused => seen.len() == before && answer.cache() == "HIT" && told("; hit"),
            Expect::Stale => answer.cache() == "STALE" && told("; hit"),
            Expect::Validated => {
                let has_condition = !of_head(last, "if-none-match").is_empty()
                    || !of_head(last, "if-modified-since").is_empty();
                was_asked
                    && has_condition
                    && told("fwd-status=304")
                    && first.is_some_and(|first| (first.status, &first.body) == (answer.status, &answer.body))
            }
            Expect::Forwarded => was_asked && told("; fwd=") && !told("fwd-status=304"),
            Expect::Status(status) => answer.status == *status,
            Expect::Body(body) => answer.body == *body,
            Expect::Field(name, value) => field(answer, name) == self.fill(value),
            Expect::Without(name) => !answer.headers.contains_key(*name),
            Expect::Saw(name, value) => of_head(last, name) == self.fill(value),
            Expect::SawNo(name) => !has(last, name),
            Expect::Asked(count) => seen.len() == *count,
            Expect::AskedAtLeast(count) => seen.len() >= *count,
            Expect::Told(text) => told(text),
            Expect::Untold(text) => !told(text),
        }
    }

    fn fill(&self, text: &str) -> String {
        filled(text, &format!("/{}", self.name), self.began)
    }

    fn tell(&self, place: usize, why: &str, answer: Option<&Answer>) -> String {
        let Row { clause, claim, steps, .. } = &self.row;
        let answer = answer.map_or_else(String::new, |answer| format!("  got {answer:?}\n"));
        let seen = self.stage.seen(&self.name).join("  ---\n");
        let step = &steps[place];
        let running = if answer.is_empty() { self.kasoku.log() } else { String::new() };
        format!(
            "{clause}: {claim}\n  step {place}: {step:?}\n  {why}\n{answer}  the origin saw\n{seen}{running}"
        )
    }
}

/// A field of an answer, its lines joined.
fn field(answer: &Answer, name: &str) -> String {
    let lines = answer.headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
    lines.collect::<Vec<_>>().join(", ")
}

/// A field of a raw head, its lines joined.
fn of_head(head: &str, name: &str) -> String {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let found = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    found.collect::<Vec<_>>().join(", ")
}

fn has(head: &str, name: &str) -> bool {
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .any(|(known, _)| known.eq_ignore_ascii_case(name))
}
