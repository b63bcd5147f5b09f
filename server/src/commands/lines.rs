//! How good the lines of calls are, for people: a row of a table each, and what is wrong in words.

use std::io::Write;

use anyhow::Result;
use auricle_contracts::{LineProblem, LineQuality};
use auricle_report::Language;
use console::Style;
use unicode_width::UnicodeWidthStr;

use super::findings::party_name;
use crate::terminal::{Terminal, pad_to, printable};

/// Cells of a line before what is said of it.
pub(super) const N_CELLS: usize = 6;

/// Shows the lines of a call; nothing where there are none.
pub(super) fn write(out: &mut Terminal, lines: &[LineQuality], language: Language) -> Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let mut rows = vec![head(language)];
    rows.extend(lines.iter().map(|line| cells(line, language)));
    let verdicts = lines.iter().map(|line| verdict(line, language));
    let verdicts = std::iter::once(String::new()).chain(verdicts);
    let is_wrong = lines.iter().map(|line| !line.problems.is_empty());
    let is_wrong = std::iter::once(false).chain(is_wrong);
    for ((row, verdict), is_wrong) in aligned(&rows).iter().zip(verdicts).zip(is_wrong) {
        let style = match is_wrong {
            true => Style::new().yellow(),
            false => Style::new().dim(),
        };
        let text = format!("{row}  {verdict}");
        writeln!(out, "{}", out.paint(&style, text.trim_end()))?;
    }
    Ok(())
}

/// What the cells are.
pub(super) fn head(language: Language) -> [String; N_CELLS] {
    let words = [
        language.pick("line", "线路"),
        language.pick("codec", "编码"),
        language.pick("packets", "包数"),
        language.pick("lost", "丢失"),
        language.pick("jitter", "抖动"),
        "MOS",
    ];
    words.map(str::to_owned)
}

/// Party, codec, packets that came, loss, how arrival varies, opinion.
pub(super) fn cells(line: &LineQuality, language: Language) -> [String; N_CELLS] {
    let nothing = || "–".to_owned();
    let if_heard = |text: String| match line.received {
        0 => nothing(),
        _ => text,
    };
    let codec = line.codec.as_deref().map(printable);
    [
        party_name(line.party, language),
        codec.unwrap_or_else(nothing),
        line.received.to_string(),
        if_heard(format!("{:.1} %", line.loss_percent)),
        if_heard(format!("{:.0} ms", line.jitter_ms)),
        line.mos.map_or_else(nothing, |mos| format!("{mos:.2}")),
    ]
}

/// The rows with their cells below one another.
pub(super) fn aligned(rows: &[[String; N_CELLS]]) -> Vec<String> {
    let mut widths = [0; N_CELLS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let row = |row: &[String; N_CELLS]| {
        let cells = row.iter().zip(widths);
        let cells = cells.map(|(cell, width)| pad_to(cell, width));
        cells.collect::<Vec<_>>().join("  ")
    };
    rows.iter().map(row).collect()
}

/// What is wrong with a line, the worst first; `good` where nothing is.
pub(super) fn verdict(line: &LineQuality, language: Language) -> String {
    let problems = told(line).map(|problem| words(line, problem, language));
    let problems: Vec<String> = problems.collect();
    match problems.is_empty() {
        true => language.pick("good", "正常").to_owned(),
        false => problems.join(language.pick("; ", "；")),
    }
}

/// What is to be said of it: that one party alone is heard says that the other is not.
pub(super) fn told(line: &LineQuality) -> impl Iterator<Item = LineProblem> {
    let is_one_way = line.problems.contains(&LineProblem::OneWay);
    let is_said = move |problem: &LineProblem| !is_one_way || *problem != LineProblem::NoAudio;
    line.problems.iter().copied().filter(is_said)
}

fn words(line: &LineQuality, problem: LineProblem, language: Language) -> String {
    match language {
        Language::English => in_english(line, problem),
        Language::Chinese => in_chinese(line, problem),
    }
}

fn in_english(line: &LineQuality, problem: LineProblem) -> String {
    match problem {
        LineProblem::NoAudio => "no audio".to_owned(),
        LineProblem::OneWay => "one-way: no audio, and the other party is heard".to_owned(),
        LineProblem::WrongCodec => {
            let n = line.not_agreed;
            format!("wrong codec: {n} packets in one that was not agreed")
        }
        LineProblem::WrongSource => {
            let n = line.other_sources;
            format!("wrong source: {n} packets from elsewhere, not heard")
        }
        LineProblem::Unreadable => format!("{} datagrams that are no RTP", line.unreadable),
        LineProblem::Unauthentic => {
            let n = line.unauthentic;
            format!("SRTP: {n} packets that did not authenticate")
        }
        LineProblem::Silent => "silence only".to_owned(),
        LineProblem::HighLoss => "high loss".to_owned(),
        LineProblem::HighJitter => format!("high jitter: up to {:.0} ms", line.max_jitter_ms),
        LineProblem::ClockDrift => {
            let ppm = line.drift_ppm.unwrap_or(0.0);
            let direction = if ppm > 0.0 { "fast" } else { "slow" };
            format!("clock {:.0} ppm too {direction}", ppm.abs())
        }
        LineProblem::LeftOut => {
            let n = line.left_out;
            format!("{n} packets for which this machine had no room")
        }
        LineProblem::CodecChanged => "the codec changed".to_owned(),
        LineProblem::NoGoodbye => "ended without a goodbye".to_owned(),
    }
}

fn in_chinese(line: &LineQuality, problem: LineProblem) -> String {
    match problem {
        LineProblem::NoAudio => "无音频".to_owned(),
        LineProblem::OneWay => "单通：无音频，对方有音频".to_owned(),
        LineProblem::WrongCodec => format!("编码不符：{} 个包未按协商编码", line.not_agreed),
        LineProblem::WrongSource => {
            format!("来源不符：{} 个包来自其他地址，未采用", line.other_sources)
        }
        LineProblem::Unreadable => format!("{} 个数据报不是 RTP", line.unreadable),
        LineProblem::Unauthentic => format!("SRTP：{} 个包认证失败", line.unauthentic),
        LineProblem::Silent => "全程静音".to_owned(),
        LineProblem::HighLoss => "丢包严重".to_owned(),
        LineProblem::HighJitter => format!("抖动严重：最大 {:.0} 毫秒", line.max_jitter_ms),
        LineProblem::ClockDrift => {
            let ppm = line.drift_ppm.unwrap_or(0.0);
            let direction = if ppm > 0.0 { "快" } else { "慢" };
            format!("时钟偏{direction} {:.0} ppm", ppm.abs())
        }
        LineProblem::LeftOut => format!("本机处理不及，舍弃 {} 个包", line.left_out),
        LineProblem::CodecChanged => "编码中途改变".to_owned(),
        LineProblem::NoGoodbye => "通话无挂断信令".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use auricle_contracts::Party;

    use super::*;
    use crate::lines::tests::{dead, good};

    #[test]
    fn rows_stand_below_one_another() {
        let rows = |language| {
            aligned(&[
                head(language),
                cells(&good(Party::Agent), language),
                cells(&dead(Party::Customer), language),
            ])
        };
        let english = rows(Language::English);
        let trimmed: Vec<&str> = english.iter().map(|row| row.trim_end()).collect();
        assert_eq!(
            trimmed,
            [
                "line      codec  packets  lost   jitter  MOS",
                "agent     pcma   3000     0.0 %  2 ms    4.41",
                "customer  –      0        –      –       –",
            ]
        );
        let chinese = rows(Language::Chinese);
        let widths: Vec<usize> = chinese.iter().map(|row| row.width()).collect();
        assert!(
            widths.iter().all(|width| *width == widths[0]),
            "{chinese:?}"
        );
    }

    #[test]
    fn every_problem_has_words_in_both_languages() {
        let line = good(Party::Agent);
        for problem in LineProblem::ALL {
            let [english, chinese] = [Language::English, Language::Chinese]
                .map(|language| words(&line, problem, language));
            assert!(english.is_ascii() && !english.is_empty(), "{problem:?}");
            assert!(!chinese.is_ascii(), "{problem:?}: {chinese}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_once() {
        let mut line = dead(Party::Customer);
        let said = |line: &LineQuality| verdict(line, Language::English);
        assert_eq!(said(&line), "no audio");
        line.problems.push(LineProblem::OneWay);
        line.problems.push(LineProblem::NoGoodbye);
        let expected = "one-way: no audio, and the other party is heard; ended without a goodbye";
        assert_eq!(said(&line), expected);
        assert_eq!(said(&good(Party::Agent)), "good");
        assert_eq!(verdict(&good(Party::Agent), Language::Chinese), "正常");
        let fast = LineQuality {
            drift_ppm: Some(-312.4),
            problems: vec![LineProblem::ClockDrift],
            ..good(Party::Agent)
        };
        assert_eq!(said(&fast), "clock 312 ppm too slow");
    }
}
