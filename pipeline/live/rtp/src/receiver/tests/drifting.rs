//! Senders whose clocks are not ours.

use super::*;

/// Five minutes of a sender whose clock is so many millionths fast; with pauses, of each 120 packets the last twenty are silence
/// that is not sent. How far places are from arrival at most, ticks, and what was counted.
fn hear(ppm: i64, n_spoken: u32) -> (u64, Stats) {
    let mut receiver = Receiver::new(&given(), OPENED_US);
    let (mut most_off, mut sequence, mut places) = (0, 0_u16, Vec::new());
    for number in 0..15_000_u32 {
        if number % 120 >= n_spoken {
            continue;
        }
        let sent_us = i64::from(number) * 20_000;
        let passed_us = (sent_us - sent_us * ppm / 1_000_000).unsigned_abs();
        sequence = sequence.wrapping_add(1);
        let packet = audio(sequence, number * 160);
        let received = receiver.take(address(1), &packet, OPENED_US + passed_us);
        if let Some(place) = at(received) {
            most_off = place.abs_diff(passed_us / 125).max(most_off);
            places.push(place);
        }
    }
    assert!(are_apart(places), "{ppm}");
    (most_off, receiver.stats())
}

#[test]
fn a_leg_stays_near_the_clock() {
    const ALL: u32 = 120;
    const WITH_PAUSES: u32 = 100;
    for ppm in [-1_000, -200, 200, 1_000] {
        for n_spoken in [ALL, WITH_PAUSES] {
            let (most_off, stats) = hear(ppm, n_spoken);
            let case = (ppm, n_spoken, most_off, stats);
            assert!(most_off < 800, "{case:?}");
            assert!(stats.corrections > 0, "{case:?}");
            assert_eq!(stats.clock_jumps, 0, "{case:?}");
            let skew_ppm = stats.skew_ppm.unwrap();
            assert!((skew_ppm - ppm as f64).abs() < 20.0, "{case:?}");
            // Audio is left out only where there is no pause to make shorter.
            let n_skipped = stats.refused.of(Refusal::Skipped);
            let is_cut = ppm > 0 && n_spoken == ALL;
            assert_eq!(n_skipped > 0, is_cut, "{case:?}");
        }
    }
}

#[test]
fn a_leg_that_keeps_time_is_left_alone() {
    let (most_off, stats) = hear(0, 120);
    assert_eq!((most_off, stats.corrections), (0, 0));
    assert_eq!(stats.skew_ppm, Some(0.0));
    assert_eq!(stats.refused.total(), 0);
    // What drifts so slowly stays within 40 ms.
    let (most_off, stats) = hear(50, 120);
    assert!(most_off <= 320, "{most_off}");
    assert_eq!(stats.corrections, 0);
}
