//! What the parts of a path pattern matched. Most patterns have one short parameter, which costs no allocation.

use std::sync::Arc;

/// What the parts of a path pattern matched, percent-decoded, in the order of the pattern.
#[derive(Debug, Clone, Default)]
pub struct PathParams(Params);

#[derive(Debug, Clone, Default)]
enum Params {
    #[default]
    None,
    Short {
        name: Arc<str>,
        length: u8,
        bytes: [u8; SHORT_BYTES_MAX],
    },
    Any(Vec<(Arc<str>, String)>),
}

/// Values up to this length are kept in place.
const SHORT_BYTES_MAX: usize = 39;

impl PathParams {
    /// From names and values.
    pub fn new(params: Vec<(Arc<str>, String)>) -> Self {
        Self(Params::Any(params))
    }

    /// One name and its value.
    pub fn one(name: Arc<str>, value: &str) -> Self {
        let mut bytes = [0; SHORT_BYTES_MAX];
        let Some(place) = bytes.get_mut(..value.len()) else {
            return Self::new(vec![(name, value.to_owned())]);
        };
        place.copy_from_slice(value.as_bytes());
        Self(Params::Short { name, length: value.len() as u8, bytes })
    }

    /// The value of one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let (short, any) = match &self.0 {
            Params::None => (None, &[][..]),
            Params::Short { name, length, bytes } => {
                let value = std::str::from_utf8(&bytes[..usize::from(*length)]);
                (Some((&**name, value.expect("they were the bytes of a text"))), &[][..])
            }
            Params::Any(params) => (None, &params[..]),
        };
        short.into_iter().chain(any.iter().map(|(name, value)| (&**name, value.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_length_are_given_back() {
        for value in ["", "7", "é陶", &"x".repeat(SHORT_BYTES_MAX), &"x".repeat(SHORT_BYTES_MAX + 1)] {
            let params = PathParams::one("id".into(), value);
            assert_eq!(params.get("id"), Some(value));
            assert_eq!(params.get("other"), None);
            assert_eq!(params.iter().collect::<Vec<_>>(), [("id", value)]);
        }
        let two = PathParams::new(vec![("a".into(), "1".into()), ("b".into(), "2".into())]);
        assert_eq!(two.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "2")]);
        assert_eq!(PathParams::default().iter().count(), 0);
    }
}
