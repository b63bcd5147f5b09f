//! `auricle show`: one call as a dialogue.

use std::io::Write;

use anyhow::Result;
use auricle_contracts::{ChannelLayout, LegAudio, Party, Transcript, Utterance};
use auricle_report::Language;
use auricle_store::{CallRecord, CallState};
use clap::Args;
use console::Style;

use super::{findings, keys_pressed, lines};
use crate::app::App;
use crate::exit::Exit;
use crate::known::{CallReader, KnownCall, PersonalData};
use crate::terminal::{PlayTime, Terminal, duration_text, pad_to, printable, wrap};

const EXAMPLES: &str = "\
Examples:
  auricle show dev-01               by id
  auricle show dev-0                by the beginning of an id, if only one call has it
  auricle show '客户 投诉.wav'      by the recording's name
  auricle show dev-01 --syllables   with what was heard, in numbered pinyin
  auricle show dev-01 --language zh  with headings and labels in Chinese
  auricle show dev-01 --json        as `analyze --out` writes it";

/// Options of `auricle show`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ShowArgs {
    /// Id, beginning of an id, or file name.
    #[arg(value_name = "CALL")]
    call: String,
    /// The call as JSON.
    #[arg(long, conflicts_with = "syllables")]
    json: bool,
    /// Under each utterance its syllables.
    #[arg(long)]
    syllables: bool,
    /// Every score the call ever had.
    #[arg(long, conflicts_with = "json")]
    scores: bool,
    /// Personal data as it was said, not masked.
    #[arg(long)]
    unmasked: bool,
    /// Language of headings and labels: en or zh. What was said stays as it was said, titles and reasons as their packs have them.
    #[arg(
        long,
        value_name = "LANGUAGE",
        default_value = "en",
        conflicts_with = "json"
    )]
    language: Language,
}

pub(crate) fn run(app: &mut App, args: &ShowArgs) -> Result<Exit> {
    let store = app.existing_store()?;
    let call = app.one_call(&store, &args.call)?;
    let personal_data = match args.unmasked {
        true => PersonalData::AsSaid,
        false => PersonalData::Masked,
    };
    let known = CallReader::open(app, personal_data)?.read(app, &store, &call)?;
    if args.json {
        serde_json::to_writer_pretty(&mut app.terminal, &known.assessed())?;
        writeln!(app.terminal)?;
        return Ok(Exit::Done);
    }
    write_head(&mut app.terminal, &call, &known.transcript, args.language)?;
    write_dialogue(
        &mut app.terminal,
        &known,
        args.syllables.then_some(Syllables),
        args.language,
    )?;
    findings::write(&mut app.terminal, &known.assessment, args.language)?;
    if args.scores {
        let versions = store.score_versions(&call.recording.call_id);
        let versions = app.runtime.block_on(versions)?;
        findings::write_versions(&mut app.terminal, &versions, args.language)?;
    }
    Ok(Exit::Done)
}

const PARTY_WIDTH: usize = "customer".len();

/// Asks for the line of syllables under each utterance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Syllables;

fn write_head(
    out: &mut Terminal,
    call: &CallRecord,
    transcript: &Transcript,
    language: Language,
) -> Result<()> {
    let name = out.paint(&Style::new().bold(), printable(&transcript.call_id.0));
    writeln!(out, "{name}  {}", printable(&transcript.file))?;
    let known = &transcript.metadata;
    let layout = match transcript.layout {
        ChannelLayout::Mono => language.pick("mono", "单声道"),
        ChannelLayout::PerParty => language.pick("one party per channel", "双方各一声道"),
        ChannelLayout::FakeStereo => language.pick("fake stereo", "伪立体声"),
    };
    let mut facts = vec![duration_text(transcript.duration_ms), layout.to_owned()];
    facts.push(transcript.engine.clone());
    for (title, value) in [
        (language.pick("agent", "坐席"), &known.agent),
        (language.pick("campaign", "项目"), &known.campaign),
        (language.pick("region", "地区"), &known.region),
        (language.pick("began", "开始时间"), &known.started_at),
    ] {
        facts.extend(value.as_ref().map(|value| format!("{title} {value}")));
    }
    let facts = printable(&facts.join(" · "));
    writeln!(out, "{}", out.paint(&Style::new().dim(), facts))?;
    for leg in &call.recording.legs {
        let audio = leg_text(leg, language);
        writeln!(out, "{}", out.paint(&Style::new().dim(), audio))?;
    }
    lines::write(out, &call.recording.lines, language)?;
    keys_pressed::write(out, &call.recording.keys_pressed, language)?;
    let failed = (call.state == CallState::Failed)
        .then_some(call.error.as_deref())
        .flatten();
    let older = language.pick(
        "hearing it again failed, this is the older transcript:",
        "重新识别失败，以下为此前的转写：",
    );
    let failed = failed.map(|cause| format!("{older} {cause}"));
    for warning in transcript.warnings.iter().cloned().chain(failed) {
        // A cause may have lines of its own, hints mostly.
        for (line_idx, line) in warning.lines().enumerate() {
            let mark = if line_idx == 0 { '!' } else { ' ' };
            let line = format!("{mark} {}", printable(line));
            writeln!(out, "{}", out.paint(&Style::new().yellow(), line))?;
        }
    }
    Ok(())
}

/// What came of a leg's audio, for example `agent: 69.9 of 70.4 s came, 0.5 s lost`.
fn leg_text(leg: &LegAudio, language: Language) -> String {
    let secs = |ms: u64| ms as f64 / 1000.0;
    let (received, expected) = (secs(leg.received_ms), secs(leg.expected_ms));
    let party = findings::party_name(leg.party, language);
    let mut text = match language {
        Language::English => format!("{party}: {received:.1} of {expected:.1} s came"),
        Language::Chinese => format!("{party}：应到 {expected:.1} 秒，实到 {received:.1} 秒"),
    };
    for (ms, english, chinese) in [
        (leg.lost_ms, "lost", "丢失"),
        (leg.filled_ms, "of silence filled in", "补静音"),
        (leg.late_ms, "twice or too late", "重复或迟到"),
    ] {
        if ms > 0 {
            text += &match language {
                Language::English => format!(", {:.1} s {english}", secs(ms)),
                Language::Chinese => format!("，{chinese} {:.1} 秒", secs(ms)),
            };
        }
    }
    text
}

fn write_dialogue(
    out: &mut Terminal,
    KnownCall {
        transcript,
        assessment,
        ..
    }: &KnownCall,
    syllables: Option<Syllables>,
    language: Language,
) -> Result<()> {
    writeln!(out)?;
    if transcript.utterances.is_empty() {
        writeln!(out, "{}", language.pick("(no speech)", "（无语音）"))?;
    }
    let last_ms = transcript
        .utterances
        .last()
        .map_or(0, |utterance| utterance.start_ms);
    let time_width = PlayTime(last_ms).to_string().len();
    for (place, utterance) in transcript.utterances.iter().enumerate() {
        write_utterance(out, utterance, time_width, syllables, language)?;
        let insight = assessment.utterances.get(place);
        let found = insight.map(|insight| findings::tags(insight, language));
        if let Some(found) = found.filter(|found| !found.is_empty()) {
            let indent = " ".repeat(time_width + 2 + PARTY_WIDTH + 2);
            let found = out.paint(&Style::new().dim(), printable(&found));
            writeln!(out, "{indent}{found}")?;
        }
    }
    Ok(())
}

/// `  0:05.6  customer  多少钱`, further lines under the first.
fn write_utterance(
    out: &mut Terminal,
    utterance: &Utterance,
    time_width: usize,
    syllables: Option<Syllables>,
    language: Language,
) -> Result<()> {
    let style = party_style(utterance.party);
    let party = pad_to(
        &findings::party_name(utterance.party, language),
        PARTY_WIDTH,
    );
    let time = format!("{:>time_width$}", PlayTime(utterance.start_ms));
    let indent = time_width + 2 + PARTY_WIDTH + 2;
    let room = out.width.saturating_sub(indent + 1);
    let dim = Style::new().dim();
    for (line_idx, line) in wrap(&utterance.text, room).into_iter().enumerate() {
        let head = match line_idx {
            0 => format!(
                "{}  {}  ",
                out.paint(&dim, &time),
                out.paint(&style, &party)
            ),
            _ => " ".repeat(indent),
        };
        writeln!(out, "{head}{line}")?;
    }
    if syllables.is_some() && !utterance.syllables.is_empty() {
        let spelled = utterance
            .syllables
            .iter()
            .map(|syllable| syllable.s.as_str());
        for line in wrap(&spelled.collect::<Vec<_>>().join(" "), room) {
            writeln!(out, "{}{}", " ".repeat(indent), out.paint(&dim, line))?;
        }
    }
    Ok(())
}

/// One colour for each party, in every command.
pub(crate) fn party_style(party: Party) -> Style {
    match party {
        Party::Agent => Style::new().cyan(),
        Party::Customer => Style::new().green(),
        Party::Unknown => Style::new(),
    }
}
