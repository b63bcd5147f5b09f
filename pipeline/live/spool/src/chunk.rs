//! The clear head of a chunk: `FORMAT.md`, "Chunks".

use crate::crypto::{SALT_BYTES, TAG_BYTES};
use crate::{MAX_CHUNK_BYTES, MAX_LEGS};

/// Body length, number, kind, count of legs.
const FIXED_BYTES: usize = 10;
/// A leg and how far it has come.
const LEG_BYTES: usize = 9;
const CRC_BYTES: usize = 4;
pub(crate) const MAX_HEAD_BYTES: usize = head_bytes(MAX_LEGS as usize);
/// A seal begins with its salt.
pub(crate) const MAX_BODY_BYTES: usize = SALT_BYTES + MAX_CHUNK_BYTES + TAG_BYTES;

/// Length of a head that tells of so many legs.
pub(crate) const fn head_bytes(n_legs: usize) -> usize {
    FIXED_BYTES + n_legs * LEG_BYTES + CRC_BYTES
}

/// What a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChunkKind {
    /// Records, and more chunks may follow.
    Records,
    /// Records; the recording was finished with it.
    End,
    /// Says that the recording was cut off before it.
    Seal,
}

impl ChunkKind {
    fn code(self) -> u8 {
        match self {
            Self::Records => 1,
            Self::End => 2,
            Self::Seal => 3,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Records,
            2 => Self::End,
            3 => Self::Seal,
            _ => return None,
        })
    }
}

/// How far each leg has come since the recording began: the largest end of a packet. It only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reached {
    /// A bit a leg.
    known: u16,
    ends: [u64; MAX_LEGS as usize],
}

impl Reached {
    pub(crate) const NONE: Self = Self {
        known: 0,
        ends: [0; MAX_LEGS as usize],
    };

    pub(crate) fn n_legs(&self) -> usize {
        self.known.count_ones() as usize
    }

    pub(crate) fn of(&self, leg: u8) -> Option<u64> {
        let end = self.ends.get(usize::from(leg))?;
        (self.known >> leg & 1 == 1).then_some(*end)
    }

    /// How far the leg has come that has come furthest.
    pub(crate) fn furthest(&self) -> u64 {
        self.ends.iter().copied().max().unwrap_or(0)
    }

    /// `leg` is below [`MAX_LEGS`].
    pub(crate) fn note(&mut self, leg: u8, end: u64) {
        if let Some(known) = self.ends.get_mut(usize::from(leg)) {
            *known = end.max(*known);
            self.known |= 1 << leg;
        }
    }

    fn legs(&self) -> impl Iterator<Item = (u8, u64)> {
        (0..MAX_LEGS).filter_map(|leg| self.of(leg).map(|end| (leg, end)))
    }
}

/// The head of a chunk. All of it is bound to the chunk's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkHead {
    pub(crate) n_body_bytes: usize,
    /// From 0, one after the other.
    pub(crate) number: u32,
    pub(crate) kind: ChunkKind,
    pub(crate) reached: Reached,
}

/// What bytes say about the head that they begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadRead {
    /// It is cut off.
    Short,
    /// It is none.
    Damaged,
    /// A head, which may have been made up: only the body's tag proves it.
    Whole(ChunkHead),
}

impl ChunkHead {
    pub(crate) fn n_head_bytes(&self) -> usize {
        head_bytes(self.reached.n_legs())
    }

    /// Head and body.
    pub(crate) fn n_bytes(&self) -> usize {
        self.n_head_bytes() + self.n_body_bytes
    }

    /// Writes it over `out`, which is [`Self::n_head_bytes`] long.
    pub(crate) fn write(&self, out: &mut [u8]) {
        let (fields, crc) = out.split_at_mut(out.len().saturating_sub(CRC_BYTES));
        fields[..4].copy_from_slice(&(self.n_body_bytes as u32).to_le_bytes());
        fields[4..8].copy_from_slice(&self.number.to_le_bytes());
        fields[8] = self.kind.code();
        fields[9] = self.reached.n_legs() as u8;
        let legs = fields[FIXED_BYTES..].chunks_exact_mut(LEG_BYTES);
        for (out, (leg, reached)) in legs.zip(self.reached.legs()) {
            out[0] = leg;
            out[1..].copy_from_slice(&reached.to_le_bytes());
        }
        crc.copy_from_slice(&crc32fast::hash(fields).to_le_bytes());
    }

    /// Reads the head that `bytes` begin with; there may be more behind it.
    pub(crate) fn read(bytes: &[u8]) -> HeadRead {
        let Some((fixed, _)) = bytes.split_first_chunk::<FIXED_BYTES>() else {
            return HeadRead::Short;
        };
        let [b0, b1, b2, b3, n0, n1, n2, n3, kind, n_legs] = *fixed;
        let n_body_bytes = u32::from_le_bytes([b0, b1, b2, b3]) as usize;
        let is_possible = n_legs <= MAX_LEGS && n_body_bytes <= MAX_BODY_BYTES;
        let Some(kind) = ChunkKind::of(kind).filter(|_| is_possible) else {
            return HeadRead::Damaged;
        };
        let fields = bytes.split_at_checked(FIXED_BYTES + usize::from(n_legs) * LEG_BYTES);
        let Some((fields, Some((crc, _)))) =
            fields.map(|(fields, rest)| (fields, rest.split_first_chunk::<CRC_BYTES>()))
        else {
            return HeadRead::Short;
        };
        let reached = read_legs(&fields[FIXED_BYTES..]);
        match reached.filter(|_| crc32fast::hash(fields) == u32::from_le_bytes(*crc)) {
            None => HeadRead::Damaged,
            Some(reached) => HeadRead::Whole(Self {
                n_body_bytes,
                number: u32::from_le_bytes([n0, n1, n2, n3]),
                kind,
                reached,
            }),
        }
    }
}

/// Legs in ascending order, each once.
fn read_legs(bytes: &[u8]) -> Option<Reached> {
    let mut reached = Reached::NONE;
    let mut least = 0;
    for entry in bytes.chunks_exact(LEG_BYTES) {
        let (leg, end) = entry.split_first()?;
        if !(least..MAX_LEGS).contains(leg) {
            return None;
        }
        reached.note(*leg, u64::from_le_bytes(end.try_into().ok()?));
        least = leg + 1;
    }
    Some(reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(head: &ChunkHead) -> Vec<u8> {
        let mut bytes = vec![0; head.n_head_bytes()];
        head.write(&mut bytes);
        bytes
    }

    fn head(legs: &[(u8, u64)]) -> ChunkHead {
        let mut reached = Reached::default();
        for (leg, end) in legs {
            reached.note(*leg, *end);
        }
        ChunkHead {
            n_body_bytes: 700,
            number: 9,
            kind: ChunkKind::Records,
            reached,
        }
    }

    #[test]
    fn heads_come_back() {
        let all = (0..MAX_LEGS).map(|leg| (leg, u64::MAX)).collect::<Vec<_>>();
        for legs in [&[][..], &[(0, 160), (1, 320)], &[(15, 0)], &all] {
            let head = head(legs);
            let mut bytes = bytes_of(&head);
            assert!(bytes.len() <= MAX_HEAD_BYTES);
            for n_bytes in 0..bytes.len() {
                assert_eq!(ChunkHead::read(&bytes[..n_bytes]), HeadRead::Short);
            }
            bytes.extend([0xff; 7]);
            assert_eq!(ChunkHead::read(&bytes), HeadRead::Whole(head));
        }
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let bytes = bytes_of(&head(&[(0, 160), (3, 320)]));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x21;
            assert!(!matches!(ChunkHead::read(&changed), HeadRead::Whole(_)));
        }
    }

    #[test]
    fn legs_out_of_order_are_no_head() {
        let mut bytes = bytes_of(&head(&[(0, 160), (3, 320)]));
        (bytes[10], bytes[19]) = (3, 0);
        let n_fields = bytes.len() - CRC_BYTES;
        let crc = crc32fast::hash(&bytes[..n_fields]);
        bytes[n_fields..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(ChunkHead::read(&bytes), HeadRead::Damaged);
    }

    #[test]
    fn a_leg_only_goes_forward() {
        let head = head(&[(2, 320), (2, 160)]);
        assert_eq!(head.reached.of(2), Some(320));
        assert_eq!(head.reached.of(1), None);
        assert_eq!(head.reached.furthest(), 320);
    }
}
