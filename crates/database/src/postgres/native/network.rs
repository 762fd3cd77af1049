//! Addresses, identifiers and bit strings.

use std::io::Write as _;
use std::net::Ipv4Addr;

use super::bytes::{Bytes, Malformed};
use super::number::{hexadecimal, unsigned};

/// Lower case, with its hyphens (RFC 9562 §4).
pub(super) fn uuid(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    if bytes.len() != 16 {
        return Err(Malformed);
    }
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        hexadecimal(*byte, out);
    }
    Ok(())
}

/// The MAC address of a card, of 6 or 8 bytes.
pub(super) fn hardware(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    if !matches!(bytes.len(), 6 | 8) {
        return Err(Malformed);
    }
    for (place, byte) in bytes.iter().enumerate() {
        if place > 0 {
            out.push(b':');
        }
        hexadecimal(*byte, out);
    }
    Ok(())
}

/// A string of bits: their number, then eight in each byte.
pub(super) fn bits(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut bytes = Bytes(bytes);
    let count = usize::try_from(bytes.i32()?).map_err(|_| Malformed)?;
    let held = bytes.take(count.div_ceil(8))?;
    bytes.end()?;
    out.extend((0..count).map(|place| b'0' + (held[place / 8] >> (7 - place % 8) & 1)));
    Ok(())
}

/// An address, with the length of its network where it is not that of a single host, or where a network is meant.
pub(super) fn address(bytes: &[u8], network: bool, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut bytes = Bytes(bytes);
    let (_family, length, _network, size) = (bytes.u8()?, bytes.u8()?, bytes.u8()?, bytes.u8()?);
    let address = bytes.take(size.into())?;
    bytes.end()?;
    if let Ok(octets) = <[u8; 4]>::try_from(address) {
        write!(out, "{}", Ipv4Addr::from(octets)).expect("a Vec takes all bytes");
    } else {
        version_6(address.try_into().map_err(|_| Malformed)?, out);
    }
    if network || usize::from(length) != address.len() * 8 {
        out.push(b'/');
        unsigned(length.into(), out);
    }
    Ok(())
}

/// The longest run of zeros is left out, and the last four bytes are written as version 4 writes them where the rest
/// says that they are such an address.
fn version_6(octets: [u8; 16], out: &mut Vec<u8>) {
    let words: [u16; 8] = std::array::from_fn(|at| u16::from_be_bytes([octets[at * 2], octets[at * 2 + 1]]));
    let (zeros, length) = longest_zeros(&words);
    let ends_as_version_4 =
        zeros == 0 && (length == 6 || (length == 7 && words[7] != 1) || (length == 5 && words[5] == 0xffff));
    let mut at = 0;
    while at < 8 {
        if length > 1 && at == zeros {
            out.push(b':');
            at += length;
            if at == 8 {
                out.push(b':');
            }
            continue;
        }
        if at > 0 {
            out.push(b':');
        }
        if at == 6 && ends_as_version_4 {
            let last = Ipv4Addr::new(octets[12], octets[13], octets[14], octets[15]);
            write!(out, "{last}").expect("a Vec takes all bytes");
            return;
        }
        write!(out, "{:x}", words[at]).expect("a Vec takes all bytes");
        at += 1;
    }
}

/// Where the first of the longest runs of zeros begins, and how long it is; one zero alone is no run.
fn longest_zeros(words: &[u16; 8]) -> (usize, usize) {
    let run = |from: usize| words[from..].iter().take_while(|word| **word == 0).count();
    let mut best = (8, 0);
    for from in 0..8 {
        if run(from) > best.1.max(1) {
            best = (from, run(from));
        }
    }
    best
}
