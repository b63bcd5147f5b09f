//! The way of a leg's packets from its worker to its reader: records in a ring of bytes.
//!
//! ```text
//! kind, tag | length of the body | place on the leg's clock | body
//! 2 bytes   | 2                  | 8                        | up to 2,048
//! ```
//!
//! | kind | tag | body |
//! | --- | --- | --- |
//! | audio | payload type | payload |
//! | silence | | |
//! | digit | which | how long, 4 bytes of ms |
//! | agreed | | rate of timestamps, 4 bytes; for each payload type 7: itself, its format, rate, channels |

use auricle_rtp::Digit;
use rtrb::{Consumer, Producer, RingBuffer};
use smallvec::SmallVec;

use crate::format::AudioFormat;

/// Two seconds of G.711 in packets of 20 ms, and more of anything compressed: a reader that is later is not live.
const RING_BYTES: usize = 32 * 1_024;
const HEAD_BYTES: usize = 12;
/// No datagram is longer.
pub(crate) const MOST_BODY_BYTES: usize = 2_048;
const FRAME_BYTES: usize = HEAD_BYTES + MOST_BODY_BYTES;
const FORMAT_BYTES: usize = 7;
/// Payload types that a leg may have: all there are (RFC 3551, section 6).
const MOST_FORMATS: usize = 128;

const AUDIO: u8 = 0;
const SILENCE: u8 = 1;
const DIGIT: u8 = 2;
const AGREED: u8 = 3;

/// Payload types of audio with what they are.
pub(crate) type Formats = SmallVec<[(u8, AudioFormat); 4]>;

/// What a worker tells a reader.
pub(crate) enum Record<'b> {
    /// A packet.
    Audio {
        at: u64,
        payload_type: u8,
        payload: &'b [u8],
    },
    /// From there on the sender is silent.
    Silence { at: u64 },
    /// A digit that is over.
    Digit(Digit),
    /// From here on payload types mean this.
    Agreed { clock_hz: u32, formats: Formats },
}

/// The worker's end. Dropped, nothing else comes.
pub(crate) struct RecordWriter(Producer<u8>);

/// The reader's end.
pub(crate) struct RecordReader {
    ring: Consumer<u8>,
    body: Box<[u8; MOST_BODY_BYTES]>,
}

/// A ring for one leg.
pub(crate) fn records() -> (RecordWriter, RecordReader) {
    let (producer, consumer) = RingBuffer::new(RING_BYTES);
    let reader = RecordReader {
        ring: consumer,
        body: Box::new([0; MOST_BODY_BYTES]),
    };
    (RecordWriter(producer), reader)
}

/// Why a record was left out: the ring is full, or the record is longer than any can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl RecordWriter {
    /// Puts a record in whole, or not at all. Never waits or locks; allocates for what was agreed, and for no packet.
    pub(crate) fn push(&mut self, record: &Record<'_>) -> Result<(), NoRoom> {
        match record {
            Record::Audio {
                at,
                payload_type,
                payload,
            } => self.put(AUDIO, *payload_type, *at, payload),
            Record::Silence { at } => self.put(SILENCE, 0, *at, &[]),
            Record::Digit(digit) => {
                let tag = u8::try_from(digit.digit).map_err(|_| NoRoom)?;
                self.put(DIGIT, tag, digit.at, &digit.duration_ms.to_le_bytes())
            }
            Record::Agreed { clock_hz, formats } => {
                let mut body = clock_hz.to_le_bytes().to_vec();
                for (payload_type, format) in formats.iter().take(MOST_FORMATS) {
                    body.extend_from_slice(&format_bytes(*payload_type, *format));
                }
                self.put(AGREED, 0, 0, &body)
            }
        }
    }

    fn put(&mut self, kind: u8, tag: u8, at: u64, body: &[u8]) -> Result<(), NoRoom> {
        let mut frame = [0; FRAME_BYTES];
        let n_bytes = HEAD_BYTES + body.len();
        let whole = frame.get_mut(..n_bytes).ok_or(NoRoom)?;
        let (head, place) = whole.split_first_chunk_mut().ok_or(NoRoom)?;
        *head = head_bytes(kind, tag, body.len(), at);
        place.copy_from_slice(body);
        self.0.push_entire_slice(whole).map_err(|_| NoRoom)
    }
}

const fn head_bytes(kind: u8, tag: u8, n_bytes: usize, at: u64) -> [u8; HEAD_BYTES] {
    // No body is longer than two bytes can say.
    let [n0, n1] = (n_bytes as u16).to_le_bytes();
    let [a0, a1, a2, a3, a4, a5, a6, a7] = at.to_le_bytes();
    [kind, tag, n0, n1, a0, a1, a2, a3, a4, a5, a6, a7]
}

impl RecordReader {
    /// Whether the worker is done with the leg. To be asked before what is left is read: it stays so.
    pub(crate) fn is_over(&self) -> bool {
        self.ring.is_abandoned()
    }

    /// The next record, if there is one.
    pub(crate) fn next(&mut self) -> Option<Record<'_>> {
        let mut head = [0; HEAD_BYTES];
        self.ring.pop_entire_slice(&mut head).ok()?;
        // Records are put in whole: behind a head there is its body.
        let [kind, tag, n0, n1, at @ ..] = head;
        let body = self
            .body
            .get_mut(..usize::from(u16::from_le_bytes([n0, n1])))?;
        self.ring.pop_entire_slice(body).ok()?;
        read(kind, tag, u64::from_le_bytes(at), body)
    }
}

fn read(kind: u8, tag: u8, at: u64, body: &[u8]) -> Option<Record<'_>> {
    Some(match kind {
        AUDIO => Record::Audio {
            at,
            payload_type: tag,
            payload: body,
        },
        SILENCE => Record::Silence { at },
        DIGIT => Record::Digit(Digit {
            digit: char::from(tag),
            at,
            duration_ms: u32::from_le_bytes(*body.first_chunk()?),
        }),
        AGREED => {
            let (clock_hz, formats) = body.split_first_chunk()?;
            let (formats, _) = formats.as_chunks::<FORMAT_BYTES>();
            Record::Agreed {
                clock_hz: u32::from_le_bytes(*clock_hz),
                formats: formats.iter().filter_map(read_format).collect(),
            }
        }
        _ => return None,
    })
}

const fn format_bytes(payload_type: u8, format: AudioFormat) -> [u8; FORMAT_BYTES] {
    let (code, rate_hz, n_channels) = match format {
        AudioFormat::Pcmu => (0, 0, 0),
        AudioFormat::Pcma => (1, 0, 0),
        AudioFormat::G722 => (2, 0, 0),
        AudioFormat::L16 {
            rate_hz,
            n_channels,
        } => (3, rate_hz, n_channels),
        AudioFormat::Opus => (4, 0, 0),
    };
    let [r0, r1, r2, r3] = u32::to_le_bytes(rate_hz);
    [payload_type, code, r0, r1, r2, r3, n_channels]
}

fn read_format(bytes: &[u8; FORMAT_BYTES]) -> Option<(u8, AudioFormat)> {
    let [payload_type, code, r0, r1, r2, r3, n_channels] = *bytes;
    let format = match code {
        0 => AudioFormat::Pcmu,
        1 => AudioFormat::Pcma,
        2 => AudioFormat::G722,
        3 => AudioFormat::L16 {
            rate_hz: u32::from_le_bytes([r0, r1, r2, r3]),
            n_channels,
        },
        4 => AudioFormat::Opus,
        _ => return None,
    };
    Some((payload_type, format))
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;

    fn shown(record: &Record<'_>) -> String {
        match record {
            Record::Audio {
                at,
                payload_type,
                payload,
            } => format!("{payload_type} at {at}: {payload:?}"),
            Record::Silence { at } => format!("silence at {at}"),
            Record::Digit(digit) => format!("{} {digit:?}", digit.digit),
            Record::Agreed { clock_hz, formats } => format!("{clock_hz}: {formats:?}"),
        }
    }

    #[test]
    fn records_come_out_as_they_went_in() {
        let digit = Digit {
            digit: '#',
            at: 77,
            duration_ms: 70_000,
        };
        let l16 = AudioFormat::L16 {
            rate_hz: 16_000,
            n_channels: 2,
        };
        let formats: Formats = smallvec![
            (0, AudioFormat::Pcmu),
            (8, AudioFormat::Pcma),
            (9, AudioFormat::G722),
            (97, l16),
            (111, AudioFormat::Opus),
        ];
        let payload = vec![7; MOST_BODY_BYTES];
        let told = [
            Record::Audio {
                at: u64::MAX,
                payload_type: 8,
                payload: &payload,
            },
            Record::Silence { at: 5 },
            Record::Digit(digit),
            Record::Agreed {
                clock_hz: 48_000,
                formats,
            },
            Record::Audio {
                at: 0,
                payload_type: 0,
                payload: &[],
            },
        ];
        let (mut writer, mut reader) = records();
        for _ in 0..40 {
            for record in &told {
                assert_eq!(writer.push(record), Ok(()));
            }
            for record in &told {
                assert_eq!(reader.next().as_ref().map(shown), Some(shown(record)));
            }
            assert!(reader.next().is_none());
        }
        assert!(!reader.is_over());
        drop(writer);
        assert!(reader.is_over());
    }

    #[test]
    fn a_full_ring_takes_nothing_and_keeps_what_it_has() {
        let (mut writer, mut reader) = records();
        let packet = |at| Record::Audio {
            at,
            payload_type: 8,
            payload: &[1; 160],
        };
        let n_taken = (0..)
            .take_while(|at| writer.push(&packet(*at)).is_ok())
            .count();
        assert_eq!(n_taken, RING_BYTES / 172);
        for at in 0..n_taken as u64 {
            let read = reader.next();
            assert_eq!(read.as_ref().map(shown), Some(shown(&packet(at))));
        }
        assert!(reader.next().is_none());
        let long = [0; MOST_BODY_BYTES + 1];
        let long = Record::Audio {
            at: 0,
            payload_type: 8,
            payload: &long,
        };
        assert_eq!(writer.push(&long), Err(NoRoom));
    }
}
