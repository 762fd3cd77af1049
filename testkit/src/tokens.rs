//! Signs tokens as issuers do, for stories of who asks.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaEncoding, RsaKeyPair,
};
use serde_json::{Value, json};

/// A key of an issuer.
pub struct Signer {
    algorithm: &'static str,
    key: Key,
}

enum Key {
    Secret(Vec<u8>),
    Rsa(Box<RsaKeyPair>),
    Point(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
}

/// An RSA key that guards nothing: made for tests, and published with them.
const RSA_PEM: &str = include_str!("tokens-rsa.pem");

impl Signer {
    /// A key for this algorithm; the secret is for those that take one.
    ///
    /// # Panics
    /// If there is no such algorithm.
    pub fn new(algorithm: &'static str, secret: &str) -> Self {
        let random = SystemRandom::new();
        let point = |kind: &'static EcdsaSigningAlgorithm, curve| {
            let made = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("a key is made");
            Key::Point(EcdsaKeyPair::from_pkcs8(kind, made.as_ref(), &random).expect("and read"), curve)
        };
        let key = match algorithm {
            "HS256" | "HS384" | "HS512" => Key::Secret(secret.as_bytes().to_vec()),
            "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => Key::Rsa(Box::new(rsa())),
            "ES256" => point(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            "ES384" => point(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            "EdDSA" => {
                let made = Ed25519KeyPair::generate_pkcs8(&random).expect("a key is made");
                Key::Ed25519(Ed25519KeyPair::from_pkcs8(made.as_ref()).expect("and read"))
            }
            other => panic!("there is no algorithm {other}"),
        };
        Self { algorithm, key }
    }

    /// A token with these claims, and an hour to live unless they say otherwise.
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({ "alg": self.algorithm, "typ": "JWT" }), claims)
    }

    /// A token with this header.
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        let mut claims = claims.clone();
        if let Some(claims) = claims.as_object_mut() {
            claims.entry("exp").or_insert_with(|| (now_s() + 3_600).into());
        }
        self.signed(&header.to_string(), &claims.to_string())
    }

    /// A token of these texts, whatever they are.
    pub fn signed(&self, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(self.sign(message.as_bytes())))
    }

    /// The signature of a message.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Secret(secret) => {
                let hash = match self.algorithm {
                    "HS256" => hmac::HMAC_SHA256,
                    "HS384" => hmac::HMAC_SHA384,
                    _ => hmac::HMAC_SHA512,
                };
                hmac::sign(&hmac::Key::new(hash, secret), message).as_ref().to_vec()
            }
            Key::Rsa(key) => {
                let encoding: &dyn RsaEncoding = match self.algorithm {
                    "RS256" => &signature::RSA_PKCS1_SHA256,
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    "PS256" => &signature::RSA_PSS_SHA256,
                    "PS384" => &signature::RSA_PSS_SHA384,
                    _ => &signature::RSA_PSS_SHA512,
                };
                let mut signed = vec![0; key.public().modulus_len()];
                key.sign(encoding, &random, message, &mut signed).expect("RSA signs anything");
                signed
            }
            Key::Point(key, _) => key.sign(&random, message).expect("ECDSA signs anything").as_ref().to_vec(),
            Key::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// Its public half as a JSON Web Key, with this id.
    ///
    /// # Panics
    /// If it is a secret.
    pub fn jwk(&self, id: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.key {
            Key::Secret(_) => panic!("a secret has no public half"),
            Key::Rsa(key) => {
                let public: signature::RsaPublicKeyComponents<Vec<u8>> = key.public().into();
                json!({ "kty": "RSA", "kid": id, "use": "sig", "n": text(&public.n), "e": text(&public.e) })
            }
            Key::Point(key, curve) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(key.public_key().as_ref().len() / 2);
                json!({ "kty": "EC", "crv": curve, "kid": id, "x": text(x), "y": text(y) })
            }
            Key::Ed25519(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": text(key.public_key().as_ref()) })
            }
        }
    }

    /// The public half in PEM form, as `openssl pkey -pubout` writes it.
    ///
    /// # Panics
    /// If it is a secret.
    pub fn pem(&self) -> String {
        // What comes before the key in a `SubjectPublicKeyInfo` is the same for all keys of a kind and length.
        let (before, key): (&[u8], &[u8]) = match &self.key {
            Key::Secret(_) => panic!("a secret has no public half"),
            Key::Rsa(key) => (
                &[
                    0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
                    0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00,
                ],
                key.public().as_ref(),
            ),
            Key::Point(key, "P-256") => (
                &[
                    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
                    0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
                ],
                key.public_key().as_ref(),
            ),
            Key::Point(key, _) => (
                &[
                    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05,
                    0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
                ],
                key.public_key().as_ref(),
            ),
            Key::Ed25519(key) => (
                &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00],
                key.public_key().as_ref(),
            ),
        };
        let text = STANDARD.encode([before, key].concat());
        let lines: Vec<&str> =
            (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }
}

/// Seconds since 1970.
pub fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later").as_secs()
}

fn rsa() -> RsaKeyPair {
    let body: String = RSA_PEM.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body).expect("the file is PEM");
    RsaKeyPair::from_pkcs8(&der).expect("and holds an RSA key")
}
