//! Utterance endpointing over voice activity, one decision every 32 ms.
//!
//! ```text
//! Silence  ── speech_prob for min_speech ──▶ Speech
//! Speech   ── below silence_prob ──────────▶ Trailing
//! Trailing ── speech_prob ─────────────────▶ Speech
//! Trailing ── trailing_silence passed ─────▶ Silence   (the utterance closes)
//! ```
//! An utterance that grows past `max_utterance_ms` is cut at the next short pause.
//!
//! Quiet syllables that voice activity misses are won back by their loudness: before the first
//! speech, as far back as `lookback_ms`, and after it, for `hold_ms`.

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::loudness::Loudness;

/// Length of one decision.
pub const FRAME_MS: u64 = 32;

/// When an utterance opens and closes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EndpointSettings {
    /// Probability of speech that opens an utterance or goes on with it.
    #[schemars(range(min = 0.01, max = 0.99))]
    pub speech_prob: f32,
    /// Probability below which a frame is silent; between the two the last state holds. At most `speech_prob`.
    #[schemars(range(min = 0, max = 0.99))]
    pub silence_prob: f32,
    /// Silence that closes an utterance.
    #[schemars(range(min = 32, max = 10_000))]
    pub trailing_silence_ms: u64,
    /// Speech shorter than this is a click, not an utterance.
    #[schemars(range(min = 0, max = 2_000))]
    pub min_speech_ms: u64,
    /// Sound right before the first speech belongs to it, as far back as this.
    #[schemars(range(min = 0, max = 10_000))]
    pub lookback_ms: u64,
    /// Sound right after speech holds the utterance open for this long.
    #[schemars(range(min = 0, max = 10_000))]
    pub hold_ms: u64,
    /// Sound is what is at most this far below the channel's mean speech.
    #[schemars(range(min = 0, max = 60))]
    pub margin_db: f32,
    /// Audio before the first speech that the recogniser hears too.
    #[schemars(range(min = 0, max = 5_000))]
    pub pad_before_ms: u64,
    /// Audio after the last speech that it hears.
    #[schemars(range(min = 0, max = 5_000))]
    pub pad_after_ms: u64,
    /// Past this length an utterance closes at a pause of a quarter of `trailing_silence_ms`, and
    /// at one and a half times this length wherever it is.
    #[schemars(range(min = 1_000, max = 300_000))]
    pub max_utterance_ms: u64,
}

impl Default for EndpointSettings {
    fn default() -> Self {
        Self {
            speech_prob: 0.3,
            silence_prob: 0.15,
            trailing_silence_ms: 640,
            min_speech_ms: 90,
            lookback_ms: 960,
            hold_ms: 640,
            margin_db: 18.0,
            pad_before_ms: 320,
            pad_after_ms: 200,
            max_utterance_ms: 16_000,
        }
    }
}

impl EndpointSettings {
    /// Whether the values fit each other; the range of each stands at its key, and is held where the configuration is read.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (speech_prob, silence_prob) = (self.speech_prob, self.silence_prob);
        if silence_prob <= speech_prob {
            return Ok(());
        }
        Err(format!(
            "`speech.endpoint.silence_prob` must be at most `speech.endpoint.speech_prob`, which is `{speech_prob}`, got `{silence_prob}`"
        ))
    }
}

/// What an [`Endpointer`] found. Frames count from the start of the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointEvent {
    /// Speech began at this frame; told once it lasted `min_speech_ms`.
    Start(u64),
    /// Speech ended before this frame; told after the trailing silence, or when the channel is over.
    End(u64),
    /// The utterance had grown too long and ends before this frame: its speaker may go on.
    Cut(u64),
}

/// Gap between sounds that belong together, frames.
const MAX_GAP_FRAMES: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Silence { speech_frames: u64 },
    Speech { from: u64 },
    Trailing { from: u64, silent_from: u64 },
}

/// Finds the utterances of one channel.
#[derive(Clone, Debug)]
pub struct Endpointer {
    settings: EndpointSettings,
    state: State,
    frame: u64,
    loudness: Loudness,
    /// Levels of the frames since the last utterance, newest last, as many as `lookback_ms` wants.
    levels_db: VecDeque<f32>,
    last_speech: u64,
}

impl Endpointer {
    /// At the start of a channel.
    pub fn new(settings: EndpointSettings) -> Self {
        Self {
            settings,
            state: State::Silence { speech_frames: 0 },
            frame: 0,
            loudness: Loudness::new(settings.margin_db),
            levels_db: VecDeque::new(),
            last_speech: 0,
        }
    }

    /// Takes the next frame's probability of speech and its level.
    pub fn push(&mut self, speech_prob: f32, level_db: f32) -> Option<EndpointEvent> {
        let here = self.frame;
        self.frame += 1;
        let is_speech = speech_prob >= self.settings.speech_prob;
        self.loudness.follow(level_db, is_speech);
        if is_speech {
            self.last_speech = here;
        }
        let is_held = ms(here - self.last_speech) <= self.settings.hold_ms
            && self.loudness.is_sound(level_db);
        let is_silent = speech_prob < self.settings.silence_prob && !is_held;
        if matches!(self.state, State::Silence { .. }) {
            self.remember(level_db);
        }
        match self.state {
            // Silence => (Silence or Speech)
            State::Silence { speech_frames } => self.in_silence(here, speech_frames, is_speech),
            // Speech => (Speech or Trailing or Silence)
            State::Speech { from } => {
                if is_silent {
                    self.state = State::Trailing {
                        from,
                        silent_from: here,
                    };
                    return None;
                }
                let longest = self.settings.max_utterance_ms * 3 / 2;
                (ms(here + 1 - from) >= longest).then(|| self.cut(here + 1))
            }
            // Trailing => (Speech or Trailing or Silence)
            State::Trailing { from, silent_from } => {
                if is_speech || is_held {
                    self.state = State::Speech { from };
                    return None;
                }
                let pause_ms = ms(here + 1 - silent_from);
                let is_long = ms(silent_from - from) >= self.settings.max_utterance_ms;
                let trailing_ms = self.settings.trailing_silence_ms;
                if pause_ms >= trailing_ms {
                    return Some(self.close(silent_from));
                }
                (is_long && pause_ms >= trailing_ms / 4).then(|| self.cut(silent_from))
            }
        }
    }

    /// The channel is over: closes what is open.
    pub fn finish(&mut self) -> Option<EndpointEvent> {
        match self.state {
            State::Silence { .. } => None,
            State::Speech { .. } => Some(self.close(self.frame)),
            State::Trailing { silent_from, .. } => Some(self.close(silent_from)),
        }
    }

    /// Frame that may be silence: audio from here on is not yet needed. `None` while speech lasts.
    pub fn silent_from(&self) -> Option<u64> {
        match self.state {
            State::Trailing { silent_from, .. } => Some(silent_from),
            _ => None,
        }
    }

    fn in_silence(
        &mut self,
        here: u64,
        speech_frames: u64,
        is_speech: bool,
    ) -> Option<EndpointEvent> {
        if !is_speech {
            self.state = State::Silence { speech_frames: 0 };
            return None;
        }
        let speech_frames = speech_frames + 1;
        if ms(speech_frames) < self.settings.min_speech_ms {
            self.state = State::Silence { speech_frames };
            return None;
        }
        let from = here + 1 - speech_frames - self.sound_before(speech_frames as usize);
        self.levels_db.clear();
        self.state = State::Speech { from };
        Some(EndpointEvent::Start(from))
    }

    /// How many frames before the one that tells it an utterance may start.
    pub(crate) fn longest_onset_frames(&self) -> u64 {
        (self.settings.lookback_ms + self.settings.min_speech_ms) / FRAME_MS + 1
    }

    fn remember(&mut self, level_db: f32) {
        self.levels_db.push_back(level_db);
        if self.levels_db.len() as u64 > self.longest_onset_frames() {
            self.levels_db.pop_front();
        }
    }

    /// Frames before the first speech that its own sound fills.
    fn sound_before(&self, speech_frames: usize) -> u64 {
        let (mut n_sound, mut gap) = (0, 0);
        for (back, level_db) in self.levels_db.iter().rev().skip(speech_frames).enumerate() {
            if self.loudness.is_sound(*level_db) {
                (n_sound, gap) = (back + 1, 0);
            } else {
                gap += 1;
            }
            if gap > MAX_GAP_FRAMES {
                break;
            }
        }
        n_sound as u64
    }

    fn close(&mut self, end: u64) -> EndpointEvent {
        self.state = State::Silence { speech_frames: 0 };
        EndpointEvent::End(end)
    }

    fn cut(&mut self, end: u64) -> EndpointEvent {
        self.state = State::Silence { speech_frames: 0 };
        EndpointEvent::Cut(end)
    }
}

const fn ms(frames: u64) -> u64 {
    frames * FRAME_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `#` is speech, `.` silence, `-` doubtful, `+` sound that is not taken for speech; one sign a frame.
    fn check(settings: EndpointSettings, probs: &str, expected: &[EndpointEvent]) {
        let mut endpointer = Endpointer::new(settings);
        let mut events: Vec<EndpointEvent> = probs
            .chars()
            .filter_map(|sign| match sign {
                '#' => endpointer.push(0.9, -20.0),
                '-' => endpointer.push(0.2, -60.0),
                '+' => endpointer.push(0.05, -28.0),
                _ => endpointer.push(0.05, -60.0),
            })
            .collect();
        events.extend(endpointer.finish());
        assert_eq!(events, expected, "{probs}");
    }

    fn settings() -> EndpointSettings {
        EndpointSettings {
            trailing_silence_ms: 128,
            min_speech_ms: 64,
            max_utterance_ms: 640,
            hold_ms: 96,
            ..Default::default()
        }
    }

    use EndpointEvent::{Cut, End, Start};

    #[test]
    fn opens_after_enough_speech_and_closes_after_enough_silence() {
        check(settings(), "...####....", &[Start(3), End(7)]);
        check(settings(), "..#.#..", &[]);
        check(
            settings(),
            "##...##....##",
            &[Start(0), End(7), Start(11), End(13)],
        );
    }

    #[test]
    fn doubtful_frames_hold_the_state() {
        check(settings(), "##--##--....", &[Start(0), End(8)]);
        check(settings(), "----", &[]);
        check(settings(), "##.-.-", &[Start(0), End(2)]);
    }

    #[test]
    fn sound_around_speech_belongs_to_it() {
        check(settings(), "....+++.##......", &[Start(4), End(10)]);
        check(settings(), "++......##......", &[Start(8), End(10)]);
        check(settings(), "....##++....", &[Start(4), End(8)]);
        check(settings(), "....##++++++++....", &[Start(4), End(9)]);
        check(settings(), "..++++..", &[]);
    }

    #[test]
    fn a_long_utterance_is_cut_at_a_short_pause_and_at_last_anywhere() {
        check(
            settings(),
            &format!("{}..##", "#".repeat(20)),
            &[Start(0), Cut(20), Start(22), End(24)],
        );
        check(
            settings(),
            &"#".repeat(32),
            &[Start(0), Cut(30), Start(30), End(32)],
        );
    }

    #[test]
    fn silence_as_long_as_that_of_others_ends_a_long_utterance() {
        // One frame of silence is seen when the next one comes: a short pause is no shorter than this one.
        let settings = EndpointSettings {
            trailing_silence_ms: 64,
            ..settings()
        };
        let long = format!("{}....", "#".repeat(20));
        check(settings, &long, &[Start(0), End(20)]);
    }
}
