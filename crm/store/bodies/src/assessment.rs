//! Assessments in columns.

use auricle_contracts::{
    Answer, Assessment, Emotion, EmotionLabel, Evidence, Hit, Intent, Interruption, Mood,
    PartyMood, PartyTalk, PiiKind, PiiSpan, Quote, ScoreItem, Scorecard, Severity, Stretch,
    Summary, TalkMetrics, TextPlace, UtteranceInsight,
};

use crate::rows::{rows, variants};

rows! {
    Assessment { utterances, hits, pii, metrics, mood, summary, scorecard }
    UtteranceInsight { emotion, intents }
    Emotion { label, confidence, arousal, valence }
    Intent { label: name, confidence, at, until }
    Hit {
        rule: name, pack: name, title: name, severity, party, start_ms: time, end_ms: time, deduct,
        auto_fail, evidence, why,
    }
    Evidence { utterance, party, start_ms: time, end_ms: time, words }
    PiiSpan { kind, party, start_ms: time, end_ms: time, places }
    TextPlace { utterance, from, to }
    Mood { parties, satisfaction }
    PartyMood { party, valence, arousal, trend, n_angry }
    TalkMetrics { parties, overlap_ms, silence_ms, longest_silence_ms, silences, interruptions }
    PartyTalk {
        party, talk_ms, talk_ratio, n_utterances, rate_per_minute, loudness_db, n_interruptions,
        longest_monologue_ms, response_ms,
    }
    Stretch { start_ms: time, end_ms: time }
    Interruption { by, at_ms: time, overlap_ms }
    Summary { reason, outcome, promises, numbers, disposition }
    Quote { utterance, party, start_ms: time, text }
    Scorecard { card, total, passed, auto_fail, items }
    ScoreItem { section: name, id: name, question: name, answer, points, out_of, auto_fail, hits, why }
}

variants! {
    Severity { Info = 0, Minor = 1, Major = 2, Critical = 3 }
    PiiKind { IdCard = 0, BankCard = 1, Phone = 2, Landline = 3, Email = 4, Plate = 5, Passport = 6, Ssn = 7 }
    EmotionLabel { Neutral = 0, Happy = 1, Angry = 2, Sad = 3 }
    Answer { Yes = 0, No = 1, NotApplicable = 2 }
}
