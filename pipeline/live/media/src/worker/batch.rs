//! Datagrams as the kernel gives them: many in one call, into memory that is there already.

use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, recvmsg,
};

use crate::record::MOST_BODY_BYTES;

/// Datagrams of one call. A leg sends 50 in a second: this is for those that come late and together.
pub(crate) const BATCH: usize = 32;
/// Longer ones are cut by the kernel: no RTP of telephones is longer than an Ethernet frame.
const DATAGRAM_BYTES: usize = MOST_BODY_BYTES;

/// Memory for one call. To be made on the thread that uses it.
pub(crate) struct Batch {
    headers: MultiHeaders<SockaddrStorage>,
    datagrams: Box<[[u8; DATAGRAM_BYTES]; BATCH]>,
    came: [Option<Came>; BATCH],
    /// For what the kernel says beside a datagram.
    control: Vec<u8>,
}

/// What is known of a datagram beside its bytes.
#[derive(Clone, Copy)]
struct Came {
    from: SocketAddr,
    n_bytes: usize,
    is_cut: bool,
}

/// A datagram.
pub(crate) struct Datagram<'b> {
    pub(crate) from: SocketAddr,
    pub(crate) n_bytes: usize,
    /// `None`: it was longer than the room for it.
    pub(crate) bytes: Option<&'b mut [u8]>,
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self {
            headers: MultiHeaders::preallocate(BATCH, None),
            datagrams: Box::new([[0; DATAGRAM_BYTES]; BATCH]),
            came: [None; BATCH],
            control: nix::cmsg_space!(u32),
        }
    }

    /// Reads what waits, at most [`BATCH`] datagrams; gives how many. Errors are those of datagrams that we sent (ICMP says
    /// that nobody listens there) or mean that nothing waits: 0 for all of them. Never blocks, never allocates.
    pub(crate) fn receive(&mut self, socket: &UdpSocket) -> usize {
        self.came = [None; BATCH];
        let mut slices = self
            .datagrams
            .each_mut()
            .map(|datagram| [IoSliceMut::new(datagram)]);
        let received = recvmmsg(
            socket.as_raw_fd(),
            &mut self.headers,
            slices.iter_mut(),
            MsgFlags::MSG_DONTWAIT,
            None,
        );
        let Ok(messages) = received else { return 0 };
        let mut n = 0;
        for (came, message) in self.came.iter_mut().zip(messages) {
            n += 1;
            *came = message.address.as_ref().and_then(address).map(|from| Came {
                from,
                n_bytes: message.bytes,
                is_cut: message.flags.contains(MsgFlags::MSG_TRUNC),
            });
        }
        n
    }

    /// What was read last.
    pub(crate) fn datagrams(&mut self) -> impl Iterator<Item = Datagram<'_>> {
        let came = self.came.iter().zip(self.datagrams.iter_mut());
        came.filter_map(|(came, bytes)| {
            let came = (*came)?;
            let bytes = bytes.get_mut(..came.n_bytes).filter(|_| !came.is_cut);
            Some(Datagram {
                from: came.from,
                n_bytes: came.n_bytes,
                bytes,
            })
        })
    }

    /// Datagrams that a socket had no room for since it was opened, as the one says that waits now. `None`: none waits, or
    /// none was dropped.
    pub(crate) fn n_dropped(&mut self, socket: &UdpSocket) -> Option<u32> {
        let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        let mut nothing = [IoSliceMut::new(&mut [])];
        let control = Some(self.control.as_mut_slice());
        let message =
            recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut nothing, control, flags).ok()?;
        message.cmsgs().ok()?.find_map(|said| match said {
            ControlMessageOwned::RxqOvfl(n_dropped) => Some(n_dropped),
            _ => None,
        })
    }
}

fn address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().copied().map(SocketAddr::from);
    v4.or_else(|| address.as_sockaddr_in6().copied().map(SocketAddr::from))
}
