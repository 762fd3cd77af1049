//! Names that answers are grouped by, so that they can be removed together: `Cache-Groups` (RFC 9875), and the older
//! `Surrogate-Key` and `Cache-Tag`.
//!
//! A name that is lost is an answer that stays when it should go. Whatever cannot be kept whole is therefore an
//! error, upon which the answer is not to be stored, rather than a shorter list.

use http::{HeaderMap, Method};
use sfv::{BareItem, FieldType, List, ListEntry, Parser};

use crate::invalidation::is_safe;

/// Names of one answer. RFC 9875 §2 asks for 32 at least.
pub const NAMES_MAX: usize = 256;

/// Bytes of one name. RFC 9875 §2 asks for 32 at least.
pub const NAME_BYTES_MAX: usize = 256;

/// Why the names of an answer cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unkeepable {
    /// There are more than [`NAMES_MAX`].
    #[error("it belongs to more than {NAMES_MAX} groups")]
    TooMany,
    /// One has more than [`NAME_BYTES_MAX`].
    #[error("the name of a group has more than {NAME_BYTES_MAX} bytes")]
    TooLong,
    /// One is no text.
    #[error("the name of a group is no valid UTF-8")]
    NotText,
}

/// The groups that an answer belongs to, by its `Cache-Groups` (RFC 9875 §2). They are names within the origin of
/// the request. A field that is not a list of strings is ignored whole, as structured fields are (RFC 9651 §4.2).
pub fn groups(headers: &HeaderMap) -> Result<Vec<String>, Unkeepable> {
    strings(headers, "cache-groups")
}

/// The groups whose stored answers an answer puts in doubt, by its `Cache-Group-Invalidation` (RFC 9875 §3): none if
/// the method of the request is safe. What invalidates does not cascade: groups of what was removed are not removed.
pub fn invalidated(method: &Method, headers: &HeaderMap) -> Result<Vec<String>, Unkeepable> {
    if is_safe(method) {
        return Ok(Vec::new());
    }
    strings(headers, "cache-group-invalidation")
}

/// The names in `Surrogate-Key`, between which there are spaces.
pub fn surrogate_keys(headers: &HeaderMap) -> Result<Vec<String>, Unkeepable> {
    words(headers, "surrogate-key", |character| character == ' ' || character == '\t')
}

/// The names in `Cache-Tag`, between which there are commas.
pub fn cache_tags(headers: &HeaderMap) -> Result<Vec<String>, Unkeepable> {
    words(headers, "cache-tag", |character| character == ',')
}

fn strings(headers: &HeaderMap, field: &str) -> Result<Vec<String>, Unkeepable> {
    let mut names = Names::default();
    for member in list(headers, field) {
        match member {
            ListEntry::Item(item) => match item.bare_item {
                BareItem::String(name) => names.add(name.as_str())?,
                _ => return Ok(Vec::new()),
            },
            ListEntry::InnerList(_) => return Ok(Vec::new()),
        }
    }
    Ok(names.0)
}

/// The members of a list; none if it is malformed.
fn list(headers: &HeaderMap, field: &str) -> List {
    let lines: Vec<&[u8]> = headers.get_all(field).into_iter().map(http::HeaderValue::as_bytes).collect();
    // RFC 9651 §4.2: lines are joined with a comma before they are parsed.
    List::parse(Parser::new(&lines.join(&b", "[..]))).unwrap_or_default()
}

fn words(
    headers: &HeaderMap,
    field: &str,
    separates: impl Fn(char) -> bool + Copy,
) -> Result<Vec<String>, Unkeepable> {
    let mut names = Names::default();
    for line in headers.get_all(field) {
        let line = std::str::from_utf8(line.as_bytes()).map_err(|_| Unkeepable::NotText)?;
        for name in line.split(separates).map(|name| name.trim_matches([' ', '\t'])) {
            if !name.is_empty() {
                names.add(name)?;
            }
        }
    }
    Ok(names.0)
}

#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn add(&mut self, name: &str) -> Result<(), Unkeepable> {
        if name.len() > NAME_BYTES_MAX {
            return Err(Unkeepable::TooLong);
        }
        if self.0.iter().any(|known| known == name) {
            return Ok(());
        }
        if self.0.len() == NAMES_MAX {
            return Err(Unkeepable::TooMany);
        }
        self.0.push(name.to_owned());
        Ok(())
    }
}
