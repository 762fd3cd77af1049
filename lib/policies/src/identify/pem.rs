//! Public keys in PEM form: `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7), as `openssl pkey -pubout` writes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::algorithm::Material;

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

// Object identifiers as DER has them (RFC 8017 §A.1, RFC 5480 §2.1.1, RFC 8410 §3).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

const SEQUENCE: u8 = 0x30;
const IDENTIFIER: u8 = 0x06;
const BITS: u8 = 0x03;

/// The key of a text, if it is one of a kind that is known here.
pub(super) fn public_key(text: &str) -> Option<Material> {
    let (_, rest) = text.split_once(BEGIN)?;
    let (body, _) = rest.split_once(END)?;
    let body: String = body.split_ascii_whitespace().collect();
    of_der(&STANDARD.decode(body).ok()?)
}

fn of_der(der: &[u8]) -> Option<Material> {
    let mut rest = der;
    let mut info = take(&mut rest, SEQUENCE)?;
    let mut algorithm = take(&mut info, SEQUENCE)?;
    // How many bits of the last byte are unused comes first: none.
    let key = take(&mut info, BITS)?.strip_prefix(&[0])?.to_vec();
    if !rest.is_empty() || !info.is_empty() {
        return None;
    }
    match take(&mut algorithm, IDENTIFIER)? {
        RSA => Some(Material::RsaDer(key)),
        EC => match take(&mut algorithm, IDENTIFIER)? {
            P256 => Some(Material::P256(key)),
            P384 => Some(Material::P384(key)),
            _ => None,
        },
        ED25519 => Some(Material::Ed25519(key)),
        _ => None,
    }
}

/// The content of the next value, which has this tag.
fn take<'a>(rest: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (head, after) = rest.split_first_chunk::<2>()?;
    if head[0] != tag {
        return None;
    }
    let (length, after) = match head[1] {
        short @ 0..=0x7f => (usize::from(short), after),
        // The length takes one byte more, or two.
        0x81 => (usize::from(*after.first()?), &after[1..]),
        0x82 => {
            let (length, after) = after.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), after)
        }
        _ => return None,
    };
    let (content, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(content)
}
