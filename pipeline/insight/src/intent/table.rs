//! Weights by feature: few of the many features have one.

use super::features::N_BUCKETS;

/// For each feature that counts, the labels it counts for and how much.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table {
    /// One bit for each feature, whether it has weights at all, and the features present before those of the word:
    /// what is looked at together lies together.
    present: Vec<(u64, u32)>,
    /// Where each present feature's entries start; one more at the end.
    starts: Vec<u32>,
    entries: Row,
    /// What one step is worth, by label.
    step_sizes: Vec<f32>,
}

/// One feature's weights: label and steps.
pub(super) type Row = Vec<(u8, i8)>;

impl Table {
    /// Of rows of any origin. `None` where buckets or labels are beyond what there is, or buckets do not rise.
    pub(super) fn new(rows: &[(u32, Row)], step_sizes: Vec<f32>) -> Option<Self> {
        let rises = rows.is_sorted_by(|a, b| a.0 < b.0);
        let is_inside = rows.last().is_none_or(|last| (last.0 as usize) < N_BUCKETS);
        let mut labels = rows.iter().flat_map(|(_, row)| row);
        let are_known = labels.all(|(label, _)| usize::from(*label) < step_sizes.len());
        (rises && is_inside && are_known).then(|| Self::of_rising(rows, step_sizes))
    }

    /// Of rows by rising bucket, all buckets and labels within what there is.
    pub(super) fn of_rising(rows: &[(u32, Row)], step_sizes: Vec<f32>) -> Self {
        let mut table = Self {
            present: vec![(0, 0); N_BUCKETS / 64],
            starts: Vec::with_capacity(rows.len() + 1),
            entries: Vec::new(),
            step_sizes,
        };
        for (bucket, row) in rows {
            table.present[*bucket as usize / 64].0 |= 1 << (bucket % 64);
            table.starts.push(table.entries.len() as u32);
            table.entries.extend(row);
        }
        table.starts.push(table.entries.len() as u32);
        let mut n_before = 0;
        for (word, before) in &mut table.present {
            *before = n_before;
            n_before += word.count_ones();
        }
        table
    }

    /// The rows it was made of.
    pub(super) fn rows(&self) -> impl Iterator<Item = (u32, Row)> {
        let buckets = (0..N_BUCKETS as u32).filter(|&bucket| self.place(bucket).is_some());
        buckets.map(|bucket| (bucket, self.entries(bucket).to_vec()))
    }

    pub(super) fn n_rows(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn step_sizes(&self) -> &[f32] {
        &self.step_sizes
    }

    /// Adds features, by their amounts, to the scores of their labels. Where a feature's entries stand is looked up
    /// some features ahead: the table is larger than the nearest memory, and lookups wait for one another less so.
    pub(super) fn add_all(&self, scores: &mut [f32], features: &[(u32, f32)]) {
        const AHEAD: usize = 16;
        let mut ranges = [(0, 0); AHEAD];
        for features in features.chunks(AHEAD) {
            for (range, &(bucket, _)) in ranges.iter_mut().zip(features) {
                *range = self.place(bucket).map_or((0, 0), |place| {
                    (self.starts[place] as usize, self.starts[place + 1] as usize)
                });
            }
            for (&(from, to), &(_, amount)) in ranges.iter().zip(features) {
                for &(label, steps) in &self.entries[from..to] {
                    let label = usize::from(label);
                    scores[label] += f32::from(steps) * self.step_sizes[label] * amount;
                }
            }
        }
    }

    fn entries(&self, bucket: u32) -> &[(u8, i8)] {
        match self.place(bucket) {
            Some(place) => {
                &self.entries[self.starts[place] as usize..self.starts[place + 1] as usize]
            }
            None => &[],
        }
    }

    fn place(&self, bucket: u32) -> Option<usize> {
        let (word, n_before) = self.present[bucket as usize / 64];
        let bit = 1u64 << (bucket % 64);
        let before = (word & (bit - 1)).count_ones();
        (word & bit != 0).then(|| (n_before + before) as usize)
    }
}
