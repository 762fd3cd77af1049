//! Invalidation by unsafe requests (RFC 9111 §4.4): which stored responses a write puts in doubt.

use http::header::{CONTENT_LOCATION, HeaderName, LOCATION};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, StatusCode, Uri};

/// Targets that one answer may put in doubt: its own, and as many as it may name.
const TARGETS_MAX: usize = 5;

/// What may be stored of the targets, when a request with this method was answered so: the request's own, and those
/// that `Location` and `Content-Location` name, as long as they are of the same origin. None if the method is safe
/// (RFC 9110 §9.2.1) or the answer is an error. Methods that are not known are unsafe.
///
/// The references are resolved (RFC 3986 §5.2), and returned in the form in which the target was given: with scheme
/// and authority or without. Without them, only a relative reference is of the same origin for certain.
pub fn targets(method: &Method, target: &Uri, status: StatusCode, headers: &HeaderMap) -> Vec<Uri> {
    if is_safe(method) || !(status.is_success() || status.is_redirection()) {
        return Vec::new();
    }
    let mut targets = vec![target.clone()];
    for reference in references(headers, &LOCATION).chain(references(headers, &CONTENT_LOCATION)) {
        if let Some(named) = of_same_origin(target, reference)
            && targets.len() < TARGETS_MAX
            && !targets.contains(&named)
        {
            targets.push(named);
        }
    }
    targets
}

/// Whether a method asks for no change of state (RFC 9110 §9.2.1, and `QUERY` by RFC 10008).
pub fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
        || method.as_str() == "QUERY"
}

fn references<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok())
}

/// Resolves a reference (RFC 3986 §5.2.2); `None` if it is no reference, or leads to another origin.
fn of_same_origin(base: &Uri, reference: &str) -> Option<Uri> {
    let reference = reference.trim_matches([' ', '\t']);
    let reference = reference.split_once('#').map_or(reference, |(reference, _fragment)| reference);
    let (scheme, rest) = split_scheme(reference);
    if let Some(scheme) = scheme
        && !base.scheme_str()?.eq_ignore_ascii_case(scheme)
    {
        return None;
    }
    let rest = match rest.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            let authority: Authority = rest[..end].parse().ok()?;
            if !same_authority(base.scheme(), base.authority()?, &authority) {
                return None;
            }
            let rest = &rest[end..];
            return with_path(base, &remove_dot_segments(path_of(rest)), query_of(rest));
        }
        // `http:path` names no authority, and is not resolved as if it were relative.
        None if scheme.is_some() => return None,
        None => rest,
    };
    let path = match path_of(rest) {
        "" if query_of(rest).is_none() => return with_path(base, base.path(), base.query()),
        "" => return with_path(base, base.path(), query_of(rest)),
        path if path.starts_with('/') => remove_dot_segments(path),
        path => {
            let folder = base.path().rsplit_once('/').map_or("", |(folder, _name)| folder);
            remove_dot_segments(&format!("{folder}/{path}"))
        }
    };
    with_path(base, &path, query_of(rest))
}

/// The scheme of a reference, if it has one, and what stands behind it (RFC 3986 §3.1).
fn split_scheme(reference: &str) -> (Option<&str>, &str) {
    let Some((scheme, rest)) = reference.split_once(':') else { return (None, reference) };
    let valid = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if valid { (Some(scheme), rest) } else { (None, reference) }
}

fn path_of(rest: &str) -> &str {
    rest.split_once('?').map_or(rest, |(path, _query)| path)
}

fn query_of(rest: &str) -> Option<&str> {
    rest.split_once('?').map(|(_path, query)| query)
}

fn same_authority(scheme: Option<&Scheme>, base: &Authority, other: &Authority) -> bool {
    let default = if scheme == Some(&Scheme::HTTPS) { 443 } else { 80 };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(default);
    base.host().eq_ignore_ascii_case(other.host()) && port(base) == port(other)
}

/// RFC 3986 §5.2.4.
fn remove_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

fn with_path(base: &Uri, path: &str, query: Option<&str>) -> Option<Uri> {
    let text = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = base.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(method: &str, status: u16, fields: &[(HeaderName, &str)], expected: &[&str]) {
        check_from("http://example.com/a/b/c?q", method, status, fields, expected);
    }

    #[track_caller]
    fn check_from(base: &str, method: &str, status: u16, fields: &[(HeaderName, &str)], expected: &[&str]) {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        let found = targets(&method, &base.parse().unwrap(), status, &headers);
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{method} {status} {fields:?}");
    }

    const TARGET: &str = "http://example.com/a/b/c?q";

    #[test]
    fn section_4_4_unsafe_methods_that_were_not_refused_invalidate_their_target() {
        for method in ["POST", "PUT", "DELETE", "PATCH", "CONNECT", "PURGE", "M-SEARCH", "get"] {
            for status in [200, 201, 204, 299, 301, 303, 399] {
                check(method, status, &[], &[TARGET]);
            }
            for status in [100, 400, 404, 412, 500, 503] {
                check(method, status, &[(LOCATION, "/x")], &[]);
            }
        }
        for method in ["GET", "HEAD", "OPTIONS", "TRACE", "QUERY"] {
            check(method, 200, &[(LOCATION, "/x")], &[]);
        }
    }

    #[test]
    fn section_4_4_named_targets_are_resolved_as_rfc_3986_section_5_2_says() {
        for (reference, expected) in [
            ("/x", "http://example.com/x"),
            ("x", "http://example.com/a/b/x"),
            ("./x", "http://example.com/a/b/x"),
            ("../x", "http://example.com/a/x"),
            ("../../../../x", "http://example.com/x"),
            ("..", "http://example.com/a/"),
            (".", "http://example.com/a/b/"),
            ("/x/./y/../z", "http://example.com/x/z"),
            ("x//y/", "http://example.com/a/b/x//y/"),
            ("?r=/../s", "http://example.com/a/b/c?r=/../s"),
            ("x?r", "http://example.com/a/b/x?r"),
            ("x:y", ""),
            ("./x:y", "http://example.com/a/b/x:y"),
            ("x/y:z", "http://example.com/a/b/x/y:z"),
            ("//example.com/x", "http://example.com/x"),
            ("//example.com", "http://example.com/"),
            ("//example.com?r", "http://example.com/?r"),
            ("http://example.com/x#part", "http://example.com/x"),
            ("HTTP://EXAMPLE.COM:80/x/../y", "http://example.com/y"),
            (" /x ", "http://example.com/x"),
        ] {
            let expected: &[&str] = if expected.is_empty() { &[TARGET] } else { &[TARGET, expected] };
            check("POST", 201, &[(LOCATION, reference)], expected);
            check("PUT", 200, &[(CONTENT_LOCATION, reference)], expected);
        }
        for itself in ["", "#part", "c?q", "/a/b/c?q", TARGET] {
            check("POST", 200, &[(LOCATION, itself), (CONTENT_LOCATION, itself)], &[TARGET]);
        }
    }

    #[test]
    fn section_4_4_nobody_invalidates_another_origin() {
        for foreign in [
            "http://other.example/x",
            "//other.example/x",
            "https://example.com/x",
            "http://example.com:8080/x",
            "http://example.com.other.example/x",
            "ftp://example.com/x",
            "http:/x",
            "http:x",
            "http://",
            "http://exa mple.com/x",
            "mailto:x@example.com",
            "/x y",
            "/é",
        ] {
            check("POST", 200, &[(LOCATION, foreign), (CONTENT_LOCATION, foreign)], &[TARGET]);
        }
        check_from("/a?q", "POST", 200, &[(LOCATION, "b"), (CONTENT_LOCATION, "//h/c")], &["/a?q", "/b"]);
        check_from("/a", "POST", 200, &[(LOCATION, "http://example.com/b")], &["/a"]);
        let secure = "https://example.com/a";
        check_from(
            secure,
            "POST",
            200,
            &[(LOCATION, "https://example.com:443/")],
            &[secure, "https://example.com/"],
        );
    }

    #[test]
    fn an_answer_cannot_name_targets_without_bound() {
        let many: Vec<_> = (0..100).map(|n| format!("/{n}")).collect();
        let fields: Vec<_> = many.iter().map(|path| (LOCATION, path.as_str())).collect();
        let expected = ["/0", "/1", "/2", "/3"].map(|path| format!("http://example.com{path}"));
        let expected: Vec<_> = std::iter::once(TARGET).chain(expected.iter().map(String::as_str)).collect();
        check("POST", 200, &fields, &expected);
    }

    proptest! {
        #[test]
        fn any_reference_leads_to_the_same_origin_or_nowhere(
            reference in prop_oneof!["[ -~]{0,20}", "(http:)?(//(example.com|h)?(:80)?)?[/.?#a:]{0,8}"],
        ) {
            let base: Uri = TARGET.parse().unwrap();
            if let Some(target) = of_same_origin(&base, &reference) {
                prop_assert_eq!((target.scheme(), target.authority()), (base.scheme(), base.authority()));
                let path = target.path();
                prop_assert!(path.starts_with('/'));
                let resolved = path.split('/').all(|segment| segment != "." && segment != "..");
                prop_assert!(resolved, "{reference:?} {path:?}");
            }
        }
    }
}
