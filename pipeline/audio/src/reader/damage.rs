//! What went wrong while packets were read, kept as counts.

use crate::error::ReadWarning;

/// Counts of damage; positions in frames given out.
#[derive(Debug, Default)]
pub(super) struct DamageLog {
    /// The file ends in the middle of something.
    pub(super) is_cut: bool,
    /// Frames by the header, where that is to be relied on.
    pub(super) n_frames_stated: Option<u64>,
    damaged: Occurrences,
    gaps: Occurrences,
    change_frame: Option<u64>,
}

/// Something that happened several times.
#[derive(Debug, Default)]
struct Occurrences {
    n_total: u64,
    first_frame: Option<u64>,
}

impl Occurrences {
    fn add(&mut self, n: u64, at_frame: u64) {
        self.n_total += n;
        self.first_frame.get_or_insert(at_frame);
    }
}

impl DamageLog {
    pub(super) fn packet(&mut self, at_frame: u64) {
        self.damaged.add(1, at_frame);
    }

    pub(super) fn gap(&mut self, n_frames: u64, at_frame: u64) {
        self.gaps.add(n_frames, at_frame);
    }

    pub(super) fn format_change(&mut self, at_frame: u64) {
        self.change_frame.get_or_insert(at_frame);
    }

    /// Appends the warnings of a recording read up to `n_frames`.
    pub(super) fn warnings(&self, n_frames: u64, rate_hz: u32, found: &mut Vec<ReadWarning>) {
        let secs = |n_frames: u64| n_frames as f64 / f64::from(rate_hz);
        let first = |what: &Occurrences| what.first_frame.map(secs);
        let is_short = self.n_frames_stated.is_some_and(|stated| n_frames < stated);
        if let Some(at_frame) = self.change_frame {
            found.push(ReadWarning::FormatChange {
                at_secs: secs(at_frame),
            });
        } else if self.is_cut || is_short {
            found.push(ReadWarning::Truncated {
                n_frames_stated: self.n_frames_stated.filter(|_| is_short),
                n_frames_read: n_frames,
            });
        }
        if let Some(first_secs) = first(&self.damaged) {
            found.push(ReadWarning::DamagedPackets {
                n_packets: self.damaged.n_total,
                first_secs,
            });
        }
        if let Some(first_secs) = first(&self.gaps) {
            found.push(ReadWarning::Gap {
                missing_secs: secs(self.gaps.n_total),
                first_secs,
            });
        }
    }
}
