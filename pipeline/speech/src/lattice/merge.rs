//! The slots of all hypotheses of an utterance → one row of slots.
//!
//! The best hypothesis is the pivot. The others are aligned with it by sound and time; where they
//! agree their choices are averaged by the weight of their paths, where they lack a syllable the
//! slot may be skipped, and where they have one more there is a slot that may be used (a confusion
//! network after Mangu, Brill and Stolcke 2000).

use auricle_pinyin::distance;

use super::slots::{Slot, SlotKind, normalise};

/// Emissions of one syllable on different paths lie closer than this.
const MAX_SHIFT_MS: u32 = 320;
/// Slots less likely than this to hold anything are not worth searching.
const MIN_PRESENCE: f32 = 0.02;

/// Merges hypotheses, best first, each with the natural log of its path's probability.
pub fn merge(hypotheses: &[(Vec<Slot>, f32)]) -> Vec<Slot> {
    let Some((pivot, best)) = hypotheses.first() else {
        return Vec::new();
    };
    let total: f32 = hypotheses
        .iter()
        .map(|(_, log_prob)| (log_prob - best).exp())
        .sum();
    let mut columns: Vec<Column> = pivot
        .iter()
        .map(|slot| Column::new(slot, 1.0 / total))
        .collect();
    for (slots, log_prob) in &hypotheses[1..] {
        let weight = (log_prob - best).exp() / total;
        if weight > MIN_PRESENCE / 10.0 {
            columns = align(columns, slots, weight);
        }
    }
    columns.into_iter().filter_map(Column::into_slot).collect()
}

/// A slot in the making: what each path heard there, with the path's weight.
struct Column {
    slot: Slot,
    heard: Vec<(SlotKind, f32)>,
    presence: f32,
}

impl Column {
    fn new(slot: &Slot, weight: f32) -> Self {
        Self {
            slot: slot.clone(),
            heard: vec![(slot.kind.clone(), weight)],
            presence: weight,
        }
    }

    fn add(&mut self, slot: &Slot, weight: f32) {
        self.heard.push((slot.kind.clone(), weight));
        self.presence += weight;
    }

    fn into_slot(self) -> Option<Slot> {
        if self.presence < MIN_PRESENCE {
            return None;
        }
        let mut slot = self.slot;
        if let SlotKind::Sounds(sounds) = &mut slot.kind {
            sounds.clear();
            for (kind, weight) in &self.heard {
                if let SlotKind::Sounds(own) = kind {
                    sounds.extend(own.iter().map(|sound| {
                        let mut sound = *sound;
                        sound.log_prob += weight.ln();
                        sound
                    }));
                }
            }
            normalise(sounds);
            let present = self.presence.min(1.0).ln();
            sounds
                .iter_mut()
                .for_each(|sound| sound.log_prob += present);
        }
        let absence = 1.0 - self.presence;
        slot.skip_log_prob = if absence > 1e-3 {
            absence.ln()
        } else {
            f32::NEG_INFINITY
        };
        Some(slot)
    }
}

/// How badly two slots fit, 0 to 1; `None` when they cannot be the same sound.
fn misfit(column: &Slot, slot: &Slot) -> Option<f32> {
    if column.start_ms.abs_diff(slot.start_ms) > MAX_SHIFT_MS {
        return None;
    }
    match (&column.kind, &slot.kind) {
        (SlotKind::Foreign(one), SlotKind::Foreign(other)) => (one == other).then_some(0.0),
        (SlotKind::Sounds(_), SlotKind::Sounds(_)) => {
            let (one, other) = (column.sounds().first()?, slot.sounds().first()?);
            let apart = column.start_ms.abs_diff(slot.start_ms) as f32 / MAX_SHIFT_MS as f32;
            Some(distance(one.syllable, other.syllable) * 0.8 + 0.2 * apart)
        }
        _ => None,
    }
}

#[derive(Clone, Copy)]
enum Move {
    Both,
    ColumnOnly,
    SlotOnly,
}

/// Aligns one more path with the columns by least edit cost.
fn align(columns: Vec<Column>, slots: &[Slot], weight: f32) -> Vec<Column> {
    const GAP: f32 = 0.7;
    let width = slots.len() + 1;
    let mut cost = vec![0.0_f32; (columns.len() + 1) * width];
    let mut moves = vec![Move::Both; cost.len()];
    for row in 0..=columns.len() {
        for at in 0..=slots.len() {
            let here = row * width + at;
            let mut best = if here == 0 {
                (0.0, Move::Both)
            } else {
                (f32::INFINITY, Move::Both)
            };
            if row > 0
                && at > 0
                && let Some(misfit) = misfit(&columns[row - 1].slot, &slots[at - 1])
            {
                best = (cost[here - width - 1] + misfit, Move::Both);
            }
            if row > 0 && cost[here - width] + GAP < best.0 {
                best = (cost[here - width] + GAP, Move::ColumnOnly);
            }
            if at > 0 && cost[here - 1] + GAP < best.0 {
                best = (cost[here - 1] + GAP, Move::SlotOnly);
            }
            (cost[here], moves[here]) = best;
        }
    }
    follow(columns, slots, &moves, weight)
}

fn follow(columns: Vec<Column>, slots: &[Slot], moves: &[Move], weight: f32) -> Vec<Column> {
    let width = slots.len() + 1;
    let (mut row, mut at) = (columns.len(), slots.len());
    let mut columns: Vec<Option<Column>> = columns.into_iter().map(Some).collect();
    let mut out = Vec::with_capacity(columns.len() + 1);
    while row > 0 || at > 0 {
        match moves[row * width + at] {
            Move::Both => {
                (row, at) = (row - 1, at - 1);
                out.extend(columns[row].take().map(|mut column| {
                    column.add(&slots[at], weight);
                    column
                }));
            }
            Move::ColumnOnly => {
                row -= 1;
                out.extend(columns[row].take());
            }
            Move::SlotOnly => {
                at -= 1;
                out.push(Column::new(&slots[at], weight));
            }
        }
    }
    out.reverse();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lattice::Sound;

    fn slot(syllable: &str, start_ms: u32) -> Slot {
        let sound = Sound {
            syllable: syllable.parse().unwrap(),
            log_prob: 0.0,
        };
        let kind = SlotKind::Sounds(vec![sound]);
        Slot {
            start_ms,
            end_ms: start_ms + 80,
            kind,
            skip_log_prob: f32::NEG_INFINITY,
        }
    }

    fn row(text: &str) -> Vec<Slot> {
        text.split(' ')
            .enumerate()
            .map(|(at, syllable)| slot(syllable, at as u32 * 200))
            .collect()
    }

    fn show(slots: &[Slot]) -> String {
        let one = |slot: &Slot| {
            let sounds: Vec<String> = slot
                .sounds()
                .iter()
                .map(|s| format!("{}={:.2}", s.syllable, s.log_prob.exp()))
                .collect();
            let skip = if slot.skip_log_prob.is_finite() {
                format!("-{:.2}", slot.skip_log_prob.exp())
            } else {
                String::new()
            };
            format!("{}{skip}", sounds.join("|"))
        };
        slots.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn one_path_stays_as_it_is() {
        assert_eq!(
            show(&merge(&[(row("bao3 zheng4"), -1.0)])),
            "bao3=1.00 zheng4=1.00"
        );
        assert!(merge(&[]).is_empty());
    }

    #[test]
    fn other_paths_add_choices_by_weight() {
        let paths = [
            (row("bao3 zheng4"), 0.75_f32.ln()),
            (row("bao3 zeng4"), 0.25_f32.ln()),
        ];
        assert_eq!(show(&merge(&paths)), "bao3=1.00 zheng4=0.75|zeng4=0.25");
    }

    #[test]
    fn a_syllable_that_some_paths_lack_may_be_skipped() {
        let short = vec![slot("bao3", 0), slot("zheng4", 400)];
        let paths = [
            (row("bao3 yi1 zheng4"), 0.6_f32.ln()),
            (short.clone(), 0.4_f32.ln()),
        ];
        assert_eq!(show(&merge(&paths)), "bao3=1.00 yi1=0.60-0.40 zheng4=1.00");
        let paths = [
            (short, 0.6_f32.ln()),
            (row("bao3 yi1 zheng4"), 0.4_f32.ln()),
        ];
        assert_eq!(show(&merge(&paths)), "bao3=1.00 yi1=0.40-0.60 zheng4=1.00");
    }
}
