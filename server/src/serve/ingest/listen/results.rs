//! What is told of a call, as clients of Deepgram's API read it.

use auricle_contracts::Utterance;
use auricle_wire::listen::{
    Alternative, Channel, ModelInfo, Results, ResultsMetadata, ServerMessage, Word, Wording,
};

use super::timeline::Timeline;

/// What is the same in all results of a stream.
#[derive(Clone, Debug)]
pub(super) struct ResultsWriter {
    pub(super) metadata: ResultsMetadata,
    pub(super) n_channels: u16,
    pub(super) wording: Wording,
    pub(super) timeline: Timeline,
}

/// What hears: engine and model (`native/zh-zipformer-3.3m`), and what changes whenever transcripts may.
pub(super) fn metadata(
    request_id: &str,
    engine: &str,
    model: &str,
    fingerprint: &str,
) -> ResultsMetadata {
    ResultsMetadata {
        request_id: request_id.to_owned(),
        model_info: ModelInfo {
            name: model.to_owned(),
            version: fingerprint.to_owned(),
            arch: engine.split('/').next().unwrap_or(engine).to_owned(),
        },
        model_uuid: model.to_owned(),
    }
}

/// Where results come from, and what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The utterance goes on.
    Interim,
    /// It was cut, for it had grown too long: its speaker may go on.
    Part,
    /// It is over, and its speaker pauses.
    Final,
    /// It is over because the client asked for that.
    FromFinalize,
}

impl ResultsWriter {
    /// An utterance that goes on, from and to milliseconds of the call.
    pub(super) fn interim(
        &self,
        channel: u16,
        from_to_ms: [u64; 2],
        text: String,
    ) -> ServerMessage {
        let alternative = Alternative {
            transcript: text,
            ..Alternative::default()
        };
        self.results(channel, from_to_ms, alternative, Said::Interim)
    }

    /// An utterance that is over. `channel` is the client's.
    pub(super) fn utterance(
        &self,
        channel: u16,
        utterance: &Utterance,
        said: Said,
    ) -> ServerMessage {
        let alternative = Alternative {
            transcript: match self.wording {
                Wording::Spoken => utterance.spoken.clone(),
                Wording::Written => utterance.text.clone(),
            },
            confidence: f64::from(utterance.confidence),
            words: self.words(utterance),
        };
        let from_to_ms = [utterance.start_ms, utterance.end_ms];
        self.results(channel, from_to_ms, alternative, said)
    }

    /// Nothing more was said, here of the call: the answer to a client who asked for the end of what was, or the pause behind
    /// an utterance that was cut.
    pub(super) fn nothing(&self, channel: u16, at_ms: u64, said: Said) -> ServerMessage {
        self.results(channel, [at_ms, at_ms], Alternative::default(), said)
    }

    fn results(
        &self,
        channel: u16,
        [from_ms, to_ms]: [u64; 2],
        alternative: Alternative,
        said: Said,
    ) -> ServerMessage {
        let start = self.timeline.seconds(from_ms);
        ServerMessage::Results(Box::new(Results {
            channel_index: [channel, self.n_channels],
            duration: self.timeline.seconds(to_ms.max(from_ms)) - start,
            start,
            is_final: said != Said::Interim,
            speech_final: matches!(said, Said::Final | Said::FromFinalize),
            channel: Channel {
                alternatives: vec![alternative],
            },
            metadata: self.metadata.clone(),
            from_finalize: said == Said::FromFinalize,
        }))
    }

    fn words(&self, utterance: &Utterance) -> Vec<Word> {
        let mut written = match self.wording {
            Wording::Spoken => Vec::new(),
            Wording::Written => written(utterance),
        }
        .into_iter();
        let word = |word: &auricle_contracts::Word| Word {
            word: word.w.clone(),
            start: self.timeline.seconds(word.start_ms),
            end: self.timeline.seconds(word.end_ms),
            // Words have none of their own.
            confidence: f64::from(utterance.confidence),
            punctuated_word: written.next(),
        };
        utterance.words.iter().map(word).collect()
    }
}

/// The written form word by word, with the punctuation behind each. Where it is written otherwise than it was said, as
/// numbers are, nobody can tell which word is which: then words as they were said.
fn written(utterance: &Utterance) -> Vec<String> {
    let mut rest = utterance.text.as_str();
    let with_punctuation = |word: &auricle_contracts::Word| {
        let behind = rest.trim_start().strip_prefix(&word.w)?;
        let next = behind.find(|ch: char| ch.is_alphanumeric() || ch.is_whitespace() || ch == '*');
        let (punctuation, behind) = behind.split_at(next.unwrap_or(behind.len()));
        rest = behind;
        Some(format!("{}{punctuation}", word.w))
    };
    let words: Option<Vec<String>> = utterance.words.iter().map(with_punctuation).collect();
    let spoken = || utterance.words.iter().map(|word| word.w.clone()).collect();
    words.unwrap_or_else(spoken)
}

#[cfg(test)]
mod tests {
    use auricle_contracts::Party;

    use super::*;
    use crate::testing;

    fn said(text: &str, words: &[&str]) -> Utterance {
        let words = words
            .iter()
            .enumerate()
            .map(|(place, w)| auricle_contracts::Word {
                w: (*w).to_owned(),
                start_ms: 1_000 + 100 * place as u64,
                end_ms: 1_100 + 100 * place as u64,
            });
        let words: Vec<_> = words.collect();
        Utterance {
            text: text.to_owned(),
            end_ms: 1_500,
            spoken: words.iter().map(|word| word.w.as_str()).collect(),
            words,
            ..testing::utterance(Party::Agent, 1_000, "")
        }
    }

    #[test]
    fn words_have_the_punctuation_behind_them() {
        let check = |text: &str, words: &[&str], expected: &[&str]| {
            assert_eq!(written(&said(text, words)), expected, "{text}");
        };
        check("您好，请问。", &["您好", "请问"], &["您好，", "请问。"]);
        check("Yes, I do.", &["Yes", "I", "do"], &["Yes,", "I", "do."]);
        check("您好，3万。", &["您好", "三万"], &["您好", "三万"]);
        check("是****。", &["是", "**", "**"], &["是", "**", "**。"]);
        check("", &[], &[]);
    }

    #[test]
    fn results_count_in_seconds_of_the_client() {
        let mut timeline = Timeline::default();
        timeline.put_in(200, 600);
        let writer = ResultsWriter {
            metadata: metadata("r", "tract/telephony-8k", "telephony-8k", "f"),
            n_channels: 2,
            wording: Wording::Written,
            timeline,
        };
        let told = [
            writer.interim(1, [1_000, 1_500], "您".into()),
            writer.utterance(1, &said("您好。", &["您好"]), Said::Final),
            writer.utterance(1, &said("您好。", &["您好"]), Said::Part),
            writer.nothing(1, 1_500, Said::Final),
            writer.nothing(0, 700, Said::FromFinalize),
        ];
        let told = told.map(|message| message.to_json());
        insta::assert_snapshot!(told.join("\n"));
    }
}
