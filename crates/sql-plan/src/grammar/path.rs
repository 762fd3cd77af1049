//! Ways into a JSON document: `note->tags->0`, `note->>kind`.

use kasoku_problem::Problem;

use super::scan::Scanner;
use crate::fault::{echo, invalid};
use crate::limits::{PATH_STEP_BYTES_MAX, PATH_STEPS_MAX};

/// A way into a document, and what is wanted at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonPath {
    /// Without any, the document itself is meant.
    pub(crate) steps: Vec<Step>,
    pub(crate) end: End,
}

/// A step of a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A member of an object.
    Name(String),
    /// A place in an array, from 0; below 0, from its end.
    Place(i32),
}

/// What is wanted at the end of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// `->`: the JSON value.
    Document,
    /// `->>`: the value as text.
    Text,
}

/// Reads the steps behind a column's name, if there are any; they end before one of `ends`.
pub(crate) fn read(
    parameter: &str,
    scanner: &mut Scanner<'_>,
    ends: &[u8],
) -> Result<Option<JsonPath>, Problem> {
    let mut path = JsonPath { steps: Vec::new(), end: End::Document };
    while path.end == End::Document {
        if scanner.eat("->>") {
            path.end = End::Text;
        } else if !scanner.eat("->") {
            break;
        }
        if path.steps.len() == PATH_STEPS_MAX {
            let detail = format!("the way into the document has more than {PATH_STEPS_MAX} steps");
            return Err(invalid(parameter, detail));
        }
        path.steps.push(step(parameter, scanner, ends)?);
    }
    if path.end == End::Text && scanner.rest().starts_with("->") {
        return Err(invalid(parameter, "`->>` gives text, into which no way leads; it must come last"));
    }
    Ok((!path.steps.is_empty()).then_some(path))
}

/// A member's name, quoted or up to the next arrow; digits alone are a place.
fn step(parameter: &str, scanner: &mut Scanner<'_>, ends: &[u8]) -> Result<Step, Problem> {
    let quoted = scanner.rest().starts_with('"');
    let text = scanner.name_before_arrow(ends);
    let place =
        || text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'));
    match text.len() {
        0 => Err(invalid(parameter, "a name or a number is missing behind `->`")),
        // Neither database has such names in a way.
        _ if text.contains('\0') || text.len() > PATH_STEP_BYTES_MAX => {
            Err(invalid(parameter, format!("`{}` cannot be a step into a document", echo(&text))))
        }
        _ => Ok(match place().filter(|_| !quoted) {
            Some(place) => Step::Place(place),
            None => Step::Name(text.into_owned()),
        }),
    }
}

impl JsonPath {
    /// As SQLite writes it: `$."tags"[0]`.
    pub(crate) fn dollar(&self) -> String {
        let mut out = String::from("$");
        for step in &self.steps {
            match step {
                Step::Name(name) => {
                    out.push('.');
                    out.push_str(&serde_json::Value::from(name.as_str()).to_string());
                }
                Step::Place(place @ 0..) => out.extend(["[", &place.to_string(), "]"]),
                Step::Place(place) => out.extend(["[#", &place.to_string(), "]"]),
            }
        }
        out
    }

    /// As an array of texts of PostgreSQL: `{"tags","0"}`.
    pub(crate) fn array(&self) -> String {
        let mut out = String::from("{");
        for (at, step) in self.steps.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            match step {
                Step::Name(name) => crate::convert::push_quoted(&mut out, name),
                Step::Place(place) => out.push_str(&place.to_string()),
            }
        }
        out.push('}');
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_read_and_written_for_both_databases() {
        let check = |text: &str, dollar: &str, array: &str, end: End, rest: &str| {
            let mut scanner = Scanner::new(text);
            let path = read("p", &mut scanner, b".,()").unwrap().unwrap();
            assert_eq!((path.dollar(), path.array(), path.end), (dollar.into(), array.into(), end), "{text}");
            assert_eq!(scanner.rest(), rest, "{text}");
        };
        check("->a->>b.eq", r#"$."a"."b""#, r#"{"a","b"}"#, End::Text, ".eq");
        check("->tags->0->-1", r#"$."tags"[0][#-1]"#, r#"{"tags",0,-1}"#, End::Document, "");
        check(r#"->"0"->>"a.b->c",x"#, r#"$."0"."a.b->c""#, r#"{"0","a.b->c"}"#, End::Text, ",x");
        check("->a-b->>c-1", r#"$."a-b"."c-1""#, r#"{"a-b","c-1"}"#, End::Text, "");
        check(r#"->"a\"b""#, r#"$."a\"b""#, r#"{"a\"b"}"#, End::Document, "");
    }

    #[test]
    fn what_is_no_way_is_refused() {
        let long = format!("->{}", "x".repeat(PATH_STEP_BYTES_MAX + 1));
        let deep = "->a".repeat(PATH_STEPS_MAX + 1);
        for text in ["->", "->>", "->a->", "->>a->b", "->>a->>b", "->\0", &long, &deep] {
            assert!(read("p", &mut Scanner::new(text), b".").is_err(), "{text:?}");
        }
        assert_eq!(read("p", &mut Scanner::new(".eq"), b".").unwrap(), None);
    }
}
