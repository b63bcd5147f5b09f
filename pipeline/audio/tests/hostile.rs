//! Bytes of any kind are read or refused, never a panic, never without end.
#![expect(
    clippy::unwrap_used,
    reason = "tests, their helpers included, stop at what they do not expect"
)]

use std::path::Path;
use std::sync::LazyLock;

use auricle_audio::read_bytes;
use proptest::prelude::*;
use proptest::sample::Index;

/// Frames read of each input; more than the longest fixture has.
const FRAMES_LIMIT: u64 = 500_000;

/// The fixtures, smaller ones only: damage does the same to the larger.
static FIXTURES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/audio");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        if (40..45_000).contains(&bytes.len()) {
            found.push((path.display().to_string(), bytes));
        }
    }
    found.sort();
    found
});

fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(outcome) = read_bytes(bytes, FRAMES_LIMIT) {
        prop_assert!(outcome.n_frames > 0);
        prop_assert!((0.0..=1.0).contains(&outcome.peak));
    }
    Ok(())
}

/// What is done to a file: bytes set, a piece taken out, put in again elsewhere, the end cut.
#[derive(Clone, Debug)]
struct Damage {
    file: Index,
    /// Places and values; the first places are those of headers.
    set: Vec<(Index, bool, u8)>,
    removed: Option<(Index, u16)>,
    cut: Option<Index>,
}

fn damage() -> impl Strategy<Value = Damage> {
    let value = prop_oneof![any::<u8>(), Just(0), Just(0xff), Just(0x7f), Just(0x80)];
    (
        any::<Index>(),
        prop::collection::vec((any::<Index>(), any::<bool>(), value), 0..12),
        prop::option::of((any::<Index>(), any::<u16>())),
        prop::option::weighted(0.3, any::<Index>()),
    )
        .prop_map(|(file, set, removed, cut)| Damage {
            file,
            set,
            removed,
            cut,
        })
}

impl Damage {
    fn apply(&self) -> Vec<u8> {
        let (_, original) = self.file.get(&FIXTURES);
        let mut bytes = original.clone();
        for (place, in_header, value) in &self.set {
            let reach = if *in_header {
                bytes.len().min(512)
            } else {
                bytes.len()
            };
            bytes[place.index(reach)] = *value;
        }
        if let Some((start, n_bytes)) = &self.removed {
            let start = start.index(bytes.len());
            let end = bytes.len().min(start + usize::from(*n_bytes % 2_000));
            bytes.drain(start..end);
        }
        if let Some(cut) = &self.cut {
            bytes.truncate(cut.index(original.len()));
        }
        bytes
    }
}

fn cases(default: u32) -> ProptestConfig {
    let cases = std::env::var("AURICLE_FUZZ_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    ProptestConfig::with_cases(cases.unwrap_or(default))
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn damaged_recordings_are_read_or_refused(damage in damage()) {
        check(&damage.apply())?;
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        magic in prop::sample::select(vec![
            &b""[..], b"RIFF\0\0\0\0WAVEfmt ", b"fLaC", b"OggS\0\x02", b"ID3\x03\0\0",
            b"\0\0\0\x18ftypM4A ", b"FORM\0\0\0\0AIFF", b"\xff\xfb\x90\x64", b"\xff\xf1\x50\x80",
        ]),
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
    ) {
        check(&[magic, &bytes].concat())?;
    }
}

/// Sizes and counts of all ones must not be believed.
#[test]
fn every_header_word_may_be_all_ones() {
    for (name, original) in FIXTURES.iter() {
        for at in (0..original.len().min(400)).step_by(4) {
            for word in [[0xff; 4], [0x7f, 0xff, 0xff, 0xff], [0; 4]] {
                let mut bytes = original.clone();
                let end = bytes.len().min(at + 4);
                bytes[at..end].copy_from_slice(&word[..end - at]);
                assert!(check(&bytes).is_ok(), "{name} at {at}");
            }
        }
    }
}
