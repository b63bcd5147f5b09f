//! A worker that is turned by a test.

use std::sync::Arc;
use std::time::{Duration, Instant};

use auricle_rtp::rtcp::{RtcpPacket, read_rtcp};

use super::*;
use crate::MediaCounts;
use crate::hearing::Hearing;
use crate::link::{Command, Link, Shared};
use crate::ports::Pool;
use crate::record::{RecordReader, records};
use crate::reports::Reports;
use crate::worker::{Worker, WorkerLeg, epoll};

/// A worker with one leg, on port 40,000 of its test's address.
pub(super) struct Turned {
    pub(super) worker: Worker,
    pub(super) link: Arc<Link>,
    pub(super) shared: Arc<Shared>,
    pub(super) reader: RecordReader,
    pub(super) pool: Arc<Pool>,
}

pub(super) const PORT: u16 = 40_000;

impl Turned {
    pub(super) fn new(test: u8, agreed: LegAgreed) -> Self {
        let pool = Arc::new(Pool::new(ip(test, 1), PORT..=PORT + 1, 1 << 16).unwrap());
        let link = Arc::new(Link::new(1).unwrap());
        let worker = Worker::new(Arc::clone(&link), epoll(&link).unwrap());
        let (writer, reader) = records();
        let shared = Arc::new(Shared::new(Arc::clone(&link), PORT));
        let hearing = Hearing::new(agreed, 8_000, writer, Reports::new());
        let pair = pool.take().unwrap();
        let leg = WorkerLeg::new(hearing, pair, Arc::clone(&shared), Instant::now());
        link.tell(Command::Hear(leg));
        let mut turned = Self {
            worker,
            link,
            shared,
            reader,
            pool,
        };
        turned.worker.turn();
        turned
    }

    pub(super) fn counts(&self) -> MediaCounts {
        let mut counts = MediaCounts::default();
        self.link.counts.add_to(&mut counts);
        counts
    }

    /// Turns until so many datagrams were read.
    pub(super) fn turn_until(&mut self, n_datagrams: u64) {
        let until = Instant::now() + Duration::from_secs(10);
        while self.counts().datagrams < n_datagrams {
            assert!(Instant::now() < until, "{:?}", self.counts());
            self.worker.turn();
        }
    }

    fn n_told(&mut self) -> usize {
        std::iter::from_fn(|| self.reader.next().map(|_| ())).count()
    }
}

#[test]
fn a_report_comes_back() {
    let mut turned = Turned::new(1, agreed(1));
    let (rtp, rtcp) = (sender(1, 2), sender(1, 2));
    rtp.send_to(&audio(PCMA, 1), (ip(1, 1), PORT)).unwrap();
    turned.turn_until(1);
    let mut report = vec![0x80, 200, 0, 6];
    report.extend_from_slice(&SSRC.to_be_bytes());
    report.extend_from_slice(&[0; 20]);
    rtcp.send_to(&report, (ip(1, 1), PORT + 1)).unwrap();
    turned.turn_until(2);
    turned.worker.tick(Instant::now() + Duration::from_secs(9));
    rtcp.set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut bytes = [0; 1_000];
    let (n_bytes, from) = rtcp.recv_from(&mut bytes).unwrap();
    assert_eq!((from.ip(), from.port()), (ip(1, 1), PORT + 1));
    let first = read_rtcp(&bytes[..n_bytes]).next();
    assert!(matches!(first, Some(Ok(RtcpPacket::ReceiverReport { .. }))));
    assert_eq!(turned.shared.line().stats.received, 1);
}

#[test]
fn what_is_too_long_is_counted_and_hides_nothing() {
    let mut turned = Turned::new(2, agreed(2));
    let rtp = sender(2, 2);
    let long = packet(PCMA, 1, 160, &[0; 3_000]);
    for datagram in [&audio(PCMA, 0), &long, &Vec::new(), &audio(PCMA, 2)] {
        rtp.send_to(datagram, (ip(2, 1), PORT)).unwrap();
    }
    turned.turn_until(4);
    let counts = turned.counts();
    assert_eq!(counts.unreadable, 2, "{counts:?}");
    assert_eq!(turned.n_told(), 2);
}

#[test]
fn a_leg_that_is_closed_hears_what_is_on_its_way() {
    let mut turned = Turned::new(3, agreed(3));
    assert_eq!(turned.pool.n_used(), 1);
    let rtp = sender(3, 2);
    rtp.send_to(&audio(PCMA, 1), (ip(3, 1), PORT)).unwrap();
    turned.shared.close();
    turned.turn_until(1);
    turned.worker.turn();
    turned
        .worker
        .tick(Instant::now() + Duration::from_millis(150));
    assert!(turned.reader.is_over());
    assert_eq!(turned.n_told(), 1);
    assert_eq!(turned.pool.n_used(), 0);
    assert_eq!(turned.shared.line().stats.received, 1);
}

#[test]
fn a_leg_told_to_a_worker_that_ended_is_over() {
    let turned = Turned::new(4, agreed(4));
    turned.link.end();
    turned.worker.run();
    assert!(turned.reader.is_over());
    let (writer, reader) = records();
    let shared = Arc::new(Shared::new(Arc::clone(&turned.link), PORT));
    let hearing = Hearing::new(agreed(4), 8_000, writer, Reports::new());
    let pair = turned.pool.take().unwrap();
    let leg = WorkerLeg::new(hearing, pair, shared, Instant::now());
    turned.link.tell(Command::Hear(leg));
    assert!(reader.is_over());
    assert_eq!(turned.pool.n_used(), 0);
}
