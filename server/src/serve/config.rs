//! `[live]`: calls under way.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use anyhow::Result;
use auricle_live::LiveSettings;
use serde::Deserialize;

use super::access::KeyConfig;
use super::announced::AnnouncementsConfig;
use super::archive::EventsConfig;
use super::ingest::audiosocket::AudioSocketConfig;
use super::ingest::websocket::WebSocketConfig;
use super::jobs::JobsConfig;
use super::recordings::RecordingsConfig;
use super::webhooks::{self, WebhookConfig};
use crate::exit::usage;

/// What `auricle serve` listens on, and how much it takes in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LiveConfig {
    /// Address and port of the HTTP interface; port 0 takes a free one.
    pub(crate) listen: SocketAddr,
    /// Calls under way at a time, 1 to 100,000; more are refused.
    pub(crate) most_calls: usize,
    /// Threads of the front end, 1 to 64; 0 for one.
    pub(crate) front_threads: usize,
    /// Threads of recognition, 1 to 256; 0 for one each processor.
    pub(crate) recognise_threads: usize,
    /// Threads of judgement, 1 to 64; 0 for one.
    pub(crate) judge_threads: usize,
    /// How long a stage with nothing to do sleeps, milliseconds, 1 to 100.
    pub(crate) idle_ms: u64,
    /// How long calls under way may go on when the program is told to end, seconds, 0 to 86,400.
    pub(crate) drain_secs: u64,
    /// Who is let in; without any, this machine alone.
    pub(crate) keys: Vec<KeyConfig>,
    /// Audio from Asterisk.
    pub(crate) audiosocket: AudioSocketConfig,
    /// Audio over WebSockets: FreeSWITCH, clients of Deepgram's API, the microphone page.
    pub(crate) websocket: WebSocketConfig,
    /// Calls that are announced before their audio comes.
    pub(crate) announcements: AnnouncementsConfig,
    /// Recordings of calls under way.
    pub(crate) recordings: RecordingsConfig,
    /// Events for those who were away.
    pub(crate) events: EventsConfig,
    /// Work beside live calls.
    pub(crate) jobs: JobsConfig,
    /// Who gets events sent.
    pub(crate) webhooks: Vec<WebhookConfig>,
}

impl Default for LiveConfig {
    fn default() -> Self {
        let live = LiveSettings::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8020)),
            most_calls: live.most_calls,
            front_threads: 0,
            recognise_threads: 0,
            judge_threads: 0,
            idle_ms: live.idle_ms,
            drain_secs: 30,
            keys: Vec::new(),
            audiosocket: AudioSocketConfig::default(),
            websocket: WebSocketConfig::default(),
            announcements: AnnouncementsConfig::default(),
            recordings: RecordingsConfig::default(),
            events: EventsConfig::default(),
            jobs: JobsConfig::default(),
            webhooks: Vec::new(),
        }
    }
}

impl LiveConfig {
    /// What the pipeline is started with.
    ///
    /// # Errors
    /// Names the first key that is out of range.
    pub(crate) fn settings(&self) -> Result<LiveSettings> {
        in_range("most_calls", self.most_calls as u64, 1..=100_000)?;
        in_range("front_threads", self.front_threads as u64, 0..=64)?;
        in_range("recognise_threads", self.recognise_threads as u64, 0..=256)?;
        in_range("judge_threads", self.judge_threads as u64, 0..=64)?;
        in_range("idle_ms", self.idle_ms, 1..=100)?;
        in_range("drain_secs", self.drain_secs, 0..=86_400)?;
        let audiosocket = &self.audiosocket;
        let most_connections = audiosocket.most_connections as u64;
        in_range(
            "audiosocket.most_connections",
            most_connections,
            1..=200_000,
        )?;
        in_range("audiosocket.quiet_secs", audiosocket.quiet_secs, 5..=86_400)?;
        in_range("events.keep_days", self.events.keep_days, 1..=3_650)?;
        let announcements = &self.announcements;
        in_range(
            "announcements.most",
            announcements.most as u64,
            1..=1_000_000,
        )?;
        in_range(
            "announcements.keep_secs",
            announcements.keep_secs,
            1..=86_400,
        )?;
        in_range("jobs.most", self.jobs.most, 1..=1_000)?;
        in_range("jobs.pause_ms", self.jobs.pause_ms, 0..=10_000)?;
        webhooks::check(&self.webhooks)?;
        let websocket = &self.websocket;
        let most_connections = websocket.most_connections as u64;
        in_range("websocket.most_connections", most_connections, 1..=200_000)?;
        in_range("websocket.quiet_secs", websocket.quiet_secs, 5..=86_400)?;
        let usual = LiveSettings::default();
        let threads = |n: usize, usual: NonZeroUsize| NonZeroUsize::new(n).unwrap_or(usual);
        Ok(LiveSettings {
            n_front: threads(self.front_threads, usual.n_front),
            n_recognise: threads(self.recognise_threads, usual.n_recognise),
            n_judge: threads(self.judge_threads, usual.n_judge),
            most_calls: self.most_calls,
            idle_ms: self.idle_ms,
        })
    }
}

pub(super) fn in_range(key: &str, value: u64, range: std::ops::RangeInclusive<u64>) -> Result<()> {
    match range.contains(&value) {
        true => Ok(()),
        false => Err(usage(format!(
            "`live.{key}` must be {} to {}, got `{value}`",
            range.start(),
            range.end()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_named() {
        let config = LiveConfig {
            idle_ms: 1_000,
            ..LiveConfig::default()
        };
        assert_eq!(
            config.settings().unwrap_err().to_string(),
            "`live.idle_ms` must be 1 to 100, got `1000`"
        );
        assert_eq!(
            LiveConfig::default().settings().unwrap(),
            LiveSettings::default()
        );
    }
}
