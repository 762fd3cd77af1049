//! RFC 9111 §3.3, §3.4, RFC 9110 §14: parts of answers.

use super::*;

const FRESH: (&str, &str) = ("cache-control", "max-age=100");
const TAG: (&str, &str) = ("etag", "\"1\"");

#[tokio::test]
async fn parts_are_cut_from_what_is_stored() {
    let stand = Stand::new(&[ok(&[FRESH, TAG, ("content-type", "text/plain")], "0123456789")]);
    stand.get(&[]).await;
    for (range, status, content_range, body) in [
        ("bytes=2-4", 206, "bytes 2-4/10", "234"),
        ("bytes=-3", 206, "bytes 7-9/10", "789"),
        ("bytes=8-", 206, "bytes 8-9/10", "89"),
        ("bytes=20-", 416, "bytes */10", ""),
        ("lines=1-2", 200, "", "0123456789"),
    ] {
        let got = stand.get(&[("range", range)]).await;
        assert_eq!(
            (got.status, got.field("content-range"), &*got.body),
            (status, content_range, body),
            "{range}"
        );
    }
    let got = stand.get(&[("range", "bytes=0-1,5-6")]).await;
    assert!(got.field("content-type").starts_with("multipart/byteranges; boundary="), "{got:?}");
    assert!(got.body.contains("Content-Range: bytes 5-6/10\r\n\r\n56"), "{got:?}");
    assert_eq!(stand.get(&[("range", "bytes=2-4"), ("if-range", "\"1\"")]).await.status, 206);
    assert_eq!(stand.get(&[("range", "bytes=2-4"), ("if-range", "\"2\"")]).await.status, 200);
    assert_eq!(stand.get(&[("range", "bytes=2-4"), ("if-none-match", "\"1\"")]).await.status, 304);
    assert_eq!(stand.origin.asked(), 1);
}

fn part(range: &str, body: &str) -> Says {
    says(206, &[FRESH, TAG, ("content-range", range)], body)
}

#[tokio::test]
async fn parts_are_stored_combined_and_completed() {
    let stand = Stand::new(&[
        part("bytes 2-4/10", "234"),
        part("bytes 5-6/10", "56"),
        part("bytes 0-9/10", "0123456789"),
    ]);
    let range = |range| [("range", range)];
    assert_eq!(stand.get(&range("bytes=2-4")).await.status, 206);
    assert_eq!(stand.seen("range").as_deref(), Some("bytes=2-4"));
    let got = stand.get(&range("bytes=3-4")).await;
    assert_eq!(
        (got.is_hit(), got.status, &*got.body, got.field("content-range")),
        (true, 206, "34", "bytes 3-4/10")
    );
    let got = stand.get(&range("bytes=5-6")).await;
    assert_eq!((got.cache.verdict, &*got.body), (Verdict::Forwarded(Forward::Partial), "56"));
    let got = stand.get(&range("bytes=2-6")).await;
    assert_eq!((got.is_hit(), &*got.body), (true, "23456"));
    let got = stand.get(&[]).await;
    assert_eq!((got.status, &*got.body), (200, "0123456789"));
    assert_eq!(stand.seen("if-range").as_deref(), Some("\"1\""));
    let got = stand.get(&[]).await;
    assert_eq!((got.is_hit(), got.status, &*got.body), (true, 200, "0123456789"));
    assert!(got.field("content-range").is_empty());
}

#[tokio::test]
async fn parts_of_another_state_are_not_combined() {
    let other = says(206, &[FRESH, ("etag", "\"2\""), ("content-range", "bytes 5-6/10")], "xx");
    let stand = Stand::new(&[part("bytes 2-4/10", "234"), other, ok(&[FRESH, ("etag", "\"2\"")], "whole")]);
    stand.get(&[("range", "bytes=2-4")]).await;
    stand.get(&[("range", "bytes=5-6")]).await;
    assert!(!stand.get(&[("range", "bytes=2-4")]).await.is_hit());
    assert_eq!(stand.get(&[]).await.body, "whole");
}

#[tokio::test]
async fn a_part_without_a_strong_validator_is_not_kept() {
    let answer = says(206, &[FRESH, ("content-range", "bytes 2-4/10")], "234");
    let stand = Stand::new(&[answer]);
    stand.get(&[("range", "bytes=2-4")]).await;
    assert!(!stand.get(&[("range", "bytes=2-4")]).await.is_hit());
    assert_eq!(stand.origin.asked(), 2);
}
