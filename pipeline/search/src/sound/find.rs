//! Where a sound stands in a row of codes.

use super::codes::positions;
use super::quality::{EDITED, agreement_unedited};
use super::{FULL_COST, SoundPattern, SoundSpan};

impl SoundPattern {
    /// Every match in a row of codes that overlaps no better one, in order.
    pub(crate) fn find(&self, codes: &[u16]) -> Vec<SoundSpan> {
        let row: Vec<&[u16]> = positions(codes).collect();
        let mut found = if self.full_edits() == 0 {
            self.find_unedited(&row)
        } else {
            self.find_edited(&row)
        };
        if found.len() > 1 {
            found.sort_by_key(|span| (span.cost, span.start));
            let mut taken = vec![false; row.len()];
            found.retain(|span| {
                let is_free = taken
                    .get(span.start..span.end)
                    .is_some_and(|part| !part.contains(&true));
                if is_free {
                    taken[span.start..span.end].fill(true);
                }
                is_free
            });
            found.sort_by_key(|span| span.start);
        }
        found
    }

    /// With less than one edit to spend, a match has the query's length.
    fn find_unedited(&self, row: &[&[u16]]) -> Vec<SoundSpan> {
        let mut found = Vec::new();
        if self.wanted.is_empty() {
            return found;
        }
        for (start, window) in row.windows(self.wanted.len()).enumerate() {
            let mut cost = 0;
            for (wanted, position) in self.wanted.iter().zip(window) {
                cost += wanted.cost(position);
                if cost > self.budget {
                    break;
                }
            }
            if cost <= self.budget {
                let agreement = self.window_agreement(window);
                let end = start + window.len();
                found.push(SoundSpan {
                    start,
                    end,
                    cost,
                    agreement,
                });
            }
        }
        found
    }

    fn window_agreement(&self, window: &[&[u16]]) -> f32 {
        let pairs = self.wanted.iter().zip(window);
        let sum: f32 = pairs
            .map(|(wanted, position)| wanted.agreement(position))
            .sum();
        sum / self.wanted.len() as f32
    }

    /// Approximate matching by dynamic programming over the query (Sellers 1980): the cheapest
    /// alignment that ends at each syllable, with where it starts.
    fn find_edited(&self, row: &[&[u16]]) -> Vec<SoundSpan> {
        let rows = self.wanted.len();
        let mut column: Vec<(u16, usize)> = (0..=rows).map(|i| (FULL_COST * i as u16, 0)).collect();
        let mut found = Vec::new();
        for (at, position) in row.iter().enumerate() {
            let mut diagonal = column[0];
            column[0] = (0, at + 1);
            for (i, wanted) in self.wanted.iter().enumerate() {
                let changed = (diagonal.0 + wanted.cost(position), diagonal.1);
                let extra = (column[i + 1].0 + FULL_COST, column[i + 1].1);
                let missing = (column[i].0 + FULL_COST, column[i].1);
                diagonal = column[i + 1];
                // Of equal costs the later start is the shorter match.
                column[i + 1] = [changed, extra, missing]
                    .into_iter()
                    .min_by_key(|&(cost, start)| (cost, usize::MAX - start))
                    .unwrap_or(changed);
            }
            let (cost, start) = column[rows];
            if cost <= self.budget && start <= at {
                let end = at + 1;
                let agreement = match (cost, row.get(start..end)) {
                    (0, Some(window)) => agreement_unedited(self.window_agreement(window)),
                    _ => EDITED,
                };
                found.push(SoundSpan {
                    start,
                    end,
                    cost,
                    agreement,
                });
            }
        }
        found
    }
}
