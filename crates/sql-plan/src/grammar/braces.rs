//! Lists in braces, `{a,"b c",d}`: PostgreSQL's form of an array, as the modifiers `any` and `all` and the tests of
//! arrays have it.

use std::borrow::Cow;

use super::scan::Scanner;

/// The items of a list, or what is wrong with it. NULL and lists in lists are not for comparing with.
pub(crate) fn items(text: &str, most: usize) -> Result<Vec<Cow<'_, str>>, String> {
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let Some(inner) = inner else {
        return Err("expected a list such as `{a,b}`".to_owned());
    };
    let mut items = Vec::new();
    if inner.is_empty() {
        return Ok(items);
    }
    let mut scanner = Scanner::new(inner);
    loop {
        if items.len() == most {
            return Err(format!("the list has more than {most} values"));
        }
        let quoted = scanner.rest().starts_with('"');
        let item = scanner.name(b",");
        if !quoted && item.eq_ignore_ascii_case("null") {
            return Err("a list to compare with cannot hold NULL".to_owned());
        }
        if !quoted && item.contains(['{', '}']) {
            return Err("a list to compare with cannot hold lists; put quotes around braces".to_owned());
        }
        items.push(item);
        if !scanner.eat(",") {
            return Ok(items);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_with_quotes_and_without() {
        let check = |text: &str, expected: Option<&[&str]>| {
            let read = items(text, 3).ok();
            let read: Option<Vec<&str>> =
                read.as_ref().map(|items| items.iter().map(AsRef::as_ref).collect());
            assert_eq!(read.as_deref(), expected, "{text}");
        };
        check("{}", Some(&[]));
        check("{a,b c}", Some(&["a", "b c"]));
        check(r#"{"a,b","c\"d",""}"#, Some(&["a,b", "c\"d", ""]));
        check(r#"{"null",nulls}"#, Some(&["null", "nulls"]));
        check("{a%,(b)}", Some(&["a%", "(b)"]));
        check("{a,}", Some(&["a", ""]));
        for wrong in ["", "{", "a,b", "{a,NULL}", "{{a},b}", "{a,b,c,d}", "(a)"] {
            check(wrong, None);
        }
    }
}
