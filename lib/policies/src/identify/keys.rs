//! Keys that tokens are verified with: a secret, a public key as PEM, or a set as JSON (RFC 7517).

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kasoku_pipeline::BoxFuture;
use ring::digest::{SHA256, digest};
use ring::signature::RsaPublicKeyComponents;
use serde::Deserialize;

use super::algorithm::{Algorithm, Material};
use super::pem;

/// Keys of one set; a document with more is refused.
pub const KEYS_MAX: usize = 64;
/// Bytes of a document with keys.
pub const DOCUMENT_BYTES_MAX: usize = 256 << 10;

/// Where keys come from. They may change while the server runs.
pub trait KeySource: Send + Sync + 'static {
    /// The keys as they are known now; `None` if none could be had so far.
    fn current(&self) -> Option<Arc<KeySet>>;

    /// Asks for them once more, because a token names one that is not among them. Whoever asks too often is left with
    /// those that there are.
    fn ask_again(&self) -> BoxFuture<'_, ()>;
}

/// Keys that never change.
pub struct FixedKeys(pub Arc<KeySet>);

/// Keys, and what tells this set from others.
pub struct KeySet {
    keys: Vec<Key>,
    digest: [u8; 32],
}

/// A key, and what it may be used for.
pub(super) struct Key {
    id: Option<Box<str>>,
    algorithms: Vec<Algorithm>,
    material: Material,
}

/// Why a document holds no keys that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// It is neither PEM nor a JSON Web Key Set.
    #[error("it is neither a public key in PEM form nor a JSON Web Key Set")]
    Form,
    /// It is longer than anybody's.
    #[error("it is longer than 256 KiB")]
    TooLong,
    /// There are more keys than anybody has.
    #[error("it holds more than {KEYS_MAX} keys")]
    TooMany,
    /// None of its keys can be used.
    #[error("none of its keys can verify a token here: expected RSA from 2048 bits, P-256, P-384 or Ed25519")]
    None,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// A secret that issuer and server share, for these algorithms.
    pub fn of_secret(secret: &[u8], algorithms: &[Algorithm]) -> Self {
        let key = Key { id: None, algorithms: algorithms.to_vec(), material: Material::secret(secret) };
        Self { keys: vec![key.narrowed()], digest: fingerprint(secret) }
    }

    /// A public key as PEM, or a set of keys as JSON. Keys that cannot be used are passed over, as the set may have some
    /// for others; a secret has no place in it.
    pub fn of_document(text: &str) -> Result<Self, KeyFault> {
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(KeyFault::TooLong);
        }
        let keys = if let Some(material) = pem::public_key(text) {
            vec![Key { id: None, algorithms: material.algorithms().to_vec(), material }]
        } else {
            let document: Document = serde_json::from_str(text).map_err(|_| KeyFault::Form)?;
            if document.keys.len() > KEYS_MAX {
                return Err(KeyFault::TooMany);
            }
            document.keys.into_iter().filter_map(Key::of_jwk).collect()
        };
        if keys.is_empty() {
            return Err(KeyFault::None);
        }
        Ok(Self { keys, digest: fingerprint(text.as_bytes()) })
    }

    /// The algorithms of all keys.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.keys.iter().flat_map(|key| key.algorithms.iter().copied())
    }

    /// Tells sets apart.
    pub(super) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The keys that a token with this id and algorithm may have been signed with. A token that names none is tried
    /// with a few.
    pub(super) fn for_token(&self, id: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &Key> {
        const TRIED_MAX: usize = 4;
        let fits = move |key: &&Key| {
            let is_named = match (id, &key.id) {
                (Some(id), Some(known)) => id == &**known,
                // One key that has no name is meant by any.
                (Some(_), None) | (None, _) => true,
            };
            is_named && key.algorithms.contains(&algorithm)
        };
        self.keys.iter().filter(fits).take(TRIED_MAX)
    }
}

impl Key {
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.algorithms.contains(&algorithm) && self.material.verifies(algorithm, message, signature)
    }

    fn of_jwk(value: serde_json::Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let is_for_signatures = jwk.usage.as_deref().is_none_or(|usage| usage == "sig");
        let may_verify = jwk.key_ops.as_ref().is_none_or(|all| all.iter().any(|one| one == "verify"));
        if !is_for_signatures || !may_verify {
            return None;
        }
        let bytes = |part: &Option<String>| URL_SAFE_NO_PAD.decode(part.as_ref()?).ok();
        // A point as SEC 1 §2.3.3 writes it, uncompressed.
        let point = |bytes_each: usize| {
            let (x, y) = (bytes(&jwk.x)?, bytes(&jwk.y)?);
            (x.len() == bytes_each && y.len() == bytes_each).then(|| [&[4], &x[..], &y].concat())
        };
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (bytes(&jwk.n)?, bytes(&jwk.e)?);
                (n.len() >= 256).then_some(Material::Rsa(RsaPublicKeyComponents { n, e }))?
            }
            ("EC", Some("P-256")) => Material::P256(point(32)?),
            ("EC", Some("P-384")) => Material::P384(point(48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes(&jwk.x).filter(|key| key.len() == 32)?),
            _ => return None,
        };
        let algorithms = match &jwk.alg {
            None => material.algorithms().to_vec(),
            Some(name) => vec![Algorithm::named(name)?],
        };
        let key = Self { id: jwk.kid.map(String::into_boxed_str), algorithms, material }.narrowed();
        (!key.algorithms.is_empty()).then_some(key)
    }

    /// Without the algorithms that are of no use with it.
    fn narrowed(mut self) -> Self {
        let fit = self.material.algorithms();
        self.algorithms.retain(|algorithm| fit.contains(algorithm));
        self
    }
}

impl KeySource for FixedKeys {
    fn current(&self) -> Option<Arc<KeySet>> {
        Some(Arc::clone(&self.0))
    }

    fn ask_again(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

fn fingerprint(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}
