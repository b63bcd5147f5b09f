//! A piece of sound, one slice per channel.

/// Frames a reader puts into one block at most (about a second of telephone audio).
///
/// Large enough that per-block work does not show, small enough that a block of 32 channels stays
/// at 1 MiB.
pub const MAX_BLOCK_FRAMES: usize = 8192;

/// Consecutive frames of some channels, planar, samples in [-1, 1].
///
/// Meant to be kept and filled again: clearing keeps the memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AudioBlock {
    planes: Vec<Vec<f32>>,
}

impl AudioBlock {
    /// An empty block; the first reader that fills it sets the number of channels.
    pub fn new() -> Self {
        Self::default()
    }

    /// A block of the given channels. Shorter channels are filled with silence.
    pub fn from_planes(mut planes: Vec<Vec<f32>>) -> Self {
        let n_frames = planes.iter().map(Vec::len).max().unwrap_or(0);
        for plane in &mut planes {
            plane.resize(n_frames, 0.0);
        }
        Self { planes }
    }

    /// Channels.
    pub fn n_channels(&self) -> usize {
        self.planes.len()
    }

    /// Frames, that is samples in every channel.
    pub fn n_frames(&self) -> usize {
        self.planes.first().map_or(0, Vec::len)
    }

    /// True when there is no frame.
    pub fn is_empty(&self) -> bool {
        self.n_frames() == 0
    }

    /// The samples of one channel; empty where there is no such channel.
    pub fn channel(&self, channel_idx: usize) -> &[f32] {
        self.planes.get(channel_idx).map_or(&[], Vec::as_slice)
    }

    /// All channels in order.
    pub fn channels(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.planes.iter().map(Vec::as_slice)
    }

    /// Empties the block and sets its number of channels; keeps the memory of those that stay.
    pub(crate) fn reset(&mut self, n_channels: usize) {
        self.planes.resize_with(n_channels, Vec::new);
        self.planes.iter_mut().for_each(Vec::clear);
    }

    /// For decoders, which must leave all channels equally long.
    pub(crate) fn planes_mut(&mut self) -> &mut [Vec<f32>] {
        &mut self.planes
    }

    /// Appends silence.
    pub(crate) fn push_silence(&mut self, n_frames: usize) {
        for plane in &mut self.planes {
            plane.resize(plane.len() + n_frames, 0.0);
        }
    }

    /// Appends frames `start..start + n_frames` of `other`, which has as many channels.
    pub(crate) fn append_range(&mut self, other: &Self, start: usize, n_frames: usize) {
        for (plane, from) in self.planes.iter_mut().zip(&other.planes) {
            plane.extend_from_slice(&from[start..start + n_frames]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_are_made_equally_long() {
        let block = AudioBlock::from_planes(vec![vec![0.5; 3], vec![0.25]]);
        assert_eq!((block.n_channels(), block.n_frames()), (2, 3));
        assert_eq!(block.channel(1), [0.25, 0.0, 0.0]);
        assert_eq!(block.channel(7), []);
    }

    #[test]
    fn reset_empties_and_sets_the_channels() {
        let mut block = AudioBlock::from_planes(vec![vec![1.0; 4]]);
        block.reset(2);
        assert!(block.is_empty());
        block.push_silence(3);
        assert_eq!(
            block.channels().map(<[f32]>::len).collect::<Vec<_>>(),
            [3, 3]
        );
    }
}
