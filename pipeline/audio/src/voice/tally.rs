//! What the frames of an utterance come to.

use super::VOICE_RATE_HZ;
use super::measures::{N_CEPSTRA, VoiceMeasures};
use super::pitch::Candidate;
use super::quality::Quality;
use super::shape::Shape;
use super::spectrum::FRAMES_PER_SEC;
use super::stats::{Line, Moments, quantile};

/// Frames that there is room for from the start: ten seconds. Longer utterances make more.
const USUAL_FRAMES: usize = 1_000;
/// Speech frames lie within this of the loud ones,
const FARTHEST_DB: f32 = 25.0;
/// or nearer, where the room is loud, but not nearer than this,
const NEAREST_DB: f32 = 15.0;
/// and this far above the room.
const ABOVE_ROOM_DB: f32 = 8.0;
/// Levels of voiced frames are told apart to this.
const STEP_DB: f32 = 2.0;
/// Down to −80 dB.
const N_STEPS: usize = 40;
/// An utterance whose loud frames are below this holds no speech: less than the noise of a good line.
const SILENCE_DB: f32 = -75.0;
/// A peak of loudness rises this far above what lies beside it.
const PEAK_RISE_DB: f32 = 3.0;
/// Reference of semitones, Hz.
const SEMITONE_ZERO_HZ: f32 = 27.5;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Frame {
    level_db: f32,
    /// Semitones above [`SEMITONE_ZERO_HZ`].
    pitch: Option<f32>,
}

/// Sums over voiced frames.
#[derive(Clone, Copy, Default)]
struct Voiced {
    effort_ratio: Moments,
    alpha_ratio: Moments,
    hammarberg: Moments,
    tilt: Moments,
    tilt_middle: Moments,
    centroid: Moments,
    flux: Moments,
    harmonicity: Moments,
    cepstra: [Moments; N_CEPSTRA],
}

impl Voiced {
    fn push(&mut self, shape: &Shape, pitch: &Candidate) {
        self.effort_ratio.push(shape.effort_ratio_db);
        self.alpha_ratio.push(shape.alpha_ratio_db);
        self.hammarberg.push(shape.hammarberg_db);
        self.tilt.push(shape.tilt_db);
        self.tilt_middle.push(shape.tilt_middle_db);
        self.centroid.push(shape.centroid_hz);
        self.flux.push(shape.flux);
        let share = pitch.likeness.clamp(0.001, 0.999);
        self.harmonicity
            .push(10.0 * (share / (1.0 - share)).log10());
        for (moments, &value) in self.cepstra.iter_mut().zip(&shape.cepstra) {
            moments.push(value);
        }
    }

    fn add(&mut self, other: &Self) {
        self.effort_ratio.add(&other.effort_ratio);
        self.alpha_ratio.add(&other.alpha_ratio);
        self.hammarberg.add(&other.hammarberg);
        self.tilt.add(&other.tilt);
        self.tilt_middle.add(&other.tilt_middle);
        self.centroid.add(&other.centroid);
        self.flux.add(&other.flux);
        self.harmonicity.add(&other.harmonicity);
        for (moments, other) in self.cepstra.iter_mut().zip(&other.cepstra) {
            moments.add(other);
        }
    }

    fn write(&self, measures: &mut VoiceMeasures) {
        measures.effort_ratio_db = self.effort_ratio.mean();
        measures.alpha_ratio_db = self.alpha_ratio.mean();
        measures.alpha_ratio_deviation_db = self.alpha_ratio.deviation();
        measures.hammarberg_db = self.hammarberg.mean();
        measures.hammarberg_deviation_db = self.hammarberg.deviation();
        measures.tilt_db = self.tilt.mean();
        measures.tilt_middle_db = self.tilt_middle.mean();
        measures.centroid_hz = self.centroid.mean();
        measures.flux = self.flux.mean();
        measures.harmonicity_db = self.harmonicity.mean();
        measures.cepstra = self.cepstra.map(|moments| moments.mean());
        measures.cepstra_deviations = self.cepstra.map(|moments| moments.deviation());
    }
}

pub(super) struct Tally {
    frames: Vec<Frame>,
    /// Voiced frames by level, from the loudest down in steps of [`STEP_DB`]: which of them are speech is known
    /// only at the end.
    voiced: Vec<Voiced>,
    /// Room for values that are put in order, so that an utterance's end allocates nothing.
    sorted: Vec<f32>,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            frames: Vec::with_capacity(USUAL_FRAMES),
            voiced: vec![Voiced::default(); N_STEPS],
            sorted: Vec::with_capacity(USUAL_FRAMES),
        }
    }

    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.voiced.fill(Voiced::default());
    }

    /// Takes a frame and its pitch.
    pub(super) fn push(&mut self, shape: &Shape, pitch: Option<Candidate>) {
        self.frames.push(Frame {
            level_db: shape.level_db,
            pitch: pitch.map(|pitch| semitones(VOICE_RATE_HZ as f32 / pitch.period)),
        });
        if let Some(pitch) = pitch {
            self.voiced[step_of(shape.level_db)].push(shape, &pitch);
        }
    }

    /// What the utterance came to; `None` where there was no sound.
    pub(super) fn measures(&mut self, quality: &Quality) -> Option<VoiceMeasures> {
        let levels = self.frames.iter().map(|frame| frame.level_db);
        let levels = sorted(&mut self.sorted, levels);
        let loud_db = quantile(levels, 0.95);
        if levels.is_empty() || loud_db < SILENCE_DB {
            return None;
        }
        let threshold_db = speech_from_db(levels, loud_db);
        let is_speech = |frame: &Frame| frame.level_db >= threshold_db;
        let first = self.frames.iter().position(is_speech)?;
        let last = self.frames.iter().rposition(is_speech)?;
        let speech = &mut self.frames[first..=last];
        for frame in speech.iter_mut() {
            // The pitch of what is no speech is that of the room.
            frame.pitch = frame.pitch.filter(|_| frame.level_db >= threshold_db);
        }
        let mut measures = VoiceMeasures {
            loudness_peak_db: loud_db,
            jitter_ratio: quality.jitter_ratio(),
            shimmer_db: quality.shimmer_db(),
            ..VoiceMeasures::default()
        };
        measure_loudness(&mut measures, speech, threshold_db, &mut self.sorted);
        measure_pitch(&mut measures, speech, &mut self.sorted);
        let mut voiced = Voiced::default();
        for some in &self.voiced[..=step_of(threshold_db)] {
            voiced.add(some);
        }
        voiced.write(&mut measures);
        Some(measures.rounded())
    }
}

/// The values in order, in a buffer that keeps its room.
fn sorted(buffer: &mut Vec<f32>, values: impl Iterator<Item = f32>) -> &[f32] {
    buffer.clear();
    buffer.extend(values);
    buffer.sort_unstable_by(f32::total_cmp);
    buffer
}

/// Level from which on a frame is speech, given the sorted levels of all.
fn speech_from_db(levels: &[f32], loud_db: f32) -> f32 {
    // The quietest frames are the room's where the utterance has room around it or pauses in it.
    let above_room_db = quantile(levels, 0.05) + ABOVE_ROOM_DB;
    let range_db = loud_db - FARTHEST_DB..=loud_db - NEAREST_DB;
    above_room_db.clamp(*range_db.start(), *range_db.end())
}

fn step_of(level_db: f32) -> usize {
    ((-level_db / STEP_DB).max(0.0) as usize).min(N_STEPS - 1)
}

/// Loudness and rhythm of what lies between the first and the last speech frame.
fn measure_loudness(
    measures: &mut VoiceMeasures,
    frames: &[Frame],
    threshold_db: f32,
    buffer: &mut Vec<f32>,
) {
    let (mut power, mut line) = (0.0_f64, Line::default());
    let (mut pause, mut longest_pause) = (0_usize, 0_usize);
    for (at, frame) in frames.iter().enumerate() {
        if frame.level_db < threshold_db {
            pause += 1;
            longest_pause = longest_pause.max(pause);
            continue;
        }
        pause = 0;
        power += 10.0_f64.powf(f64::from(frame.level_db) / 10.0);
        line.push(at as f32 / FRAMES_PER_SEC, frame.level_db);
    }
    let levels = frames.iter().map(|frame| frame.level_db);
    let levels = sorted(buffer, levels.filter(|level_db| *level_db >= threshold_db));
    let n_speech = levels.len().max(1);
    let secs = frames.len() as f32 / FRAMES_PER_SEC;
    measures.loudness_db = 10.0 * (power / n_speech as f64).log10() as f32;
    measures.loudness_range_db = quantile(levels, 0.9) - quantile(levels, 0.1);
    measures.loudness_slope_db = line.slope();
    measures.loudness_peaks_per_sec = n_peaks(frames) as f32 / secs;
    measures.pause_ratio = 1.0 - levels.len() as f32 / frames.len().max(1) as f32;
    measures.pause_longest_secs = longest_pause as f32 / FRAMES_PER_SEC;
    let n_voiced = frames.iter().filter(|frame| frame.pitch.is_some()).count();
    measures.voiced_ratio = (n_voiced as f32 / n_speech as f32).min(1.0);
    let begins = |pair: &&[Frame]| pair[0].pitch.is_none() && pair[1].pitch.is_some();
    let n_begins = frames.windows(2).filter(begins).count();
    let at_once = frames.first().is_some_and(|frame| frame.pitch.is_some());
    measures.voiced_per_sec = (n_begins + usize::from(at_once)) as f32 / secs;
}

/// Peaks that rise and fall by [`PEAK_RISE_DB`].
fn n_peaks(frames: &[Frame]) -> usize {
    let (mut low, mut high, mut is_rising, mut n_peaks) = (f32::MAX, f32::MIN, true, 0);
    for frame in frames {
        low = low.min(frame.level_db);
        high = high.max(frame.level_db);
        if is_rising && frame.level_db < high - PEAK_RISE_DB {
            n_peaks += 1;
            (is_rising, low) = (false, frame.level_db);
        } else if !is_rising && frame.level_db > low + PEAK_RISE_DB {
            (is_rising, high) = (true, frame.level_db);
        }
    }
    n_peaks
}

fn measure_pitch(measures: &mut VoiceMeasures, frames: &[Frame], buffer: &mut Vec<f32>) {
    let (mut line, mut moments, mut motion) =
        (Line::default(), Moments::default(), Moments::default());
    for (at, frame) in frames.iter().enumerate() {
        let Some(pitch) = frame.pitch else {
            continue;
        };
        moments.push(pitch);
        line.push(at as f32 / FRAMES_PER_SEC, pitch);
        let before = at.checked_sub(1).and_then(|before| frames[before].pitch);
        if let Some(before) = before {
            motion.push((pitch - before).abs() * FRAMES_PER_SEC);
        }
    }
    let pitches = sorted(buffer, frames.iter().filter_map(|frame| frame.pitch));
    if pitches.is_empty() {
        return;
    }
    measures.pitch_hz = hz(quantile(pitches, 0.5));
    measures.pitch_low_hz = hz(quantile(pitches, 0.1));
    measures.pitch_high_hz = hz(quantile(pitches, 0.9));
    measures.pitch_deviation_semitones = moments.deviation();
    measures.pitch_slope_semitones = line.slope();
    measures.pitch_motion_semitones = motion.mean();
}

fn semitones(hz: f32) -> f32 {
    12.0 * (hz.max(1.0) / SEMITONE_ZERO_HZ).log2()
}

fn hz(semitones: f32) -> f32 {
    SEMITONE_ZERO_HZ * (semitones / 12.0).exp2()
}
