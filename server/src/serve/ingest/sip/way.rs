//! Which way a request came. What `Via` says is the other side's word; this is ours.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use rsipstack::sip::{Header, Request, Transport};

use super::request::value;

/// A header of our own: it is put into a request when that has come, in the place of any that came with it.
pub(super) const WAY: &str = "X-Auricle-Way";

/// Who sent a request, and where it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) peer: SocketAddr,
    /// Of the socket; its address may be unspecified.
    pub(super) local: SocketAddr,
    pub(super) transport: Transport,
}

impl Way {
    /// IPv4 addresses that an IPv6 socket shows are IPv4 addresses.
    pub(super) fn new(peer: SocketAddr, local: SocketAddr, transport: Transport) -> Self {
        let plain =
            |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        Self {
            peer: plain(peer),
            local: plain(local),
            transport,
        }
    }

    /// Writes it into a request.
    pub(super) fn mark(&self, request: &mut Request) {
        request
            .headers
            .retain(|header| !header.name().eq_ignore_ascii_case(WAY));
        let header = Header::Other(WAY.to_owned(), self.to_string());
        request.headers.push(header);
    }

    /// Reads what [`Self::mark`] wrote.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let mut parts = value(request, WAY)?.split(' ');
        let way = Self {
            peer: parts.next()?.parse().ok()?,
            local: parts.next()?.parse().ok()?,
            transport: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(way)
    }

    /// The address that the other side reaches us at: `advertised` where that is said, else that of the socket, else the one
    /// that packets to it leave from.
    pub(super) fn reached_at(&self, advertised: Option<IpAddr>) -> SocketAddr {
        let own = self.local.ip();
        let address = advertised.unwrap_or_else(|| match own.is_unspecified() {
            true => towards(self.peer).unwrap_or(own),
            false => own,
        });
        SocketAddr::new(address, self.local.port())
    }
}

impl fmt::Display for Way {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {}", self.peer, self.local, self.transport)
    }
}

/// The address that packets to somebody leave from; nothing is sent for that.
pub(super) fn towards(peer: SocketAddr) -> Option<IpAddr> {
    let any = match peer {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(peer).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(peer: &str, local: &str) -> Way {
        let [peer, local] = [peer, local].map(|text| text.parse().unwrap());
        Way::new(peer, local, Transport::Udp)
    }

    #[test]
    fn nobody_says_another_way_than_it_came() {
        let text = "OPTIONS sip:a@b SIP/2.0\r\nX-Auricle-Way: 10.0.0.1:1 10.0.0.2:2 UDP\r\n\
            x-auricle-way: 10.0.0.1:1 10.0.0.2:2 UDP\r\nContent-Length: 0\r\n\r\n";
        let mut request = Request::try_from(text).unwrap();
        for way in [
            way("192.0.2.9:5062", "0.0.0.0:5060"),
            way("[2001:db8::1]:5062", "[::]:5060"),
        ] {
            way.mark(&mut request);
            assert_eq!(Way::of(&request), Some(way));
        }
        request.headers.retain(|_| false);
        assert_eq!(Way::of(&request), None);
    }

    #[test]
    fn the_other_side_is_told_where_it_reaches_us() {
        let reached_at = |way: Way, advertised: Option<&str>| {
            let advertised = advertised.map(|text| text.parse().unwrap());
            way.reached_at(advertised).to_string()
        };
        let here = way("127.0.0.1:5062", "0.0.0.0:5060");
        assert_eq!(reached_at(here, None), "127.0.0.1:5060");
        assert_eq!(reached_at(here, Some("203.0.113.5")), "203.0.113.5:5060");
        let named = way("127.0.0.1:5062", "192.0.2.1:5060");
        assert_eq!(reached_at(named, None), "192.0.2.1:5060");
        let mapped = way("[::ffff:127.0.0.1]:5062", "[::ffff:127.0.0.2]:5060");
        assert_eq!(reached_at(mapped, None), "127.0.0.2:5060");
    }
}
