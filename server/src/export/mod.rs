//! Transcripts in the forms of other programs. Pure: a transcript in, text out.

mod csv_rows;
mod subtitles;

use auricle_contracts::Transcript;
use clap::ValueEnum;

pub(crate) use csv_rows::{csv_head, csv_rows};
use subtitles::{srt, vtt};

use crate::known::KnownCall;
use crate::terminal::PlayTime;

/// What `auricle export` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One call as JSON on each line, as `analyze --out` writes it; `auricle import` reads it.
    Jsonl,
    /// One utterance on each row, with a head.
    Csv,
    /// One line for each utterance.
    Txt,
    /// SubRip subtitles, one file for each call.
    Srt,
    /// WebVTT subtitles, one file for each call.
    Vtt,
}

impl ExportFormat {
    /// Whether each call becomes a file of its own.
    pub(crate) const fn is_per_call(self) -> bool {
        matches!(self, Self::Srt | Self::Vtt)
    }

    /// The ending of its files.
    pub(crate) const fn ending(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Txt => "txt",
            Self::Srt => "srt",
            Self::Vtt => "vtt",
        }
    }

    /// What stands before the first call, if anything.
    pub(crate) fn head(self) -> anyhow::Result<String> {
        match self {
            Self::Csv => csv_head(),
            _ => Ok(String::new()),
        }
    }

    /// One call.
    pub(crate) fn write(self, known: &KnownCall) -> anyhow::Result<String> {
        let transcript = &known.transcript;
        Ok(match self {
            Self::Jsonl => serde_json::to_string(&known.assessed())? + "\n",
            Self::Csv => csv_rows(transcript)?,
            Self::Txt => plain_text(transcript),
            Self::Srt => srt(transcript),
            Self::Vtt => vtt(transcript),
        })
    }
}

/// `# call` and then `0:05.6 customer: 多少钱` for each utterance.
fn plain_text(transcript: &Transcript) -> String {
    let lines = transcript.utterances.iter().map(|utterance| {
        let (time, party) = (PlayTime(utterance.start_ms), utterance.party);
        format!("{time} {party}: {}\n", one_line(&utterance.text))
    });
    format!("# {}\n{}\n", transcript.call_id, lines.collect::<String>())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use auricle_contracts::{
        Assessment, CallId, CallMetadata, ChannelLayout, Party, PressedKey, Utterance,
    };

    pub(crate) fn sample() -> Transcript {
        let utterance = |party, start_ms, text: &str| Utterance {
            party,
            channel: 0,
            start_ms,
            end_ms: start_ms + 1500,
            text: text.to_owned(),
            spoken: text.to_owned(),
            confidence: 0.875,
            syllables: Vec::new(),
            words: Vec::new(),
            voice: None,
        };
        Transcript {
            call_id: CallId("客户, \"一\"".into()),
            file: "客户.wav".into(),
            duration_ms: 3_700_000,
            engine: "test".into(),
            layout: ChannelLayout::PerParty,
            metadata: CallMetadata {
                agent: Some("A7".into()),
                ..CallMetadata::default()
            },
            warnings: Vec::new(),
            utterances: vec![
                utterance(Party::Agent, 1_250, "您好，请问？"),
                utterance(Party::Customer, 3_605_000, "a < b --> c & d\n\nx"),
            ],
        }
    }

    #[test]
    fn text() {
        insta::assert_snapshot!(plain_text(&sample()), @r#"
        # 客户, "一"
        0:01.2 agent: 您好，请问？
        1:00:05.0 customer: a < b --> c & d x
        "#);
    }

    #[test]
    fn json_lines_are_one_line_and_come_back() {
        let known = KnownCall {
            transcript: sample(),
            assessment: Assessment::default(),
            lines: vec![crate::lines::tests::good(Party::Agent)],
            keys_pressed: vec![PressedKey {
                party: Party::Customer,
                at_ms: 12_340,
                duration_ms: None,
                key: None,
            }],
        };
        let line = ExportFormat::Jsonl.write(&known).unwrap();
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(serde_json::from_str::<Transcript>(&line).unwrap(), sample());
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(said["lines"][0]["mos"], 4.41);
        assert_eq!(said["keys_pressed"][0]["at_ms"], 12_340);
    }
}
