//! A good file, spoiled in every way that a person or a broken disk spoils one: nothing panics, nothing is shown
//! that must not be, and each error has a line and a key.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::App;
use crate::{Overrides, Severity};

const CANARY: &str = "canary-0123456789";

/// One folder for all: no check writes to it.
static APP: LazyLock<App> = LazyLock::new(App::new);

/// A file that uses much of the grammar.
const GOOD: &str = r#"# An app.
name = "shop"

[server]
listen = "127.0.0.1:8080"
threads = 2
drain = "30s"
secret = "canary-0123456789"
limits = { streams = 100, body = "2MiB" }

[admin]
token = 'canary-0123456789'

[log]
access = 0.5
level = "info"

[database]
url = "sqlite:a.db"
schema = "schema/"
seed = { table = "items", file = "seed.sql", rows = 10 }

[cache]
memory = "64MiB"

[[route]]
path = "/v1/items"
table = "items"
select = ["id", "title", "category", "price"]
filter = ["category", "price"]
plain = ["category"]
order = ["-id", "category,-price"]
page = { default = 20, most = 100 }
count = { default = "none", allowed = ["exact"] }
write = ["insert", "update"]
cache = { fresh = "30s", stale_if_error = "10m" }

[[route]]
path = "/v1/category/{category}"
query = """
select id, title from items
where category = :category and price < :most
"""
params = { most = { type = "real", default = 10.5 } }

[[route]]
path = "/{*rest}"
files = { folder = "static", max_age = "1m" }
"#;

/// What a line's value is replaced by.
const VALUES: [&str; 16] = [
    "true",
    "-1",
    "99999999999999999999",
    "nan",
    "\"\"",
    "\"x\"",
    "[]",
    "[1, \"a\", {}]",
    "{}",
    "{ a = { b = 1 } }",
    "1979-05-27",
    "\"${UNSET}\"",
    "\"\\u001b[31m\"",
    "'''\nx'''",
    "\"30 parsecs\"",
    "=",
];

/// One way to spoil a file; numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Mutation {
    DeleteLine(usize),
    DuplicateLine(usize),
    SwapLines(usize, usize),
    DeleteKey(usize),
    MisspellKey(usize, usize),
    Retype(usize, usize),
    DeleteCharacter(usize),
    InsertCharacter(usize, char),
    Truncate(usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    use Mutation::*;
    let any = || any::<usize>();
    prop_oneof![
        any().prop_map(DeleteLine),
        any().prop_map(DuplicateLine),
        (any(), any()).prop_map(|(a, b)| SwapLines(a, b)),
        any().prop_map(DeleteKey),
        (any(), any()).prop_map(|(line, at)| MisspellKey(line, at)),
        (any(), any()).prop_map(|(line, value)| Retype(line, value)),
        any().prop_map(DeleteCharacter),
        (
            any(),
            prop::sample::select(vec![
                '"', '\'', '[', ']', '{', '}', '=', '.', '\n', '#', '\\', 'é', '\0', ','
            ])
        )
            .prop_map(|(at, c)| InsertCharacter(at, c)),
        any().prop_map(Truncate),
    ]
}

fn apply(text: &str, mutation: &Mutation) -> String {
    use Mutation::*;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut characters: Vec<char> = text.chars().collect();
    if lines.is_empty() || characters.is_empty() {
        return text.to_owned();
    }
    let (line, character) = (|at: usize| at % lines.len(), |at: usize| at % characters.len());
    match *mutation {
        DeleteCharacter(at) => drop(characters.remove(character(at))),
        InsertCharacter(at, c) => characters.insert(character(at), c),
        Truncate(at) => characters.truncate(character(at)),
        _ => {
            match *mutation {
                DeleteLine(at) => drop(lines.remove(line(at))),
                DuplicateLine(at) => lines.insert(line(at), lines[line(at)].clone()),
                SwapLines(a, b) => {
                    let (a, b) = (line(a), line(b));
                    lines.swap(a, b);
                }
                DeleteKey(at) => with_key(&mut lines, at, |_, value| value.to_owned()),
                MisspellKey(at, letter) => with_key(&mut lines, at, |key, value| {
                    let mut letters: Vec<char> = key.trim().chars().collect();
                    let letter = letter % letters.len().max(1);
                    if letter < letters.len() {
                        letters.remove(letter);
                    }
                    format!("{} ={value}", letters.into_iter().collect::<String>())
                }),
                Retype(at, value) => {
                    with_key(&mut lines, at, |key, _| format!("{key}= {}", VALUES[value % VALUES.len()]));
                }
                DeleteCharacter(_) | InsertCharacter(..) | Truncate(_) => {}
            }
            return lines.join("\n") + "\n";
        }
    }
    characters.into_iter().collect()
}

/// Changes one of the lines that have a key.
fn with_key(lines: &mut [String], at: usize, change: impl Fn(&str, &str) -> String) {
    let with_key: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].contains('=')).collect();
    if let Some(line) = with_key.get(at % with_key.len().max(1)).map(|at| &mut lines[*at]) {
        let (key, value) = line.split_once('=').unwrap();
        *line = change(key, value);
    }
}

fn check(app: &App, text: &str) -> Result<(), TestCaseError> {
    let result = app.load_with(text, &Overrides::default(), &[]);
    let (found, planned) = match &result {
        Ok(loaded) => (&loaded.warnings, true),
        Err(found) => (found, false),
    };
    prop_assert_eq!(planned, !found.has_errors(), "a plan exists exactly if there is no error");
    for diagnostic in &found.list {
        let (line, column) = found.position(&diagnostic.place);
        let lines = found.texts[diagnostic.place.text].text.lines().count().max(1);
        prop_assert!((1..=lines + 1).contains(&line) && column >= 1, "{:?}", diagnostic);
        prop_assert!(!diagnostic.key.is_empty() && !diagnostic.message.is_empty(), "{:?}", diagnostic);
        prop_assert!(matches!(diagnostic.severity, Severity::Error | Severity::Warning));
    }
    let printed = format!("{}{}{}{result:?}", found.render(false), found.render(true), found.to_json());
    prop_assert!(!printed.contains(CANARY), "{}", printed);
    prop_assert!(
        !found.render(false).contains('\u{1b}'),
        "no control characters of the file reach the terminal"
    );
    Ok(())
}

#[test]
fn the_file_is_good_before_it_is_spoiled() {
    APP.load(GOOD).unwrap_or_else(|found| panic!("{found}"));
}

#[test]
fn a_file_cut_anywhere_is_judged() {
    for at in (0..GOOD.len()).filter(|at| GOOD.is_char_boundary(*at)) {
        check(&APP, &GOOD[..at]).unwrap();
    }
}

#[test]
fn every_line_can_have_every_wrong_value() {
    for line in 0..GOOD.lines().count() {
        for value in 0..VALUES.len() {
            check(&APP, &apply(GOOD, &Mutation::Retype(line, value))).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn a_spoiled_file_is_judged(mutations in prop::collection::vec(mutation(), 1..4)) {
        let text = mutations.iter().fold(GOOD.to_owned(), |text, mutation| apply(&text, mutation));
        check(&APP, &text)?;
    }

    #[test]
    fn any_text_is_judged(text in "\\PC{0,200}") {
        check(&APP, &text)?;
    }
}
