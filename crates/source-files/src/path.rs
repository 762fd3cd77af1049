//! What a request's path asks for: read once, and refused unless it is plainly a name inside the folder.
//!
//! Nothing here touches the disk. What is refused is refused by the text alone, on every system alike, so that a
//! folder does not answer differently after it is moved from one kind of machine to another.

use kasoku_pipeline::Request;
use percent_encoding::percent_decode_str;

/// Bytes of one name: what file systems allow.
const NAME_BYTES_MAX: usize = 255;

/// Bytes of the whole path below the folder.
const PATH_BYTES_MAX: usize = 2_048;

/// A safe path below the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Names joined by `/`, decoded; empty for the folder itself.
    pub(crate) relative: String,
    /// Whether the request's path ends in `/`, and so means a folder.
    pub(crate) slash: bool,
}

/// Why a path is not looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No client that means well sends it.
    Malformed(&'static str),
    /// It may exist, but is not served: a name that begins with a dot, or means a device on some systems.
    Hidden,
    /// The route's pattern does not end in what names a file.
    Unmatched,
}

/// The part of a request's path that its route leaves to the folder.
pub(crate) fn target(request: &Request) -> Result<Target, Refusal> {
    let path = request.uri.path();
    let tail = match request.params.iter().last() {
        None => "",
        Some((_, matched)) => undecoded(path, matched).ok_or(Refusal::Unmatched)?,
    };
    parse(tail, path.ends_with('/'))
}

/// Finds the end of `path` that decodes to `matched`. A parameter comes decoded, and an encoded slash cannot be told
/// from a plain one there; the path as it was sent still shows it.
fn undecoded<'a>(path: &'a str, matched: &str) -> Option<&'a str> {
    let starts = path.bytes().enumerate().filter(|(_, byte)| *byte == b'/').map(|(place, _)| place + 1);
    // Ends that begin further left decode to longer texts, so at most one of them fits.
    starts.map(|start| &path[start..]).find(|end| percent_decode_str(end).decode_utf8_lossy() == matched)
}

/// Decodes a path below the folder, once, and refuses what is not plainly a name in it.
pub(crate) fn parse(tail: &str, slash: bool) -> Result<Target, Refusal> {
    if tail.len() > PATH_BYTES_MAX {
        return Err(Refusal::Hidden);
    }
    let mut relative = String::with_capacity(tail.len());
    let names = tail.strip_suffix('/').unwrap_or(tail);
    if !names.is_empty() {
        for (place, encoded) in names.split('/').enumerate() {
            if place > 0 {
                relative.push('/');
            }
            relative.push_str(&name(encoded)?);
        }
    } else if tail == "/" {
        // An empty name before the slash.
        return Err(Refusal::Hidden);
    }
    Ok(Target { relative, slash })
}

fn name(encoded: &str) -> Result<String, Refusal> {
    let name = decode(encoded)?;
    if name.chars().any(char::is_control) {
        return Err(Refusal::Malformed("the path contains a control character"));
    }
    if name.contains(['/', '\\']) {
        return Err(Refusal::Malformed("the path contains an encoded slash or a backslash"));
    }
    if name == "." || name == ".." {
        return Err(Refusal::Malformed("the path contains a relative step"));
    }
    // On some systems trailing dots and spaces are dropped, and a colon opens another stream of the same file.
    let ambiguous = name.ends_with(['.', ' ']) || name.contains(':');
    if name.is_empty()
        || name.starts_with('.')
        || ambiguous
        || is_device(&name)
        || name.len() > NAME_BYTES_MAX
    {
        return Err(Refusal::Hidden);
    }
    Ok(name)
}

fn decode(encoded: &str) -> Result<String, Refusal> {
    let mut rest = encoded.as_bytes();
    while let Some(place) = rest.iter().position(|byte| *byte == b'%') {
        match &rest[place + 1..] {
            [high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => rest = after,
            _ => return Err(Refusal::Malformed("the path contains a percent sign without two digits")),
        }
    }
    match percent_decode_str(encoded).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(Refusal::Malformed("the path is not UTF-8")),
    }
}

/// Names that Windows gives to devices, with any extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end_matches(' ').to_ascii_uppercase();
    let numbered = || {
        let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
        number.is_some_and(|rest| {
            let mut digits = rest.chars();
            matches!((digits.next(), digits.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
        })
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") || numbered()
}
