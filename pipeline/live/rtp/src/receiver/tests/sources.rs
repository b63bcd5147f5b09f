//! Who is heard.

use proptest::prelude::*;

use super::*;

/// When, ms, from which SSRC and address, with which number, and what becomes of it.
type Step = (u64, u32, u8, u16, Option<Refusal>);

const HEARD: Option<Refusal> = None;
const PROBATION: Option<Refusal> = Some(Refusal::Probation);
const ADDRESS: Option<Refusal> = Some(Refusal::Address);
const OTHER: Option<Refusal> = Some(Refusal::Source);

/// What a source may not be heard with goes by its number, 20 ms for each.
fn check(source: Source, steps: &[Step]) -> Receiver {
    let config = ReceiverConfig {
        source,
        ..ReceiverConfig::default()
    };
    let mut receiver = Receiver::new(&config, OPENED_US);
    for (ms, ssrc, from, number, expected) in steps {
        let mut packet = audio(*number, u32::from(*number) * 160);
        packet.header.ssrc = *ssrc;
        let now_us = OPENED_US + ms * 1_000;
        let refused = match receiver.take(address(*from), &packet, now_us) {
            Received::Refused(reason) => Some(reason),
            _ => None,
        };
        assert_eq!(refused, *expected, "{source:?} at {ms} ms of {steps:?}");
    }
    receiver
}

#[test]
fn the_first_to_come_twice_in_a_row_is_heard() {
    let any = Source::AnyThenLock;
    check(any, &[(0, 1, 1, 0, PROBATION), (20, 1, 1, 1, HEARD)]);
    // Not in a row; others between.
    check(
        any,
        &[
            (0, 1, 1, 0, PROBATION),
            (20, 1, 1, 2, PROBATION),
            (30, 2, 1, 3, PROBATION),
            (31, 2, 2, 4, PROBATION),
            (32, 2, 2, 5, HEARD),
            (40, 1, 1, 3, ADDRESS),
        ],
    );
    // What was agreed is believed.
    let given = Source::Given(ip(1));
    check(given, &[(0, 1, 2, 0, ADDRESS), (20, 1, 1, 1, HEARD)]);
}

#[test]
fn what_was_agreed_is_heard_in_place_of_others() {
    let likely = Source::Likely(ip(1));
    check(likely, &[(0, 1, 1, 0, HEARD), (20, 2, 2, 7, ADDRESS)]);
    // Behind NAT it comes from elsewhere.
    let elsewhere: &[Step] = &[(0, 2, 2, 7, PROBATION), (20, 2, 2, 8, HEARD)];
    let then = |steps: &[Step]| check(likely, &[elsewhere, steps].concat());
    then(&[(40, 2, 2, 9, HEARD), (41, 3, 3, 1, ADDRESS)]);
    then(&[
        (40, 1, 1, 0, HEARD),
        (41, 2, 2, 9, ADDRESS),
        (60, 1, 1, 1, HEARD),
    ]);
    let moved = then(&[(40, 2, 1, 9, HEARD), (60, 2, 1, 10, HEARD)]);
    assert_eq!(moved.stats().address_changes, 1);
}

#[test]
fn another_source_takes_over() {
    let begun: &[Step] = &[(0, 1, 1, 0, PROBATION), (20, 1, 1, 1, HEARD)];
    let follow = |steps: &[Step]| check(Source::AnyThenLock, &[begun, steps].concat());
    // A transfer: when it is clear that nothing comes of the other any more.
    let receiver = follow(&[
        (40, 2, 1, 500, OTHER),
        (60, 2, 1, 501, OTHER),
        (80, 2, 1, 502, HEARD),
        (100, 2, 1, 503, HEARD),
        (101, 1, 1, 4, OTHER),
    ]);
    assert_eq!(receiver.stats().source_changes, 1);
    // Behind silence, at once; from another address, after two.
    follow(&[(300, 2, 1, 500, HEARD), (320, 2, 1, 501, HEARD)]);
    follow(&[
        (300, 2, 2, 500, ADDRESS),
        (320, 2, 2, 501, HEARD),
        (340, 2, 2, 502, HEARD),
    ]);
    // In the midst, from anywhere: never.
    follow(&[
        (21, 2, 1, 500, OTHER),
        (22, 2, 1, 501, OTHER),
        (23, 2, 1, 502, OTHER),
        (24, 2, 2, 502, ADDRESS),
        (25, 2, 2, 503, ADDRESS),
        (40, 1, 1, 2, HEARD),
        (41, 2, 1, 503, OTHER),
        (60, 1, 1, 3, HEARD),
    ]);
}

#[test]
fn a_source_that_said_goodbye_is_followed_at_once() {
    let mut receiver = Receiver::new(&given(), OPENED_US);
    assert!(at(receiver.take(address(1), &audio(0, 0), OPENED_US)).is_some());
    receiver.take_goodbye(5);
    let mut next = audio(900, 77);
    next.header.ssrc = 5;
    let refused = receiver.take(address(1), &next, OPENED_US + 20_000);
    assert_eq!(refused, Received::Refused(Refusal::Source));
    receiver.take_goodbye(SSRC);
    next.header.sequence = 901;
    let heard = receiver.take(address(1), &next, OPENED_US + 40_000);
    assert_eq!(at(heard), Some(320));
}

#[test]
fn a_source_goes_on_from_another_address() {
    let begun: &[Step] = &[(0, 1, 1, 0, PROBATION), (20, 1, 1, 1, HEARD)];
    let follow = |steps: &[Step]| check(Source::AnyThenLock, &[begun, steps].concat());
    let receiver = follow(&[
        (40, 1, 2, 2, ADDRESS),
        (60, 1, 2, 3, ADDRESS),
        (80, 1, 2, 4, ADDRESS),
        (100, 1, 2, 5, ADDRESS),
        (120, 1, 2, 6, HEARD),
        (140, 1, 2, 7, HEARD),
        (141, 1, 1, 8, ADDRESS),
    ]);
    let stats = receiver.stats();
    assert_eq!((stats.address_changes, stats.source_changes), (1, 0));
    assert_eq!((stats.lost, stats.clock_jumps), (4, 0));
    // The other still sends, or the numbers are not its own.
    follow(&[
        (40, 1, 2, 2, ADDRESS),
        (60, 1, 2, 3, ADDRESS),
        (80, 1, 2, 4, ADDRESS),
        (81, 1, 1, 4, HEARD),
        (100, 1, 2, 5, ADDRESS),
        (120, 1, 2, 6, ADDRESS),
        (140, 1, 2, 7, ADDRESS),
        (160, 1, 2, 8, ADDRESS),
    ]);
    follow(&[
        (40, 1, 2, 60_000, ADDRESS),
        (60, 1, 2, 60_001, ADDRESS),
        (80, 1, 2, 60_002, ADDRESS),
        (100, 1, 2, 60_003, ADDRESS),
        (120, 1, 2, 60_004, ADDRESS),
        (140, 1, 2, 60_005, ADDRESS),
    ]);
}

#[test]
fn addresses_do_not_matter_where_all_are_heard() {
    check(
        Source::Any,
        &[
            (0, 1, 1, 0, PROBATION),
            (5, 1, 2, 0, PROBATION),
            (20, 1, 2, 1, HEARD),
            (40, 1, 3, 2, HEARD),
            (60, 1, 4, 3, HEARD),
            (61, 2, 4, 4, OTHER),
        ],
    );
}

proptest! {
    /// Sources that somebody else puts in between change nothing of what the leg's source says.
    #[test]
    fn a_source_in_the_midst_changes_no_place(
        others in proptest::collection::vec(
            proptest::collection::vec((any::<u16>(), any::<u32>(), 1_u32..4, 1_u8..4), 0..4),
            100,
        ),
        lost in 20_u16..30,
    ) {
        let mut alone = Receiver::new(&ReceiverConfig::default(), OPENED_US);
        let mut disturbed = Receiver::new(&ReceiverConfig::default(), OPENED_US);
        for (number, others) in (0..100_u16).zip(others) {
            let now_us = OPENED_US + u64::from(number) * 20_000;
            let packet = audio(number, u32::from(number) * 160);
            if number != lost {
                let expected = alone.take(address(1), &packet, now_us);
                prop_assert_eq!(disturbed.take(address(1), &packet, now_us), expected);
            }
            // Not before somebody is heard.
            if number == 0 {
                continue;
            }
            for (place, (sequence, timestamp, ssrc, from)) in others.into_iter().enumerate() {
                let mut other = audio(sequence, timestamp);
                // The leg's own only from elsewhere.
                other.header.ssrc = if ssrc == 1 && from != 1 { SSRC } else { ssrc };
                let told = disturbed.take(address(from), &other, now_us + 1 + place as u64);
                prop_assert_eq!(at(told), None);
            }
        }
        prop_assert_eq!(disturbed.stats().source_changes, 0);
        prop_assert_eq!(disturbed.stats().clock_jumps, 0);
    }
}
