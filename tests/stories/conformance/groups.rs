//! RFC 9875: answers that go together.

use super::row::{Expect, Row, row};
use super::stand::check;

/// Something stored in groups, then an answer that invalidates groups, and whether it is still there.
fn grouped(
    claim: &str,
    groups: &[&str],
    method: &str,
    status: u16,
    invalidated: &[&str],
    expected: &Expect,
) -> Row {
    let lines = [&["Cache-Control: max-age=3600"][..], groups].concat();
    row("RFC 9875 §3", claim)
        .ok(&lines)
        .status(status, invalidated)
        .ok(&lines)
        .ask("GET", "/member", &[], &[])
        .ask(method, "", &[], &[Expect::Forwarded])
        .ask("GET", "/member", &[], std::slice::from_ref(expected))
}

#[tokio::test]
async fn groups_are_invalidated_by_writes() {
    use Expect::{Forwarded, Reused};
    let mut rows = vec![
        grouped(
            "its group",
            &["Cache-Groups: \"a1\""],
            "POST",
            200,
            &["Cache-Group-Invalidation: \"a1\""],
            &Forwarded,
        ),
        grouped(
            "another group",
            &["Cache-Groups: \"a2\""],
            "POST",
            200,
            &["Cache-Group-Invalidation: \"b2\""],
            &Reused,
        ),
        grouped(
            "one of its groups",
            &["Cache-Groups: \"a3\", \"b3\""],
            "POST",
            200,
            &["Cache-Group-Invalidation: \"b3\""],
            &Forwarded,
        ),
        grouped(
            "one of several",
            &["Cache-Groups: \"a4\""],
            "POST",
            200,
            &["Cache-Group-Invalidation: \"b4\", \"a4\""],
            &Forwarded,
        ),
        grouped(
            "groups on lines",
            &["Cache-Groups: \"a5\"", "Cache-Groups: \"b5\""],
            "POST",
            200,
            &["Cache-Group-Invalidation: \"c5\"", "Cache-Group-Invalidation: \"b5\""],
            &Forwarded,
        ),
        grouped(
            "in another case",
            &["Cache-Groups: \"a6\""],
            "POST",
            200,
            &["Cache-Group-Invalidation: \"A6\""],
            &Reused,
        ),
        grouped(
            "with parameters",
            &["Cache-Groups: \"a7\";foo=bar"],
            "POST",
            200,
            &["Cache-Group-Invalidation: \"a7\";baz"],
            &Forwarded,
        ),
        grouped(
            "tokens are no names",
            &["Cache-Groups: a8"],
            "POST",
            200,
            &["Cache-Group-Invalidation: \"a8\""],
            &Reused,
        ),
        grouped(
            "a list that does not parse",
            &["Cache-Groups: \"a9\","],
            "POST",
            200,
            &["Cache-Group-Invalidation: \"a9\""],
            &Reused,
        ),
        grouped(
            "an invalidation that does not parse",
            &["Cache-Groups: \"a10\""],
            "POST",
            200,
            &["Cache-Group-Invalidation: \"a10"],
            &Reused,
        ),
        grouped(
            "a safe method",
            &["Cache-Groups: \"a11\""],
            "GET",
            200,
            &["Cache-Group-Invalidation: \"a11\""],
            &Reused,
        ),
        grouped(
            "a HEAD",
            &["Cache-Groups: \"a12\""],
            "HEAD",
            200,
            &["Cache-Group-Invalidation: \"a12\""],
            &Reused,
        ),
        grouped(
            "an error",
            &["Cache-Groups: \"a13\""],
            "POST",
            404,
            &["Cache-Group-Invalidation: \"a13\""],
            &Reused,
        ),
        grouped(
            "a failure",
            &["Cache-Groups: \"a14\""],
            "POST",
            500,
            &["Cache-Group-Invalidation: \"a14\""],
            &Reused,
        ),
        grouped(
            "a redirection",
            &["Cache-Groups: \"a15\""],
            "POST",
            303,
            &["Cache-Group-Invalidation: \"a15\""],
            &Forwarded,
        ),
    ];
    for method in ["PUT", "DELETE", "PATCH", "FOO"] {
        let group = format!("\"of {method}\"");
        rows.push(grouped(
            method,
            &[&format!("Cache-Groups: {group}")],
            method,
            204,
            &[&format!("Cache-Group-Invalidation: {group}")],
            &Forwarded,
        ));
    }
    rows.push(
        row("RFC 9875 §2", "a group is one of its origin alone")
            .ok(&["Cache-Control: max-age=3600", "Cache-Groups: \"host\""])
            .status(204, &["Cache-Group-Invalidation: \"host\""])
            .get(&["Host: a.example"], &[])
            .ask("POST", "/other", &["Host: b.example"], &[])
            .get(&["Host: a.example"], &[Reused]),
    );
    rows.push(
        row("RFC 9875 §2.2.1", "both members of a group go, and one that is not stays")
            .ok(&["Cache-Control: max-age=3600", "Cache-Groups: \"both\""])
            .ok(&["Cache-Control: max-age=3600", "Cache-Groups: \"both\", \"x\""])
            .ok(&["Cache-Control: max-age=3600", "Cache-Groups: \"x\""])
            .status(204, &["Cache-Group-Invalidation: \"both\""])
            .ok(&["Cache-Control: max-age=3600"])
            .ask("GET", "/1", &[], &[])
            .ask("GET", "/2", &[], &[])
            .ask("GET", "/3", &[], &[])
            .ask("POST", "/4", &[], &[])
            .ask("GET", "/1", &[], &[Forwarded])
            .ask("GET", "/2", &[], &[Forwarded])
            .ask("GET", "/3", &[], &[Reused]),
    );
    rows.push(
        row("RFC 9875 §2", "Cache-Groups is passed on")
            .ok(&["Cache-Control: max-age=3600", "Cache-Groups: \"shown\""])
            .get(&[], &[])
            .get(&[], &[Reused, Expect::Field("cache-groups", "\"shown\"")]),
    );
    check(rows).await;
}
