//! The call at a glance: who talked when and how, where hits stand; who talked how much.

use auricle_contracts::{EmotionLabel, Party, PartyTalk};
use maud::{Markup, html};

use super::{Call, hit_name, optional_ms};
use crate::format::{clock, count, decimal, decimal_or_dash, length, percent, seconds};
use crate::page::{Tile, Tone};
use crate::plot::legend;

/// Stretches that lie closer than this share of the call are drawn as one, so that a long call stays small.
const CLOSEST_SHARE: f64 = 0.001;

/// One stretch of one colour.
struct Block {
    from: f64,
    to: f64,
    class: &'static str,
}

/// Lanes of talk by party, and marks where hits stand.
pub(super) fn timeline(call: &Call<'_>) -> Markup {
    let duration_ms = end_ms(call);
    if duration_ms == 0 || call.transcript.utterances.is_empty() {
        return html! {};
    }
    let language = call.language;
    let parties: Vec<Party> = [Party::Agent, Party::Customer, Party::Unknown]
        .into_iter()
        .filter(|party| {
            call.transcript
                .utterances
                .iter()
                .any(|utterance| utterance.party == *party)
        })
        .collect();
    let hits_y = 34 * parties.len();
    let place = |ms: u64| {
        format!(
            "{:.2}%",
            100.0 * (ms as f64 / duration_ms as f64).clamp(0.0, 1.0)
        )
    };
    html! {
        figure {
            (legend([
                (language.emotion_name(EmotionLabel::Angry), "fill-angry"),
                (language.emotion_name(EmotionLabel::Sad), "fill-sad"),
                (language.emotion_name(EmotionLabel::Happy), "fill-happy"),
                (language.pick("neutral or not told", "中性或未判定"), "fill-neutral"),
            ].into_iter()))
            svg role="img" aria-label=(spoken(call)) height=(hits_y + 56) {
                @for (lane, party) in parties.iter().enumerate() {
                    text x="0" y=(34 * lane + 10) { (language.party_name(*party)) }
                    line.grid x1="0" x2="100%" y1=(34 * lane + 22) y2=(34 * lane + 22) {}
                    @for block in blocks(call, *party, duration_ms) {
                        rect.(block.class) x=(format!("{:.2}%", 100.0 * block.from)) width=(format!("{:.2}%", 100.0 * (block.to - block.from).max(0.002))) y=(34 * lane + 14) height="16" {}
                    }
                }
                text x="0" y=(hits_y + 10) { (language.hits()) }
                @for hit in &call.assessment.hits {
                    circle.(hit_fill(hit.severity)) cx=(place(hit.start_ms)) cy=(hits_y + 24) r="5" {
                        title { (clock(hit.start_ms)) " " (hit_name(hit)) }
                    }
                }
                line.grid.base x1="0" x2="100%" y1=(hits_y + 36) y2=(hits_y + 36) {}
                @for tick in 0..=4u64 {
                    @let anchor = match tick { 0 => "start", 4 => "end", _ => "middle" };
                    text x=(format!("{}%", 25 * tick)) y=(hits_y + 50) text-anchor=(anchor) { @if tick == 4 { (length(duration_ms)) } @else { (clock(duration_ms / 4 * tick)) } }
                }
            }
        }
    }
}

/// End of the call, or of the last thing said where that is later.
fn end_ms(call: &Call<'_>) -> u64 {
    let last = call
        .transcript
        .utterances
        .iter()
        .map(|utterance| utterance.end_ms)
        .max();
    call.transcript.duration_ms.max(last.unwrap_or(0))
}

const fn hit_fill(severity: auricle_contracts::Severity) -> &'static str {
    use auricle_contracts::Severity;
    match severity {
        Severity::Info => "fill-info",
        Severity::Minor => "fill-minor",
        Severity::Major => "fill-major",
        Severity::Critical => "fill-critical",
    }
}

fn blocks(call: &Call<'_>, party: Party, duration_ms: u64) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (idx, utterance) in call.transcript.utterances.iter().enumerate() {
        if utterance.party != party {
            continue;
        }
        let class = colour(call, idx);
        let share = |ms: u64| (ms as f64 / duration_ms as f64).clamp(0.0, 1.0);
        let (from, to) = (
            share(utterance.start_ms),
            share(utterance.end_ms.max(utterance.start_ms)),
        );
        match blocks.last_mut() {
            Some(last) if last.class == class && from - last.to < CLOSEST_SHARE => {
                last.to = last.to.max(to)
            }
            _ => blocks.push(Block { from, to, class }),
        }
    }
    blocks
}

fn colour(call: &Call<'_>, idx: usize) -> &'static str {
    let emotion = call
        .assessment
        .utterances
        .get(idx)
        .and_then(|insight| insight.emotion);
    match emotion.map(|emotion| emotion.label) {
        Some(EmotionLabel::Angry) => "fill-angry",
        Some(EmotionLabel::Sad) => "fill-sad",
        Some(EmotionLabel::Happy) => "fill-happy",
        _ => "fill-neutral",
    }
}

/// The timeline in words.
fn spoken(call: &Call<'_>) -> String {
    let language = call.language;
    let mut words = format!("{} ({}).", language.timeline(), length(end_ms(call)));
    for talk in &call.assessment.metrics.parties {
        let share = (f64::from(talk.talk_ratio).clamp(0.0, 1.0) * 1000.0) as u64;
        words.push_str(&format!(
            " {} {};",
            language.party_name(talk.party),
            percent(share, 1000)
        ));
    }
    for hit in &call.assessment.hits {
        words.push_str(&format!(" {} {};", clock(hit.start_ms), hit_name(hit)));
    }
    words
}

/// Key figures of how people talked.
pub(super) fn talk_tiles(call: &Call<'_>) -> Vec<Tile> {
    let (language, metrics) = (call.language, &call.assessment.metrics);
    let mut tiles = Vec::new();
    let agent = metrics
        .parties
        .iter()
        .find(|talk| talk.party == Party::Agent);
    if let Some(agent) = agent {
        tiles.push(Tile {
            label: language.agent_share(),
            value: format!("{}%", decimal(100.0 * f64::from(agent.talk_ratio), 0)),
            note: format!(
                "{} {}",
                language.times_interrupted(),
                count(u64::from(agent.n_interruptions))
            ),
            tone: Tone::Plain,
        });
    }
    tiles.push(Tile {
        label: language.longest_silence(),
        value: seconds(metrics.longest_silence_ms),
        note: format!("{} {}", language.silence(), seconds(metrics.silence_ms)),
        tone: Tone::Plain,
    });
    tiles
}

/// A quantity's name, and how it reads for one party.
type TalkRow = (&'static str, fn(&PartyTalk) -> String);

/// The table of who talked how.
pub(super) fn talk(call: &Call<'_>) -> Markup {
    let (language, metrics) = (call.language, &call.assessment.metrics);
    if metrics.parties.is_empty() {
        return html! {};
    }
    let parties = &metrics.parties;
    let rows: [TalkRow; 8] = [
        (language.talk_time(), |talk| length(talk.talk_ms)),
        (language.share_axis(), |talk| {
            decimal(100.0 * f64::from(talk.talk_ratio), 0)
        }),
        (language.utterances(), |talk| {
            count(u64::from(talk.n_utterances))
        }),
        (language.rate_axis(), |talk| {
            decimal(f64::from(talk.rate_per_minute), 0)
        }),
        (language.response(), |talk| optional_ms(talk.response_ms)),
        (language.times_interrupted(), |talk| {
            count(u64::from(talk.n_interruptions))
        }),
        (language.longest_monologue(), |talk| {
            seconds(talk.longest_monologue_ms)
        }),
        (language.loudness(), |talk| match talk.loudness_db {
            Some(loudness_db) => {
                format!("{} dBFS", decimal_or_dash(Some(f64::from(loudness_db)), 1))
            }
            None => "–".to_owned(),
        }),
    ];
    html! {
        div.narrow { table {
            thead { tr {
                td {}
                @for talk in parties { th.n scope="col" { (language.party_name(talk.party)) } }
            } }
            tbody { @for (name, value) in rows {
                tr {
                    th scope="row" { (name) }
                    @for talk in parties { td.n { (value(talk)) } }
                }
            } }
        } }
        p.note {
            (language.overlap()) " " (seconds(metrics.overlap_ms)) " · "
            (language.silence()) " " (seconds(metrics.silence_ms)) " · "
            (language.longest_silence()) " " (seconds(metrics.longest_silence_ms))
        }
    }
}
