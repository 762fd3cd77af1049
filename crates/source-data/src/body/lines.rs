//! Lines of text as rows (RFC 4180), the first with the names.
//!
//! It reads what lists are answered as: an empty field is NULL and two quotes are an empty text. `NULL` without quotes is
//! NULL too, as PostgREST reads it.

use kasoku_problem::{Kind, Problem};
use serde_json::{Map, Value};

use super::beginning;

/// A field, and whether it was quoted.
pub(crate) struct Field {
    pub(crate) text: String,
    quoted: bool,
}

/// Where reading has come to.
struct Reader<'a> {
    text: &'a str,
    /// Counted from 1, for problems.
    line: usize,
}

/// Reads one record, which has its end in it or is the last; `line` is where it begins.
pub(crate) fn record(text: &str, line: usize) -> Result<Vec<Field>, Problem> {
    Ok(Reader { text, line }.record()?.unwrap_or_default())
}

/// Reads at most `rows_most` rows; `typed` says what a text is in a column.
pub(super) fn parse(
    bytes: &[u8],
    rows_most: u32,
    typed: impl Fn(&str, &str) -> Value,
) -> Result<Value, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| invalid(1, "the body is not UTF-8"))?;
    let mut reader = Reader { text: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    let names: Vec<String> = match reader.record()? {
        Some(names) => names.into_iter().map(|name| name.text).collect(),
        None => return Err(invalid(1, "the first line must name the columns")),
    };
    if let Some(name) =
        names.iter().enumerate().find_map(|(at, name)| names[..at].contains(name).then_some(name))
    {
        return Err(invalid(1, &format!("the name `{}` occurs twice", beginning(name))));
    }
    let mut rows = Vec::new();
    loop {
        let line = reader.line;
        let Some(record) = reader.record()? else { return Ok(Value::Array(rows)) };
        if rows.len() >= rows_most as usize {
            let problem = Problem::new(Kind::Unprocessable).member("most", rows_most);
            return Err(
                problem.detail(format!("the body has more rows than {rows_most}, which a request may have"))
            );
        }
        if record.len() != names.len() {
            let detail = format!("there are {} fields, and {} names", record.len(), names.len());
            return Err(invalid(line, &detail));
        }
        let values = names.iter().zip(record).map(|(name, field)| {
            let value = if field.is_null() { Value::Null } else { typed(name, &field.text) };
            (name.clone(), value)
        });
        rows.push(Value::Object(values.collect::<Map<_, _>>()));
    }
}

impl Field {
    pub(crate) fn is_null(&self) -> bool {
        !self.quoted && matches!(&*self.text, "" | "NULL")
    }
}

impl Reader<'_> {
    /// The fields up to the end of a line, or of the text; `None` behind that.
    fn record(&mut self) -> Result<Option<Vec<Field>>, Problem> {
        if self.text.is_empty() {
            return Ok(None);
        }
        let mut fields = Vec::new();
        loop {
            fields.push(self.field()?);
            let (step, ends) = match self.text.as_bytes() {
                [b',', ..] => (1, false),
                [b'\r', b'\n', ..] => (2, true),
                [b'\n', ..] => (1, true),
                [] => (0, true),
                _ => {
                    return Err(invalid(
                        self.line,
                        "a comma or the end of the line is missing after a quote",
                    ));
                }
            };
            self.text = &self.text[step..];
            if ends {
                self.line += 1;
                return Ok(Some(fields));
            }
        }
    }

    fn field(&mut self) -> Result<Field, Problem> {
        let Some(quoted) = self.text.strip_prefix('"') else {
            let end = self.text.find([',', '\n']).unwrap_or(self.text.len());
            let field = &self.text[..end];
            let field = if self.text[end..].starts_with('\n') {
                field.strip_suffix('\r').unwrap_or(field)
            } else {
                field
            };
            if field.contains('"') {
                return Err(invalid(self.line, "a field with a quote in it must be quoted"));
            }
            self.text = &self.text[field.len()..];
            return Ok(Field { text: field.to_owned(), quoted: false });
        };
        let begun = self.line;
        let mut text = String::new();
        let mut rest = quoted;
        loop {
            let Some(end) = rest.find('"') else { return Err(invalid(begun, "a quoted field does not end")) };
            text.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('"') {
                Some(more) => {
                    text.push('"');
                    rest = more;
                }
                None => break,
            }
        }
        self.line += text.matches('\n').count();
        self.text = rest;
        Ok(Field { text, quoted: true })
    }
}

fn invalid(line: usize, detail: &str) -> Problem {
    Problem::new(Kind::InvalidBody).detail(format!("line {line}: {detail}")).member("line", line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(body: &str) -> Result<Value, String> {
        let typed = |name: &str, text: &str| match name {
            "n" => text.parse::<i64>().map_or(text.into(), Value::from),
            _ => text.into(),
        };
        parse(body.as_bytes(), 3, typed)
            .map_err(|problem| problem.detail_text().unwrap_or_default().to_owned())
    }

    #[test]
    fn lines_are_rows_under_the_names_of_the_first() {
        let check = |body: &str, expected: Value| assert_eq!(read(body), Ok(expected), "{body:?}");
        check("n,t\r\n1,one\r\n2,two\r\n", json!([{"n": 1, "t": "one"}, {"n": 2, "t": "two"}]));
        check("n,t\n1,one", json!([{"n": 1, "t": "one"}]));
        check("\u{feff}t\n\"a,\"\"b\"\"\r\nc\"\n", json!([{"t": "a,\"b\"\r\nc"}]));
        check("a,b,c,d\n,\"\",NULL,\"NULL\"\n", json!([{"a": null, "b": "", "c": null, "d": "NULL"}]));
        check("t\n a \n", json!([{"t": " a "}]));
        check("t\n\n", json!([{"t": null}]));
        check("t\n", json!([]));
        check("t\nred\rblue", json!([{"t": "red\rblue"}]));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (body, expected) in [
            ("", "line 1: the first line"),
            ("a,a\n1,2\n", "line 1: the name `a` occurs twice"),
            ("a,b\n1,2\n3\n", "line 3: there are 1 fields"),
            ("a\n\"x\ny\"\n1,2\n", "line 4: there are 2 fields"),
            ("a\n\"x\n", "line 2: a quoted field does not end"),
            ("a\n\"x\"y\n", "line 2: a comma or the end"),
            ("a\nx\"y\n", "line 2: a field with a quote"),
            ("a\n1\n2\n3\n4\n", "more rows than 3"),
        ] {
            let said = read(body).unwrap_err();
            assert!(said.contains(expected), "{body:?}: {said}");
        }
        assert!(parse(b"a\n\xff", 3, |_, text| text.into()).is_err());
    }

    proptest! {
        #[test]
        fn a_list_that_was_answered_as_lines_is_read_as_what_it_was(rows in prop::collection::vec((prop::option::of(".*"), ".+"), 1..4)) {
            let rows: Vec<Value> = rows.into_iter().map(|(a, b)| json!({"a": a, "b": b})).collect();
            let array = serde_json::to_vec(&rows).unwrap();
            let lines = crate::media::Media::Csv.of_rows(array, &[]).unwrap();
            let back = parse(&lines, 10, |_, text| text.into()).map_err(|problem| problem.to_string());
            prop_assert_eq!(back, Ok(Value::Array(rows)));
        }

        #[test]
        fn any_text_can_be_read(text in ".*") {
            let _ = read(&text);
        }
    }
}
