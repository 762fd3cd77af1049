//! Tokens of every kind, by real keys; and issuers that cannot be reached.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kasoku_testkit::tokens::Signer;
use kasoku_testkit::{Client, Exchange, RecordingOrigin, TempApp};
use serde_json::{Value, json};

use super::{KASOKU_TOML, SCHEMA, SECRET, open};

/// The app with tokens by these settings.
fn app(settings: &str) -> TempApp {
    let text = KASOKU_TOML.replace(&format!("secret = \"{SECRET}\""), settings);
    TempApp::new(&text).file("schema/001-notes.sql", SCHEMA)
}

async fn status(client: &Client, token: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    client.get_with("/notes", &[("authorization", &bearer)]).await.status.as_u16()
}

fn claims() -> Value {
    json!({ "sub": "7", "aud": "notes" })
}

#[tokio::test]
async fn each_algorithm_is_verified_by_its_own_key_and_by_no_other() {
    let asymmetric = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];
    for name in asymmetric {
        let signer = Signer::new(name, "");
        let pem = app("keys = \"jwt.pem\"").file("jwt.pem", signer.pem());
        let set = json!({ "keys": [Signer::new("ES256", "").jwk("other"), signer.jwk("this")] });
        let set = app("keys = \"jwks.json\"").file("jwks.json", set.to_string());
        for app in [pem, set] {
            let kasoku = open(&app);
            let client = kasoku.client();
            for _ in 0..2 {
                assert_eq!(status(&client, &signer.token(&claims())).await, 200, "{name}");
            }
            let by_id = signer.token_with(&json!({ "alg": name, "kid": "this" }), &claims());
            assert_eq!(status(&client, &by_id).await, 200, "{name}");
            // The public key as a secret, an algorithm of another kind, nobody's signature, somebody else's.
            let confused = Signer::new("HS256", &signer.pem()).token(&claims());
            let (message, signature) = confused.rsplit_once('.').unwrap();
            let forged = [
                confused.clone(),
                signer.token_with(&json!({ "alg": "none" }), &claims()),
                signer.token_with(&json!({ "alg": "HS256" }), &claims()),
                format!("{message}."),
                format!("{}.{signature}", signer.token(&claims()).rsplit_once('.').unwrap().0),
            ];
            for token in forged {
                assert_eq!(status(&client, &token).await, 401, "{name} {token}");
            }
            let log = kasoku.log();
            assert!(!log.contains(&confused) && !log.contains(signature), "{name}: no token is in the log");
        }
    }
    for name in ["HS256", "HS384", "HS512"] {
        let secret = SECRET.repeat(2);
        let app = app(&format!("secret = \"{secret}\"\nalgorithms = [\"{name}\"]"));
        let kasoku = open(&app);
        let client = kasoku.client();
        assert_eq!(status(&client, &Signer::new(name, &secret).token(&claims())).await, 200, "{name}");
        let other = if name == "HS256" { "HS384" } else { "HS256" };
        assert_eq!(status(&client, &Signer::new(other, &secret).token(&claims())).await, 401, "{name}");
    }
}

#[tokio::test]
async fn keys_of_an_issuer_are_fetched_and_kept_while_it_is_away() {
    let signer = Arc::new(Signer::new("ES256", ""));
    let (is_up, public) = (Arc::new(AtomicBool::new(false)), Arc::clone(&signer));
    let up = Arc::clone(&is_up);
    let issuer = RecordingOrigin::new(move |exchange: &mut Exchange| {
        let set = json!({ "keys": [public.jwk("one")] }).to_string();
        let status = if up.load(Ordering::SeqCst) { "200 OK" } else { "503 Unavailable" };
        exchange.send(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{set}", set.len()));
    });
    let app = app(&format!("keys = \"{}/jwks.json\"", issuer.url()));
    let kasoku = open(&app);
    let client = kasoku.client();
    let token = signer.token_with(&json!({ "alg": "ES256", "kid": "one" }), &claims());
    assert_eq!(status(&client, &token).await, 503, "there is nothing yet to verify it with");
    is_up.store(true, Ordering::SeqCst);
    // Whoever asks in vain has the issuer asked, a second after the last time.
    while status(&client, &token).await == 503 {
        tokio::task::yield_now().await;
    }
    assert_eq!(status(&client, &token).await, 200);
    is_up.store(false, Ordering::SeqCst);
    let fresh =
        signer.token_with(&json!({ "alg": "ES256", "kid": "one" }), &json!({ "sub": "8", "aud": "notes" }));
    assert_eq!(status(&client, &fresh).await, 200, "the key is known");
    let asked = issuer.requests().len();
    for number in 0..20 {
        let unknown = signer.token_with(&json!({ "alg": "ES256", "kid": format!("k{number}") }), &claims());
        assert_eq!(status(&client, &unknown).await, 401);
    }
    assert!(
        issuer.requests().len() <= asked + 1,
        "names that are made up do not have the issuer asked each time"
    );
}
