//! Ports of legs: an even one for RTP, the next for RTCP (RFC 3550, section 11).

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::Arc;

use crossbeam::queue::ArrayQueue;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, Type};

use crate::error::MediaError;

/// The ports that are free, the one that was given back last at the end: what still comes for its leg finds nobody.
pub(crate) struct Pool {
    address: IpAddr,
    ports: RangeInclusive<u16>,
    receive_buffer_bytes: usize,
    free: ArrayQueue<u16>,
}

/// A pair of ports that nobody else gets. Dropped, it is free.
struct Lease {
    pool: Arc<Pool>,
    port: u16,
}

impl Drop for Lease {
    fn drop(&mut self) {
        // There is room for all that are ever taken.
        let _ = self.pool.free.push(self.port);
    }
}

/// Both sockets of a leg, which do not block. Dropped, they are closed, and then the ports are free.
pub(crate) struct Pair {
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    lease: Lease,
}

impl Pair {
    pub(crate) const fn rtp_port(&self) -> u16 {
        self.lease.port
    }

    /// Even ports have a next one.
    pub(crate) const fn rtcp_port(&self) -> u16 {
        self.lease.port | 1
    }

    /// Where RTP comes to; the address may be unspecified.
    pub(crate) fn rtp_address(&self) -> SocketAddr {
        SocketAddr::new(self.lease.pool.address, self.rtp_port())
    }

    /// Where RTCP comes to.
    pub(crate) fn rtcp_address(&self) -> SocketAddr {
        SocketAddr::new(self.lease.pool.address, self.rtcp_port())
    }
}

impl Pool {
    /// The pairs of a range, lowest first.
    pub(crate) fn new(
        address: IpAddr,
        ports: RangeInclusive<u16>,
        receive_buffer_bytes: usize,
    ) -> Result<Self, MediaError> {
        let has_next = |port: &u16| port & 1 == 0 && ports.contains(&(port | 1));
        let pairs: Vec<u16> = ports.clone().filter(has_next).collect();
        if pairs.is_empty() {
            return Err(MediaError::Range {
                first: *ports.start(),
                last: *ports.end(),
            });
        }
        let free = ArrayQueue::new(pairs.len());
        for port in pairs {
            let _ = free.push(port);
        }
        Ok(Self {
            address,
            ports,
            receive_buffer_bytes,
            free,
        })
    }

    /// Takes the pair that was free longest; pairs that another program uses go to the end.
    pub(crate) fn take(self: &Arc<Self>) -> Result<Pair, MediaError> {
        for _ in 0..self.n_pairs() {
            let Some(port) = self.free.pop() else { break };
            let lease = Lease {
                pool: Arc::clone(self),
                port,
            };
            match self.bind_both(port) {
                Ok((rtp, rtcp)) => return Ok(Pair { rtp, rtcp, lease }),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(source) => {
                    let address = SocketAddr::new(self.address, port);
                    return Err(MediaError::Bind { address, source });
                }
            }
        }
        Err(MediaError::NoPort {
            first: *self.ports.start(),
            last: *self.ports.end(),
        })
    }

    /// Pairs there are.
    pub(crate) fn n_pairs(&self) -> usize {
        self.free.capacity()
    }

    /// Pairs in use.
    pub(crate) fn n_used(&self) -> usize {
        self.n_pairs().saturating_sub(self.free.len())
    }

    fn bind_both(&self, port: u16) -> io::Result<(UdpSocket, UdpSocket)> {
        Ok((self.bind(port)?, self.bind(port | 1)?))
    }

    fn bind(&self, port: u16) -> io::Result<UdpSocket> {
        let address = SocketAddr::new(self.address, port);
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        if address.is_ipv6() {
            // `::` takes both.
            socket.set_only_v6(false)?;
        }
        socket.set_nonblocking(true)?;
        socket.set_recv_buffer_size(self.receive_buffer_bytes)?;
        // Datagrams tell how many were dropped before them; where the kernel cannot, none are known.
        let _ = setsockopt(&socket, sockopt::RxqOvfl, &1);
        socket.bind(&address.into())?;
        Ok(socket.into())
    }
}
