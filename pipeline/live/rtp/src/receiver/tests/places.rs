//! Places of audio.

use proptest::prelude::*;

use super::*;

/// Places of packets behind this sequence number and timestamp, by what they are more, and when they come, ms.
fn places(first: (u16, u32), packets: &[(u16, u32, u64)]) -> (Vec<Option<u64>>, Stats) {
    let mut receiver = Receiver::new(&given(), OPENED_US);
    let (sequence, timestamp) = first;
    let take = |(n, ticks, ms): &(u16, u32, u64)| {
        let packet = audio(sequence.wrapping_add(*n), timestamp.wrapping_add(*ticks));
        at(receiver.take(address(1), &packet, OPENED_US + ms * 1_000))
    };
    let places = packets.iter().map(take).collect();
    (places, receiver.stats())
}

#[test]
fn places_of_packets() {
    type Case<'c> = (&'static str, &'c [(u16, u32, u64)], &'c [Option<u64>]);
    let cases: &[Case<'_>] = &[
        (
            "one after the other, from when the first came",
            &[(0, 0, 100), (1, 160, 120), (2, 320, 140)],
            &[Some(800), Some(960), Some(1_120)],
        ),
        (
            "lost, overtaken and twice",
            &[
                (0, 0, 100),
                (2, 320, 140),
                (1, 160, 145),
                (1, 160, 146),
                (4, 640, 180),
            ],
            &[Some(800), Some(1_120), Some(960), None, Some(1_440)],
        ),
        (
            "the first was overtaken",
            &[(1, 160, 120), (0, 0, 121), (2, 320, 140)],
            &[Some(960), Some(800), Some(1_120)],
        ),
        (
            "silence is not sent",
            &[(0, 0, 0), (1, 160, 20), (2, 16_160, 2_020)],
            &[Some(0), Some(160), Some(16_160)],
        ),
        (
            "timestamps stand still on hold",
            &[(0, 0, 0), (1, 160, 20), (2, 320, 10_040), (3, 480, 10_060)],
            &[Some(0), Some(160), Some(80_320), Some(80_480)],
        ),
        (
            "the network stands still, and all comes at once",
            &[
                (0, 0, 0),
                (1, 160, 20),
                (2, 320, 440),
                (3, 480, 440),
                (4, 640, 441),
            ],
            &[Some(0), Some(160), Some(320), Some(480), Some(640)],
        ),
        (
            "timestamps jump",
            &[
                (0, 0, 0),
                (1, 160, 20),
                (2, 9_999_999, 40),
                (3, 10_000_159, 60),
                (4, 5, 80),
            ],
            &[Some(0), Some(160), Some(320), Some(480), Some(640)],
        ),
        (
            "overtaken by a jump",
            &[
                (0, 0, 0),
                (2, 9_999_999, 40),
                (1, 160, 41),
                (3, 10_000_159, 60),
            ],
            &[Some(0), Some(320), Some(160), Some(480)],
        ),
        (
            "timestamps do not move at all",
            &[(0, 0, 0), (1, 0, 20), (2, 0, 40)],
            &[Some(0), Some(160), Some(320)],
        ),
        (
            "overtaken, with a place that is taken",
            &[(0, 0, 0), (2, 320, 40), (1, 100, 41), (3, 480, 60)],
            &[Some(0), Some(320), None, Some(480)],
        ),
        (
            "sequence numbers begin anew",
            &[
                (0, 0, 0),
                (1, 160, 20),
                (30_000, 50_000, 40),
                (30_001, 50_160, 60),
                (30_002, 50_320, 80),
            ],
            &[Some(0), Some(160), None, Some(480), Some(640)],
        ),
        (
            "a minute is lost, with timestamps of it",
            &[(0, 0, 0), (2_500, 400_000, 50_000)],
            &[Some(0), Some(400_000)],
        ),
    ];
    for (what, packets, expected) in cases {
        // Whatever they begin with, and where numbers begin again.
        for first in [(0, 0), (65_535, u32::MAX), (65_534, u32::MAX - 200)] {
            let (told, stats) = places(first, packets);
            assert_eq!(told, *expected, "{what}: {stats:?}");
        }
    }
}

#[test]
fn what_is_counted() {
    let hold: &[(u16, u32, u64)] = &[(0, 0, 0), (1, 160, 20), (2, 320, 10_040)];
    let (_, stats) = places((0, 0), hold);
    assert_eq!((stats.silence_gaps, stats.clock_jumps), (1, 1));
    let silence: &[(u16, u32, u64)] = &[(0, 0, 0), (1, 160, 20), (2, 8_000, 1_000)];
    let (_, stats) = places((0, 0), silence);
    assert_eq!((stats.silence_gaps, stats.clock_jumps), (1, 0));
    let loss: &[(u16, u32, u64)] = &[(0, 0, 0), (1, 160, 20), (30, 4_800, 600)];
    let (_, stats) = places((0, 0), loss);
    assert_eq!((stats.silence_gaps, stats.lost), (0, 28));
}

/// Numbers of packets with when they come, ms, in the order they come; each is sent 20 ms after the one before.
fn arrivals(n: u16, waits_ms: &[u64]) -> Vec<(u16, u64)> {
    let waits = waits_ms.iter().cycle();
    let mut arrivals: Vec<_> = (0..n)
        .zip(waits)
        .map(|(number, wait_ms)| (number, 1_000 + u64::from(number) * 20 + wait_ms))
        .collect();
    arrivals.sort_by_key(|(number, ms)| (*ms, *number));
    arrivals
}

fn packets(arrivals: &[(u16, u64)]) -> Vec<(u16, u32, u64)> {
    let packet = |(number, ms): &(u16, u64)| (*number, u32::from(*number) * 160, *ms);
    arrivals.iter().map(packet).collect()
}

proptest! {
    /// Order, loss and what comes twice change no place; numbers and timestamps may begin again.
    #[test]
    fn places_are_those_of_timestamps(
        sequence in any::<u16>(),
        timestamp in any::<u32>(),
        swaps in proptest::collection::vec((0_usize..99, 1_usize..8), 0..40),
        lost in proptest::collection::vec(0_u16..100, 0..30),
        twice in proptest::collection::vec(0_usize..60, 0..10),
    ) {
        let mut order: Vec<u16> = (0..100).collect();
        for (idx, by) in swaps {
            order.swap(idx, (idx + by).min(99));
        }
        // As far as sequence numbers may be behind.
        prop_assume!(order.iter().enumerate().all(|(idx, number)| idx.abs_diff(usize::from(*number)) < 20));
        order.retain(|number| !lost.contains(number));
        prop_assume!(order.len() > 60);
        for idx in twice {
            order.insert(idx + 1, order[idx]);
        }
        let packets: Vec<_> = order
            .iter()
            .enumerate()
            .map(|(idx, number)| (*number, u32::from(*number) * 160, 1_000 + idx as u64 * 20))
            .collect();
        let (told, stats) = places((sequence, timestamp), &packets);
        let first = 8_000 - i64::from(order[0]) * 160;
        let mut seen = Vec::new();
        for (number, place) in order.iter().zip(told) {
            let expected = (!seen.contains(number)).then_some((first + i64::from(*number) * 160) as u64);
            prop_assert_eq!(place, expected, "{}: {:?}", number, stats);
            seen.push(*number);
        }
    }

    #[test]
    fn jitter_of_100_ms_changes_no_place(waits_ms in proptest::collection::vec(0_u64..100, 200)) {
        let arrivals = arrivals(200, &waits_ms);
        let (told, stats) = places((65_500, u32::MAX - 9_999), &packets(&arrivals));
        let (first, first_ms) = arrivals[0];
        for ((number, _), place) in arrivals.iter().zip(told) {
            let frame = first_ms * 8 / 80 * 80;
            let expected = frame + u64::from(*number) * 160 - u64::from(first) * 160;
            prop_assert_eq!(place, Some(expected), "{}: {:?}", number, stats);
        }
    }

    /// For a minute, in which the leg may be found to be ahead.
    #[test]
    fn jitter_of_100_ms_moves_nothing_far(waits_ms in proptest::collection::vec(0_u64..100, 500)) {
        let arrivals = arrivals(3_000, &waits_ms);
        let (told, stats) = places((0, 0), &packets(&arrivals));
        for ((number, _), place) in arrivals.iter().zip(&told) {
            let sent = 8_000 + i64::from(*number) * 160;
            let off = place.map_or(0, |place| place as i64 - sent);
            prop_assert!((-160..=1_000).contains(&off), "{number}: {off}, {stats:?}");
        }
        prop_assert!(are_apart(told.into_iter().flatten().collect()));
        prop_assert!(stats.refused.total() < 8, "{stats:?}");
    }

    /// Whatever is sent, by whoever: it is placed apart, or not at all.
    #[test]
    fn any_packets_are_placed_apart(
        packets in proptest::collection::vec(
            (0_u16..300, prop_oneof![0_u32..60_000, any::<u32>()], 0_u64..400_000, 0_u32..3, 1_u8..3),
            0..300,
        ),
    ) {
        let config = ReceiverConfig::default();
        let mut receiver = Receiver::new(&config, OPENED_US);
        let mut now_us = 0;
        let mut places = Vec::new();
        for (sequence, timestamp, step_us, ssrc, from) in packets {
            now_us += step_us;
            let mut packet = audio(sequence, timestamp);
            packet.header.ssrc = ssrc;
            places.extend(at(receiver.take(address(from), &packet, now_us)));
        }
        prop_assert!(are_apart(places));
        let stats = receiver.stats();
        prop_assert!(stats.received <= stats.expected);
        prop_assert!(stats.jitter_ms.is_finite() && stats.burst_ratio >= 1.0);
    }
}
