//! Any transcript and any assessment, for tests.

use auricle_contracts::{
    Answer, Assessment, CallId, CallMetadata, ChannelLayout, Emotion, EmotionLabel, Evidence, Hit,
    Intent, Interruption, Mood, N_CEPSTRA, Party, PartyMood, PartyTalk, PiiKind, PiiSpan, Quote,
    ScoreItem, Scorecard, Severity, Stretch, Summary, Syllable, SyllableAlternative, TalkMetrics,
    TextPlace, Transcript, Utterance, UtteranceInsight, Voice, Word,
};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// Draws values: what a field is drawn from follows from its type alone.
struct Dice {
    rng: TestRng,
    /// Lists get shorter from level to level.
    most_items: u32,
}

trait Drawn {
    fn draw(dice: &mut Dice) -> Self;
}

impl Dice {
    fn below(&mut self, end: u32) -> u32 {
        self.rng.next_u32() % end
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u32) as usize]
    }
}

macro_rules! drawn {
    ($($type:ident { $($field:ident),* $(,)? })*) => {$(
        impl Drawn for $type {
            fn draw(dice: &mut Dice) -> Self {
                Self { $($field: Drawn::draw(dice)),* }
            }
        }
    )*};
}

macro_rules! chosen {
    ($($type:ident { $($variant:ident),* $(,)? })*) => {$(
        impl Drawn for $type {
            fn draw(dice: &mut Dice) -> Self {
                dice.one_of(&[$(Self::$variant),*])
            }
        }
    )*};
}

drawn! {
    Transcript { call_id, file, duration_ms, engine, layout, metadata, warnings, utterances }
    CallMetadata { agent, campaign, region, started_at }
    Utterance {
        party, channel, start_ms, end_ms, text, spoken, confidence, syllables, words, voice,
    }
    Syllable { s, start_ms, end_ms, conf, alternatives }
    SyllableAlternative { s, conf }
    Word { w, start_ms, end_ms }
    Voice {
        loudness_db, loudness_peak_db, loudness_range_db, loudness_slope_db,
        loudness_peaks_per_sec, pitch_hz, pitch_low_hz, pitch_high_hz, pitch_deviation_semitones,
        pitch_slope_semitones, pitch_motion_semitones, voiced_ratio, voiced_per_sec, pause_ratio,
        pause_longest_secs, effort_ratio_db, alpha_ratio_db, alpha_ratio_deviation_db,
        hammarberg_db, hammarberg_deviation_db, tilt_db, tilt_middle_db, centroid_hz, flux,
        harmonicity_db, jitter_ratio, shimmer_db, cepstra, cepstra_deviations,
    }
    Assessment { utterances, hits, pii, metrics, mood, summary, scorecard }
    UtteranceInsight { emotion, intents }
    Emotion { label, confidence, arousal, valence }
    Intent { label, confidence, at, until }
    Hit {
        rule, pack, title, severity, party, start_ms, end_ms, deduct, auto_fail, evidence, why,
    }
    Evidence { utterance, party, start_ms, end_ms, words }
    PiiSpan { kind, party, start_ms, end_ms, places }
    TextPlace { utterance, from, to }
    Mood { parties, satisfaction }
    PartyMood { party, valence, arousal, trend, n_angry }
    TalkMetrics { parties, overlap_ms, silence_ms, longest_silence_ms, silences, interruptions }
    PartyTalk {
        party, talk_ms, talk_ratio, n_utterances, rate_per_minute, loudness_db, n_interruptions,
        longest_monologue_ms, response_ms,
    }
    Stretch { start_ms, end_ms }
    Interruption { by, at_ms, overlap_ms }
    Summary { reason, outcome, promises, numbers, disposition }
    Quote { utterance, party, start_ms, text }
    Scorecard { card, total, passed, auto_fail, items }
    ScoreItem { section, id, question, answer, points, out_of, auto_fail, hits, why }
}

chosen! {
    Party { Agent, Customer, Unknown }
    ChannelLayout { Mono, PerParty, FakeStereo }
    Severity { Info, Minor, Major, Critical }
    PiiKind { IdCard, BankCard, Phone, Landline, Email, Plate, Passport, Ssn }
    EmotionLabel { Neutral, Happy, Angry, Sad }
    Answer { Yes, No, NotApplicable }
}

impl Drawn for CallId {
    fn draw(dice: &mut Dice) -> Self {
        Self(Drawn::draw(dice))
    }
}

impl<T: Drawn> Drawn for Vec<T> {
    fn draw(dice: &mut Dice) -> Self {
        let most_items = dice.most_items;
        dice.most_items = most_items / 2;
        let n_items = dice.below(most_items + 1);
        let items = (0..n_items).map(|_| T::draw(dice)).collect();
        dice.most_items = most_items;
        items
    }
}

impl<T: Drawn> Drawn for Option<T> {
    fn draw(dice: &mut Dice) -> Self {
        bool::draw(dice).then(|| T::draw(dice))
    }
}

impl Drawn for bool {
    fn draw(dice: &mut Dice) -> Self {
        dice.below(2) == 1
    }
}

/// Syllables that come again, and anything else: empty, of several bytes a letter, with zeros and markup.
impl Drawn for String {
    fn draw(dice: &mut Dice) -> Self {
        match dice.below(3) {
            0 => dice.one_of(&["bao3", "lv4", "de5", "", "您好"]).to_owned(),
            1 => format!("{}\u{0}<b>\u{10ffff}é", dice.below(9)),
            _ => (0..dice.below(20))
                .filter_map(|_| char::from_u32(dice.below(0x11_0000)))
                .collect(),
        }
    }
}

/// Times as calls have them, and any others.
impl Drawn for u64 {
    fn draw(dice: &mut Dice) -> Self {
        match dice.below(4) {
            0 => dice.rng.next_u64(),
            1 => dice.one_of(&[0, 1, Self::MAX, 1 << 63]),
            _ => u64::from(dice.below(100_000)),
        }
    }
}

impl Drawn for i64 {
    fn draw(dice: &mut Dice) -> Self {
        u64::draw(dice).cast_signed()
    }
}

impl Drawn for usize {
    fn draw(dice: &mut Dice) -> Self {
        u64::draw(dice) as Self
    }
}

impl Drawn for u32 {
    fn draw(dice: &mut Dice) -> Self {
        u64::draw(dice) as Self
    }
}

impl Drawn for u16 {
    fn draw(dice: &mut Dice) -> Self {
        u64::draw(dice) as Self
    }
}

/// Thousandths, and any others.
impl Drawn for f32 {
    fn draw(dice: &mut Dice) -> Self {
        match dice.below(3) {
            0 => Self::from_bits(dice.rng.next_u32()),
            _ => dice.below(2_000_000) as Self / 1000.0 - 1000.0,
        }
    }
}

impl Drawn for [f32; N_CEPSTRA] {
    fn draw(dice: &mut Dice) -> Self {
        std::array::from_fn(|_| Drawn::draw(dice))
    }
}

fn any_drawn<T: Drawn + std::fmt::Debug>() -> impl Strategy<Value = T> {
    (any::<[u8; 32]>(), 0..24_u32).prop_map(|(seed, most_items)| {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        T::draw(&mut Dice { rng, most_items })
    })
}

pub(crate) fn any_transcript() -> impl Strategy<Value = Transcript> {
    any_drawn()
}

pub(crate) fn any_assessment() -> impl Strategy<Value = Assessment> {
    any_drawn()
}
