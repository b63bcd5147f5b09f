//! RTP from sockets: legs in, audio in order out.
//!
//! ```text
//!            worker thread                                          task of the call
//! sockets ─▶ batch ─▶ SRTP ─▶ RTP ─▶ receiver ─▶ ring (32 KiB) ─▶ order ─▶ decode ─▶ audio at a place
//!                            RTCP ─▶                                        conceal
//! ```
//!
//! | module | what it does | from |
//! | --- | --- | --- |
//! | `ports` | pairs of ports, sockets on them | RFC 3550, section 11 |
//! | `worker` | threads that wait on sockets and look after legs | |
//! | `srtp` | keys and signatures | RFC 3711, RFC 6188, RFC 7714 |
//! | `hearing` | one leg in its worker: datagrams become records | |
//! | `reports` | when a sender is told what is heard | RFC 3550, section 6 |
//! | `record` | the ring between worker and reader | |
//! | `capture` | packets as they passed the sockets, for who looks for what is wrong | |
//! | `leg` | one leg in its call: records become audio | |
//! | `play_out`, `order`, `decode`, `conceal` | packets in order, decoded, short holes concealed | RFC 3551 |
//!
//! A ring that is full drops packets and counts them: a call that cannot keep up does not hold up others. It runs on Linux:
//! epoll and recvmmsg.
//!
//! **Invariant**: a worker never blocks but to wait for datagrams, and allocates nothing for a packet.
//! **Invariant**: what nobody signed changes nothing of a leg with keys, but counts.
//! **Invariant**: a leg that floods delays others by four batches a turn, and takes none of their memory.
//! **Invariant**: places of audio never run back, whatever comes and whatever is agreed anew.
//! **Invariant**: no error and no `Debug` shows audio, a digit or a key.

mod agreed;
mod capture;
mod conceal;
mod counts;
mod decode;
mod error;
mod format;
mod hearing;
mod keys;
mod leg;
mod line;
mod link;
mod media;
mod order;
mod play_out;
mod ports;
mod record;
mod reports;
mod srtp;
mod worker;

#[cfg(test)]
mod tests;

pub use agreed::LegAgreed;
pub use capture::{Capture, Direction, Packet};
pub use counts::MediaCounts;
pub use error::MediaError;
pub use format::{AudioFormat, Coding};
pub use keys::{SrtpKey, SrtpKeys, SrtpSuite};
pub use leg::{Heard, LegControl, MediaLeg};
pub use line::Line;
pub use media::{Media, MediaPort, MediaSettings};
