//! `Link` fields that lead from page to page (RFC 8288).

use http::{HeaderValue, Uri};

/// The relations to the next and the previous page; `None` where there is neither.
pub(crate) fn pages(uri: &Uri, next: Option<&str>, prev: Option<&str>) -> Option<HeaderValue> {
    let link = |cursor: &str, relation: &str| format!("<{}>; rel=\"{relation}\"", at(uri, cursor));
    let next = next.map(|cursor| link(cursor, "next"));
    let prev = prev.map(|cursor| link(cursor, "prev"));
    let links: Vec<String> = next.into_iter().chain(prev).collect();
    // A target that was received and a cursor in base64url are visible ASCII.
    (!links.is_empty()).then(|| HeaderValue::try_from(links.join(", ")).ok()).flatten()
}

/// The same target with this cursor instead of its own, or of the rows that it passes over.
fn at(uri: &Uri, cursor: &str) -> String {
    let kept = uri.query().unwrap_or_default().split('&');
    let names_page =
        |pair: &str| matches!(pair.split_once('=').map_or(pair, |(name, _)| name), "cursor" | "offset");
    let kept = kept.filter(|pair| !pair.is_empty() && !names_page(pair));
    let mut target = String::from(uri.path());
    target.push('?');
    for pair in kept {
        target.push_str(pair);
        target.push('&');
    }
    target.push_str("cursor=");
    target.push_str(cursor);
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: &str, next: Option<&str>, prev: Option<&str>, expected: &str) {
        let link = pages(&target.parse().unwrap(), next, prev);
        assert_eq!(link.as_ref().map_or("", |link| link.to_str().unwrap()), expected, "{target}");
    }

    #[test]
    fn links_keep_the_query_and_replace_the_cursor() {
        check("/a", None, None, "");
        check("/a", Some("v1.x"), None, "</a?cursor=v1.x>; rel=\"next\"");
        check("/a?offset=20&limit=5", Some("n"), None, "</a?limit=5&cursor=n>; rel=\"next\"");
        check(
            "/a?b=%20c&cursor=old&limit=5",
            Some("n"),
            Some("p"),
            "</a?b=%20c&limit=5&cursor=n>; rel=\"next\", </a?b=%20c&limit=5&cursor=p>; rel=\"prev\"",
        );
    }
}
