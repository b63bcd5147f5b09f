//! What a packet costs.

use std::sync::Arc;
use std::time::Duration;

use super::worker::{PORT, Turned};
use super::*;
use crate::LegControl;

/// Until everything was there once.
const WARM_UP: u16 = 50;
/// With the warm-up fewer than are a flood.
const N_PACKETS: u16 = 450;

#[test]
fn a_packet_costs_no_allocation_in_its_worker() {
    let (mut n_told, mut n_allocations) = (0, 0);
    // So many legs that a thousand packets are heard.
    for test in 5..8 {
        let mut turned = Turned::new(test, agreed(test));
        // Whether a leg is captured is no matter.
        let control = LegControl::new(Arc::clone(&turned.shared));
        let mut capture = (test == 6)
            .then(|| control.capture(Duration::from_secs(60)))
            .flatten();
        let rtp = sender(test, 2);
        for sequence in 0..N_PACKETS {
            let sent = rtp.send_to(&audio(PCMA, sequence), (ip(test, 1), PORT));
            sent.unwrap();
            // A turn may be one of the clock alone.
            while turned.counts().datagrams <= u64::from(sequence) {
                let measured = allocation_counter::measure(|| turned.worker.turn());
                if sequence >= WARM_UP {
                    n_allocations += measured.count_total;
                }
            }
            while turned.reader.next().is_some() {
                n_told += 1;
            }
        }
        if let Some(capture) = &mut capture {
            let packets = std::iter::from_fn(|| capture.next_packet().map(|_| ()));
            assert!(packets.count() >= usize::from(N_PACKETS - WARM_UP));
        }
    }
    assert_eq!(n_told, 3 * u32::from(N_PACKETS));
    assert_eq!(n_allocations, 0);
}
