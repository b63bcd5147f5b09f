//! How a voice sounds over one utterance on a telephone line: pitch, loudness, spectral shape, voice
//! quality, rhythm.
//!
//! ```text
//! samples ─▶ spectrum (50 ms every 10 ms) ─┬─▶ shape ───────────────┐
//!                                          └─▶ pitch ─▶ pitch track ┴─▶ tally ─▶ VoiceMeasures
//!                                                          └─▶ quality (period by period)
//! ```
//!
//! Only 200 to 3,500 Hz are looked at: a telephone passes 300 to 3,400. Where the fundamental is cut off,
//! its harmonics still repeat with it, so pitch is found by autocorrelation. The measures are those of the
//! Geneva minimalistic parameter set (Eyben et al. 2016, "The Geneva Minimalistic Acoustic Parameter Set
//! (GeMAPS) for Voice Research and Affective Computing"), with their bands cut to the telephone's.

mod measures;
mod pitch;
mod quality;
mod shape;
mod spectrum;
mod stats;
mod tally;
mod track;

use std::collections::VecDeque;
use std::fmt;

pub use measures::{N_CEPSTRA, VoiceMeasures};
use pitch::{Candidate, PitchFinder};
use quality::Quality;
use shape::{Flux, Shape, ShapeFinder};
use spectrum::{HOP_SAMPLES, Spectrum, WINDOW_SAMPLES};
use tally::Tally;
use track::PitchTrack;

/// Rate that voices are measured at, hertz.
pub const VOICE_RATE_HZ: u32 = 8_000;

/// Sound of an utterance beyond this is not measured: five minutes, far more than endpointing leaves in
/// one piece.
const MOST_FRAMES: usize = 30_000;
/// Samples are let go in pieces of this, for moving the rest costs.
const DROP_SAMPLES: usize = 2_000;

/// What one frame takes to be measured: tables and buffers, about 0.1 MB. Nothing of a voice stays in it, so one is enough
/// for all meters of a thread.
pub struct VoiceBench {
    spectrum: Spectrum,
    shapes: ShapeFinder,
    likeness: Vec<f32>,
}

impl VoiceBench {
    /// A bench.
    pub fn new() -> Self {
        Self {
            spectrum: Spectrum::new(),
            shapes: ShapeFinder::new(),
            likeness: Vec::new(),
        }
    }
}

impl Default for VoiceBench {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for VoiceBench {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("VoiceBench").finish_non_exhaustive()
    }
}

/// Measures one utterance of one channel while it is open.
///
/// Feed it the samples of the utterance as they come, in pieces of any size, and take the measures when the
/// utterance closes; it is then ready for the next. It allocates while the first utterances grow, then
/// keeps its memory: about 0.1 MB, and 16 bytes for every 10 ms.
///
/// Delay: none that matters; all but the last 1.3 s is worked off as it comes.
///
/// ```
/// use auricle_audio::{VoiceBench, VoiceMeter};
///
/// let (mut meter, mut bench) = (VoiceMeter::new(), VoiceBench::new());
/// let tone = |at: usize, hz: f32| 0.1 * (at as f32 * hz * std::f32::consts::TAU / 8_000.0).sin();
/// // A telephone passes the harmonics of a voice; its fundamental may be missing.
/// let vowel = |at: usize| [400.0, 600.0, 800.0].map(|hz| tone(at, hz)).iter().sum::<f32>();
/// meter.accept(&(0..8_000).map(vowel).collect::<Vec<_>>(), &mut bench);
/// let voice = meter.finish().unwrap();
/// assert!((voice.pitch_hz - 200.0).abs() < 1.0, "{voice:?}");
/// assert!(meter.finish().is_none(), "nothing came since");
/// ```
pub struct VoiceMeter {
    /// Samples that are still needed; the first is sample `kept_from` of the utterance.
    samples: Vec<f32>,
    kept_from: usize,
    next_frame: usize,
    pitch: PitchFinder,
    flux: Flux,
    track: PitchTrack,
    /// Shapes of the frames that the track holds back, oldest first.
    waiting: VecDeque<Shape>,
    settled: Vec<Option<Candidate>>,
    n_settled: usize,
    quality: Quality,
    tally: Tally,
}

impl Default for VoiceMeter {
    fn default() -> Self {
        Self::new()
    }
}

impl VoiceMeter {
    /// A meter that has heard nothing.
    pub fn new() -> Self {
        Self {
            samples: Vec::with_capacity(8 * DROP_SAMPLES),
            kept_from: 0,
            next_frame: 0,
            pitch: PitchFinder::new(),
            flux: Flux::default(),
            track: PitchTrack::default(),
            waiting: VecDeque::new(),
            settled: Vec::new(),
            n_settled: 0,
            quality: Quality::default(),
            tally: Tally::new(),
        }
    }

    /// Takes samples at [`VOICE_RATE_HZ`], −1 to 1. What is no number counts as silence.
    pub fn accept(&mut self, samples: &[f32], bench: &mut VoiceBench) {
        if self.next_frame >= MOST_FRAMES {
            return;
        }
        let clean = |&sample: &f32| match sample.is_finite() {
            true => sample.clamp(-1.0, 1.0),
            false => 0.0,
        };
        // In pieces, so that a long slice does not make the buffer grow.
        for piece in samples.chunks(DROP_SAMPLES) {
            self.samples.extend(piece.iter().map(clean));
            self.work_off(bench);
        }
    }

    /// Ends the utterance: what was measured, `None` where there was no sound in it. Starts anew.
    pub fn finish(&mut self) -> Option<VoiceMeasures> {
        self.track.finish(&mut self.settled);
        self.settle();
        let measures = self.tally.measures(&self.quality);
        self.forget();
        measures
    }

    /// Drops an utterance that turned out to be none. Starts anew.
    pub fn forget(&mut self) {
        self.samples.clear();
        (self.kept_from, self.next_frame, self.n_settled) = (0, 0, 0);
        self.waiting.clear();
        self.settled.clear();
        self.track.clear();
        self.flux.clear();
        self.pitch.clear();
        self.quality.clear();
        self.tally.clear();
    }

    fn work_off(&mut self, bench: &mut VoiceBench) {
        while self.next_frame < MOST_FRAMES {
            let from = self.next_frame * HOP_SAMPLES - self.kept_from;
            let Some(window) = self.samples.get(from..from + WINDOW_SAMPLES) else {
                break;
            };
            bench.spectrum.look_at(window);
            let shape = bench.shapes.shape(&bench.spectrum, &mut self.flux);
            self.waiting.push_back(shape);
            let candidates = self
                .pitch
                .candidates(&mut bench.spectrum, &mut bench.likeness);
            self.track.push(candidates, &mut self.settled);
            self.next_frame += 1;
        }
        self.settle();
        self.drop_used();
    }

    /// Takes in the frames whose pitch is decided.
    fn settle(&mut self) {
        for pitch in self.settled.drain(..) {
            let Some(shape) = self.waiting.pop_front() else {
                break;
            };
            let from = self.n_settled * HOP_SAMPLES;
            let period = pitch.map(|pitch| pitch.period);
            self.quality
                .push(&self.samples, self.kept_from, from, period);
            self.tally.push(&shape, pitch);
            self.n_settled += 1;
        }
    }

    fn drop_used(&mut self) {
        // The quality of a voice is followed from one period to the next, a little behind the frames.
        let needed_from = (self.n_settled * HOP_SAMPLES).saturating_sub(WINDOW_SAMPLES);
        let unused = needed_from.saturating_sub(self.kept_from);
        if unused >= DROP_SAMPLES {
            self.samples.drain(..unused.min(self.samples.len()));
            self.kept_from += unused;
        }
    }
}

#[cfg(test)]
mod tests;
