//! One utterance as talk: when its words were said, how many, and whether it is more than a listener's sound.

use auricle_contracts::{Party, Stretch, Utterance};

use super::stretches::{length_ms, total_ms};
use crate::Spoken;
use crate::pii::MASK_CHARACTER;
use crate::spoken::Letter;

/// Longer pauses between words are not talk.
pub(super) const MAX_PAUSE_MS: u64 = 300;
/// Word times this far outside the utterance's own are not its times.
const STRAY_MS: u64 = 2_000;
/// Longer listeners' sounds are something said.
const MAX_BACKCHANNEL_MS: u64 = 1_500;
const MAX_BACKCHANNEL_HANZI: usize = 6;
const MAX_BACKCHANNEL_WORDS: usize = 4;
/// Shorter talk has no rate worth the name.
const MIN_RATED_MS: u64 = 600;
const MIN_RATED_UNITS: u32 = 3;

/// Hanzi that listeners' sounds are made of: agreement and attention, never a "no".
const BACKCHANNEL_HANZI: &str = "嗯恩哦噢喔啊呃额唔哎唉诶欸哈对好是行成的呀吧嘛呢了您你说";
/// Those with other hanzi in them.
const BACKCHANNEL_PHRASES: [&str; 10] = [
    "可以",
    "没错",
    "明白",
    "明白了",
    "知道",
    "知道了",
    "我知道",
    "这样啊",
    "当然",
    "没问题",
];
const BACKCHANNEL_WORDS: [&str; 24] = [
    "yes", "yeah", "yep", "yup", "ok", "okay", "right", "sure", "uh", "huh", "um", "mm", "mmm",
    "mhm", "hm", "hmm", "ah", "oh", "good", "great", "exactly", "alright", "uhhuh", "mmhmm",
];

/// Who talks: a party, told apart by channel where two channels have the same one.
pub(super) type Speaker = (Party, u16);

/// One utterance as talk.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Turn {
    pub(super) speaker: Speaker,
    /// First and last word.
    pub(super) span: Stretch,
    /// Where this speaker began to talk: before `span` where utterances follow each other without a pause.
    pub(super) began_ms: u64,
    /// Words without the pauses between them, in order, disjoint.
    pub(super) talk: Vec<Stretch>,
    /// Syllables, or words where there are none.
    pub(super) n_units: u32,
    pub(super) is_backchannel: bool,
    pub(super) loudness_db: Option<f32>,
}

impl Turn {
    /// `None` where nothing was said: neither a letter nor anything that is hidden now.
    pub(super) fn new(spoken: &Spoken<'_>) -> Option<Self> {
        let utterance = spoken.utterance;
        let whole = Stretch {
            start_ms: utterance.start_ms,
            end_ms: utterance.end_ms.max(utterance.start_ms),
        };
        let n_hidden = n_hidden(source(utterance));
        if spoken.letters.is_empty() && n_hidden == 0 {
            return None;
        }
        let talk = talk_of(spoken, n_hidden).filter(|talk| belongs(talk, whole));
        let talk = talk.unwrap_or_else(|| vec![whole]);
        let span = Stretch {
            start_ms: talk.first()?.start_ms,
            end_ms: talk.last()?.end_ms,
        };
        let level = utterance.voice.map(|voice| voice.loudness_db);
        Some(Self {
            speaker: (utterance.party, utterance.channel),
            span,
            began_ms: span.start_ms,
            talk,
            n_units: n_units(&spoken.letters).saturating_add(n_hidden),
            is_backchannel: length_ms(span) <= MAX_BACKCHANNEL_MS
                && n_hidden == 0
                && is_backchannel(&spoken.letters),
            loudness_db: level.filter(|level| level.is_finite()),
        })
    }

    pub(super) const fn party(&self) -> Party {
        self.speaker.0
    }

    pub(super) fn talk_ms(&self) -> u64 {
        total_ms(&self.talk)
    }

    pub(super) fn rate_per_minute(&self) -> Option<f32> {
        let talk_ms = self.talk_ms();
        (talk_ms >= MIN_RATED_MS && self.n_units >= MIN_RATED_UNITS)
            .then(|| rate_per_minute(self.n_units, talk_ms))
    }
}

/// 0 where there is no time.
pub(super) fn rate_per_minute(n_units: u32, talk_ms: u64) -> f32 {
    match talk_ms {
        0 => 0.0,
        _ => (f64::from(n_units) * 60_000.0 / talk_ms as f64) as f32,
    }
}

/// The letters' times, joined over short pauses. Letters of imported transcripts may be masked: those are no
/// letters any more, but have the times of their words. `None` where times of some are missing.
fn talk_of(spoken: &Spoken<'_>, n_hidden_chars: u32) -> Option<Vec<Stretch>> {
    let letters = spoken.letters.iter().map(|letter| Stretch {
        start_ms: letter.start_ms,
        end_ms: letter.end_ms.max(letter.start_ms),
    });
    let words = spoken.utterance.words.iter();
    let hidden = words.filter(|word| word.start_ms < word.end_ms && n_hidden(&word.w) > 0);
    let n_timed: u32 = hidden.clone().map(|word| n_hidden(&word.w)).sum();
    let hidden = hidden.map(|word| Stretch {
        start_ms: word.start_ms,
        end_ms: word.end_ms,
    });
    let times = letters.chain(hidden).collect();
    (n_timed >= n_hidden_chars).then(|| super::stretches::joined(times, MAX_PAUSE_MS))
}

/// Characters that stand for something said, which is hidden.
fn n_hidden(text: &str) -> u32 {
    let hidden = text.chars().filter(|letter| *letter == MASK_CHARACTER);
    u32::try_from(hidden.count()).unwrap_or(u32::MAX)
}

/// What [`Spoken`] takes its letters from.
fn source(utterance: &Utterance) -> &str {
    match utterance.spoken.is_empty() {
        true => &utterance.text,
        false => &utterance.spoken,
    }
}

/// Word times may be missing (all zero) or count from elsewhere: then the utterance's own hold.
fn belongs(talk: &[Stretch], whole: Stretch) -> bool {
    let (Some(first), Some(last)) = (talk.first(), talk.last()) else {
        return false;
    };
    last.end_ms > first.start_ms
        && first.start_ms.saturating_add(STRAY_MS) >= whole.start_ms
        && last.end_ms <= whole.end_ms.saturating_add(STRAY_MS)
}

/// Letters of scripts that write a syllable with each.
fn is_syllable(letter: &Letter) -> bool {
    !letter.sounds.is_empty() || letter.letter >= '\u{2e80}' || letter.letter.is_numeric()
}

fn n_units(letters: &[Letter]) -> u32 {
    let mut n = 0;
    let mut word_until = None;
    for letter in letters {
        let goes_on = word_until == Some(letter.at);
        word_until = (!is_syllable(letter)).then_some(letter.at + 1);
        n += u32::from(word_until.is_none() || !goes_on);
    }
    n
}

fn is_backchannel(letters: &[Letter]) -> bool {
    if letters.iter().all(is_syllable) {
        let text: String = letters.iter().map(|letter| letter.letter).collect();
        return letters.len() <= MAX_BACKCHANNEL_HANZI
            && (text.chars().all(|hanzi| BACKCHANNEL_HANZI.contains(hanzi))
                || BACKCHANNEL_PHRASES.contains(&text.as_str()));
    }
    let words = words(letters);
    words.len() <= MAX_BACKCHANNEL_WORDS
        && words
            .iter()
            .all(|word| BACKCHANNEL_WORDS.contains(&word.as_str()))
}

fn words(letters: &[Letter]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut next_at = None;
    for letter in letters {
        match words.last_mut().filter(|_| next_at == Some(letter.at)) {
            Some(word) => word.push(letter.letter),
            None => words.push(letter.letter.into()),
        }
        next_at = Some(letter.at + 1);
    }
    words
}
