//! Every recording of `fixtures/audio` against its line in `manifest.jsonl`.
#![expect(
    clippy::unwrap_used,
    reason = "tests, their helpers included, stop at what they do not expect"
)]

use std::collections::BTreeSet;
use std::f64::consts::PI;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use auricle_audio::{AudioBlock, AudioReader, MAX_BLOCK_FRAMES, ReadWarning, Survey};
use serde_json::Value;

#[path = "common/program.rs"]
mod program;

/// When the tone of the program is steady, seconds.
const TONE_SECS: [f64; 2] = [0.15, 0.45];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/audio")
}

fn manifest() -> Vec<Value> {
    let text = std::fs::read_to_string(folder().join("manifest.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The lines of recordings that can be read, or of those that cannot.
fn entries(readable: bool) -> impl Iterator<Item = (String, Value)> {
    let wanted = move |entry: &Value| entry.get("error").is_none() == readable;
    let named = |entry: Value| (entry["file"].as_str().unwrap().to_owned(), entry);
    manifest().into_iter().filter(wanted).map(named)
}

fn texts(value: &Value) -> Vec<&str> {
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    list.iter().map(|text| text.as_str().unwrap()).collect()
}

struct Recording {
    reader: AudioReader,
    planes: Vec<Vec<f32>>,
}

fn read(file: &str) -> Recording {
    read_all(AudioReader::open(folder().join(file)).unwrap())
}

fn read_bytes(bytes: Vec<u8>) -> Recording {
    read_all(AudioReader::from_source(Cursor::new(bytes), "bytes").unwrap())
}

fn read_all(mut reader: AudioReader) -> Recording {
    let mut planes = vec![Vec::new(); reader.info().n_channels];
    let mut block = AudioBlock::new();
    loop {
        let n_frames = reader.next_block(&mut block).unwrap();
        assert!(n_frames <= MAX_BLOCK_FRAMES);
        for (plane, channel) in planes.iter_mut().zip(block.channels()) {
            assert_eq!(channel.len(), n_frames);
            plane.extend_from_slice(channel);
        }
        if n_frames == 0 {
            break;
        }
    }
    assert_eq!(reader.next_block(&mut block).unwrap(), 0);
    Recording { reader, planes }
}

/// Correlation of two signals, without shift.
fn correlation(found: &[f32], expected: &[f32]) -> f64 {
    let product = |a: &[f32], b: &[f32]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(&a, &b)| f64::from(a) * f64::from(b))
            .sum()
    };
    product(found, expected) / (product(found, found) * product(expected, expected)).sqrt()
}

/// Amplitude of the program's tone.
fn tone_level(samples: &[f32], rate_hz: u32) -> f64 {
    let [start, end] = TONE_SECS.map(|secs| (secs * f64::from(rate_hz)) as usize);
    let (mut re, mut im) = (0.0, 0.0);
    for (idx, &sample) in samples[start..end].iter().enumerate() {
        let angle = 2.0 * PI * program::TONE_HZ * idx as f64 / f64::from(rate_hz);
        re += f64::from(sample) * angle.cos();
        im += f64::from(sample) * angle.sin();
    }
    2.0 * re.hypot(im) / (end - start) as f64
}

#[test]
fn recordings_are_what_the_manifest_says() {
    for (file, entry) in entries(true) {
        let recording = read(&file);
        let info = recording.reader.info();
        assert_eq!(info.container.as_str(), entry["container"], "{file}");
        assert_eq!(info.codec.to_string(), entry["codec"], "{file}");
        assert_eq!(info.sample_rate_hz, entry["rate_hz"], "{file}");
        assert_eq!(info.n_channels, entry["channels"], "{file}");
        let n_frames = recording.planes[0].len() as u64;
        let range = [0, 1].map(|idx| entry["frames"][idx].as_u64().unwrap());
        assert!(
            (range[0]..=range[1]).contains(&n_frames),
            "{file}: {n_frames} frames"
        );
        assert_eq!(recording.reader.n_frames_read(), n_frames, "{file}");
    }
}

/// Without shift: this also holds codec delays to less than a tenth of a period of 3 kHz.
#[test]
fn the_program_is_heard_in_its_place() {
    for (file, entry) in entries(true).filter(|(_, entry)| entry["holds"] == "program") {
        let recording = read(&file);
        let rate_hz = recording.reader.info().sample_rate_hz;
        for (channel_idx, found) in recording.planes.iter().enumerate() {
            let expected = program::samples(channel_idx, rate_hz, found.len());
            let match_found = correlation(found, &expected);
            let match_wanted = entry["match"].as_f64().unwrap();
            assert!(
                match_found >= match_wanted,
                "{file} {channel_idx}: {match_found}"
            );
        }
        let level = tone_level(&recording.planes[0], rate_hz) / program::TONE_LEVEL;
        let tolerance = entry["level"].as_f64().unwrap();
        assert!((level - 1.0).abs() < tolerance, "{file}: tone at {level}");
    }
}

#[test]
fn the_first_channel_is_the_program_where_the_manifest_says_so() {
    for (file, _) in entries(true).filter(|(_, entry)| entry["holds"] == "first") {
        let recording = read(&file);
        let n_frames = recording.planes[0].len();
        let rate_hz = recording.reader.info().sample_rate_hz;
        let expected = program::samples(0, rate_hz, n_frames);
        assert!(
            correlation(&recording.planes[0], &expected) > 0.999,
            "{file}"
        );
    }
}

#[test]
fn warnings_are_those_of_the_manifest() {
    for (file, entry) in entries(true) {
        let recording = read(&file);
        let found: Vec<String> = recording
            .reader
            .warnings()
            .iter()
            .map(ToString::to_string)
            .collect();
        let expected = texts(&entry["says"]);
        assert_eq!(found.len(), expected.len(), "{file}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{file}: {found}");
        }
    }
}

#[test]
fn the_survey_finds_layouts_and_faults() {
    for (file, entry) in entries(true) {
        let recording = read(&file);
        let info = recording.reader.info();
        let mut survey = Survey::new(info.sample_rate_hz, info.n_channels);
        survey.push(&AudioBlock::from_planes(recording.planes));
        let report = survey.finish();
        assert_eq!(
            report.layout.as_str(),
            entry["layout"],
            "{file}: {report:#?}"
        );
        let mut expected = texts(&entry["survey"]);
        if entry["layout"] == "fake_stereo" {
            expected.insert(0, "all channels carry the same sound");
        }
        assert_eq!(report.warnings.len(), expected.len(), "{file}: {report:#?}");
        for (found, expected) in report.warnings.iter().zip(expected) {
            assert!(found.to_string().contains(expected), "{file}: {found}");
        }
    }
}

#[test]
fn unreadable_files_say_why_and_what_to_do() {
    for (file, entry) in entries(false) {
        let path = folder().join(&file);
        let error = AudioReader::open(&path)
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(error.contains(&file), "{error}");
        for expected in texts(&entry["error"]) {
            assert!(error.contains(expected), "{file}: {error}");
        }
    }
}

fn bytes_of(file: &str) -> Vec<u8> {
    std::fs::read(folder().join(file)).unwrap()
}

#[test]
fn a_chain_of_streams_is_read_as_far_as_they_are_alike() {
    for (first, second) in [
        ("opus-8k-mono.opus", "opus-16k-stereo.opus"),
        ("vorbis-8k-mono.ogg", "vorbis-44k-stereo.ogg"),
    ] {
        let alone = read(first).planes[0].len();
        let twice = read_bytes([bytes_of(first), bytes_of(first)].concat());
        assert_eq!(twice.reader.warnings(), [], "{first}");
        assert_eq!(twice.planes[0].len(), 2 * alone, "{first}");
        let other = read_bytes([bytes_of(first), bytes_of(second)].concat());
        let at_secs = alone as f64 / 8_000.0;
        assert_eq!(
            other.reader.warnings(),
            [ReadWarning::FormatChange { at_secs }]
        );
        assert_eq!(other.planes[0].len(), alone, "{first}");
    }
}

#[test]
fn a_count_of_frames_that_cannot_be_is_not_believed() {
    for file in ["adpcm-ima-8k-stereo.wav", "adpcm-ms-8k-stereo.wav"] {
        let n_frames = read(file).planes[0].len();
        for stated in [0_u32, 1, 100, u32::MAX] {
            let mut bytes = bytes_of(file);
            let fact = bytes.windows(4).position(|tag| tag == b"fact").unwrap();
            bytes[fact + 8..fact + 12].copy_from_slice(&stated.to_le_bytes());
            let found = read_bytes(bytes).planes[0].len();
            // With what fills the last block up.
            assert!(
                found >= n_frames,
                "{file}: {found} of {n_frames}, `{stated}` stated"
            );
        }
    }
}

/// An AIFF-C file of one second at 8 kHz.
fn aiff_c(coding: &[u8; 4], n_bits: u16, sample: &[u8]) -> Vec<u8> {
    let chunk =
        |id: &[u8; 4], body: &[u8]| [&id[..], &(body.len() as u32).to_be_bytes(), body].concat();
    let mut common = [1_u16.to_be_bytes(), [0; 2], 8_000_u16.to_be_bytes()].concat();
    common.extend(n_bits.to_be_bytes());
    // 8000 as an 80-bit float, then the coding and an empty name.
    common.extend([0x40, 0x0b, 0xfa, 0, 0, 0, 0, 0, 0, 0]);
    common.extend([&coding[..], &[0, 0]].concat());
    let sound = [&[0; 8][..], &sample.repeat(8_000)].concat();
    let body = [
        b"AIFC".to_vec(),
        chunk(b"COMM", &common),
        chunk(b"SSND", &sound),
    ];
    chunk(b"FORM", &body.concat())
}

#[test]
fn codecs_in_aiff_have_their_own_names() {
    for (coding, n_bits, sample, codec, level) in [
        (b"alaw", 16, &[0xaa][..], "alaw", 0.984_375),
        (b"ulaw", 16, &[0x80][..], "mulaw", 0.980_346_7),
        (b"fl32", 32, &0.25_f32.to_be_bytes()[..], "pcm_f32", 0.25),
    ] {
        let recording = read_bytes(aiff_c(coding, n_bits, sample));
        assert_eq!(recording.reader.info().codec.to_string(), codec);
        assert_eq!(recording.planes[0].len(), 8_000, "{codec}");
        assert!((recording.planes[0][4_000] - level).abs() < 1e-6, "{codec}");
    }
}

#[test]
fn what_is_no_file_is_refused() {
    for (path, expected) in [
        (folder(), "no regular file"),
        (folder().join("not-there.wav"), "cannot open"),
    ] {
        let error = AudioReader::open(path).map(|_| ()).unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.contains("hint:"),
            "{error}"
        );
    }
}

#[test]
fn linear_samples_survive_bit_for_bit() {
    let eight = read("pcm-u8-8k-mono.wav").planes;
    assert!(
        eight[0]
            .iter()
            .all(|sample| (sample * 128.0).fract() == 0.0)
    );
    let expected = read("pcm-s24-8k-mono.wav").planes;
    for file in [
        "pcm-s32-8k-mono.wav",
        "pcm-f32-8k-mono.wav",
        "pcm-f64-8k-mono.wav",
    ] {
        assert_eq!(read(file).planes, expected, "{file}");
    }
    assert_eq!(read("pcm-s16-8k-stereo.wav").planes[0], expected[0]);
    let flac = read("flac-16k-stereo.flac").planes;
    assert_eq!(read("alac-16k-stereo.m4a").planes, flac);
    assert_eq!(read("aiff-16k-mono.aiff").planes[0], flac[0]);
}

#[test]
fn the_folder_and_its_manifest_agree() {
    let listed: BTreeSet<String> = manifest()
        .iter()
        .map(|entry| entry["file"].as_str().unwrap().to_owned())
        .collect();
    let mut found = BTreeSet::new();
    let mut n_bytes = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            continue;
        }
        n_bytes += entry.metadata().unwrap().len();
        let name = entry.file_name().into_string().unwrap();
        if name != "manifest.jsonl" && name != "make.sh" && name != "README.md" {
            found.insert(name);
        }
    }
    assert_eq!(found, listed);
    assert!(n_bytes < 2 << 20, "{n_bytes} bytes");
}
