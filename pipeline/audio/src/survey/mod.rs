//! One pass over a recording before it is analysed: levels, faults, and whether the channels carry
//! different parties or the same sound twice.
//!
//! Many recorders mix both parties and store the mix on two channels ("fake stereo"), scaled,
//! inverted, delayed by their filters, or coded separately. Analysed as two parties, everything
//! would be found twice. The other way round, in a true two-party recording each party is faintly
//! heard on the other's channel; and the agent may be the only one who ever speaks.

mod levels;
mod likeness;

use std::fmt;

use crate::block::AudioBlock;
use levels::Levels;
use likeness::Likeness;

/// Channels compared with each other, the first of the recording. Telephone recordings have one or
/// two; the work grows with the square.
pub const COMPARED_CHANNELS: usize = 8;
/// A channel whose loudest 20 ms lie below is silent, dBFS.
pub const SILENCE_DB: f64 = -60.0;
/// A recording whose loudest 20 ms lie below is very quiet, dBFS.
pub const QUIET_DB: f64 = -40.0;
/// Share of clipped samples from which on it is said.
pub const CLIPPED_RATIO: f64 = 0.001;
/// Mean of a channel from which on it is said, of full scale.
pub const DC_OFFSET: f64 = 0.02;

/// How the parties lie on the channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// One channel.
    Mono,
    /// Several channels with sounds of their own, or with none.
    PerParty,
    /// Several channels, all with the same sound.
    FakeStereo,
}

impl Layout {
    /// The name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mono => "mono",
            Self::PerParty => "per_party",
            Self::FakeStereo => "fake_stereo",
        }
    }
}

/// What a channel is to the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelRole {
    /// A sound of its own.
    Own,
    /// No sound.
    Silent,
    /// The sound of an earlier channel, at about its level.
    SameAs {
        /// That channel.
        channel_idx: usize,
    },
    /// Nothing but another channel's sound, much fainter: the party never spoke.
    LeakOf {
        /// That channel.
        channel_idx: usize,
    },
}

/// What was measured on one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelSurvey {
    /// Largest magnitude, of full scale.
    pub peak: f64,
    /// Root mean square without the mean, of full scale.
    pub rms: f64,
    /// The same of the loudest 20 ms, dBFS.
    pub loudest_db: f64,
    /// Mean, of full scale.
    pub dc_offset: f64,
    /// Share of samples in flat tops near full scale.
    pub clipped_ratio: f64,
    /// Share of 20 ms windows with sound: above -50 dBFS and no more than 35 dB below the loudest.
    pub active_ratio: f64,
    /// Own sound, silence, or a copy.
    pub role: ChannelRole,
}

/// Something to be said of a recording's sound.
#[derive(Clone, Debug, PartialEq)]
pub enum SurveyWarning {
    /// Not a channel with sound.
    AllSilent,
    /// A channel of several without sound.
    SilentChannel {
        /// Which.
        channel_idx: usize,
    },
    /// A channel with nothing but another's sound, faintly.
    LeakOnly {
        /// Which.
        channel_idx: usize,
        /// Whose sound.
        of_channel_idx: usize,
    },
    /// All channels carry the same sound.
    FakeStereo,
    /// Recorded too loud.
    Clipped {
        /// Which channel.
        channel_idx: usize,
        /// Share of its samples.
        ratio: f64,
    },
    /// A constant was added.
    DcOffset {
        /// Which channel.
        channel_idx: usize,
        /// The constant, of full scale.
        offset: f64,
    },
    /// Recorded too quiet.
    Quiet {
        /// Level of the loudest 20 ms, dBFS.
        loudest_db: f64,
    },
}

impl fmt::Display for SurveyWarning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllSilent => out.write_str("there is no sound on any channel"),
            Self::SilentChannel { channel_idx } => write!(out, "channel `{channel_idx}` is silent"),
            Self::LeakOnly {
                channel_idx,
                of_channel_idx,
            } => write!(
                out,
                "channel `{channel_idx}` carries nothing but channel `{of_channel_idx}`, faintly"
            ),
            Self::FakeStereo => {
                out.write_str("all channels carry the same sound: parties cannot be told apart")
            }
            Self::Clipped { channel_idx, ratio } => write!(
                out,
                "channel `{channel_idx}` is clipped: `{:.1}` % of its samples",
                100.0 * ratio
            ),
            Self::DcOffset {
                channel_idx,
                offset,
            } => write!(
                out,
                "channel `{channel_idx}` is off centre by `{offset:.3}` of full scale"
            ),
            Self::Quiet { loudest_db } => {
                write!(
                    out,
                    "recording is very quiet: `{loudest_db:.0}` dBFS at its loudest"
                )
            }
        }
    }
}

/// What the pass found.
#[derive(Clone, Debug, PartialEq)]
pub struct SurveyReport {
    /// Frames seen.
    pub n_frames: u64,
    /// Seconds seen.
    pub duration_secs: f64,
    /// One for each channel.
    pub channels: Vec<ChannelSurvey>,
    /// How the parties lie on them.
    pub layout: Layout,
    /// What to say of it.
    pub warnings: Vec<SurveyWarning>,
}

/// The pass. Memory is bounded by rate and channels, not by length.
pub struct Survey {
    rate_hz: u32,
    n_frames: u64,
    levels: Vec<Levels>,
    likeness: Likeness,
}

impl Survey {
    /// For a recording of this rate and number of channels.
    pub fn new(rate_hz: u32, n_channels: usize) -> Self {
        Self {
            rate_hz: rate_hz.max(1),
            n_frames: 0,
            levels: (0..n_channels).map(|_| Levels::new(rate_hz)).collect(),
            likeness: Likeness::new(rate_hz, n_channels.min(COMPARED_CHANNELS)),
        }
    }

    /// Takes the next frames; channels that the block lacks count as silent.
    pub fn push(&mut self, block: &AudioBlock) {
        self.n_frames += block.n_frames() as u64;
        for (channel_idx, levels) in self.levels.iter_mut().enumerate() {
            levels.push(block.channel(channel_idx));
        }
        self.likeness.push(block);
    }

    /// Concludes.
    pub fn finish(mut self) -> SurveyReport {
        let mut channels: Vec<ChannelSurvey> = self.levels.iter_mut().map(Levels::finish).collect();
        for channel_idx in 1..channels.len().min(COMPARED_CHANNELS) {
            let role = self.role(&channels, channel_idx);
            channels[channel_idx].role = role;
        }
        turn_leaks(&mut channels);
        let layout = layout(&channels);
        SurveyReport {
            n_frames: self.n_frames,
            duration_secs: self.n_frames as f64 / f64::from(self.rate_hz),
            warnings: warnings(&channels, layout),
            channels,
            layout,
        }
    }

    /// The first earlier channel that sounds alike decides.
    fn role(&self, channels: &[ChannelSurvey], channel_idx: usize) -> ChannelRole {
        if channels[channel_idx].role == ChannelRole::Silent {
            return ChannelRole::Silent;
        }
        let earlier = (0..channel_idx).filter(|&idx| channels[idx].role == ChannelRole::Own);
        let mut roles = earlier.filter_map(|idx| self.likeness.role(idx, channel_idx));
        roles.next().unwrap_or(ChannelRole::Own)
    }
}

/// Where the later channel is the loud one, the earlier is its leak.
fn turn_leaks(channels: &mut [ChannelSurvey]) {
    for later_idx in 1..channels.len() {
        if let ChannelRole::LeakOf { channel_idx } = channels[later_idx].role
            && channels[channel_idx].rms < channels[later_idx].rms
        {
            channels[later_idx].role = ChannelRole::Own;
            channels[channel_idx].role = ChannelRole::LeakOf {
                channel_idx: later_idx,
            };
        }
    }
}

fn layout(channels: &[ChannelSurvey]) -> Layout {
    let is_copy = |channel: &ChannelSurvey| matches!(channel.role, ChannelRole::SameAs { .. });
    match channels {
        [] | [_] => Layout::Mono,
        [_, later @ ..] if later.iter().all(is_copy) => Layout::FakeStereo,
        _ => Layout::PerParty,
    }
}

fn warnings(channels: &[ChannelSurvey], layout: Layout) -> Vec<SurveyWarning> {
    if channels
        .iter()
        .all(|channel| channel.role == ChannelRole::Silent)
    {
        return vec![SurveyWarning::AllSilent];
    }
    let mut found = Vec::new();
    if layout == Layout::FakeStereo {
        found.push(SurveyWarning::FakeStereo);
    }
    let loudest_db = channels
        .iter()
        .map(|channel| channel.loudest_db)
        .fold(f64::MIN, f64::max);
    if loudest_db < QUIET_DB {
        found.push(SurveyWarning::Quiet { loudest_db });
    }
    for (channel_idx, channel) in channels.iter().enumerate() {
        match channel.role {
            ChannelRole::Silent => found.push(SurveyWarning::SilentChannel { channel_idx }),
            ChannelRole::LeakOf {
                channel_idx: of_channel_idx,
            } => found.push(SurveyWarning::LeakOnly {
                channel_idx,
                of_channel_idx,
            }),
            ChannelRole::Own | ChannelRole::SameAs { .. } => {}
        }
        if channel.clipped_ratio >= CLIPPED_RATIO {
            found.push(SurveyWarning::Clipped {
                channel_idx,
                ratio: channel.clipped_ratio,
            });
        }
        if channel.dc_offset.abs() >= DC_OFFSET {
            found.push(SurveyWarning::DcOffset {
                channel_idx,
                offset: channel.dc_offset,
            });
        }
    }
    found
}

fn db(power: f64) -> f64 {
    10.0 * power.max(1e-12).log10()
}
