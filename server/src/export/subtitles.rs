//! Subtitles: SubRip, and WebVTT (W3C Candidate Recommendation, 4 April 2019).

use std::fmt::Write;

use auricle_contracts::{Party, Transcript};

use super::one_line;

/// Numbered cues; the party stands before the text.
pub(super) fn srt(transcript: &Transcript) -> String {
    let mut text = String::new();
    for (utterance_idx, utterance) in transcript.utterances.iter().enumerate() {
        let (start, end) = (clock(utterance.start_ms, ','), clock(utterance.end_ms, ','));
        let said = with_party(utterance.party, &one_line(&utterance.text));
        let _ = write!(text, "{}\n{start} --> {end}\n{said}\n\n", utterance_idx + 1);
    }
    text
}

/// Cues with voice tags.
pub(super) fn vtt(transcript: &Transcript) -> String {
    let mut text = String::from("WEBVTT\n\n");
    for utterance in &transcript.utterances {
        let (start, end) = (clock(utterance.start_ms, '.'), clock(utterance.end_ms, '.'));
        let said = one_line(&utterance.text).replace('&', "&amp;");
        let said = said.replace('<', "&lt;").replace('>', "&gt;");
        let _ = write!(text, "{start} --> {end}\n<v {}>{said}\n\n", utterance.party);
    }
    text
}

/// `01:00:05.000`, with the fraction's mark of the format.
fn clock(ms: u64, mark: char) -> String {
    let (secs, ms) = (ms / 1000, ms % 1000);
    format!(
        "{:02}:{:02}:{:02}{mark}{ms:03}",
        secs / 3600,
        secs / 60 % 60,
        secs % 60
    )
}

fn with_party(party: Party, said: &str) -> String {
    match party {
        Party::Unknown => said.to_owned(),
        party => format!("{party}: {said}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::tests::sample;

    #[test]
    fn subrip() {
        insta::assert_snapshot!(srt(&sample()), @r"
        1
        00:00:01,250 --> 00:00:02,750
        agent: 您好，请问？

        2
        01:00:05,000 --> 01:00:06,500
        customer: a < b --> c & d x
        ");
    }

    #[test]
    fn webvtt_hides_what_would_be_markup() {
        insta::assert_snapshot!(vtt(&sample()), @r"
        WEBVTT

        00:00:01.250 --> 00:00:02.750
        <v agent>您好，请问？

        01:00:05.000 --> 01:00:06.500
        <v customer>a &lt; b --&gt; c &amp; d x
        ");
    }
}
