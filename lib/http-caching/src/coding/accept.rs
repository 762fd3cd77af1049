//! `Accept-Encoding` (RFC 9110 §12.5.3).

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

use super::Coding;

/// What a caller wants, of what can be made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wish {
    /// Best first; those behind the first `None` are not wanted.
    ranked: [Option<Coding>; Coding::ALL.len()],
    /// It does not want the identity form at all (`identity;q=0`, or `*;q=0` without naming identity).
    pub identity_refused: bool,
}

impl Wish {
    /// The coding it likes best, if that is not identity.
    pub fn best(self) -> Option<Coding> {
        self.ranked[0]
    }

    /// The codings that it likes no less than identity, best first: for those who have some forms and not others.
    pub fn codings(self) -> impl Iterator<Item = Coding> {
        self.ranked.into_iter().map_while(|coding| coding)
    }
}

/// The caller's wish. Among equal weights the order is that of [`Coding::ALL`]; identity comes last unless it
/// is named with a greater weight. A request without the field gets identity: it allows any coding, but those
/// who send none seldom understand one. Members that do not follow the grammar are passed over.
pub fn negotiate(headers: &HeaderMap) -> Wish {
    let mut weights = Weights::default();
    let mut present = false;
    for line in headers.get_all(ACCEPT_ENCODING) {
        present = true;
        if let Ok(line) = line.to_str() {
            line.split(',').filter_map(member).for_each(|(name, weight)| weights.note(name, weight));
        }
    }
    if present { weights.wish() } else { Wish::default() }
}

/// Weights in thousandths, as far as they were named.
#[derive(Default)]
struct Weights {
    codings: [Option<u16>; Coding::ALL.len()],
    identity: Option<u16>,
    others: Option<u16>,
}

impl Weights {
    fn note(&mut self, name: &str, weight: u16) {
        let is = |token: &str| name.eq_ignore_ascii_case(token);
        let place = if name == "*" {
            &mut self.others
        } else if is("identity") {
            &mut self.identity
        } else if let Some(place) = Coding::ALL.iter().position(|coding| is(coding.token())) {
            &mut self.codings[place]
        } else if is("x-gzip") {
            // RFC 9110 §8.4.1.3: equivalent to gzip.
            &mut self.codings[Coding::ALL.len() - 1]
        } else {
            return;
        };
        *place = (*place).max(Some(weight));
    }

    fn wish(&self) -> Wish {
        let identity_refused = self.identity.or(self.others) == Some(0);
        let least = self.identity.unwrap_or(0).max(1);
        let weighed = Coding::ALL.into_iter().zip(self.codings).map(|(coding, weight)| {
            let weight = weight.or(self.others).unwrap_or(0);
            (weight >= least).then_some((weight, coding))
        });
        let mut ranked = [None; Coding::ALL.len()];
        ranked.iter_mut().zip(weighed).for_each(|(place, weighed)| *place = weighed);
        // The sort is stable, so that equals keep their order; `None` is less than any weight.
        ranked.sort_by_key(|weighed| std::cmp::Reverse(weighed.map(|(weight, _)| weight)));
        Wish { ranked: ranked.map(|weighed| weighed.map(|(_, coding)| coding)), identity_refused }
    }
}

/// `codings [ OWS ";" OWS "q=" qvalue ]`
fn member(text: &str) -> Option<(&str, u16)> {
    let (name, weight) = match text.split_once(';') {
        None => (text, 1_000),
        Some((name, parameter)) => {
            let (q, value) = parameter.trim_matches(OWS).split_once('=')?;
            (name, q.eq_ignore_ascii_case("q").then(|| qvalue(value))??)
        }
    };
    let name = name.trim_matches(OWS);
    (!name.is_empty()).then_some((name, weight))
}

const OWS: [char; 2] = [' ', '\t'];

/// `( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )` in thousandths (RFC 9110 §12.4.2).
fn qvalue(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = fraction
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(3)
        .fold(0, |sum, digit| 10 * sum + u16::from(digit - b'0'));
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn wish(lines: &[&str]) -> Wish {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT_ENCODING, HeaderValue::from_str(line).unwrap());
        }
        negotiate(&headers)
    }

    fn check(lines: &[&str], codings: &[Coding], identity_refused: bool) {
        let wish = wish(lines);
        assert_eq!(wish.codings().collect::<Vec<_>>(), codings, "{lines:?}");
        assert_eq!(wish.best(), codings.first().copied(), "{lines:?}");
        assert_eq!(wish.identity_refused, identity_refused, "{lines:?}");
    }

    #[test]
    fn codings_are_ranked_by_weight_and_then_by_size() {
        use Coding::{Brotli, Gzip, Zstd};
        check(&[], &[], false);
        check(&[""], &[], false);
        check(&["gzip, deflate, br, zstd"], &[Brotli, Zstd, Gzip], false);
        check(&["gzip, zstd"], &[Zstd, Gzip], false);
        check(&["gzip"], &[Gzip], false);
        check(&["x-gzip"], &[Gzip], false);
        check(&["GZip"], &[Gzip], false);
        check(&["GZIP;Q=0.5, BR;q=0.4"], &[Gzip, Brotli], false);
        check(&["gzip", "br"], &[Brotli, Gzip], false);
        check(&["br;q=0.5, gzip;q=0.8"], &[Gzip, Brotli], false);
        check(&["br;q=0.8, gzip;q=0.8"], &[Brotli, Gzip], false);
        check(&["br;q=0.1, zstd;q=0.3, gzip;q=0.2"], &[Zstd, Gzip, Brotli], false);
        check(&["br;q=0, gzip;q=0"], &[], false);
        check(&["br;q=0, *"], &[Zstd, Gzip], false);
        check(&["*"], &[Brotli, Zstd, Gzip], false);
        check(&["*;q=0"], &[], true);
        check(&["*;q=0, gzip"], &[Gzip], true);
        check(&["*;q=0, identity"], &[], false);
        check(&["identity"], &[], false);
        check(&["identity;q=0"], &[], true);
        check(&["identity;q=0, gzip;q=0.1"], &[Gzip], true);
        check(&["identity, gzip;q=0.5"], &[], false);
        check(&["identity;q=0.5, gzip;q=0.5"], &[Gzip], false);
        check(&["identity;q=0.5, gzip;q=0.5, br;q=0.4"], &[Gzip], false);
        check(&["compress, deflate"], &[], false);
        check(&["brotli, bro, b r"], &[], false);
        check(&[", ,gzip"], &[Gzip], false);
        check(&["gzip ; q=0.5 , br;Q=1.000"], &[Brotli, Gzip], false);
        check(&["gzip\t;\tq=1."], &[Gzip], false);
    }

    #[test]
    fn malformed_members_are_passed_over() {
        for member in [
            ";q=1",
            "gzip;q=2",
            "gzip;q=1.001",
            "gzip;q=0.1234",
            "gzip;q=-1",
            "gzip;q=",
            "gzip;v=1",
            "gzip;level=4;q=0.9",
            "gzip;q=nan",
            "gzip;q=0.+1",
        ] {
            check(&[member], &[], false);
            check(&[&format!("{member}, zstd;q=0.1")], &[Coding::Zstd], false);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic_and_never_yields_what_it_does_not_name(text in "[ -~]{0,60}") {
            for coding in wish(&[&text]).codings() {
                let lower = text.to_ascii_lowercase();
                prop_assert!(lower.contains(coding.token()) || lower.contains('*'), "{:?}", coding);
            }
        }

        #[test]
        fn the_order_of_members_does_not_matter(
            members in proptest::collection::vec(("gzip|br|zstd|identity|deflate|\\*", 0_u16..=1_000), 0..6),
        ) {
            let text = |members: &[(String, u16)]| {
                let texts = members.iter().map(|(name, q)| format!("{name};q={}.{:03}", q / 1_000, q % 1_000));
                texts.collect::<Vec<_>>().join(", ")
            };
            let forward = wish(&[&text(&members)]);
            let backward: Vec<_> = members.iter().rev().cloned().collect();
            prop_assert_eq!(forward, wish(&[&text(&backward)]));
            // What is chosen was given a weight, and nothing that can be made was given a greater one.
            if let Some(coding) = forward.best() {
                let weight = |token: &str| {
                    let named = members.iter().filter(|(name, _)| name == token);
                    named.map(|(_, weight)| *weight).max()
                };
                let of = |coding: Coding| weight(coding.token()).or(weight("*")).unwrap_or(0);
                prop_assert!(of(coding) > 0);
                prop_assert!(Coding::ALL.into_iter().all(|other| of(other) <= of(coding)));
                prop_assert!(weight("identity").unwrap_or(0) <= of(coding));
            }
        }
    }
}
