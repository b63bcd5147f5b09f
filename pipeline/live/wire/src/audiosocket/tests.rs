//! AudioSocket byte by byte.

use proptest::prelude::*;
use uuid::{Uuid, uuid};

use super::*;
use crate::limits::Limits;

/// The UUID of the examples in the README of `CyCoreSystems/audiosocket`.
const ID: Uuid = uuid!("40325ec2-5efd-4bd3-805f-53576e581d13");

/// The frame that Asterisk sends first for it.
const ID_FRAME: &[u8] = &[
    0x01, 0x00, 0x10, 0x40, 0x32, 0x5e, 0xc2, 0x5e, 0xfd, 0x4b, 0xd3, 0x80, 0x5f, 0x53, 0x57, 0x6e,
    0x58, 0x1d, 0x13,
];

/// A message that owns its audio.
#[derive(Clone, Debug, PartialEq)]
enum Heard {
    Id(Uuid),
    Digit(char),
    Audio(u32, Vec<u8>),
    Error(u8),
    Terminate,
}

impl From<AudioSocketMessage<'_>> for Heard {
    fn from(message: AudioSocketMessage<'_>) -> Self {
        match message {
            AudioSocketMessage::Id(id) => Self::Id(id),
            AudioSocketMessage::Digit(digit) => Self::Digit(digit.reveal()),
            AudioSocketMessage::Audio { rate_hz, samples } => {
                Self::Audio(rate_hz, samples.to_vec())
            }
            AudioSocketMessage::Error(ErrorCode(code)) => Self::Error(code),
            AudioSocketMessage::Terminate => Self::Terminate,
        }
    }
}

/// What a connection says when it comes in these pieces, and how it ends.
fn hear(
    pieces: &[&[u8]],
    limits: &Limits,
) -> (Vec<Heard>, Result<(), AudioSocketError>, AudioSocketReader) {
    let mut reader = AudioSocketReader::new(limits);
    let mut heard = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            let n_bytes = reader.push(rest);
            assert!(n_bytes > 0, "there is space once all messages are taken");
            rest = &rest[n_bytes..];
            loop {
                match reader.message() {
                    Ok(Some(message)) => heard.push(message.into()),
                    Ok(None) => break,
                    Err(error) => {
                        assert_eq!(reader.message(), Err(error), "it stays wrong");
                        return (heard, Err(error), reader);
                    }
                }
            }
        }
    }
    let end = reader.finish();
    (heard, end, reader)
}

/// The id and then these bytes.
fn after_id(bytes: &[u8]) -> Vec<u8> {
    [ID_FRAME, bytes].concat()
}

fn small() -> Limits {
    Limits {
        audiosocket_payload_bytes: 20,
        unknown_frames: 2,
        ..Limits::default()
    }
}

#[test]
fn frames_byte_by_byte() {
    let check = |bytes: &[u8], expected: &[Heard]| {
        let bytes = after_id(bytes);
        let (heard, end, _) = hear(&[&bytes], &Limits::default());
        let expected = [&[Heard::Id(ID)], expected].concat();
        assert_eq!((heard, end), (expected, Ok(())), "{bytes:02x?}");
    };
    check(&[], &[]);
    check(&[0x00, 0x00, 0x00], &[Heard::Terminate]);
    check(&[0x03, 0x00, 0x01, b'5'], &[Heard::Digit('5')]);
    check(&[0x03, 0x00, 0x01, b'#'], &[Heard::Digit('#')]);
    check(&[0x03, 0x00, 0x01, b'd'], &[Heard::Digit('D')]);
    check(
        &[0x10, 0x00, 0x04, 0x01, 0x02, 0xff, 0xfe],
        &[Heard::Audio(8000, vec![0x01, 0x02, 0xff, 0xfe])],
    );
    check(&[0x10, 0x00, 0x00], &[Heard::Audio(8000, Vec::new())]);
    check(&[0xff, 0x00, 0x01, 0x02], &[Heard::Error(2)]);
    check(&[0xff, 0x00, 0x00], &[Heard::Error(0)]);
    // After the end nothing is read, whatever it is.
    check(
        &[0x00, 0x00, 0x00, 0x01, 0x00, 0x10, 0x42],
        &[Heard::Terminate],
    );
}

#[test]
fn every_kind_of_audio_says_its_rate() {
    for (kind, rate_hz) in [
        (0x10, 8000),
        (0x11, 12_000),
        (0x12, 16_000),
        (0x13, 24_000),
        (0x14, 32_000),
        (0x15, 44_100),
        (0x16, 48_000),
        (0x17, 96_000),
        (0x18, 192_000),
    ] {
        let bytes = after_id(&[kind, 0x00, 0x02, 0x34, 0x12]);
        let (heard, end, _) = hear(&[&bytes], &Limits::default());
        assert_eq!(heard[1], Heard::Audio(rate_hz, vec![0x34, 0x12]));
        assert_eq!(end, Ok(()));
        let mut written = Vec::new();
        write_audio(&mut written, rate_hz, &[0x34, 0x12]).unwrap();
        assert_eq!(after_id(&written), bytes);
    }
}

#[test]
fn what_is_not_known_is_skipped_and_counted() {
    let check = |bytes: &[u8], n_skipped| {
        let bytes = after_id(bytes);
        let (heard, end, reader) = hear(&[&bytes], &small());
        assert_eq!((heard, end), (vec![Heard::Id(ID)], Ok(())));
        assert_eq!(reader.n_skipped(), n_skipped);
    };
    check(&[0x02, 0x00, 0x01, 0x00], 1);
    check(&[0x19, 0x00, 0x03, 1, 2, 3, 0x7f, 0x00, 0x00], 2);
    // No digit, and two of them.
    check(&[0x03, 0x00, 0x01, b'x'], 1);
    check(&[0x03, 0x00, 0x02, b'1', b'2'], 1);
}

#[test]
fn what_ends_a_connection() {
    let check = |bytes: &[u8], expected| {
        let (_, end, reader) = hear(&[bytes], &small());
        assert_eq!(end, Err(expected), "{bytes:02x?}");
        assert!(reader.finish().is_err(), "{bytes:02x?}");
    };
    check(b"", AudioSocketError::NoId);
    check(&ID_FRAME[..2], AudioSocketError::Truncated { n_bytes: 2 });
    check(&ID_FRAME[..18], AudioSocketError::Truncated { n_bytes: 18 });
    check(
        &after_id(&[0x10, 0x00, 0x04, 0x01]),
        AudioSocketError::Truncated { n_bytes: 4 },
    );
    check(
        &[0x10, 0x01, 0x40],
        AudioSocketError::IdMissing { kind: 0x10 },
    );
    check(
        &[0x00, 0x00, 0x00],
        AudioSocketError::IdMissing { kind: 0x00 },
    );
    check(
        &[0x01, 0x00, 0x0f],
        AudioSocketError::IdLength { n_bytes: 15 },
    );
    let nil = [&ID_FRAME[..3], &[0; 16]].concat();
    check(&nil, AudioSocketError::IdNil);
    check(&after_id(ID_FRAME), AudioSocketError::IdTwice);
    let too_long = |kind, n_bytes| AudioSocketError::TooLong {
        kind,
        n_bytes,
        limit_bytes: 20,
    };
    check(&after_id(&[0x10, 0x00, 0x16]), too_long(0x10, 22));
    check(&after_id(&[0x55, 0xff, 0xff]), too_long(0x55, 65_535));
    check(
        &after_id(&[0x10, 0x00, 0x03]),
        AudioSocketError::OddAudio { n_bytes: 3 },
    );
    check(
        &after_id(&[0x55, 0, 0, 0x56, 0, 0, 0x57, 0, 0]),
        AudioSocketError::TooManyUnknown { limit: 2 },
    );
}

#[test]
fn other_protocols_are_named() {
    let check = |bytes: &[u8], expected| {
        let (_, end, _) = hear(&[bytes], &Limits::default());
        assert_eq!(end, Err(AudioSocketError::OtherProtocol(expected)));
    };
    check(b"GET /v1/listen HTTP/1.1\r\n", LooksLike::Http);
    check(b"POST / HTTP/1.1\r\n", LooksLike::Http);
    check(b"PRI * HTTP/2.0\r\n", LooksLike::Http);
    check(b"OPTIONS sip:auricle SIP/2.0\r\n", LooksLike::Sip);
    check(b"INVITE sip:auricle SIP/2.0\r\n", LooksLike::Sip);
    check(&[0x16, 0x03, 0x01, 0x02, 0x00], LooksLike::Tls);
}

#[test]
fn messages_of_errors() {
    let errors = [
        AudioSocketError::OtherProtocol(LooksLike::Http),
        AudioSocketError::IdMissing { kind: 0x10 },
        AudioSocketError::IdNil,
        AudioSocketError::OddAudio { n_bytes: 159 },
    ];
    insta::assert_snapshot!(errors.map(|error| error.to_string()).join("\n"), @r"
    first bytes are HTTP, not AudioSocket
    hint: WebSockets and HTTP have a port of their own
    first frame must be the call's id, kind `0x01`, got kind `0x10`
    id is all zeros
    hint: give each call its own: `Set(CALL=${UUID()})`
    audio of 159 bytes is not 16-bit samples
    hint: the channel driver sends the call's codec as it is; end the dial string with `/c(slin)`
    ");
    let codes = [0, 1, 2, 4, 7, 0x10].map(|code| ErrorCode(code).to_string());
    insta::assert_snapshot!(codes.join("\n"), @"
    0x00
    0x01: calling party hung up
    0x02: frame could not be forwarded
    0x04: out of memory
    0x07: calling party hung up, frame could not be forwarded, out of memory
    0x10
    ");
}

#[test]
fn neither_digits_nor_audio_are_shown() {
    let bytes = after_id(&[0x03, 0, 1, b'7', 0x10, 0, 2, 77, 77, 0xff, 0, 1, 2, 0, 0, 0]);
    let mut reader = AudioSocketReader::new(&Limits::default());
    reader.push(&bytes);
    let mut shown = Vec::new();
    while let Some(message) = reader.message().unwrap() {
        shown.push(format!("{message:?}"));
    }
    shown.push(format!("{reader:?}"));
    insta::assert_snapshot!(shown.join("\n"), @"
    Id(40325ec2-5efd-4bd3-805f-53576e581d13)
    Digit(PhoneKey(…))
    Audio(2 bytes at 8000 Hz)
    Error(0x02: frame could not be forwarded)
    Terminate
    AudioSocketReader { state: Ended, n_waiting_bytes: 0, n_unknown: 0, .. }
    ");
}

#[test]
fn frames_that_are_sent() {
    assert_eq!(
        write_complaint(Complaint::Overloaded),
        [0xff, 0x00, 0x01, 0x40]
    );
    assert_eq!(write_id(ID), ID_FRAME);
    let mut out = vec![1];
    let wrong = write_audio(&mut out, 11_025, &[0, 0]);
    assert_eq!(wrong, Err(WriteError::Rate { rate_hz: 11_025 }));
    let wrong = write_audio(&mut out, 8000, &[0]);
    assert_eq!(wrong, Err(WriteError::Length { n_bytes: 1 }));
    let wrong = write_audio(&mut out, 8000, &[0; 65_536]);
    assert_eq!(wrong, Err(WriteError::Length { n_bytes: 65_536 }));
    assert_eq!(out, [1]);
}

#[test]
fn the_buffer_stays_as_long_as_it_is() {
    let mut reader = AudioSocketReader::new(&Limits::default());
    let n_bytes = reader.space().len();
    let mut bytes = ID_FRAME.to_vec();
    for _ in 0..2000 {
        write_audio(&mut bytes, 8000, &[7; 320]).unwrap();
    }
    let mut rest = bytes.as_slice();
    let mut n_heard = 0;
    while !rest.is_empty() {
        let n_taken = reader.push(rest);
        rest = &rest[n_taken..];
        while reader.message().unwrap().is_some() {
            n_heard += 1;
        }
        assert!((n_bytes / 2..=n_bytes).contains(&reader.space().len()));
    }
    assert_eq!(n_heard, 2001);
    // More than there is space for is not counted.
    reader.advance(usize::MAX);
    assert!(reader.space().len() <= n_bytes);
}

#[test]
fn the_longest_frame_is_read_in_whatever_pieces_it_comes() {
    let limits = Limits::default();
    let longest = limits.audiosocket_payload_bytes;
    for piece in [1, 20, 700, 5_000, 100_000] {
        let mut reader = AudioSocketReader::new(&limits);
        let mut bytes = ID_FRAME.to_vec();
        for n_bytes in [320, longest, 320, longest, longest] {
            write_audio(&mut bytes, 8000, &vec![7; n_bytes]).unwrap();
        }
        let mut heard = Vec::new();
        for mut rest in bytes.chunks(piece) {
            while !rest.is_empty() {
                rest = &rest[reader.push(rest)..];
                while let Some(message) = reader.message().unwrap() {
                    if let AudioSocketMessage::Audio { samples, .. } = message {
                        heard.push(samples.len());
                    }
                }
                assert!(!reader.space().is_empty());
                assert!(reader.space().len() <= 2 * (3 + longest));
            }
        }
        assert_eq!(heard, [320, longest, 320, longest, longest], "{piece}");
    }
}

/// Frames as Asterisk could send them, now and then one that is not known or wrong.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let audio = (0x10u8..=0x18, proptest::collection::vec(any::<u8>(), 0..24));
    let audio = audio.prop_map(|(kind, mut samples)| {
        samples.truncate(samples.len() / 2 * 2);
        frame(kind, &samples)
    });
    let digit = any::<u8>().prop_map(|digit| frame(0x03, &[digit]));
    let any = (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..8));
    let any = any.prop_map(|(kind, payload)| frame(kind, &payload));
    let frame = prop_oneof![12 => audio, 3 => digit, 1 => any];
    let frames = proptest::collection::vec(frame, 0..12);
    frames.prop_map(|frames| after_id(&frames.concat()))
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind, 0, payload.len() as u8], payload].concat()
}

proptest! {
    #[test]
    fn pieces_change_nothing(bytes in frames(), cuts in proptest::collection::vec(1usize..40, 1..8)) {
        let (whole, end, _) = hear(&[&bytes], &small());
        let mut pieces = Vec::new();
        let mut rest = bytes.as_slice();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        let (cut, cut_end, _) = hear(&pieces, &small());
        prop_assert_eq!(cut, whole);
        prop_assert_eq!(cut_end, end);
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = hear(&[&bytes], &small());
        let _ = hear(&[&after_id(&bytes)], &small());
    }
}
