//! Which peers are believed when they say on whose behalf they ask.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// Networks whose members are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

/// An address, or all that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// Why a text names no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is neither an address nor a network such as 10.0.0.0/8")]
pub struct NetworkError;

impl TrustedProxies {
    /// Believes the members of these networks.
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Whether a peer is believed.
    pub fn contains(&self, peer: IpAddr) -> bool {
        // A listener for both families sees IPv4 peers as mapped addresses.
        let peer = peer.to_canonical();
        self.0.iter().any(|network| network.contains(peer))
    }
}

impl Network {
    fn contains(&self, peer: IpAddr) -> bool {
        let apart = match (self.address, peer) {
            (IpAddr::V4(own), IpAddr::V4(peer)) => {
                Ipv6Addr::from(u128::from(own.to_bits() ^ peer.to_bits()) << 96)
            }
            (IpAddr::V6(own), IpAddr::V6(peer)) => Ipv6Addr::from(own.to_bits() ^ peer.to_bits()),
            _ => return false,
        };
        apart.to_bits().leading_zeros() >= u32::from(self.bits)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| NetworkError)?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => bits_max,
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                bits.parse().ok().filter(|bits| *bits <= bits_max).ok_or(NetworkError)?
            }
            Some(_) => return Err(NetworkError),
        };
        Ok(Self { address, bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(network: &str, peer: &str, expected: bool) {
        let trusted = TrustedProxies::new(vec![network.parse().unwrap()]);
        assert_eq!(trusted.contains(peer.parse().unwrap()), expected, "{peer} in {network}");
    }

    #[test]
    fn a_network_is_an_address_or_all_that_begin_with_its_bits() {
        check("127.0.0.1", "127.0.0.1", true);
        check("127.0.0.1", "127.0.0.2", false);
        check("127.0.0.1", "::ffff:127.0.0.1", true);
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.0", false);
        check("10.0.0.0/31", "10.0.0.1", true);
        check("10.0.0.0/31", "10.0.0.2", false);
        check("0.0.0.0/0", "9.9.9.9", true);
        check("0.0.0.0/0", "::1", false);
        check("2001:db8::/32", "2001:db8:1::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
        for text in ["", "a", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/8/8"] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError), "{text}");
        }
    }
}
