//! Identify: what is accepted, what is refused, and what of it is told.

use std::time::SystemTime;

use futures_util::FutureExt;
use http::Method;
use kasoku_pipeline::{Body, CallerKind, Pipeline, Response, Stack, first};
use kasoku_units::SystemClock;
use ring::hmac;

use super::*;
use crate::doubles::{ScriptedSource, get_with, text};

const SECRET: &[u8] = b"a secret of tests that is long enough";
const KEY: &str = "kk_0123456789abcdefghij";

fn signed(header: &str, claims: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as base64;
    let message = format!("{}.{}", base64.encode(header), base64.encode(claims));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), message.as_bytes());
    format!("{message}.{}", base64.encode(signature.as_ref()))
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn token(claims: &str) -> String {
    signed(r#"{"alg":"HS256"}"#, &format!(r#"{{"exp":{},"iss":"i","aud":["a","b"],{claims}}}"#, now_s() + 60))
}

/// A route that answers with who asks.
fn route(requires: Requires) -> Arc<dyn Pipeline> {
    let claims = ClaimRules {
        issuers: vec!["i".into()],
        audiences: vec!["b".into()],
        subject: "sub".into(),
        roles: "realm.roles".into(),
        leeway: Duration::from_secs(5),
    };
    let keys = Arc::new(FixedKeys(Arc::new(KeySet::of_secret(SECRET, &[Algorithm::Hs256]))));
    let tokens = TokenRules { claims, algorithms: vec![Algorithm::Hs256], keys, remembered_max: 100 };
    let caller = Arc::new(Caller::new(CallerKind::ApiKey, "robot").with_roles(["editor"]));
    let api_keys = ApiKeyRules { fixed: vec![(remembered::digest_of(KEY.as_bytes()), caller)] };
    let identity = Arc::new(Identity::new(Some(tokens), Some(api_keys), Arc::new(SystemClock)));
    let source = ScriptedSource::new(|_, request: Request| async move {
        let id = request.caller.as_ref().and_then(|caller| caller.id()).unwrap_or("nobody").to_owned();
        Ok(Response::ok(Body::from(id.into_bytes())))
    });
    first(Identify::new(&identity, requires)).finally(source as _)
}

/// Who it was, or the status and the challenge.
fn ask(route: &Arc<dyn Pipeline>, method: Method, fields: &[(&'static str, &str)]) -> String {
    let mut request = get_with("/", fields);
    request.method = method;
    match route.run(request).now_or_never().unwrap() {
        Ok(response) => text(&response).to_owned(),
        Err(failure) => {
            let challenge = failure.problem.headers().iter().find(|(name, _)| *name == WWW_AUTHENTICATE);
            let challenge = challenge.map_or("", |(_, value)| value.to_str().unwrap());
            let told = String::from_utf8(failure.problem.document("r")).unwrap();
            for secret in [KEY, "eyJ", "signature", "expired", "issuer"] {
                assert!(!told.contains(secret), "{told}");
            }
            format!("{} {challenge}", failure.problem.kind().status().as_u16())
        }
    }
}

#[test]
fn a_caller_is_who_its_credentials_say_and_nobody_by_any_others() {
    let anyone = route(Requires::all(Requirement::Anyone));
    let check = |fields: &[(&'static str, &str)], expected: &str| {
        assert_eq!(ask(&anyone, Method::GET, fields), expected, "{fields:?}");
    };
    let refused = "401 Bearer error=\"invalid_token\"";
    let malformed = "400 Bearer error=\"invalid_request\"";
    let bearer = |token: &str| format!("Bearer {token}");
    let good = bearer(&token(r#""sub":"7""#));
    check(&[], "nobody");
    check(&[("authorization", "Basic YTpi")], "nobody");
    for _ in 0..2 {
        check(&[("authorization", &good)], "7");
    }
    check(&[("authorization", &good.replace("Bearer", "bEARER"))], "7");
    check(&[("authorization", &good), ("authorization", &good)], malformed);
    check(&[("authorization", &good), ("x-api-key", KEY)], malformed);
    check(&[("x-api-key", KEY), ("x-api-key", KEY)], malformed);
    check(&[("authorization", "Bearer")], malformed);
    check(&[("authorization", &format!("{good} more"))], malformed);
    check(&[("x-api-key", KEY)], "robot");
    check(&[("authorization", &bearer(KEY))], "robot");
    check(&[("authorization", "Basic YTpi"), ("x-api-key", KEY)], "robot");
    check(&[("x-api-key", &KEY.replace('a', "b"))], refused);
    check(&[("x-api-key", "short")], refused);
    let in_time = format!(r#""exp":{},"iss":"i","aud":"b","sub":"7""#, now_s() + 60);
    let headers = [
        r#"{"alg":"none"}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":"HS512"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"alg":"HS256","typ":"logout+jwt"}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"kid":"../../dev/null"}"#,
        "[]",
        "",
    ];
    for header in headers {
        check(&[("authorization", &bearer(&signed(header, &format!("{{{in_time}}}"))))], refused);
    }
    // A name that no key has leads nowhere, and means the one key that has no name.
    let named = r#"{"alg":"HS256","kid":"' or 1=1 --","jku":"http://evil.example/","typ":"at+JWT"}"#;
    check(&[("authorization", &bearer(&signed(named, &format!("{{{in_time}}}"))))], "7");
    let (past, later) = (now_s() - 60, now_s() + 60);
    let claims = [
        r#""iss":"i","aud":"b","sub":"7""#.to_owned(),
        format!(r#""exp":"{later}","iss":"i","aud":"b","sub":"7""#),
        format!(r#""exp":{past},"iss":"i","aud":"b","sub":"7""#),
        format!(r#""exp":{later},"nbf":{later},"iss":"i","aud":"b","sub":"7""#),
        format!(r#""exp":{later},"nbf":"{past}","iss":"i","aud":"b","sub":"7""#),
        format!(r#""exp":{later},"iat":{later},"iss":"i","aud":"b","sub":"7""#),
        format!(r#""exp":{later},"iss":"other","aud":"b","sub":"7""#),
        format!(r#""exp":{later},"aud":"b","sub":"7""#),
        format!(r#""exp":{later},"iss":"i","aud":"other","sub":"7""#),
        format!(r#""exp":{later},"iss":"i","sub":"7""#),
        format!(r#""exp":{later},"iss":"i","aud":"b""#),
        format!(r#""exp":{later},"iss":"i","aud":"b","sub":"""#),
        format!(r#""exp":{later},"iss":"i","aud":"b","sub":["7"]"#),
    ];
    for claims in claims {
        let token = signed(r#"{"alg":"HS256"}"#, &format!("{{{claims}}}"));
        check(&[("authorization", &bearer(&token))], refused);
    }
    let whole = good.strip_prefix("Bearer ").unwrap();
    let (message, signature) = whole.rsplit_once('.').unwrap();
    let changed = [
        format!("{message}."),
        format!("{message}.{}", &signature[..signature.len() - 1]),
        format!("{message}.{signature}="),
        format!("{message}x.{signature}"),
        format!("{whole}.{signature}"),
        format!("{}.{signature}", token(r#""sub":"8""#).rsplit_once('.').unwrap().0),
        "x".repeat(3_000) + "." + &"y".repeat(3_000) + "." + &"z".repeat(3_000),
        "..".to_owned(),
    ];
    for token in changed {
        check(&[("authorization", &bearer(&token))], refused);
    }
}

#[test]
fn a_route_says_whom_it_requires_by_method() {
    let editor = Requirement::AnyRole(vec!["editor".into(), "admin".into()]);
    let methods = vec![(Method::DELETE, Requirement::AnyRole(vec!["admin".into()]))];
    let route = route(Requires { read: Requirement::Caller, write: editor, methods });
    let [plain, editor, admin] = [
        r#""sub":"7""#,
        r#""sub":"7","realm":{"roles":["editor"]}"#,
        r#""sub":"7","realm":{"roles":"user admin"}"#,
    ]
    .map(|claims| format!("Bearer {}", token(claims)));
    let lacks = "403 Bearer error=\"insufficient_scope\"";
    for (method, of_nobody, of_plain, of_editor, of_admin) in [
        (Method::GET, "401 Bearer", "7", "7", "7"),
        (Method::HEAD, "401 Bearer", "7", "7", "7"),
        (Method::OPTIONS, "nobody", "7", "7", "7"),
        (Method::POST, "401 Bearer", lacks, "7", "7"),
        (Method::DELETE, "401 Bearer", lacks, lacks, "7"),
    ] {
        assert_eq!(ask(&route, method.clone(), &[]), of_nobody, "{method}");
        for (bearer, expected) in [(&plain, of_plain), (&editor, of_editor), (&admin, of_admin)] {
            assert_eq!(ask(&route, method.clone(), &[("authorization", bearer)]), expected, "{method}");
        }
    }
}
