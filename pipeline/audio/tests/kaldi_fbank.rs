//! Our filter bank features beside `kaldi-native-fbank`, frame by frame.
//!
//! Needs a Python that can import that package: `AURICLE_PYTHON`, else `python3`, with the folders in
//! which `make test` and the benchmarks install packages (`.native/python`, `.native/peer`).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]
#![expect(clippy::print_stdout, reason = "figures, and why a test was skipped")]

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use auricle_audio::{AudioBlock, AudioReader, Fbank, FbankPlan, FbankSettings, N_BINS, Resampler};

const RATE_HZ: u32 = 16_000;
/// Largest difference, natural logarithm of an energy.
const TOLERANCE: f32 = 1e-3;
/// Filters this far below the loudest of their frame (natural logarithm: 70 dB) hold the rounding of
/// single precision rather than sound; above 4 kHz, telephone speech has nothing else. The reference
/// itself is off what double precision gives there, by 2e-3 in speech and more beside pure tones.
const ROUNDING_BELOW: f32 = 16.0;
const ROUNDING_TOLERANCE: f32 = 5e-2;

/// Reads f32 samples from the first file, writes f32 features to the second.
const REFERENCE: &str = "\
import sys
import kaldi_native_fbank as knf
import numpy as np

samples = np.fromfile(sys.argv[1], dtype='<f4')
options = knf.FbankOptions()
options.frame_opts.samp_freq = 16000
options.frame_opts.dither = 0
options.frame_opts.snip_edges = False
options.mel_opts.num_bins = 80
options.mel_opts.high_freq = -400
fbank = knf.OnlineFbank(options)
fbank.accept_waveform(16000, samples.tolist())
fbank.input_finished()
frames = [np.asarray(fbank.get_frame(at), dtype='<f4') for at in range(fbank.num_frames_ready)]
np.concatenate(frames or [np.empty(0, '<f4')]).tofile(sys.argv[2])
";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A Python at work, with the packages of the checkout in reach.
fn python() -> Command {
    let mut python = Command::new(env::var_os("AURICLE_PYTHON").unwrap_or("python3".into()));
    let own = ["python", "peer"].map(|name| workspace().join(".native").join(name));
    let given = env::var_os("PYTHONPATH").unwrap_or_default();
    let folders = env::split_paths(&given).chain(own).collect::<Vec<_>>();
    let path: OsString = env::join_paths(folders).unwrap();
    python.env("PYTHONPATH", path);
    python
}

fn is_reference_there() -> bool {
    let tried = python()
        .args(["-c", "import kaldi_native_fbank, numpy"])
        .output();
    let there = tried.as_ref().is_ok_and(|tried| tried.status.success());
    if !there {
        let cause = match &tried {
            Ok(tried) => String::from_utf8_lossy(&tried.stderr).trim().to_owned(),
            Err(cause) => cause.to_string(),
        };
        let cause = cause.lines().last().unwrap_or_default();
        println!("skipped: no Python with kaldi-native-fbank (AURICLE_PYTHON): {cause}");
    }
    there
}

fn reference(samples: &[f32]) -> Vec<f32> {
    let folder = tempfile::tempdir().unwrap();
    let [input, output] = ["samples", "features"].map(|name| folder.path().join(name));
    let bytes = samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect::<Vec<_>>();
    fs::write(&input, bytes).unwrap();
    let ran = python()
        .args(["-c", REFERENCE])
        .args([&input, &output])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "the reference failed: {told}");
    let features = fs::read(&output).unwrap();
    let (values, rest) = features.as_chunks::<4>();
    assert!(rest.is_empty());
    values
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

/// Ours, fed in pieces of 100 ms as a call would.
fn ours(samples: &[f32]) -> Vec<f32> {
    let plan = FbankPlan::new(&FbankSettings::icefall(RATE_HZ));
    let (mut fbank, mut features) = (Fbank::new(Arc::new(plan)), Vec::new());
    for piece in samples.chunks(1600) {
        fbank.accept(piece, &mut features);
    }
    fbank.finish(&mut features);
    features
}

fn check(name: &str, samples: &[f32]) {
    let (ours, wanted) = (ours(samples), reference(samples));
    assert_eq!(ours.len(), wanted.len(), "{name}: values");
    let (mut worst, mut worst_rounding) = (0.0_f32, 0.0_f32);
    let frames = ours.chunks(N_BINS).zip(wanted.chunks(N_BINS));
    for (frame_idx, (ours, wanted)) in frames.enumerate() {
        let loudest = wanted.iter().copied().fold(f32::MIN, f32::max);
        for (bin, (ours, wanted)) in ours.iter().zip(wanted).enumerate() {
            let error = (ours - wanted).abs();
            let (worst, tolerance) = if loudest - wanted < ROUNDING_BELOW {
                (&mut worst, TOLERANCE)
            } else {
                (&mut worst_rounding, ROUNDING_TOLERANCE)
            };
            *worst = worst.max(error);
            assert!(
                error <= tolerance,
                "{name}: {ours} for {wanted} in filter {bin} of frame {frame_idx}"
            );
        }
    }
    let n_frames = ours.len() / N_BINS;
    println!("{name}: {n_frames} frames, worst {worst:.1e}, in rounding {worst_rounding:.1e}");
}

fn fixture(name: &str) -> Vec<f32> {
    recording(&workspace().join("fixtures/audio").join(name))
}

/// The first channel of a recording at 16 kHz.
fn recording(path: &Path) -> Vec<f32> {
    let mut reader = AudioReader::open(path).unwrap();
    let mut resampler = Resampler::new(reader.info().sample_rate_hz, RATE_HZ).unwrap();
    let (mut block, mut samples) = (AudioBlock::new(), Vec::new());
    while reader.next_block(&mut block).unwrap() > 0 {
        resampler.process(block.channel(0), &mut samples).unwrap();
    }
    resampler.finish(&mut samples).unwrap();
    samples
}

/// White noise of this peak, the same every time.
fn noise(n_samples: usize, peak: f32) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * peak
    };
    (0..n_samples).map(|_| next()).collect()
}

/// From 20 Hz to 7 kHz, within the filters all the time, over the noise of a bad line.
fn sweep(n_samples: usize) -> Vec<f32> {
    let rise = (7000.0 - 20.0) / n_samples as f64;
    let mut phase = 0.0_f64;
    let mut next = |at: usize| {
        phase += (20.0 + rise * at as f64) / f64::from(RATE_HZ);
        (std::f64::consts::TAU * phase.fract()).sin() as f32 * 0.5
    };
    let line = noise(n_samples, 1e-2);
    (0..n_samples).map(|at| next(at) + line[at]).collect()
}

#[test]
fn features_are_kaldis() {
    if !is_reference_there() {
        return;
    }
    check("telephone speech", &fixture("call-stereo-8k.wav"));
    check("µ-law", &fixture("mulaw-8k-mono.wav"));
    check("noise", &noise(48_000, 0.9));
    check("faint noise", &noise(16_000, 1e-4));
    check("sweep", &sweep(32_000));
    check(
        "clipped",
        &noise(16_000, 8.0)
            .iter()
            .map(|sample| sample.clamp(-1.0, 1.0))
            .collect::<Vec<_>>(),
    );
    check("silence", &[0.0; 8_000]);
    check("offset", &[0.25; 8_000]);
}

/// Real speech, with what telephones and codecs leave of it.
#[test]
fn features_of_recordings_are_kaldis() {
    let shared =
        env::var_os("AURICLE_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from);
    let clips = shared.join("audio/zh-dev");
    if !clips.is_dir() {
        println!("skipped: there are no recordings in {}", clips.display());
        return;
    }
    if !is_reference_there() {
        return;
    }
    for number in 0..6 {
        let clip = clips.join(format!("zh-dev-{number:03}.wav"));
        check(&clip.display().to_string(), &recording(&clip));
    }
}

/// Edges are mirrored, several times where a recording is shorter than a window.
#[test]
fn short_streams_are_kaldis() {
    if !is_reference_there() {
        return;
    }
    for n_samples in [0, 1, 79, 80, 159, 160, 200, 201, 399, 400, 401, 561, 1_000] {
        check(&format!("{n_samples} samples"), &noise(n_samples, 0.5));
    }
}
