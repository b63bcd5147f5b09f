//! Words of the pages, in each language they speak.

use std::fmt;
use std::str::FromStr;

use auricle_contracts::{Answer, EmotionLabel, Party, PiiKind, Severity, names_of_label};
use thiserror::Error;

/// Language of a page's own words; what was said in a call stays as it was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

/// A language that pages do not speak.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`language` must be `en` or `zh`, got `{0}`")]
pub struct UnknownLanguage(String);

impl Language {
    /// The tag used on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }

    /// BCP 47 tag for `<html lang>`.
    pub(crate) const fn tag(self) -> &'static str {
        self.pick("en", "zh-CN")
    }

    /// Behind points that were lost by several hits at once.
    pub(crate) fn for_hits_together(self, n_hits: usize) -> String {
        match self {
            Self::English => format!("for {n_hits} hits together"),
            Self::Chinese => format!("共 {n_hits} 次命中"),
        }
    }

    /// One of two texts.
    pub const fn pick(self, english: &'static str, chinese: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::English, Self::Chinese]
            .into_iter()
            .find(|language| language.as_str() == name)
            .ok_or_else(|| UnknownLanguage(name.to_owned()))
    }
}

/// A method for each label.
macro_rules! labels {
    ($($name:ident: $english:literal, $chinese:literal;)*) => {
        impl Language {
            $(pub(crate) const fn $name(self) -> &'static str {
                self.pick($english, $chinese)
            })*
        }
    };
}

labels! {
    // Pages and their parts.
    batch_title: "Quality report", "质检报告";
    rescore_title: "What re-scoring changed", "重新评分结果对比";
    call_title: "Call", "通话";
    contents: "On this page", "本页内容";
    back_to_batch: "All calls of this report", "返回报告";
    skip: "Skip to content", "跳到正文";
    footer: "Made by Auricle. Figures come from automatic analysis; listen before you judge a person.",
        "由 Auricle 生成。数据来自自动分析，涉及人员评价时请先听取录音复核。";
    violations: "Violations and signals", "违规与信号";
    by_rule: "By rule", "按规则";
    by_agent: "By agent", "按坐席";
    by_campaign: "By campaign", "按项目";
    over_time: "Over time", "时间趋势";
    evidence: "Evidence", "证据";
    evidence_note: "The worst and newest hits of each rule. A click plays what was said.",
        "每条规则列出最严重、最新的命中，点击即可播放原声。";
    scores: "Scores", "评分";
    points_lost: "Where points are lost", "失分项";
    emotion: "Emotion", "情绪";
    talk: "Talk", "对话指标";
    intents: "Intents and outcomes", "意向与结果";
    personal_data: "Personal data", "个人信息";
    personal_data_note: "Masked wherever text is shown.", "所有文本中均已脱敏。";
    sound_withheld: "No sound: personal data would be heard in the recording, and there is no silenced copy. \
        `auricle analyze RECORDING --redact-audio DIR` makes one, `auricle report --audio DIR` plays it.",
        "无声音：录音中含个人信息，且没有静音副本。用 `auricle analyze 录音 --redact-audio 目录` 生成副本，再用 `auricle report --audio 目录` 播放。";
    all_calls: "Calls", "通话列表";
    changed_calls: "Changed calls", "有变化的通话";
    score_before_after: "Scores before and after", "前后分数分布";
    player: "Player", "播放器";
    play: "Play", "播放";
    close: "Close", "关闭";

    // Columns and quantities.
    call: "Call", "通话";
    calls: "Calls", "通话数";
    agent: "Agent", "坐席";
    campaign: "Campaign", "项目";
    region: "Region", "地区";
    started: "Started", "开始时间";
    duration: "Length", "时长";
    engine: "Heard by", "识别引擎";
    score: "Score", "得分";
    score_points: "Score (points)", "得分（分）";
    result: "Result", "结果";
    pass: "pass", "合格";
    fail: "fail", "不合格";
    auto_fail: "auto-fail", "一票否决";
    auto_fails: "Auto-fails", "一票否决";
    hits: "Hits", "命中";
    n_violations: "Violations", "违规数";
    worst: "Worst", "最高级别";
    satisfaction: "Satisfaction", "满意度";
    satisfaction_points: "Estimated satisfaction (points)", "预估满意度（分）";
    rule: "Rule", "规则";
    severity: "Severity", "级别";
    share_of_calls: "Of calls", "占比";
    before: "Before", "之前";
    after: "After", "现在";
    added: "Added", "新增";
    removed: "Removed", "消失";
    difference: "Change", "变化";
    rules_gained: "Rules gained", "新增命中";
    rules_lost: "Rules lost", "消失命中";
    mean_score: "Mean score", "平均分";
    passed: "Passed", "合格数";
    pass_rate: "Pass rate", "合格率";
    faulty_per_100: "Violations per 100 calls", "每百通违规";
    most_often: "Most often", "最常见";
    angry_customers: "Angry customers", "客户愤怒";
    why: "Why", "原因";
    time: "Time", "时间";
    party: "Party", "角色";
    question: "Question", "评分项";
    answer: "Answer", "结论";
    points: "Points", "得分";
    mean_lost: "Mean points lost", "平均扣分";
    kind: "Kind", "类型";
    mentions: "Mentions", "次数";
    intent: "Intent", "意向";
    utterances: "Utterances", "话语数";
    disposition: "Outcome", "通话结果";
    changed: "Changed", "有变化";
    unnamed: "(not known)", "（未知）";

    // Plots.
    n_calls_axis: "Calls", "通话数";
    n_hits_axis: "Hits", "命中数";
    percent_or_points: "Pass rate (%), mean score (points)", "合格率（%）、平均分（分）";
    hits_over_time: "Violations by severity", "各级别违规数";
    quality_over_time: "Pass rate and mean score", "合格率与平均分";
    score_distribution: "Scores", "得分分布";
    satisfaction_distribution: "Customer satisfaction, estimated from words and voice",
        "客户满意度（由语言和声音估计）";
    emotion_by_party: "How utterances were said", "各方话语情绪";
    mood_trend: "Customer's mood: last third of the call against the first", "客户情绪走势：后三分之一与前三分之一之差";
    valence_difference: "Difference of valence (−2 to 2; below zero: worse)", "效价差（−2 至 2，负值为变差）";
    agent_share: "Agent's share of talk", "坐席说话占比";
    share_axis: "Share of talk (%)", "说话占比（%）";
    silence_share: "Silence", "静默占比";
    silence_axis: "Share of the call (%)", "占通话时长（%）";
    longest_silence: "Longest silence", "最长静默";
    seconds_axis: "Seconds", "秒";
    interruptions: "Interruptions by the agent", "坐席打断次数";
    interruptions_axis: "Times a call", "次/通";
    speech_rate: "Speech rate", "语速";
    rate_axis: "Syllables or words a minute", "音节（词）/分钟";
    response_delay: "Agent's time to answer", "坐席响应时间";
    mean: "mean", "平均";

    // One call.
    summary: "Summary", "摘要";
    reason: "Why they talked", "通话原因";
    outcome: "How it ended", "结果";
    promises: "Promised", "承诺";
    numbers: "Numbers", "数字信息";
    scorecard: "Score card", "评分卡";
    findings: "Findings", "命中明细";
    dialogue: "Dialogue", "对话";
    timeline: "The call at a glance", "通话概览";
    longest_monologue: "Longest monologue", "最长独白";
    talk_time: "Talk", "说话时长";
    response: "Answers after", "响应时间";
    loudness: "Loudness", "音量";
    overlap: "Both talking", "同时说话";
    silence: "Nobody talking", "无人说话";
    times_interrupted: "Interrupted", "打断次数";
    no_hits: "Nothing was found.", "未发现问题。";
    nothing_said: "No speech was heard.", "未识别到语音。";
    no_rules_changed: "No rule fires in other calls than before.", "各规则命中的通话没有变化。";
    no_changed_calls: "No call changed.", "没有通话发生变化。";
    warnings: "Note", "注意";

    // Tables.
    filter: "Filter", "筛选";
    previous: "Previous", "上一页";
    next: "Next", "下一页";
    export_csv: "Save as CSV", "导出 CSV";
}

impl Language {
    /// How bad a hit is.
    pub const fn severity_name(self, severity: Severity) -> &'static str {
        match severity {
            Severity::Info => self.pick("info", "提示"),
            Severity::Minor => self.pick("minor", "轻微"),
            Severity::Major => self.pick("major", "严重"),
            Severity::Critical => self.pick("critical", "致命"),
        }
    }

    /// Who spoke.
    pub const fn party_name(self, party: Party) -> &'static str {
        match party {
            Party::Agent => self.pick("Agent", "坐席"),
            Party::Customer => self.pick("Customer", "客户"),
            Party::Unknown => self.pick("Unknown", "未知"),
        }
    }

    /// A mood.
    pub const fn emotion_name(self, label: EmotionLabel) -> &'static str {
        self.pick(label.as_str(), label.in_chinese())
    }

    pub(crate) const fn pii_name(self, kind: PiiKind) -> &'static str {
        match kind {
            PiiKind::IdCard => self.pick("identity card", "身份证号"),
            PiiKind::BankCard => self.pick("bank card", "银行卡号"),
            PiiKind::Phone => self.pick("mobile phone", "手机号"),
            PiiKind::Landline => self.pick("landline", "固定电话"),
            PiiKind::Email => self.pick("e-mail", "电子邮箱"),
            PiiKind::Plate => self.pick("number plate", "车牌号"),
            PiiKind::Passport => self.pick("passport", "护照号"),
            PiiKind::Ssn => self.pick("social security number", "美国社会安全号"),
        }
    }

    /// An answer on a score card.
    pub const fn answer_name(self, answer: Answer) -> &'static str {
        match answer {
            Answer::Yes => self.pick("met", "达标"),
            Answer::No => self.pick("not met", "未达标"),
            Answer::NotApplicable => self.pick("n/a", "不适用"),
        }
    }

    /// The name of an intent or a disposition; those that are not known keep their own.
    pub fn intent_name(self, label: &str) -> String {
        match names_of_label(label) {
            Some((english, chinese)) => self.pick(english, chinese).to_owned(),
            None => label.replace('_', " "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_named_by_their_tags() {
        assert_eq!("zh".parse(), Ok(Language::Chinese));
        assert_eq!("en".parse(), Ok(Language::English));
        assert!("fr".parse::<Language>().is_err());
    }

    #[test]
    fn unknown_intents_keep_their_name() {
        assert_eq!(Language::Chinese.intent_name("opt_out"), "要求勿再来电");
        assert_eq!(Language::Chinese.intent_name("asks_branch"), "asks branch");
    }
}
