//! RFC 9211: what `Cache-Status` tells.

use super::row::{Expect, row};
use super::stand::check;

const FRESH: &str = "Cache-Control: max-age=3600";
const TAG: &str = "ETag: \"a\"";

#[tokio::test]
async fn every_answer_tells_what_the_cache_did() {
    use Expect::{Told, Untold};
    check(vec![
        row("RFC 9211 §2", "a miss that is stored")
            .ok(&[FRESH])
            .get(&[], &[Told("kasoku; fwd=uri-miss; stored; ttl=3600")]),
        row("RFC 9211 §2.1, §2.5", "a hit and how long it stays fresh")
            .ok(&["Cache-Control: max-age=3600", "Age: 650"])
            .get(&[], &[])
            .get(&[], &[Told("kasoku; hit"), Told("; ttl=29"), Untold("fwd")]),
        row("RFC 9211 §2.2", "stale")
            .ok(&[FRESH, "Age: 7200"])
            .get(&[], &[])
            .get(&[], &[Told("; fwd=stale"), Untold("; hit")]),
        row("RFC 9211 §2.2", "vary-miss")
            .ok(&[FRESH, "Vary: Foo"])
            .get(&["Foo: 1"], &[])
            .get(&["Foo: 2"], &[Told("; fwd=vary-miss")]),
        row("RFC 9211 §2.2", "request")
            .ok(&[FRESH])
            .get(&[], &[])
            .get(&["Cache-Control: no-cache"], &[Told("; fwd=request")]),
        row("RFC 9211 §2.2", "method").ok(&[FRESH]).ask(
            "POST",
            "",
            &[],
            &[Told("; fwd=method"), Untold("stored")],
        ),
        row("RFC 9211 §2.2", "partial")
            .says(206, &[FRESH, TAG, "Content-Range: bytes 0-1/4"], "an")
            .says(206, &[FRESH, TAG, "Content-Range: bytes 2-3/4"], "sw")
            .get(&["Range: bytes=0-1"], &[])
            .get(&["Range: bytes=2-3"], &[Told("; fwd=partial")]),
        row("RFC 9211 §2.3", "fwd-status of a 304")
            .ok(&[FRESH, "Age: 7200", TAG])
            .says(304, &[FRESH, TAG], "")
            .get(&[], &[])
            .get(&[], &[Told("; fwd=stale; fwd-status=304; stored")]),
        row("RFC 9211 §2.3", "fwd-status is left out where it is the answer's own")
            .ok(&[FRESH])
            .get(&[], &[Untold("fwd-status")]),
        row("RFC 9211 §2.4", "what is not stored does not claim to be")
            .ok(&["Cache-Control: no-store"])
            .get(&[], &[Told("; fwd=uri-miss"), Told("; detail=no-store"), Untold("stored")]),
        row("RFC 9211 §2.7", "a forward tells the key, a hit does not need to")
            .ok(&[FRESH])
            .get(&[], &[Told("; key=\"")])
            .get(&[], &[Expect::Reused, Untold("; key=")]),
        row("RFC 9211 §2.5", "a stale answer has a ttl below nothing")
            .ok(&[FRESH, "Age: 4600"])
            .get(&[], &[])
            .get(&["Cache-Control: max-stale"], &[Told("; hit; ttl=-10"), Told("; detail=max-stale")]),
        row("RFC 9211 §2", "a 304 from storage tells it, too")
            .ok(&[FRESH, TAG])
            .get(&[], &[])
            .get(&["If-None-Match: \"a\""], &[Expect::Status(304), Told("kasoku; hit")]),
        row("RFC 9211 §2", "a part from storage tells it, too")
            .ok(&[FRESH, TAG])
            .get(&[], &[])
            .get(&["Range: bytes=0-1"], &[Expect::Status(206), Told("kasoku; hit")]),
        row("RFC 9211 §2", "what another cache on the way said is kept, this one comes last")
            .ok(&[FRESH, "Cache-Status: OriginCache; hit; ttl=1100"])
            .get(&[], &[Told("OriginCache; hit; ttl=1100"), Told("kasoku; fwd=uri-miss")]),
        row("RFC 9211 §2", "an only-if-cached that fails")
            .ok(&[FRESH])
            .get(&["Cache-Control: only-if-cached"], &[Expect::Status(504), Told("kasoku; fwd=uri-miss")]),
    ])
    .await;
}

#[tokio::test]
async fn reasons_are_told() {
    use Expect::Told;
    let stored = |claim: &str, lines: &[&str], detail: &'static str| {
        row("RFC 9211 §2.8", claim).ok(lines).get(&[], &[Told(detail)])
    };
    check(vec![
        stored("no-store", &["Cache-Control: no-store"], "detail=no-store"),
        stored("private", &["Cache-Control: private"], "detail=private"),
        stored("a cookie", &[FRESH, "Set-Cookie: a=b"], "detail=sets-cookie"),
        stored("Vary: *", &[FRESH, "Vary: *"], "detail=vary-any"),
        stored("neither lifetime nor validator", &[], "detail=no-freshness-no-validator"),
        row("RFC 9211 §2.8", "credentials")
            .ok(&[FRESH])
            .get(&["Authorization: a"], &[Told("detail=credentials")]),
        row("RFC 9211 §2.8", "a status").status(299, &[]).get(&[], &[Told("detail=status")]),
        row("RFC 9211 §2.8", "a status that is about one request")
            .status(429, &[FRESH])
            .get(&[], &[Told("detail=provoked")]),
        row("RFC 9211 §2.8", "expired")
            .ok(&[FRESH, "Age: 7200"])
            .get(&[], &[])
            .get(&[], &[Told("detail=expired")]),
    ])
    .await;
}
