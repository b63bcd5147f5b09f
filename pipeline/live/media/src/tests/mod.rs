//! Legs with and without sockets.

mod allocation;
mod capture;
mod hearing;
mod sockets;
mod worker;

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use auricle_rtp::{RtpHeader, Source, write_header};
use smallvec::smallvec;

use crate::{AudioFormat, LegAgreed};

const SSRC: u32 = 0xa11c_e000;
const PCMU: u8 = 0;
const PCMA: u8 = 8;
const EVENTS: u8 = 101;
/// Samples of 20 ms.
const PACKET: usize = 160;

/// An address of this machine that no other test uses; 1 listens, others send.
fn ip(test: u8, number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 77, test, number))
}

fn sender(test: u8, number: u8) -> UdpSocket {
    UdpSocket::bind((ip(test, number), 0)).unwrap()
}

/// G.711 from sender 2, A-law alone.
fn agreed(test: u8) -> LegAgreed {
    LegAgreed {
        source: Source::Given(ip(test, 2)),
        formats: smallvec![(PCMA, AudioFormat::Pcma)],
        comfort_noise: Some(13),
        events: Some(EVENTS),
        clock_hz: 8_000,
        srtp: None,
        rtcp_to: None,
        rtcp_muxed: false,
    }
}

fn packet(payload_type: u8, sequence: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let header = RtpHeader {
        marker: false,
        payload_type,
        sequence,
        timestamp,
        ssrc: SSRC,
    };
    [&write_header(&header)[..], payload].concat()
}

/// 20 ms that can be told from any other, of the packets near it.
fn audio(payload_type: u8, sequence: u16) -> Vec<u8> {
    let timestamp = u32::from(sequence) * PACKET as u32;
    packet(payload_type, sequence, timestamp, &[sequence as u8; PACKET])
}
