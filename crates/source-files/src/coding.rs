//! Which stored codings a caller accepts (RFC 9110 §12.5.3).

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;
use kasoku_pipeline::Coding;

/// What the name of a file in this coding ends in.
pub(crate) fn extension(coding: Coding) -> &'static str {
    match coding {
        Coding::Brotli => ".br",
        Coding::Zstd => ".zst",
        Coding::Gzip => ".gz",
    }
}

/// The codings that the caller prefers to the plain form, best first.
pub(crate) fn accepted(headers: &HeaderMap) -> Vec<Coding> {
    let weights: Vec<(&str, u16)> = headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(weight)
        .collect();
    let find =
        |name: &str| weights.iter().find(|(token, _)| token.eq_ignore_ascii_case(name)).map(|(_, q)| *q);
    let any = find("*").unwrap_or(0);
    // Unlisted, the plain form is acceptable, but liked less than anything listed.
    let plain = find("identity").unwrap_or(0);
    let mut codings: Vec<(Coding, u16)> = Coding::ALL
        .into_iter()
        .map(|coding| {
            let alias = (coding == Coding::Gzip).then(|| find("x-gzip")).flatten();
            (coding, find(coding.token()).or(alias).unwrap_or(any))
        })
        .filter(|(_, q)| *q > 0 && *q >= plain)
        .collect();
    codings.sort_by_key(|(_, q)| std::cmp::Reverse(*q));
    codings.into_iter().map(|(coding, _)| coding).collect()
}

/// One element: a token, and its weight in thousandths. An element that cannot be read counts for nothing.
fn weight(element: &str) -> Option<(&str, u16)> {
    let mut parts = element.split(';').map(str::trim);
    let token = parts.next().filter(|token| !token.is_empty())?;
    let mut thousandths = 1_000;
    for parameter in parts {
        let (name, value) = parameter.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("q") {
            let q: f32 = value.trim().parse().ok()?;
            if !(0.0..=1.0).contains(&q) {
                return None;
            }
            thousandths = (q * 1_000.0).round() as u16;
        }
    }
    Some((token, thousandths))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: &[&str]) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, value.parse().unwrap());
        let tokens: Vec<_> = accepted(&headers).into_iter().map(Coding::token).collect();
        assert_eq!(tokens, expected, "{value:?}");
    }

    #[test]
    fn codings_are_ordered_by_the_callers_weights_and_then_by_size() {
        check("gzip, deflate, br, zstd", &["br", "zstd", "gzip"]);
        check("gzip", &["gzip"]);
        check("x-gzip", &["gzip"]);
        check("GZIP;Q=0.5, BR;q=0.4", &["gzip", "br"]);
        check("br;q=0, *", &["zstd", "gzip"]);
        check("*;q=0, gzip", &["gzip"]);
        check("*", &["br", "zstd", "gzip"]);
        check("identity", &[]);
        check("identity, br;q=0.5", &[]);
        check("identity;q=0.5, br;q=0.5", &["br"]);
        check("identity;q=0", &[]);
        check("", &[]);
        check(", ,gzip", &["gzip"]);
        check("br;q=2, gzip;q=nan, zstd;q=-1", &[]);
        check("br;level=4;q=0.9, gzip", &["gzip", "br"]);
        check("brotli, bro, b r", &[]);
    }

    #[test]
    fn nothing_said_means_the_plain_form() {
        assert!(accepted(&HeaderMap::new()).is_empty());
    }
}
