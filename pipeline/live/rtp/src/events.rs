//! Digits that come as events beside the audio. RFC 4733.
//!
//! An event is told again and again while it lasts: its packets have the timestamp of its beginning and how long it has
//! lasted so far. The last one has a mark and is sent three times. One digit is told for each, at the mark; where all three
//! are lost, when the next event begins or nothing more is told of it.

use std::fmt;

use smallvec::SmallVec;

use crate::receiver::EventPacket;

/// An event that nothing was told of for so long is over. Packets come each 20 to 50 ms (RFC 4733, section 2.5.1.2).
const OVER_US: u64 = 200_000;
/// Events of one packet that are read (RFC 4733, section 2.5.1.5). Senders that are known put in one.
const MOST_EVENTS: usize = 3;
/// Digits by their codes (RFC 4733, section 3.2). Others are tones and hooks.
const DIGITS: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D',
];
/// Marks the end; the lower six bits are the volume.
const END: u8 = 0x80;
/// A longer event is cut: the next part begins where this one ends (RFC 4733, section 2.5.1.3).
const LONGEST_PART: u32 = 0xffff;

/// A key that was pressed. Rows of them are card numbers and passwords, so `Debug` does not show which.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digit {
    /// `0` to `9`, `*`, `#`, `A` to `D`.
    pub digit: char,
    /// Where it began, samples on the leg's clock.
    pub at: u64,
    /// How long it was held.
    pub duration_ms: u32,
}

impl fmt::Debug for Digit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Digit(… at {}, {} ms)", self.at, self.duration_ms)
    }
}

/// The digits of one leg. What they are told from is what [`Receiver`](crate::Receiver) calls an event.
#[derive(Clone)]
pub struct Digits {
    clock_hz: u32,
    pressed: Option<Pressed>,
    /// The newest event that was begun, told or not.
    newest: Option<Moment>,
}

/// One event, so far.
#[derive(Clone, Copy)]
struct Pressed {
    digit: char,
    moment: Moment,
    at: u64,
    /// Of its parts before this one.
    earlier_ticks: u32,
    ticks: u32,
    last_us: u64,
}

/// When an event began, or a part of it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Moment {
    source: u32,
    timestamp: u32,
}

impl Moment {
    /// Whether the same source was further then.
    const fn is_before(self, other: Self) -> bool {
        let ahead = other.timestamp.wrapping_sub(self.timestamp).cast_signed();
        self.source == other.source && ahead > 0
    }

    const fn behind(self, ticks: u32) -> Self {
        let timestamp = self.timestamp.wrapping_add(ticks);
        Self { timestamp, ..self }
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Digits")
            .field("clock_hz", &self.clock_hz)
            .finish_non_exhaustive()
    }
}

impl Digits {
    /// For events whose clock has this rate: that of the audio beside them.
    pub const fn new(clock_hz: u32) -> Self {
        Self {
            clock_hz,
            pressed: None,
            newest: None,
        }
    }

    /// Takes a packet that came at `now_us`. Gives the digits that are known to be over: mostly none or one.
    pub fn take(&mut self, event: &EventPacket<'_>, now_us: u64) -> SmallVec<[Digit; 4]> {
        let mut told = SmallVec::new();
        let (blocks, _) = event.payload.as_chunks::<4>();
        let mut moment = Moment {
            source: event.source,
            timestamp: event.timestamp,
        };
        // The one before it, and one for each block: as many as lie in place.
        for [code, flags, high, low] in blocks.iter().take(MOST_EVENTS) {
            let ticks = u32::from(u16::from_be_bytes([*high, *low]));
            if let Some(digit) = DIGITS.get(usize::from(*code)) {
                let seen = Pressed {
                    digit: *digit,
                    moment,
                    at: event.at,
                    earlier_ticks: 0,
                    ticks,
                    last_us: now_us,
                };
                told.extend(self.begin(seen));
                told.extend(self.end(seen, *flags));
            }
            moment = moment.behind(ticks);
        }
        told
    }

    /// To be asked when time has passed: gives a digit whose end was lost. At the end of a leg, `u64::MAX` gives the last.
    pub fn check_time(&mut self, now_us: u64) -> Option<Digit> {
        let last_us = self.pressed?.last_us;
        match now_us.saturating_sub(last_us) < OVER_US {
            true => None,
            false => self.tell(),
        }
    }

    /// Notes an event; gives the one before it, where its end was lost.
    fn begin(&mut self, seen: Pressed) -> Option<Digit> {
        let is_known = |newest: Moment| newest == seen.moment || seen.moment.is_before(newest);
        match &mut self.pressed {
            Some(pressed) if pressed.moment == seen.moment => {
                pressed.ticks = pressed.ticks.max(seen.ticks);
                pressed.last_us = seen.last_us;
                None
            }
            Some(pressed)
                if pressed.digit == seen.digit
                    && pressed.moment.behind(LONGEST_PART) == seen.moment =>
            {
                pressed.earlier_ticks = pressed.earlier_ticks.saturating_add(LONGEST_PART);
                pressed.ticks = seen.ticks;
                pressed.moment = seen.moment;
                pressed.last_us = seen.last_us;
                self.newest = Some(seen.moment);
                None
            }
            // Its end, again, or a packet that was overtaken.
            _ if self.newest.is_some_and(is_known) => None,
            _ => {
                let earlier = self.tell();
                self.pressed = Some(seen);
                self.newest = Some(seen.moment);
                earlier
            }
        }
    }

    /// Gives the event that lasts, where this is its end.
    fn end(&mut self, seen: Pressed, flags: u8) -> Option<Digit> {
        let is_end = flags & END != 0;
        let is_same = self.pressed.is_some_and(|it| it.moment == seen.moment);
        if is_end && is_same { self.tell() } else { None }
    }

    fn tell(&mut self) -> Option<Digit> {
        let pressed = self.pressed.take()?;
        let ticks = u64::from(pressed.earlier_ticks) + u64::from(pressed.ticks);
        let ms = ticks * 1_000 / u64::from(self.clock_hz.max(1));
        Some(Digit {
            digit: pressed.digit,
            at: pressed.at,
            duration_ms: u32::try_from(ms).unwrap_or(u32::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const END: bool = true;
    const GOES_ON: bool = false;

    /// Code, timestamp, duration and end of each packet, 20 ms after the one before; what was told by and by.
    fn hear(packets: &[(u8, u32, u16, bool)]) -> Vec<(char, u32)> {
        let mut digits = Digits::new(8_000);
        let mut told = Vec::new();
        let mut now_us = 0;
        for (code, timestamp, duration, is_end) in packets {
            now_us += 20_000;
            told.extend(digits.check_time(now_us));
            let [high, low] = duration.to_be_bytes();
            let payload = [*code, (u8::from(*is_end) << 7) | 10, high, low];
            told.extend(digits.take(&event(*timestamp, &payload), now_us));
        }
        told.extend(digits.check_time(u64::MAX));
        assert_eq!(digits.check_time(u64::MAX), None);
        told.iter().map(|it| (it.digit, it.duration_ms)).collect()
    }

    fn event(timestamp: u32, payload: &[u8]) -> EventPacket<'_> {
        EventPacket {
            at: u64::from(timestamp),
            source: 0,
            timestamp,
            payload,
        }
    }

    #[test]
    fn one_digit_for_each_event() {
        type Case<'c> = (&'c [(u8, u32, u16, bool)], &'c [(char, u32)]);
        let cases: &[Case<'_>] = &[
            (&[], &[]),
            (
                &[
                    (5, 1_000, 160, GOES_ON),
                    (5, 1_000, 320, GOES_ON),
                    (5, 1_000, 800, END),
                    (5, 1_000, 800, END),
                    (5, 1_000, 800, END),
                ],
                &[('5', 100)],
            ),
            // All that came is its end.
            (&[(11, 1_000, 800, END)], &[('#', 100)]),
            // Its end never came, and another begins, or none does.
            (
                &[(1, 1_000, 480, GOES_ON), (2, 3_000, 800, END)],
                &[('1', 60), ('2', 100)],
            ),
            (&[(1, 1_000, 480, GOES_ON)], &[('1', 60)]),
            // The same key twice.
            (
                &[(7, 1_000, 800, END), (7, 3_000, 800, END)],
                &[('7', 100), ('7', 100)],
            ),
            // Overtaken by its own end, and by the next.
            (
                &[
                    (7, 1_000, 800, END),
                    (7, 1_000, 640, GOES_ON),
                    (8, 3_000, 160, GOES_ON),
                    (7, 1_000, 800, END),
                    (8, 3_000, 800, END),
                ],
                &[('7', 100), ('8', 100)],
            ),
            // Ten seconds, in two parts.
            (
                &[
                    (0, 1_000, 0xff00, GOES_ON),
                    (0, 1_000, 0xffff, GOES_ON),
                    (0, 66_535, 0x3882, END),
                ],
                &[('0', 10_000)],
            ),
            // Timestamps begin again.
            (
                &[(3, u32::MAX - 100, 800, END), (4, 2_000, 800, END)],
                &[('3', 100), ('4', 100)],
            ),
            // A hook and a tone are no digits.
            (&[(16, 1_000, 800, END), (32, 3_000, 800, END)], &[]),
            (
                &[(12, 1_000, 800, END), (15, 3_000, 800, END)],
                &[('A', 100), ('D', 100)],
            ),
        ];
        for (packets, expected) in cases {
            assert_eq!(hear(packets), *expected, "{packets:?}");
        }
    }

    #[test]
    fn several_events_in_one_packet() {
        let mut digits = Digits::new(8_000);
        let blocks = [1, 0x8a, 0, 160, 2, 0x8a, 0, 160, 3, 0x0a, 0, 80];
        let told = digits.take(&event(1_000, &blocks), 0);
        let told: Vec<_> = told.iter().map(|it| it.digit).collect();
        assert_eq!(told, ['1', '2']);
        assert_eq!(digits.check_time(199_999), None);
        assert_eq!(digits.check_time(200_000).unwrap().digit, '3');
        // Half a block is none.
        assert!(digits.take(&event(9_000, &[1, 0x8a, 0]), 0).is_empty());
    }

    #[test]
    fn another_source_has_another_clock() {
        let mut digits = Digits::new(8_000);
        let mut later = event(10, &[4, 0x8a, 3, 32]);
        assert_eq!(digits.take(&event(9_000, &[3, 0x8a, 3, 32]), 0).len(), 1);
        assert!(digits.take(&later, 0).is_empty());
        later.source = 1;
        assert_eq!(digits.take(&later, 0).len(), 1);
    }

    #[test]
    fn no_digit_is_shown() {
        let digit = Digit {
            digit: '7',
            at: 160,
            duration_ms: 100,
        };
        assert_eq!(format!("{digit:?}"), "Digit(… at 160, 100 ms)");
    }

    proptest! {
        #[test]
        fn nothing_is_allocated_and_no_event_is_told_twice(
            packets in proptest::collection::vec((0_u32..4, proptest::collection::vec(any::<u8>(), 0..20)), 0..40),
        ) {
            let mut digits = Digits::new(8_000);
            let mut n_told = 0;
            for (place, payload) in &packets {
                let told = digits.take(&event(place * 0xffff, payload), 0);
                prop_assert!(!told.spilled());
                n_told += told.len();
            }
            n_told += usize::from(digits.check_time(u64::MAX).is_some());
            prop_assert!(n_told <= MOST_EVENTS * packets.len());
        }
    }
}
