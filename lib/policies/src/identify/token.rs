//! Signed tokens in their compact form (RFC 7515 §7.1): taken apart, and nothing believed yet.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::algorithm::Algorithm;
use super::reason::Reason;

/// Bytes of a token; a longer one is refused unread.
pub const TOKEN_BYTES_MAX: usize = 8 << 10;

/// A token, taken apart.
pub(super) struct Token<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    /// What is signed.
    pub(super) message: &'a [u8],
    pub(super) signature: Vec<u8>,
    payload: &'a str,
}

/// What is read of a header. Where keys could be got, or which ones a token brings (`jku`, `jwk`, `x5u`, `x5c`), is not:
/// who may sign is for the configuration to say.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
    enc: Option<IgnoredAny>,
}

impl<'a> Token<'a> {
    /// Whether a text is a token by its form, and not a key.
    pub(super) fn has_form(text: &str) -> bool {
        text.bytes().filter(|byte| *byte == b'.').count() >= 2
    }

    pub(super) fn read(text: &'a str) -> Result<Self, Reason> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(Reason::TooLong);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(Reason::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(Reason::Malformed)?;
        if payload.contains('.') {
            return Err(Reason::Malformed);
        }
        let header = decoded(header)?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| Reason::Malformed)?;
        // RFC 7515 §4.1.11: what is said to be critical has to be understood, and nothing of the kind is here.
        if header.crit.is_some() || header.enc.is_some() {
            return Err(Reason::Critical);
        }
        // RFC 8725 §3.11: a token for another purpose is none for this one.
        let is_for_access = header.typ.as_deref().is_none_or(|typ| {
            let typ = typ.to_ascii_lowercase();
            matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt")
        });
        if !is_for_access {
            return Err(Reason::Purpose);
        }
        Ok(Self {
            algorithm: Algorithm::named(&header.alg).ok_or(Reason::Algorithm)?,
            key_id: header.kid,
            message: message.as_bytes(),
            signature: decoded(signature)?,
            payload,
        })
    }

    /// What it claims; to be asked for once its signature was verified.
    pub(super) fn claims(&self) -> Result<serde_json::Map<String, serde_json::Value>, Reason> {
        serde_json::from_slice(&decoded(self.payload)?).map_err(|_| Reason::Malformed)
    }
}

fn decoded(part: &str) -> Result<Vec<u8>, Reason> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Reason::Malformed)
}
