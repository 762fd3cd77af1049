//! What a request's own `Cache-Control` asks of the cache (RFC 9111 §5.2.1).

use http::HeaderMap;
use http::header::CACHE_CONTROL;

use crate::cache_control::{Argument, members};

/// The one directive that is followed, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directive {
    /// `no-store`: neither reuse nor keep anything (§5.2.1.5).
    Private,
    /// `no-cache`: ask the source (§5.2.1.4).
    Validate,
    /// `only-if-cached`: do not ask the source (§5.2.1.7).
    OnlyIfCached,
    /// Nothing. `max-age`, `min-fresh` and `max-stale` are advice (§5.2.1) that a cache which knows of
    /// changes need not take.
    Usual,
}

impl Directive {
    /// Reads a request's fields.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut strongest = Self::Usual;
        for line in headers.get_all(CACHE_CONTROL) {
            for member in members(line.as_bytes()) {
                let directive = match member.name {
                    _ if member.argument != Argument::Absent => continue,
                    name if name.eq_ignore_ascii_case(b"no-store") => Self::Private,
                    name if name.eq_ignore_ascii_case(b"no-cache") => Self::Validate,
                    name if name.eq_ignore_ascii_case(b"only-if-cached") => Self::OnlyIfCached,
                    _ => continue,
                };
                if (directive as u8) < strongest as u8 {
                    strongest = directive;
                }
            }
        }
        strongest
    }

    /// Whether a stored response must not be reused without asking the source.
    pub fn asks_the_source(self) -> bool {
        matches!(self, Self::Private | Self::Validate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_directive_is_followed() {
        let check = |lines: &[&'static str], expected| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(CACHE_CONTROL, line.parse().unwrap());
            }
            assert_eq!(Directive::of(&headers), expected, "{lines:?}");
        };
        check(&[], Directive::Usual);
        check(&["max-age=0"], Directive::Usual);
        check(&["no-cache=x"], Directive::Usual);
        check(&["extension=\"no-cache, no-store\""], Directive::Usual);
        check(&["No-Cache"], Directive::Validate);
        check(&["max-age=0, no-cache"], Directive::Validate);
        check(&["only-if-cached"], Directive::OnlyIfCached);
        check(&["only-if-cached", "no-cache ,no-store"], Directive::Private);
    }
}
