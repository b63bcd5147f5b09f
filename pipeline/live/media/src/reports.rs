//! When a leg tells its sender what it hears. RFC 3550, sections 6.2 and 6.3.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::SocketAddr;

use auricle_rtp::rtcp::{MOST_REPORT_BYTES, ReportBlock, write_receiver_report};

use crate::srtp::MOST_RTCP_MORE_BYTES;

/// Between two reports, on the average (RFC 3550, section 6.2).
const INTERVAL_US: u64 = 5_000_000;

/// Room for a report, encrypted.
pub(crate) type ReportBuffer = [u8; MOST_REPORT_BYTES + MOST_RTCP_MORE_BYTES];

/// The reports of one leg.
pub(crate) struct Reports {
    ssrc: u32,
    /// Who tells: a number that says nothing about us (RFC 7022, section 4.2).
    cname: String,
    random: u64,
    /// Not before something was heard.
    due_us: Option<u64>,
    /// Something was heard since the last report.
    has_news: bool,
    /// Where the reports of the source that is heard come from.
    sender: Option<SocketAddr>,
}

impl Reports {
    /// With a name by chance.
    pub(crate) fn new() -> Self {
        // Keys of the standard library's tables are random enough for what only must not be the same twice.
        let hasher = RandomState::new().build_hasher();
        let mut reports = Self {
            ssrc: 0,
            cname: String::new(),
            random: hasher.finish() | 1,
            due_us: None,
            has_news: false,
            sender: None,
        };
        reports.rename();
        reports
    }

    /// Another source from now on.
    pub(crate) fn rename(&mut self) {
        self.ssrc = self.next_random() as u32;
        self.cname = format!("{:016x}", self.next_random());
    }

    /// Something was heard.
    pub(crate) fn note_heard(&mut self, now_us: u64) {
        self.has_news = true;
        if self.due_us.is_none() {
            // The first comes sooner (RFC 3550, section 6.2).
            let interval_us = self.interval_us();
            self.due_us = Some(now_us.saturating_add(interval_us / 2));
        }
    }

    /// The source that is heard reported from there.
    pub(crate) const fn note_sender(&mut self, from: SocketAddr) {
        self.sender = Some(from);
    }

    /// Where a report is to go, if one is due: to where it was agreed, else to the sender.
    pub(crate) fn due(&mut self, agreed: Option<SocketAddr>, now_us: u64) -> Option<SocketAddr> {
        let to = agreed.or(self.sender)?;
        let is_due = self.due_us.is_some_and(|due_us| due_us <= now_us);
        if !is_due || !self.has_news {
            return None;
        }
        self.has_news = false;
        let interval_us = self.interval_us();
        self.due_us = Some(now_us.saturating_add(interval_us));
        Some(to)
    }

    /// Writes a report; gives its length.
    pub(crate) fn write(&self, buffer: &mut ReportBuffer, block: &ReportBlock) -> Option<usize> {
        write_receiver_report(buffer, self.ssrc, Some(block), &self.cname).ok()
    }

    /// Half of the interval to one and a half, so that not all report at once (RFC 3550, section 6.3.1).
    fn interval_us(&mut self) -> u64 {
        INTERVAL_US / 2 + self.next_random() % INTERVAL_US
    }

    /// Marsaglia's xorshift with 64 bits (Journal of Statistical Software 8, 2003): it never gives 0.
    const fn next_random(&mut self) -> u64 {
        let mut x = self.random;
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.random = x;
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    #[test]
    fn a_report_every_five_seconds_or_so() {
        let mut reports = Reports::new();
        let to = Some(address(4_001));
        assert_eq!(reports.due(to, u64::MAX), None, "nothing was heard");
        reports.note_heard(0);
        assert_eq!(reports.due(None, u64::MAX), None, "nobody asked");
        let (mut times, mut now_us) = (Vec::new(), 0);
        while now_us < 1_000_000_000 {
            reports.note_heard(now_us);
            if reports.due(to, now_us).is_some() {
                times.push(now_us);
            }
            now_us += 100_000;
        }
        assert!((1_200_000..=3_900_000).contains(&times[0]), "{times:?}");
        for pair in times.windows(2) {
            let apart = pair[1] - pair[0];
            assert!((2_500_000..=7_600_000).contains(&apart), "{apart}");
        }
        assert!((170..240).contains(&times.len()), "{}", times.len());
    }

    #[test]
    fn who_is_silent_hears_nothing() {
        let mut reports = Reports::new();
        reports.note_heard(0);
        reports.note_sender(address(5_001));
        assert_eq!(reports.due(None, 10_000_000), Some(address(5_001)));
        assert_eq!(reports.due(None, 100_000_000), None);
        reports.note_heard(100_000_000);
        let agreed = Some(address(4_001));
        assert_eq!(reports.due(agreed, 110_000_000), agreed);
    }

    #[test]
    fn names_differ() {
        let (one, mut other) = (Reports::new(), Reports::new());
        assert_ne!(one.cname, other.cname);
        let before = other.ssrc;
        other.rename();
        assert_ne!(before, other.ssrc);
    }
}
