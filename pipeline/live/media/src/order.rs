//! Packets of one leg, by place, until it is their turn.
//!
//! A packet whose place is not reached yet waits for those before it, until [`MOST_WAITING`] others wait as well. Payloads
//! lie in buffers that are used again: they are made for as many packets as ever waited together, and no more.

use crate::AudioFormat;

/// Packets that wait for one that is missing: 160 ms where each lasts 20. `auricle_rtp` counts as late what more have
/// overtaken.
const MOST_WAITING: usize = 8;
/// The longest payload that is kept; a network without jumbo frames brings 1,500 bytes in one piece, and 2,048 hold 20 ms of
/// linear samples at 48 kHz.
const PAYLOAD_BYTES: usize = 2_048;

/// What a packet brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Audio in this format.
    Audio(AudioFormat),
    /// From there on nothing, and nothing is missing.
    Silence,
}

impl Content {
    /// Whether the two cannot both have the same place.
    const fn is_like(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Audio(_), Self::Audio(_)) | (Self::Silence, Self::Silence)
        )
    }
}

/// One packet.
pub(crate) struct Packet {
    /// Where it begins, samples on the leg's clock.
    pub(crate) at: u64,
    pub(crate) content: Content,
    /// As it came; empty for silence.
    pub(crate) payload: Vec<u8>,
}

/// Puts packets in order. Takes one more than may wait: whoever puts one in takes out what is due before the next.
pub(crate) struct Order {
    /// By place.
    held: Vec<Packet>,
    /// Buffers of packets that were told.
    spare: Vec<Vec<u8>>,
    /// What is missing before this place is not waited for.
    given_up_to: Option<u64>,
}

impl Order {
    pub(crate) fn new() -> Self {
        Self {
            held: Vec::with_capacity(MOST_WAITING + 1),
            // Those of the packets that are held, and of the one that is told.
            spare: Vec::with_capacity(MOST_WAITING + 2),
            given_up_to: None,
        }
    }

    /// Puts a packet in its place. One for which something is there already is left out, and so is what has no room.
    pub(crate) fn put(&mut self, at: u64, content: Content, payload: &[u8]) {
        let is_same = |held: &Packet| held.at == at && held.content.is_like(content);
        let has_room = self.held.len() <= MOST_WAITING && payload.len() <= PAYLOAD_BYTES;
        if !has_room || self.held.iter().any(is_same) {
            return;
        }
        let spare = self.spare.pop();
        let mut bytes = spare.unwrap_or_else(|| Vec::with_capacity(PAYLOAD_BYTES));
        bytes.clear();
        bytes.extend_from_slice(payload);
        let packet = Packet {
            at,
            content,
            payload: bytes,
        };
        let place = self.held.partition_point(|held| held.at <= at);
        self.held.insert(place, packet);
    }

    /// The first packet, where it is its turn: it begins before `in_order_before`, or too many wait for what is missing, or
    /// that was given up. `None` as a place: nothing is missing before the first.
    pub(crate) fn due(&self, in_order_before: Option<u64>) -> Option<&Packet> {
        let first = self.first()?;
        let is_due = in_order_before.is_none_or(|place| first.at < place)
            || self.held.len() > MOST_WAITING
            || self.given_up_to.is_some_and(|last| first.at <= last);
        is_due.then_some(first)
    }

    /// The first packet, due or not.
    pub(crate) fn first(&self) -> Option<&Packet> {
        self.held.first()
    }

    /// Takes the first packet out. Its buffer is given back by [`reuse`](Self::reuse).
    pub(crate) fn take_first(&mut self) -> Option<Packet> {
        if self.held.is_empty() {
            return None;
        }
        let first = self.held.remove(0);
        if self.held.is_empty() {
            self.given_up_to = None;
        }
        Some(first)
    }

    /// Takes back the buffer of a packet that was told.
    pub(crate) fn reuse(&mut self, payload: Vec<u8>) {
        self.spare.push(payload);
    }

    /// All that is held is due, whatever is missing.
    pub(crate) fn give_up(&mut self) {
        self.given_up_to = self.held.last().map(|last| last.at);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AUDIO: Content = Content::Audio(AudioFormat::Pcmu);

    /// Puts packets of one sample in; places in the order in which they were told. `end` is where the next one begins.
    fn tell(order: &mut Order, end: &mut u64, places: &[u64]) -> Vec<u64> {
        let mut told = Vec::new();
        for at in places {
            order.put(*at, AUDIO, &[*at as u8]);
            told.extend(tell_due(order, end));
        }
        told
    }

    fn tell_due(order: &mut Order, end: &mut u64) -> Vec<u64> {
        let mut told = Vec::new();
        while order.due(Some(*end + 1)).is_some() {
            let packet = order.take_first().unwrap();
            assert_eq!(packet.payload, [packet.at as u8]);
            if packet.at >= *end {
                told.push(packet.at);
                *end = packet.at + 1;
            }
            order.reuse(packet.payload);
        }
        told
    }

    #[test]
    fn in_order_without_what_is_missing() {
        let cases: &[(&[u64], &[u64])] = &[
            (&[], &[]),
            (&[0, 1, 2], &[0, 1, 2]),
            (&[1, 0, 2], &[0, 1, 2]),
            // Twice, while it waits and when it was told.
            (&[1, 1, 0, 1, 0, 2], &[0, 1, 2]),
            // Eight wait for the first, the ninth does not.
            (&[1, 2, 3, 4, 5, 6, 7, 8], &[]),
            (&[1, 2, 3, 4, 5, 6, 7, 8, 9], &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
            (
                &[1, 2, 3, 4, 5, 6, 7, 8, 0, 9],
                &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
            ),
            // What comes after it was given up lies back, and keeps nobody waiting.
            (
                &[1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 10],
                &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
            ),
            // The second hole is waited for anew.
            (&[1, 2, 3, 5, 6, 7, 8, 9, 10], &[1, 2, 3]),
        ];
        for (places, expected) in cases {
            let told = tell(&mut Order::new(), &mut 0, places);
            assert_eq!(told, *expected, "{places:?}");
        }
    }

    #[test]
    fn what_was_given_up_is_told_and_the_next_waits_again() {
        let (mut order, mut end) = (Order::new(), 0);
        assert!(tell(&mut order, &mut end, &[2, 5, 9]).is_empty());
        order.give_up();
        assert_eq!(tell_due(&mut order, &mut end), [2, 5, 9]);
        assert!(order.is_empty());
        assert!(tell(&mut order, &mut end, &[11]).is_empty());
        assert_eq!(tell(&mut order, &mut end, &[10]), [10, 11]);
    }

    #[test]
    fn where_nothing_is_missing_nothing_waits() {
        let mut order = Order::new();
        order.put(7, Content::Silence, &[]);
        order.put(7, Content::Silence, &[]);
        order.put(7, AUDIO, &[1]);
        let first = order.due(None).map(|packet| packet.content);
        assert_eq!(first, Some(Content::Silence));
        assert!(order.due(Some(7)).is_none());
        assert!(order.take_first().is_some());
        let second = order.take_first().map(|packet| packet.content);
        assert_eq!(second, Some(AUDIO));
        assert!(order.take_first().is_none());
    }

    #[test]
    fn what_has_no_room_is_left_out() {
        let mut order = Order::new();
        order.put(0, AUDIO, &[0; PAYLOAD_BYTES + 1]);
        assert!(order.is_empty());
        for at in 0..100 {
            order.put(at, AUDIO, &[0; PAYLOAD_BYTES]);
        }
        assert_eq!(order.held.len(), MOST_WAITING + 1);
    }

    proptest! {
        #[test]
        fn every_order_of_nine_is_put_right(
            places in Just((0_u64..9).collect::<Vec<_>>()).prop_shuffle(),
            again in proptest::collection::vec(0_u64..9, 0..4),
        ) {
            let (mut order, mut end) = (Order::new(), 0);
            let told = tell(&mut order, &mut end, &places);
            prop_assert_eq!(told, (0..9).collect::<Vec<_>>());
            prop_assert!(tell(&mut order, &mut end, &again).is_empty());
            prop_assert!(order.is_empty());
        }

        #[test]
        fn places_never_run_back_and_buffers_do_not_grow_in_number(
            places in proptest::collection::vec(0_u64..60, 0..200),
        ) {
            let (mut order, mut end) = (Order::new(), 0);
            let mut told = tell(&mut order, &mut end, &places);
            order.give_up();
            told.extend(tell_due(&mut order, &mut end));
            prop_assert!(told.is_sorted_by(|before, after| before < after));
            prop_assert!(order.is_empty());
            prop_assert!(order.spare.len() <= MOST_WAITING + 1);
        }
    }
}
