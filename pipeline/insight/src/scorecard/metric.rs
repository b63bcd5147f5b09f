//! Measures of a call that questions ask for.

use auricle_contracts::{Party, PartyMood, PartyTalk};
use schemars::JsonSchema;
use serde::Deserialize;

use super::CallView;

/// A measure of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The agent's share of all speech, 0 to 1.
    AgentTalkRatio,
    /// Syllables (words, where there are no syllables) a minute of the agent's speech.
    AgentRatePerMinute,
    /// Mean loudness of the agent, dBFS.
    AgentLoudnessDb,
    /// Times the agent began to talk while the other went on.
    AgentInterruptions,
    /// Longest stretch of the agent's talk without the other, milliseconds.
    AgentLongestMonologueMs,
    /// Median time until the agent answers, milliseconds.
    AgentResponseMs,
    /// Mean valence of the agent, −1 to 1.
    AgentValence,
    /// Utterances that the agent said angrily.
    AgentAngryUtterances,
    /// The customer's share of all speech, 0 to 1.
    CustomerTalkRatio,
    /// Times the customer began to talk while the other went on.
    CustomerInterruptions,
    /// Mean valence of the customer, −1 to 1.
    CustomerValence,
    /// Valence of the customer's last third less that of the first.
    CustomerTrend,
    /// Utterances that the customer said angrily.
    CustomerAngryUtterances,
    /// How content the customer is likely to be, 0 to 100.
    Satisfaction,
    /// Time in which both talk, milliseconds.
    OverlapMs,
    /// Time in which nobody talks, milliseconds.
    SilenceMs,
    /// Longest time in which nobody talks, milliseconds.
    LongestSilenceMs,
    /// Share of the talk's whole time in which nobody talks, 0 to 1.
    SilenceRatio,
    /// Stretches of 2 s and more in which nobody talks.
    Silences,
}

impl Metric {
    /// The name used in cards.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AgentTalkRatio => "agent_talk_ratio",
            Self::AgentRatePerMinute => "agent_rate_per_minute",
            Self::AgentLoudnessDb => "agent_loudness_db",
            Self::AgentInterruptions => "agent_interruptions",
            Self::AgentLongestMonologueMs => "agent_longest_monologue_ms",
            Self::AgentResponseMs => "agent_response_ms",
            Self::AgentValence => "agent_valence",
            Self::AgentAngryUtterances => "agent_angry_utterances",
            Self::CustomerTalkRatio => "customer_talk_ratio",
            Self::CustomerInterruptions => "customer_interruptions",
            Self::CustomerValence => "customer_valence",
            Self::CustomerTrend => "customer_trend",
            Self::CustomerAngryUtterances => "customer_angry_utterances",
            Self::Satisfaction => "satisfaction",
            Self::OverlapMs => "overlap_ms",
            Self::SilenceMs => "silence_ms",
            Self::LongestSilenceMs => "longest_silence_ms",
            Self::SilenceRatio => "silence_ratio",
            Self::Silences => "silences",
        }
    }

    /// What people call it, in English and in Chinese, with the unit where it has one.
    pub(super) const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::AgentTalkRatio => ("agent's share of speech", "客服说话占比"),
            Self::AgentRatePerMinute => ("agent's syllables a minute", "客服语速（字/分）"),
            Self::AgentLoudnessDb => ("agent's loudness (dBFS)", "客服音量（dBFS）"),
            Self::AgentInterruptions => ("agent's interruptions", "客服打断次数"),
            Self::AgentLongestMonologueMs => {
                ("agent's longest monologue (ms)", "客服最长独白（毫秒）")
            }
            Self::AgentResponseMs => ("agent's response delay (ms)", "客服应答延迟（毫秒）"),
            Self::AgentValence => ("agent's valence", "客服情绪效价"),
            Self::AgentAngryUtterances => ("agent's angry utterances", "客服愤怒句数"),
            Self::CustomerTalkRatio => ("customer's share of speech", "客户说话占比"),
            Self::CustomerInterruptions => ("customer's interruptions", "客户打断次数"),
            Self::CustomerValence => ("customer's valence", "客户情绪效价"),
            Self::CustomerTrend => ("customer's trend of valence", "客户情绪走势"),
            Self::CustomerAngryUtterances => ("customer's angry utterances", "客户愤怒句数"),
            Self::Satisfaction => ("satisfaction", "客户满意度"),
            Self::OverlapMs => ("time in which both talk (ms)", "双方同时说话时长（毫秒）"),
            Self::SilenceMs => ("time in which nobody talks (ms)", "无人说话时长（毫秒）"),
            Self::LongestSilenceMs => ("longest silence (ms)", "最长静默（毫秒）"),
            Self::SilenceRatio => ("share of silence", "静默占比"),
            Self::Silences => ("silences of 2 s and more", "2 秒以上静默次数"),
        }
    }

    /// Its value in a call; `None` where it was not measured, or nobody spoke whose it is.
    pub(super) fn value(self, call: &CallView<'_>) -> Option<f64> {
        let talk = call.metrics;
        match self {
            Self::AgentTalkRatio => self.agent(call, |agent| agent.talk_ratio.into()),
            Self::AgentRatePerMinute => self.agent(call, |agent| agent.rate_per_minute.into()),
            Self::AgentLoudnessDb => talk_of(call, Party::Agent)?.loudness_db.map(f64::from),
            Self::AgentInterruptions => self.agent(call, |agent| agent.n_interruptions.into()),
            Self::AgentLongestMonologueMs => {
                self.agent(call, |agent| agent.longest_monologue_ms as f64)
            }
            Self::AgentResponseMs => Some(talk_of(call, Party::Agent)?.response_ms? as f64),
            Self::AgentValence => Some(mood_of(call, Party::Agent)?.valence.into()),
            Self::AgentAngryUtterances => Some(mood_of(call, Party::Agent)?.n_angry.into()),
            Self::CustomerTalkRatio => {
                talk_of(call, Party::Customer).map(|customer| customer.talk_ratio.into())
            }
            Self::CustomerInterruptions => {
                talk_of(call, Party::Customer).map(|customer| customer.n_interruptions.into())
            }
            Self::CustomerValence => Some(mood_of(call, Party::Customer)?.valence.into()),
            Self::CustomerTrend => Some(mood_of(call, Party::Customer)?.trend.into()),
            Self::CustomerAngryUtterances => Some(mood_of(call, Party::Customer)?.n_angry.into()),
            Self::Satisfaction => call.mood.satisfaction.map(f64::from),
            _ if talk.parties.is_empty() => None,
            Self::OverlapMs => Some(talk.overlap_ms as f64),
            Self::SilenceMs => Some(talk.silence_ms as f64),
            Self::LongestSilenceMs => Some(talk.longest_silence_ms as f64),
            Self::SilenceRatio => silence_ratio(call),
            Self::Silences => Some(talk.silences.len() as f64),
        }
        .filter(|value| value.is_finite())
    }

    fn agent(self, call: &CallView<'_>, value: impl Fn(&PartyTalk) -> f64) -> Option<f64> {
        talk_of(call, Party::Agent).map(value)
    }
}

fn talk_of<'a>(call: &CallView<'a>, party: Party) -> Option<&'a PartyTalk> {
    call.metrics.parties.iter().find(|talk| talk.party == party)
}

fn mood_of<'a>(call: &CallView<'a>, party: Party) -> Option<&'a PartyMood> {
    call.mood.parties.iter().find(|mood| mood.party == party)
}

fn silence_ratio(call: &CallView<'_>) -> Option<f64> {
    let talk = call.metrics;
    let spoken = talk.parties.iter().map(|party| party.talk_ms);
    let spoken_ms = spoken.fold(0, u64::saturating_add);
    let all_ms = spoken_ms
        .saturating_sub(talk.overlap_ms)
        .saturating_add(talk.silence_ms);
    (all_ms > 0).then(|| talk.silence_ms as f64 / all_ms as f64)
}
