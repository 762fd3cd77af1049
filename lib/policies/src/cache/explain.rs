//! The key of one request in words, for people who want to know what its answers are shared by.

use kasoku_pipeline::{Promises, Request};

use super::key::Keying;

/// A part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPart {
    /// What it is.
    pub name: String,
    /// What the request says there, if it says something.
    pub value: Option<String>,
}

impl KeyPart {
    pub(crate) fn new(name: &str, value: Option<&[u8]>) -> Self {
        let value = value.map(|value| match (name, <[u8; 8]>::try_from(value)) {
            ("route", Ok(index)) => u64::from_le_bytes(index).to_string(),
            _ => String::from_utf8_lossy(value).into_owned(),
        });
        Self { name: name.to_owned(), value }
    }
}

/// The parts of the key of a request to a route whose source makes these promises.
pub fn key(route: usize, promises: &Promises, request: &Request) -> Vec<KeyPart> {
    let key = Keying::new(route, promises).key(request).build();
    let mut parts = key.parts();
    let target = ["route", "method", "path", "query"];
    let mut named: Vec<KeyPart> =
        target.into_iter().zip(parts.by_ref()).map(|(name, part)| KeyPart::new(name, part)).collect();
    for name in &promises.vary {
        let lines = parts.next().flatten().and_then(|count| Some(u32::from_le_bytes(count.try_into().ok()?)));
        let lines = lines.unwrap_or_default() as usize;
        let said: Vec<KeyPart> =
            parts.by_ref().take(lines).map(|line| KeyPart::new(name.as_str(), line)).collect();
        if said.is_empty() {
            named.push(KeyPart::new(name.as_str(), None));
        }
        named.extend(said);
    }
    for part in &promises.by {
        named.push(KeyPart::new(&format!("caller.{}", part.name()), parts.next().flatten()));
    }
    named
}

#[cfg(test)]
mod tests {
    use http::header::ACCEPT;

    use super::*;
    use crate::doubles::get_with;

    #[test]
    fn each_part_has_a_name_also_where_nothing_is_said() {
        let promises =
            Promises { vary: vec![http::HeaderName::from_static("prefer"), ACCEPT], ..Promises::none() };
        let request = get_with("/items", &[("accept", "a"), ("accept", "b"), ("cookie", "c")]);
        let parts = key(7, &promises, &request);
        let parts: Vec<_> = parts.iter().map(|part| (&*part.name, part.value.as_deref())).collect();
        let expected = [
            ("route", Some("7")),
            ("method", Some("GET")),
            ("path", Some("/items")),
            ("query", None),
            ("prefer", None),
            ("accept", Some("a")),
            ("accept", Some("b")),
        ];
        assert_eq!(parts, expected);
    }
}
