//! Audio as RTP at the pace of speech, and what may happen to it on its way.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Bytes of a packet's audio: 20 ms of G.711.
pub(crate) const PIECE: usize = 160;
const PACE: Duration = Duration::from_millis(20);
/// Payload type of PCMU (RFC 3551, table 4).
const PCMU: u8 = 0;

/// What happens to packets on their way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    pub(crate) lost_percent: u32,
    /// Packets come up to so many pieces later than they were sent.
    pub(crate) most_late: u32,
    /// Where the row of accidents begins; not 0.
    pub(crate) seed: u32,
}

impl Trouble {
    pub(crate) const NONE: Self = Self {
        lost_percent: 0,
        most_late: 0,
        seed: 1,
    };

    /// A number below this one (xorshift, 13, 17, 5).
    fn below(&mut self, most: u32) -> u32 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 17;
        self.seed ^= self.seed << 5;
        self.seed % most
    }
}

/// What one party says.
pub(crate) struct Stream {
    socket: UdpSocket,
    to: SocketAddr,
    source: u32,
    sequence: u16,
    timestamp: u32,
    trouble: Trouble,
    /// Packets on their way, and the piece with which they come.
    under_way: Vec<(u32, Vec<u8>)>,
    n_pieces: u32,
}

impl Stream {
    pub(crate) fn new(source: u32) -> Self {
        Self {
            socket: UdpSocket::bind("127.0.0.1:0").unwrap(),
            to: ([127, 0, 0, 1], 9).into(),
            source,
            // It runs over while a test speaks.
            sequence: u16::MAX - 20,
            timestamp: u32::MAX - 20_000,
            trouble: Trouble::NONE,
            under_way: Vec::new(),
            n_pieces: 0,
        }
    }

    /// Where it sends from: what an offer tells.
    pub(crate) fn port(&self) -> u16 {
        self.socket.local_addr().unwrap().port()
    }

    /// Where it sends to: what an answer told.
    pub(crate) fn send_to(&mut self, port: u16) {
        self.to.set_port(port);
    }

    pub(crate) fn sends_to(&self) -> u16 {
        self.to.port()
    }

    pub(crate) fn spoil(&mut self, trouble: Trouble) {
        self.trouble = trouble;
    }

    /// A packet of another kind, or that is none, beside the audio.
    pub(crate) fn send(&self, bytes: &[u8]) {
        self.socket.send_to(bytes, self.to).unwrap();
    }

    /// A packet of this payload type that comes behind the last one (RFC 3550, section 5.1).
    pub(crate) fn packet(&self, payload_type: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x80, payload_type];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.source.to_be_bytes());
        packet.extend(payload);
        packet
    }

    /// A packet of another payload type in place of audio.
    pub(crate) fn send_otherwise(&mut self, payload_type: u8, payload: &[u8]) {
        self.send(&self.packet(payload_type, payload));
        self.sequence = self.sequence.wrapping_add(1);
    }

    fn say(&mut self, piece: &[u8]) {
        let packet = self.packet(PCMU, piece);
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(PIECE as u32);
        if self.trouble.below(100) >= self.trouble.lost_percent {
            let late = self.trouble.below(self.trouble.most_late + 1);
            self.under_way.push((self.n_pieces + late, packet));
        }
        self.arrive();
        self.n_pieces += 1;
    }

    /// What has come by now.
    fn arrive(&mut self) {
        let here = self.n_pieces;
        let under_way = std::mem::take(&mut self.under_way).into_iter();
        let (come, still): (Vec<_>, Vec<_>) = under_way.partition(|(at, _)| *at <= here);
        self.under_way = still;
        for (_, packet) in come {
            self.send(&packet);
        }
    }

    /// All that is still under way.
    fn arrive_all(&mut self) {
        self.n_pieces = u32::MAX;
        self.arrive();
        self.n_pieces = 0;
    }

    /// Time in which nothing is sent: the next packet's timestamp lies as much later.
    pub(crate) fn pause(&mut self, length: Duration) {
        let samples = length.as_millis() as u32 * 8;
        self.timestamp = self.timestamp.wrapping_add(samples);
    }
}

/// Speaks at the pace of speech: each stream its µ-law, all from their beginning on.
pub(crate) fn speak(streams: &mut [Stream], audio: &[&[u8]]) {
    let n_pieces = audio
        .iter()
        .map(|of_one| of_one.len().div_ceil(PIECE))
        .max();
    let began = Instant::now();
    for number in 0..n_pieces.unwrap_or_default() {
        let due = PACE * number as u32;
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        for (stream, of_one) in streams.iter_mut().zip(audio) {
            if let Some(piece) = of_one.chunks(PIECE).nth(number) {
                stream.say(piece);
            }
        }
    }
    std::thread::sleep(PACE);
    for stream in streams {
        stream.arrive_all();
    }
}
