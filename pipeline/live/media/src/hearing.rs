//! One leg as its worker hears it: datagrams in, records out. It knows no sockets and no clock.
//!
//! ```text
//! datagram -> SRTP -> RTP -> receiver -> records
//!                  -> RTCP -> receiver
//! ```

use std::net::SocketAddr;

use auricle_rtp::rtcp::{RtcpPacket, SenderReport, read_rtcp};
use auricle_rtp::{Digit, Digits, Received, Receiver, RtpPacket, Stats, is_rtcp};

use crate::agreed::LegAgreed;
use crate::counts::Tally;
use crate::line::HeardLine;
use crate::record::{Record, RecordWriter};
use crate::reports::{ReportBuffer, Reports};
use crate::srtp::Srtp;

/// To which socket a datagram came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// RTP, and RTCP where it comes there.
    Rtp,
    /// RTCP alone.
    Rtcp,
}

/// Who is heard.
#[derive(Clone, Copy, Debug)]
struct Speaker {
    ssrc: u32,
    from: SocketAddr,
}

/// One leg. Times are microseconds after its call was opened.
pub(crate) struct Hearing {
    agreed: LegAgreed,
    leg_hz: u32,
    receiver: Receiver,
    /// Of the receivers before it.
    earlier: Stats,
    digits: Digits,
    srtp: Option<Srtp>,
    speaker: Option<Speaker>,
    records: RecordWriter,
    /// What was agreed has still to be put into the ring: all else waits behind it.
    owes_agreed: Option<LegAgreed>,
    reports: Reports,
    tally: Tally,
    first_us: Option<u64>,
    last_us: Option<u64>,
}

impl Hearing {
    /// A leg of this rate. Its reader knows what was agreed at first.
    pub(crate) fn new(
        agreed: LegAgreed,
        leg_hz: u32,
        records: RecordWriter,
        reports: Reports,
    ) -> Self {
        Self {
            leg_hz,
            receiver: Receiver::new(&agreed.receiver_config(leg_hz), 0),
            earlier: Stats::default(),
            digits: Digits::new(agreed.clock_hz),
            srtp: agreed.srtp.as_ref().and_then(Srtp::new),
            speaker: None,
            records,
            owes_agreed: None,
            reports,
            tally: Tally::default(),
            first_us: None,
            last_us: None,
            agreed,
        }
    }

    /// Takes what a call has agreed anew. What did not change goes on: keys with what came under them, a receiver with its
    /// source. A new receiver places packets by when they come, on the same clock.
    pub(crate) fn agree(&mut self, agreed: LegAgreed) {
        if self.agreed.srtp != agreed.srtp {
            self.srtp = agreed.srtp.as_ref().and_then(Srtp::new);
            // Reports are numbered from 1 again: under another source, so that no number comes twice under one key.
            self.reports.rename();
        }
        if !self.agreed.is_heard_as(&agreed) {
            self.end_digit();
            self.earlier = self.stats();
            self.receiver = Receiver::new(&agreed.receiver_config(self.leg_hz), 0);
            self.digits = Digits::new(agreed.clock_hz);
            self.speaker = None;
            self.owes_agreed = Some(agreed.clone());
        }
        self.agreed = agreed;
    }

    /// Takes a datagram; it is decrypted where it lies.
    pub(crate) fn take(
        &mut self,
        channel: Channel,
        from: SocketAddr,
        datagram: &mut [u8],
        now_us: u64,
    ) {
        match channel == Channel::Rtcp || is_rtcp(datagram) {
            true => self.take_rtcp(from, datagram, now_us),
            false => self.take_rtp(from, datagram, now_us),
        }
    }

    /// Notes a datagram that was longer than any of ours.
    pub(crate) fn take_cut(&mut self) {
        count(&mut self.tally.unreadable);
    }

    /// To be asked when time has passed: tells a digit whose end was lost.
    pub(crate) fn check_time(&mut self, now_us: u64) {
        if let Some(digit) = self.digits.check_time(now_us) {
            self.push_digit(digit);
        }
    }

    /// Nothing else comes: tells the last digit.
    pub(crate) fn end_digit(&mut self) {
        self.check_time(u64::MAX);
    }

    /// A receiver report that is due, and where it goes.
    pub(crate) fn report<'b>(
        &mut self,
        now_us: u64,
        buffer: &'b mut ReportBuffer,
    ) -> Option<(SocketAddr, &'b [u8])> {
        let to = self.reports.due(self.agreed.rtcp_to, now_us)?;
        let block = self.receiver.report(now_us)?;
        let n_bytes = self.reports.write(buffer, &block)?;
        let n_bytes = match (&mut self.srtp, &self.agreed.srtp) {
            (Some(srtp), _) => srtp.seal_rtcp(buffer, n_bytes)?,
            (None, None) => n_bytes,
            (None, Some(_)) => return None,
        };
        Some((to, buffer.get(..n_bytes)?))
    }

    /// Whether reports are sent from the port of RTP.
    pub(crate) const fn is_muxed(&self) -> bool {
        self.agreed.rtcp_muxed
    }

    /// What was counted so far.
    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What is known of the line.
    pub(crate) fn line(&self) -> HeardLine {
        HeardLine {
            stats: self.stats(),
            tally: self.tally,
            first_packet_ms: self.first_us.map(|us| us / 1_000),
            last_packet_ms: self.last_us.map(|us| us / 1_000),
        }
    }

    fn stats(&self) -> Stats {
        self.earlier.followed_by(&self.receiver.stats())
    }

    fn take_rtp(&mut self, from: SocketAddr, datagram: &mut [u8], now_us: u64) {
        let opened = match (&mut self.srtp, &self.agreed.srtp) {
            (Some(srtp), _) => srtp.open_rtp(datagram),
            (None, None) => Some(&*datagram),
            (None, Some(_)) => None,
        };
        let Some(plain) = opened else {
            count(&mut self.tally.unauthentic);
            return;
        };
        let Ok(packet) = RtpPacket::parse(plain) else {
            count(&mut self.tally.unreadable);
            return;
        };
        let received = self.receiver.take(from, &packet, now_us);
        if !matches!(received, Received::Refused(_)) {
            let ssrc = packet.header.ssrc;
            self.note_heard(Speaker { ssrc, from }, now_us);
        }
        match received {
            Received::Heard {
                at,
                pause_from,
                payload_type,
                payload,
            } => {
                if let Some(at) = pause_from {
                    self.push_pause(at);
                }
                self.push(&Record::Audio {
                    at,
                    payload_type,
                    payload,
                });
            }
            Received::ComfortNoise { at, .. } => self.push(&Record::Silence { at }),
            Received::Event(event) => {
                for digit in self.digits.take(&event, now_us) {
                    self.push_digit(digit);
                }
            }
            Received::Refused(_) => {}
        }
    }

    fn note_heard(&mut self, speaker: Speaker, now_us: u64) {
        self.speaker = Some(speaker);
        self.first_us.get_or_insert(now_us);
        self.last_us = Some(now_us);
        self.reports.note_heard(now_us);
    }

    fn take_rtcp(&mut self, from: SocketAddr, datagram: &mut [u8], now_us: u64) {
        let opened = match (&mut self.srtp, &self.agreed.srtp) {
            (Some(srtp), _) => srtp.open_rtcp(datagram),
            (None, None) => Some(&*datagram),
            (None, Some(_)) => None,
        };
        let Some(plain) = opened else {
            count(&mut self.tally.unauthentic);
            return;
        };
        // Who only knows the SSRC could end the source, or have reports sent to somebody else.
        let is_near = |speaker: Speaker| speaker.from.ip() == from.ip();
        let is_theirs = self.srtp.is_some() || self.speaker.is_some_and(is_near);
        for packet in read_rtcp(plain) {
            match packet {
                Ok(RtcpPacket::SenderReport { sent, .. }) if is_theirs => {
                    self.take_sender_report(from, &sent, now_us);
                }
                Ok(RtcpPacket::Goodbye(goodbye)) if is_theirs => {
                    for ssrc in goodbye.ssrcs() {
                        self.receiver.take_goodbye(ssrc);
                    }
                }
                Ok(_) => {}
                Err(_) => count(&mut self.tally.unreadable),
            }
        }
    }

    fn take_sender_report(&mut self, from: SocketAddr, sent: &SenderReport, now_us: u64) {
        self.receiver.take_sender_report(sent, now_us);
        if self.speaker.is_some_and(|it| it.ssrc == sent.ssrc) {
            self.reports.note_sender(from);
        }
    }

    fn push_digit(&mut self, digit: Digit) {
        self.push(&Record::Digit(digit));
    }

    /// Tells that nothing is missing before the next packet; without room that packet only waits for others.
    fn push_pause(&mut self, at: u64) {
        if self.push_agreed().is_some() {
            let _ = self.records.push(&Record::Silence { at });
        }
    }

    /// Puts a record into the ring, behind what was agreed before it; counts it where there is no room.
    fn push(&mut self, record: &Record<'_>) {
        if self.push_agreed().is_none() || self.records.push(record).is_err() {
            count(&mut self.tally.no_room);
        }
    }

    /// `None`: there is no room for what was agreed.
    fn push_agreed(&mut self) -> Option<()> {
        let Some(agreed) = self.owes_agreed.take() else {
            return Some(());
        };
        let pushed = self.records.push(&Record::Agreed {
            clock_hz: agreed.clock_hz,
            formats: agreed.formats.clone(),
        });
        if pushed.is_err() {
            self.owes_agreed = Some(agreed);
            return None;
        }
        Some(())
    }
}

fn count(n: &mut u64) {
    *n = n.saturating_add(1);
}
