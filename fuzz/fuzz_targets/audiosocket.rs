//! Any bytes as an AudioSocket connection: they say the same in one piece and in many.
#![no_main]

use auricle_wire::Limits;
use auricle_wire::audiosocket::{AudioSocketError, AudioSocketReader, write_id};
use libfuzzer_sys::fuzz_target;

/// What pieces of this length say, and how the connection ends.
fn hear(bytes: &[u8], piece_bytes: usize) -> (Vec<String>, Result<(), AudioSocketError>) {
    let limits = Limits {
        audiosocket_payload_bytes: 512,
        unknown_frames: 8,
        ..Limits::default()
    };
    let mut reader = AudioSocketReader::new(&limits);
    let mut said = Vec::new();
    for mut rest in bytes.chunks(piece_bytes) {
        while !rest.is_empty() {
            let n_bytes = reader.push(rest);
            assert!(n_bytes > 0, "there is space once all messages are taken");
            rest = &rest[n_bytes..];
            loop {
                match reader.message() {
                    Ok(Some(message)) => said.push(format!("{message:?}")),
                    Ok(None) => break,
                    Err(error) => return (said, Err(error)),
                }
            }
        }
    }
    (said, reader.finish())
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&piece_bytes, bytes)) = bytes.split_first() else {
        return;
    };
    let piece_bytes = usize::from(piece_bytes) + 1;
    // As they are, and behind an id, so that what follows it is looked at.
    let id = 0x4032_5ec2_5efd_4bd3_805f_5357_6e58_1d13_u128;
    let behind_id = [&write_id(uuid::Uuid::from_u128(id)), bytes].concat();
    for bytes in [bytes, &behind_id] {
        let whole = hear(bytes, bytes.len().max(1));
        assert_eq!(hear(bytes, piece_bytes), whole);
    }
});
