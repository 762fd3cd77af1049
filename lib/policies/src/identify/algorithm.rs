//! The algorithms that tokens are signed by (RFC 7518 §3.1, RFC 8037 §3.1), and the one place where a signature is
//! verified.

use ring::{hmac, signature};

/// How a token is signed. `none` is no member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

/// What signatures are verified with.
pub(super) enum Material {
    /// A secret, for each length of hash.
    Secret(Box<[hmac::Key; 3]>),
    /// Modulus and exponent.
    Rsa(signature::RsaPublicKeyComponents<Vec<u8>>),
    /// Both, as PKCS #1 writes them.
    RsaDer(Vec<u8>),
    /// A point of P-256.
    P256(Vec<u8>),
    /// A point of P-384.
    P384(Vec<u8>),
    /// A key of Ed25519.
    Ed25519(Vec<u8>),
}

impl Algorithm {
    /// All of them, as they are named in tokens.
    pub const ALL: [(&'static str, Self); 12] = [
        ("HS256", Self::Hs256),
        ("HS384", Self::Hs384),
        ("HS512", Self::Hs512),
        ("RS256", Self::Rs256),
        ("RS384", Self::Rs384),
        ("RS512", Self::Rs512),
        ("PS256", Self::Ps256),
        ("PS384", Self::Ps384),
        ("PS512", Self::Ps512),
        ("ES256", Self::Es256),
        ("ES384", Self::Es384),
        ("EdDSA", Self::EdDsa),
    ];

    /// The one of this name, letter for letter.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Bytes that a secret must have at the least: as many as the hash (RFC 7518 §3.2). `None` where there is no
    /// secret.
    pub fn secret_bytes_min(self) -> Option<usize> {
        match self {
            Self::Hs256 => Some(32),
            Self::Hs384 => Some(48),
            Self::Hs512 => Some(64),
            _ => None,
        }
    }
}

impl Material {
    pub(super) fn secret(secret: &[u8]) -> Self {
        let hashes = [hmac::HMAC_SHA256, hmac::HMAC_SHA384, hmac::HMAC_SHA512];
        Self::Secret(Box::new(hashes.map(|hash| hmac::Key::new(hash, secret))))
    }

    /// The algorithms that can have been used with it.
    pub(super) fn algorithms(&self) -> &'static [Algorithm] {
        use Algorithm::{EdDsa, Es256, Es384, Hs256, Hs384, Hs512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match self {
            Self::Secret(_) => &[Hs256, Hs384, Hs512],
            Self::Rsa(_) | Self::RsaDer(_) => &[Rs256, Rs384, Rs512, Ps256, Ps384, Ps512],
            Self::P256(_) => &[Es256],
            Self::P384(_) => &[Es384],
            Self::Ed25519(_) => &[EdDsa],
        }
    }

    /// Whether this was signed so. An algorithm of another kind of key never has been.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let by_point = |kind: &'static dyn signature::VerificationAlgorithm, point: &Vec<u8>| {
            signature::UnparsedPublicKey::new(kind, point).verify(message, signature).is_ok()
        };
        match (self, algorithm) {
            (Self::Secret(keys), Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512) => {
                let place = [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512]
                    .iter()
                    .position(|one| *one == algorithm);
                place.is_some_and(|place| hmac::verify(&keys[place], message, signature).is_ok())
            }
            (Self::Rsa(key), _) => {
                rsa(algorithm).is_some_and(|kind| key.verify(kind, message, signature).is_ok())
            }
            (Self::RsaDer(key), _) => rsa(algorithm).is_some_and(|kind| by_point(kind, key)),
            (Self::P256(point), Algorithm::Es256) => by_point(&signature::ECDSA_P256_SHA256_FIXED, point),
            (Self::P384(point), Algorithm::Es384) => by_point(&signature::ECDSA_P384_SHA384_FIXED, point),
            (Self::Ed25519(key), Algorithm::EdDsa) => by_point(&signature::ED25519, key),
            _ => false,
        }
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static signature::RsaParameters> {
    Some(match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}
