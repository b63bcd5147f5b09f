//! `[live]`: calls under way.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use anyhow::Result;
use auricle_live::LiveSettings;
use schemars::JsonSchema;
use serde::Deserialize;

use super::access::{Access, KeyConfig};
use super::announced::AnnouncementsConfig;
use super::archive::EventsConfig;
use super::digits::DigitsConfig;
use super::ingest::audiohook::AudioHookConfig;
use super::ingest::audiosocket::AudioSocketConfig;
use super::ingest::leg_time::WallTime;
use super::ingest::sip::config::SipConfig;
use super::ingest::websocket::WebSocketConfig;
use super::jobs::JobsConfig;
use super::recordings::RecordingsConfig;
use super::traces::TracesConfig;
use super::webhooks::{self, WebhookConfig};

/// What `auricle serve` listens on, and how much it takes in.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LiveConfig {
    /// Address and port of the HTTP interface; port 0 takes a free one.
    pub(crate) listen: SocketAddr,
    /// Calls under way at a time; more are refused.
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) most_calls: usize,
    /// Connections of the HTTP interface at a time; more are refused.
    #[schemars(range(min = 10, max = 200_000))]
    pub(crate) most_connections: usize,
    /// Threads of the front end; 0 for one.
    #[schemars(range(min = 0, max = 64))]
    pub(crate) front_threads: usize,
    /// Threads of recognition; 0 for one on each processor.
    #[schemars(range(min = 0, max = 256))]
    pub(crate) recognise_threads: usize,
    /// Threads of judgement; 0 for one.
    #[schemars(range(min = 0, max = 64))]
    pub(crate) judge_threads: usize,
    /// How long a stage with nothing to do sleeps.
    #[schemars(range(min = 1, max = 100))]
    pub(crate) idle_ms: u64,
    /// How long calls under way may go on when the program is told to end.
    #[schemars(range(min = 0, max = 86_400))]
    pub(crate) drain_secs: u64,
    /// Audio over AudioSocket, and over WebSockets other than `/v1/listen`, may be so far ahead of the clock; beyond that its
    /// sender is held back (ingest/audiosocket.md).
    #[schemars(range(min = 1, max = 3_600))]
    pub(crate) most_ahead_secs: u64,
    /// A call over AudioSocket, or over a WebSocket other than `/v1/listen`, that has lasted so long is ended as if somebody hung up.
    #[schemars(range(min = 60, max = 604_800))]
    pub(crate) longest_call_secs: u64,
    /// How often it is looked whether packs, cards, hotwords or texts of the language model changed, to read them again
    /// (live.md); 0: never, only when somebody asks for it.
    #[schemars(range(min = 0, max = 86_400))]
    pub(crate) reload_secs: u64,
    /// Who is let in; without any, this machine alone.
    pub(crate) keys: Vec<KeyConfig>,
    /// Audio from Asterisk (ingest/audiosocket.md).
    pub(crate) audiosocket: AudioSocketConfig,
    /// Audio over WebSockets: FreeSWITCH, Asterisk, Twilio, clients of Deepgram's API, the microphone page (live.md).
    pub(crate) websocket: WebSocketConfig,
    /// Audio from Genesys Cloud (ingest/audiohook.md).
    pub(crate) audiohook: AudioHookConfig,
    /// Calls and recordings over SIP, and their audio over RTP (ingest/sip.md, ingest/siprec.md, ingest/rtp.md).
    pub(crate) sip: SipConfig,
    /// Keys that are pressed on telephones (live.md).
    pub(crate) digits: DigitsConfig,
    /// Calls that are announced before their audio comes (live.md).
    pub(crate) announcements: AnnouncementsConfig,
    /// Recordings of calls under way, encrypted (live.md).
    pub(crate) recordings: RecordingsConfig,
    /// Events for those who were away (live.md).
    pub(crate) events: EventsConfig,
    /// Where the time of each utterance goes, for OpenTelemetry (live.md).
    pub(crate) traces: TracesConfig,
    /// Work beside live calls.
    pub(crate) jobs: JobsConfig,
    /// Other programs that get events sent (webhooks.md).
    pub(crate) webhooks: Vec<WebhookConfig>,
}

impl Default for LiveConfig {
    fn default() -> Self {
        let live = LiveSettings::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8020)),
            most_calls: live.most_calls,
            most_connections: 10_000,
            front_threads: 0,
            recognise_threads: 0,
            judge_threads: 0,
            idle_ms: live.idle_ms,
            drain_secs: 30,
            most_ahead_secs: 5,
            longest_call_secs: 43_200,
            reload_secs: 0,
            keys: Vec::new(),
            audiosocket: AudioSocketConfig::default(),
            websocket: WebSocketConfig::default(),
            audiohook: AudioHookConfig::default(),
            sip: SipConfig::default(),
            digits: DigitsConfig::default(),
            announcements: AnnouncementsConfig::default(),
            recordings: RecordingsConfig::default(),
            events: EventsConfig::default(),
            traces: TracesConfig::default(),
            jobs: JobsConfig::default(),
            webhooks: Vec::new(),
        }
    }
}

impl LiveConfig {
    /// What the pipeline is started with.
    pub(crate) fn settings(&self) -> LiveSettings {
        let usual = LiveSettings::default();
        let threads = |n: usize, usual: NonZeroUsize| NonZeroUsize::new(n).unwrap_or(usual);
        LiveSettings {
            n_front: threads(self.front_threads, usual.n_front),
            n_recognise: threads(self.recognise_threads, usual.n_recognise),
            n_judge: threads(self.judge_threads, usual.n_judge),
            most_calls: self.most_calls,
            idle_ms: self.idle_ms,
            ..usual
        }
    }

    /// How ways in keep to the clock whose audio has no places of its own.
    pub(crate) const fn wall_time(&self) -> WallTime {
        WallTime::new(self.most_ahead_secs, self.longest_call_secs)
    }

    /// What can be told before anything is started, beside the ranges of numbers, which are held where the configuration
    /// is read.
    ///
    /// # Errors
    /// Names what is wrong, and where.
    pub(crate) fn check(&self) -> Result<()> {
        Access::new(&self.keys, self.listen.ip())?;
        webhooks::check(&self.webhooks)?;
        self.sip.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_the_pipelines_own() {
        assert_eq!(LiveConfig::default().settings(), LiveSettings::default());
    }
}
