//! Addresses of the configuration: where to listen, and who may call.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// What a message of SIP comes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Udp,
    Tcp,
    Tls,
}

impl Protocol {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

/// A protocol, an address and a port to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Door {
    pub(super) protocol: Protocol,
    pub(super) address: SocketAddr,
}

impl Door {
    /// Reads `udp:0.0.0.0:5060`.
    ///
    /// # Errors
    /// What it must be, to stand behind the name of the key.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let read = || {
            let (protocol, address) = text.split_once(':')?;
            let all = [Protocol::Udp, Protocol::Tcp, Protocol::Tls];
            let mut all = all.into_iter();
            Some(Self {
                protocol: all.find(|one| one.as_str() == protocol)?,
                address: address.parse().ok()?,
            })
        };
        read().ok_or_else(|| {
            format!("must be `udp:`, `tcp:` or `tls:` with an IP address and a port, got `{text}`\nhint: write \"udp:0.0.0.0:5060\"")
        })
    }
}

impl fmt::Display for Door {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.protocol.as_str(), self.address)
    }
}

/// Addresses whose first bits are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    n_bits: u32,
}

impl Network {
    /// Reads `10.0.0.0/8`, or one address.
    ///
    /// # Errors
    /// What it must be, to stand behind the name of the key.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let read = || {
            let (address, n_bits) = match text.split_once('/') {
                Some((address, n_bits)) => (address, Some(n_bits)),
                None => (text, None),
            };
            let address: IpAddr = address.parse().ok()?;
            let most = bits(address).1;
            let n_bits = match n_bits {
                Some(n_bits) => n_bits.parse().ok()?,
                None => most,
            };
            (n_bits <= most).then_some(Self { address, n_bits })
        };
        read().ok_or_else(|| {
            format!("must be IP addresses or networks, got `{text}`\nhint: write \"10.0.0.0/8\" or \"192.0.2.7\"")
        })
    }

    /// Whether an address is one of these. An IPv4 address that an IPv6 socket shows is that IPv4 address.
    pub(super) fn contains(self, address: IpAddr) -> bool {
        let (own, n_own) = bits(self.address);
        let (other, n_other) = bits(address.to_canonical());
        let n_free = n_own.saturating_sub(self.n_bits);
        let differing = (own ^ other).checked_shr(n_free).unwrap_or(0);
        n_own == n_other && differing == 0
    }
}

/// An address as a number, and how many bits it has.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_is_a_protocol_and_an_address() {
        for text in ["udp:0.0.0.0:5060", "tcp:127.0.0.1:0", "tls:[::1]:5061"] {
            assert_eq!(Door::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "udp",
            "udp:5060",
            "0.0.0.0:5060",
            "ws:0.0.0.0:80",
            "UDP:0.0.0.0:1",
        ] {
            assert!(Door::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn networks_hold_their_addresses() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("192.0.2.7/32", "192.0.2.8", false),
            ("0.0.0.0/0", "203.0.113.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db9::1", true),
            ("::1", "::1", true),
        ] {
            let parsed = Network::parse(network).unwrap();
            let told = parsed.contains(address.parse().unwrap());
            assert_eq!(told, expected, "{network} {address}");
        }
    }

    #[test]
    fn what_is_no_network_is_told() {
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "a",
        ] {
            assert!(
                Network::parse(text).unwrap_err().contains("must be"),
                "{text}"
            );
        }
    }
}
